#!/bin/sh
# Installs a .pkg on a Mac that may be thrown away, uses it, removes it: smoke.sh PACKAGE. As root.
set -eu
package=$1
home="/Library/Application Support/Drawbridge"
installer -pkg "$package" -target /
for _ in $(seq 60); do
    ! "$home/program/drawbridge" status >/dev/null 2>&1 || break
    sleep 1
done
"$home/program/drawbridge" status
"$home/program/drawbridge" self-test
curl --silent --show-error --output /dev/null --write-out '%{http_code}\n' --max-time 30 \
    --proxy http://127.0.0.1:7717 --cacert "$home/state/ca/root.pem" https://api.openai.com/v1/models
sh "$home/uninstall.sh" --purge
[ ! -e "$home" ]
! launchctl print system/com.drawbridge.agent >/dev/null 2>&1
echo "smoke: passed"
