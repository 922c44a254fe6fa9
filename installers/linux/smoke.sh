#!/bin/sh
# Installs a .deb on a machine that may be thrown away, uses it, removes it: smoke.sh PACKAGE. As root, with systemd.
set -eu
package=$1
dpkg -i "$package"
for _ in $(seq 60); do
    ! systemctl --quiet is-active drawbridge.service || break
    sleep 1
done
systemctl --no-pager status drawbridge.service
drawbridge self-test
# a page of an AI host through the proxy: whoever trusts only our root gets an answer, be it that nobody can be reached
curl --silent --show-error --output /dev/null --write-out '%{http_code}\n' --max-time 30 \
    --proxy http://127.0.0.1:7717 --cacert /var/lib/drawbridge/ca/root.pem https://api.openai.com/v1/models
supervisor=$(systemctl show --property MainPID --value drawbridge.service)
dpkg -i "$package" # an upgrade: the same process goes on
sleep 10
[ "$supervisor" = "$(systemctl show --property MainPID --value drawbridge.service)" ]
systemctl --quiet is-active drawbridge.service
dpkg --purge drawbridge
for left in /usr/lib/drawbridge /var/lib/drawbridge /var/lib/drawbridge-setup /etc/drawbridge; do
    [ ! -e "$left" ] || { echo "smoke: $left is left" >&2; exit 1; }
done
! getent passwd drawbridge
echo "smoke: passed"
