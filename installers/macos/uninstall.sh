#!/bin/sh
# Removes Drawbridge from this Mac: uninstall.sh [--purge]. As root, by hand or by device management. Without --purge the
# audit trail, the keys and the settings stay.
set -eu
home="/Library/Application Support/Drawbridge"
[ "$(id -u)" -eq 0 ] || { echo "uninstall: run it as root" >&2; exit 1; }
case "${1:-}" in
"" | --purge) ;;
*)
    echo "usage: uninstall.sh [--purge]" >&2
    exit 2
    ;;
esac
launchctl bootout system/com.drawbridge.agent 2>/dev/null || true
if [ -x "$home/program/drawbridge" ]; then
    "$home/program/drawbridge" restore || echo "uninstall: not every setting could be put back; see above" >&2
    "$home/program/drawbridge" ca uninstall || echo "uninstall: the certificate stays in a store; see above" >&2
fi
rm -f /Library/LaunchDaemons/com.drawbridge.agent.plist /Library/LaunchAgents/com.drawbridge.tray.plist /etc/newsyslog.d/com.drawbridge.agent.conf
[ ! -L /usr/local/bin/drawbridge ] || rm -f /usr/local/bin/drawbridge
rm -rf "$home/program" "$home/program.old"
pkgutil --forget com.drawbridge.agent >/dev/null 2>&1 || true
pkgutil --forget com.drawbridge.command >/dev/null 2>&1 || true
if [ "${1:-}" = --purge ]; then
    rm -rf "$home" /Library/Logs/Drawbridge
    # what the keys were sealed with
    security delete-generic-password -s com.drawbridge.seal /Library/Keychains/System.keychain >/dev/null 2>&1 || true
else
    rm -f "$home/uninstall.sh"
fi
