#!/bin/sh
# Prove that the committed runtime is what client/ builds to, and that it is small enough.
set -eu
cd "$(dirname "$0")/../client"
command -v node >/dev/null 2>&1 || {
  echo "This check builds the runtime, which needs Node 20 or newer (users never do)." >&2
  exit 1
}
[ -d node_modules ] || npm ci --no-audit --no-fund --silent
node build.mjs --check
