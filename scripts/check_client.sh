#!/bin/sh
# Prove that the committed scripts are what client/ builds to, that they are small enough, and
# that csp_evaluator finds nothing grave in the site's policies.
set -eu
cd "$(dirname "$0")/../client"
command -v node >/dev/null 2>&1 || {
  echo "This check builds the runtime, which needs Node 20 or newer (users never do)." >&2
  exit 1
}
[ -d node_modules/csp_evaluator ] || npm ci --no-audit --no-fund --silent
node build.mjs --check
node csp.mjs < policies.txt
