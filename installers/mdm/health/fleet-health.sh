#!/bin/sh
# Fleet, script for macOS and Linux: tells how Drawbridge fares. Exit status 0 where nothing is to be done; a policy's
# automation can run it where "Drawbridge runs" fails.
PATH="$PATH:/usr/local/bin"

if ! command -v drawbridge >/dev/null 2>&1; then
    echo "Drawbridge is not installed"
    exit 1
fi
drawbridge status --json --exit-code
code=$?
case $code in
    0) echo "Drawbridge is up" ;;
    20) echo "Drawbridge is off, as its policy says"; code=0 ;;
    1) echo "Drawbridge is not running" ;;
    10) echo "Drawbridge is degraded" ;;
    30) echo "Drawbridge's certificate is not trusted on this machine" ;;
    40) echo "Drawbridge's policy is stale" ;;
    *) echo "drawbridge status ended with $code" ;;
esac
exit $code
