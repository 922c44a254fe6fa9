#!/bin/sh
# Runs a suite; what failed is run once more, alone, on a machine that has become quiet. These tests start real
# programs and wait for them: on a machine that is busy with something else one of them may wait in vain. What fails
# twice fails; what passes at the second try is named, so that nobody takes it for sound.
set -u
"$@" && exit 0
status=$?
[ "$status" -eq 1 ] || exit "$status" # 1: tests failed; anything else is no matter of luck
echo "test: what failed is run once more, alone"
exec "$@" -n 0 --last-failed --last-failed-no-failures=none -rA --show-capture=no
