#!/bin/sh
# See that redis-server, PostgreSQL and Chromium are there; install them on Debian where allowed.
set -eu

missing=""
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
if ! command -v initdb >/dev/null 2>&1; then
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
fi
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -z "$missing" ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ]; then
    sudo=""
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo="sudo"
  else
    echo "The tests need:$missing" >&2
    echo "Install them: sudo apt-get install$missing" >&2
    exit 1
  fi
  echo "Installing$missing"
  $sudo apt-get update -qq
  # The tests start their own servers; Debian's need not run.
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
  echo "The tests need these programs in PATH, which are missing:$missing" >&2
  echo "Install them with your system's package manager and run the command again." >&2
  exit 1
fi
