#!/bin/sh
# Installs the command-line agents that tests/clients drives into build/.work/clients, in the versions of
# tests/clients/agents/package.json. Needs node and npm; does nothing where the same versions are there already.
set -eu
cd "$(dirname "$0")/.."

wanted=tests/clients/agents/package.json
there=build/.work/clients
if ! command -v npm > /dev/null 2>&1; then
    echo "clients: npm is not installed: the tests of the command-line agents are skipped" >&2
    exit 0
fi
if cmp -s "$wanted" "$there/.installed"; then
    exit 0
fi
echo "clients: installing the command-line agents into $there"
mkdir -p "$there"
cp "$wanted" "$there/package.json"
# no scripts of packages run by themselves; two agents need theirs, to put their native program in its place
npm install --prefix "$there" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
(cd "$there/node_modules/@anthropic-ai/claude-code" && node install.cjs)
(cd "$there/node_modules/opencode-ai" && node postinstall.mjs)
cp "$wanted" "$there/.installed"
