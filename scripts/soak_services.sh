#!/bin/sh
# See that what only `make soak` runs is there: nginx, Varnish, Squid, wrk, strace, and REDbot in
# a virtual environment of its own inside $1 (it brings a package `tests`, which would hide ours),
# as has Autobahn's suite, which needs Python 2.7.
set -eu
venv=${1:-.venv}
PATH="$PATH:/usr/local/sbin:/usr/sbin"

if [ -x "$venv/bin/python" ] && [ ! -x "$venv/redbot/bin/redbot" ]; then
  echo "Installing redbot"
  "$venv/bin/python" -m venv "$venv/redbot"
  "$venv/redbot/bin/python" -m pip install --quiet --disable-pip-version-check "redbot>=2.7.1"
fi

if [ -x "$venv/bin/python" ] && [ ! -x "$venv/autobahn/bin/wstest" ]; then
  sh scripts/autobahn.sh "$venv"
fi

missing=""
for pair in nginx:nginx-light varnishd:varnish squid:squid wrk:wrk strace:strace; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "make soak needs these programs in PATH; Debian's packages are:$missing" >&2
  echo "Install them with your system's package manager and run the command again." >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then
  sudo=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  sudo="sudo"
else
  echo "make soak needs:$missing" >&2
  echo "Install them: sudo apt-get install$missing" >&2
  exit 1
fi
echo "Installing$missing"
$sudo apt-get update -qq
# The tests start servers of their own: Debian's must not start (exit 101 says no).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
  $sudo chmod 755 "$policy"
  trap '$sudo rm -f "$policy"' EXIT
fi
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
