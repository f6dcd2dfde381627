#!/bin/sh
# rc-service for the scripts in /etc/init.d.
keeper=/run/proxmox-sim/keeper
[ "$1" != -e ] && [ "$1" != --exists ] || { [ -x "/etc/init.d/$2" ]; exit; }
while :; do case ${1-} in -*) shift ;; *) break ;; esac; done
service=$1 verb=${2-}
[ -f "/etc/init.d/$service" ] || {
  echo " * rc-service: service \`$service' does not exist" >&2
  exit 1
}

# What the script sets: command, command_args, supervisor, respawn_delay, output_log …
RC_SVCNAME=$service
. "/etc/init.d/$service"

start() {
  echo " * Starting ${name:-$service} ..."
  restart=no
  [ "${supervisor-}" != supervise-daemon ] || restart=always
  sh "$keeper" start "$service" "$restart" "${respawn_delay:-1}" "${output_log:-/dev/null}" "$command ${command_args-}"
}

stop() {
  echo " * Stopping ${name:-$service} ..."
  sh "$keeper" stop "$service" process 10
}

case $verb in
  start) start ;;
  stop) stop ;;
  restart) stop && start ;;
  status)
    if [ -n "$(sh "$keeper" main "$service")" ]; then echo " * status: started"; else echo " * status: stopped" && exit 3; fi
    ;;
  *) echo " * ${name:-$service}: unknown function \`$verb'" >&2 && exit 1 ;;
esac
