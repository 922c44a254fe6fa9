#!/bin/sh
# Jamf Pro, extension attribute (data type: string): how Drawbridge fares on this Mac, as one word.
# Smart groups: "is not" ok.
PATH="$PATH:/usr/local/bin"

if ! command -v drawbridge >/dev/null 2>&1; then
    echo "<result>not installed</result>"
    exit 0
fi
drawbridge status --json --exit-code >/dev/null 2>&1
case $? in
    0) state="ok" ;;
    1) state="not running" ;;
    10) state="degraded" ;;
    20) state="off by policy" ;;
    30) state="not trusted" ;;
    40) state="stale policy" ;;
    *) state="unknown" ;;
esac
echo "<result>$state</result>"
