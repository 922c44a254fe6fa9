#!/bin/sh
# Make .venv in the project's root with exactly the packages of requirements/dev.txt (pinned and hashed).
set -eu
cd "$(dirname "$0")/.."
python=$(build/find_python.sh)
echo "setup: $("$python" --version) at $python"
if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c 'import sys; sys.exit(not sys.version_info >= (3, 13))'; then
    echo "setup: making .venv"
    rm -rf .venv
    # A system Python without ensurepip (Debian's python3 without python3-venv) still has a pip of its own.
    "$python" -m venv .venv 2>/dev/null || "$python" -m venv --without-pip .venv
fi
if .venv/bin/python -m pip --version >/dev/null 2>&1; then
    pip=".venv/bin/python -m pip"
else
    pip="$python -m pip --python .venv/bin/python"
fi
echo "setup: installing the locked packages (a minute or two the first time)"
$pip install --quiet --disable-pip-version-check --require-hashes --prefer-binary -r requirements/dev.txt
$pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# Where PYTHONDONTWRITEBYTECODE is set, as in many containers, every start would compile every module anew: five seconds, not one.
.venv/bin/python -m compileall -q agent addons
touch .venv/.ready
echo "setup: done"
