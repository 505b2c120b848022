// Build the Alive runtime into src/asok/live/alive.js, or prove with --check that the committed
// file is what src/ builds to, and that it is no larger than it may be.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bytes after `gzip -9`. */
const BUDGET = 2048;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const target = here("../src/asok/live/alive.js");

const { outputFiles } = await build({
  absWorkingDir: here("."),
  entryPoints: ["src/alive.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  // Properties that end in `_` are ours. Their short names are those that gzip likes best.
  mangleProps: /[a-z]_$/,
  mangleCache: JSON.parse(readFileSync(here("names.json"), "utf8")),
  write: false,
});
const built = outputFiles[0].text;
const size = execFileSync("gzip", ["-9n"], { input: built }).length;
console.log(`alive.js: ${built.length} bytes, ${size} after gzip -9 (at most ${BUDGET})`);

if (!process.argv.includes("--check")) writeFileSync(target, built);
else if (readFileSync(target, "utf8") != built) {
  console.error("src/asok/live/alive.js is not what client/src builds to: run `npm run build` in client/.");
  process.exitCode = 1;
}
if (size > BUDGET) {
  console.error(`${size - BUDGET} bytes too large: make room, or load the part by import().`);
  process.exitCode = 1;
}
