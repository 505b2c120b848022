#!/bin/sh
# Make the virtual environment $2 with the interpreter $1 and install $3 of this project into it.
set -eu
python=$1 venv=$2 what=$3
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Asok needs Python 3.11 or newer; $python is $("$python" --version 2>&1)." >&2
  echo "Name another one: make PYTHON=python3.12 …" >&2
  exit 1
}
if [ ! -x "$venv/bin/python" ]; then
  "$python" -m venv "$venv" || {
    echo "The module venv is missing. On Debian: apt-get install python3-venv" >&2
    exit 1
  }
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$what"
