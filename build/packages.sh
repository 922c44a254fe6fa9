#!/bin/sh
# Freeze the program with exactly the packages of requirements/build.txt, have it test itself, and pack it.
# `build/packages.sh FORMAT…` makes only those; see build/packages/__main__.py.
set -eu
cd "$(dirname "$0")/.."
python=$(build/find_python.sh)
"$python" build/packages --tools "$@" || echo "packages: the others are made; then this fails" >&2
frozen_with=build/.work/freezing
if ! cmp -s requirements/build.txt "$frozen_with/requirements.txt"; then
    echo "packages: making an environment with the locked packages"
    rm -rf "$frozen_with"
    "$python" -m venv "$frozen_with" 2>/dev/null || "$python" -m venv --without-pip "$frozen_with"
    "$python" -m pip --python "$frozen_with/bin/python" install --quiet --disable-pip-version-check --no-deps \
        --require-hashes --prefer-binary -r requirements/build.txt
    cp requirements/build.txt "$frozen_with/requirements.txt"
fi
echo "packages: freezing (two minutes)"
"$frozen_with/bin/python" build/packages/freeze.py dist/program
dist/program/drawbridge self-test
exec "$frozen_with/bin/python" build/packages "$@"
