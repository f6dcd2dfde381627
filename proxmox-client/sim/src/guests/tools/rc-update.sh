#!/bin/sh
# rc-update: which services start with the system.
verb=${1-show} service=${2-} level=${3-default}
case $verb in
  add)
    [ -f "/etc/init.d/$service" ] || {
      echo " * rc-update: service \`$service' does not exist" >&2
      exit 1
    }
    mkdir -p "/etc/runlevels/$level"
    ln -sfn "/etc/init.d/$service" "/etc/runlevels/$level/$service"
    echo " * service $service added to runlevel $level"
    ;;
  del | delete)
    rm -f "/etc/runlevels/$level/$service"
    echo " * service $service removed from runlevel $level"
    ;;
  show)
    for enabled in /etc/runlevels/*/*; do
      [ ! -L "$enabled" ] || echo "${enabled##*/} | $(basename "${enabled%/*}")"
    done
    ;;
  *) echo " * rc-update: invalid command \`$verb'" >&2 && exit 1 ;;
esac
