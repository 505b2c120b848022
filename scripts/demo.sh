#!/bin/sh
# Build the documentation site and serve it: SQLite, memory cache, nothing else to install.
set -eu
bin=$1 port=$2
cd "$(dirname "$0")/../docs"
if [ ! -f .env ]; then
  key=$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(48))')
  sed "s|^SECRET_KEY=.*|SECRET_KEY=$key|" .env.example > .env
fi
"$bin/asok" migrate
"$bin/asok" build
exec "$bin/asok" preview --port "$port"
