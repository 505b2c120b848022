// Build the scripts of live components into src/asok/live/, or prove with --check that the
// committed files are what src/ builds to, and that they are no larger than they may be.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bytes after `gzip -9`, by script. */
const BUDGETS = { alive: 2048, defer: 704 };

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const names = JSON.parse(readFileSync(here("names.json"), "utf8"));

for (const [name, budget] of Object.entries(BUDGETS)) {
  const target = `../src/asok/live/${name}.js`;
  const { outputFiles } = await build({
    absWorkingDir: here("."),
    entryPoints: [`src/${name}.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    // Properties that end in `_` are ours. Their short names are those that gzip likes best.
    mangleProps: /[a-z]_$/,
    mangleCache: { ...names },
    write: false,
  });
  const built = outputFiles[0].text;
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
