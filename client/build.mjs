// Build the scripts of live components into src/asok/live/, or prove with --check that the
// committed files are what src/ builds to, and that they are no larger than they may be.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

/** Bytes after `gzip -9`, by script; one that others import stands before them. */
const BUDGETS = { post: 1280, upload: 640, more: 2560, alive: 2048, defer: 704, later: 512 };

/** The scripts so far, as `"./name-digest.js"` by NAME: what the next ones may import. The digest
 * is that of `src/asok/live/runtime.py`. */
const addresses = {};

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const names = JSON.parse(readFileSync(here("names.json"), "utf8"));

for (const [name, budget] of Object.entries(BUDGETS)) {
  const target = `../src/asok/live/${name}.js`;
  const { outputFiles } = await build({
    absWorkingDir: here("."),
    entryPoints: [`src/${name}.ts`],
    bundle: true,
    minify: true,
    define: addresses,
    external: ["./post-*", "./upload-*", "./more-*"],
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    // Properties that end in `_` are ours. Their short names are those that gzip likes best.
    mangleProps: /[a-z]_$/,
    mangleCache: { ...names },
    write: false,
  });
  const { code } = await minify(outputFiles[0].text, { module: true, compress: { passes: 3 } });
  const built = code + "\n";
  const digest = createHash("sha256").update(built).digest("hex").slice(0, 12);
  addresses[name.toUpperCase()] = `"./${name}-${digest}.js"`;
  const size = execFileSync("gzip", ["-9n"], { input: built }).length;
  console.log(`${name}.js: ${built.length} bytes, ${size} after gzip -9 (at most ${budget})`);

  if (!process.argv.includes("--check")) writeFileSync(here(target), built);
  else if (readFileSync(here(target), "utf8") != built) {
    console.error(`${target} is not what client/src builds to: run \`npm run build\` in client/.`);
    process.exitCode = 1;
  }
  if (size > budget) {
    console.error(`${size - budget} bytes too large: make room, or load the part by import().`);
    process.exitCode = 1;
  }
}
