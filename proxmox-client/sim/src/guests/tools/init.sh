# A guest's process 1: starts the enabled services, then collects processes that lost their parent.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
export PATH HOME
cd /
if [ -e /etc/alpine-release ]; then
  mkdir -p /run/openrc
  for enabled in /etc/runlevels/default/*; do
    [ -e "$enabled" ] && rc-service "${enabled##*/}" start
  done
else
  mkdir -p /run/systemd/system
  for enabled in /etc/systemd/system/multi-user.target.wants/*.service; do
    [ -e "$enabled" ] && systemctl start "${enabled##*/}"
  done
fi >/dev/null 2>&1 </dev/null
echo ready
exec >/dev/null 2>&1 </dev/null
while :; do
  sleep 86400 &
  wait $!
done
