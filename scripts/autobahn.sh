#!/bin/sh
# Install Autobahn's WebSocket suite into $1/autobahn. It runs on Python 2.7 alone, with these
# versions of what it stands on; Debian has had none since 11, pyenv still builds one.
set -eu
venv=${1:-.venv}
python=""
for found in python2.7 "$HOME"/.pyenv/versions/2.7*/bin/python2.7; do
  if "$found" -c "import ssl" >/dev/null 2>&1; then
    python=$found
    break
  fi
done
if [ -z "$python" ]; then
  echo "Autobahn's suite needs Python 2.7: pyenv install 2.7.18" >&2
  exit 1
fi
echo "Installing autobahntestsuite"
# The last virtualenv that makes environments of Python 2.7.
"$venv/bin/python" -m venv "$venv/autobahn-virtualenv"
"$venv/autobahn-virtualenv/bin/python" -m pip install --quiet --disable-pip-version-check "virtualenv<20.22"
"$venv/autobahn-virtualenv/bin/python" -m virtualenv --quiet --python "$python" "$venv/autobahn"
"$venv/autobahn/bin/pip" install --quiet --disable-pip-version-check --no-python-version-warning \
  "autobahntestsuite==0.8.2" "Twisted==19.10.0" "cryptography==3.3.2" "pyOpenSSL==19.1.0" \
  "incremental==16.10.1"
