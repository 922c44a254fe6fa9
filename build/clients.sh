#!/bin/sh
# Installs and builds what tests/clients drives, each part where its tools are: the command-line agents into
# build/.work/clients, in the versions of tests/clients/agents/package.json, and a newer node into build/.work/programs
# (npm); the programs in Go and Rust of tests/clients/programs beside it (Debian: golang-go; cargo, librust-reqwest-dev,
# libssl-dev, pkg-config). Does nothing where the same is there already. The tests of what is not there are skipped.
set -eu
cd "$(dirname "$0")/.."

has() {
    command -v "$1" > /dev/null 2>&1
}

there() { # there WANTED PLACE
    cmp -s "$1" "$2/.installed"
}

install() { # install WANTED PLACE
    echo "clients: installing what $1 names into $2"
    mkdir -p "$2"
    cp "$1" "$2/package.json"
    # no scripts of packages run by themselves; two agents need theirs, to put their native program in its place
    npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
}

sources=tests/clients/programs
place=build/.work/programs
mkdir -p "$place"
if has go; then
    CGO_ENABLED=0 GO111MODULE=off GOCACHE="$PWD/build/.work/go" go build -o "$place/ask-go" "$sources/ask.go"
fi
if has cargo && ls -d /usr/share/cargo/registry/reqwest-* > /dev/null 2>&1; then
    (cd "$sources/rust" && CARGO_TARGET_DIR="$OLDPWD/build/.work/rust" cargo build --quiet --offline)
    cp build/.work/rust/debug/ask "$place/ask-rust"
fi

if ! has npm; then
    echo "clients: npm is not installed: the tests of the command-line agents are skipped" >&2
    exit 0
fi
wanted=tests/clients/agents/package.json
place=build/.work/clients
if ! there "$wanted" "$place"; then
    install "$wanted" "$place"
    (cd "$place/node_modules/@anthropic-ai/claude-code" && node install.cjs)
    (cd "$place/node_modules/opencode-ai" && node postinstall.mjs)
    cp "$wanted" "$place/.installed"
fi
wanted=tests/clients/programs/package.json
place=build/.work/programs
if ! there "$wanted" "$place"; then
    install "$wanted" "$place"
    cp "$wanted" "$place/.installed"
fi
