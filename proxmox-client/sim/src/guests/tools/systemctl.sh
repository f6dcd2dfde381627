#!/bin/sh
# systemctl for the units in /etc/systemd/system.
folder=/etc/systemd/system
wants=$folder/multi-user.target.wants
keeper=/run/proxmox-sim/keeper
quiet= now= verb= units=

for word in "$@"; do
  case $word in
    --now) now=yes ;;
    -q | --quiet) quiet=yes ;;
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else units="$units ${word%.service}"; fi ;;
  esac
done

# The last value of a setting in a unit file.
setting() {
  sed -n "s/^$2=//p" "$folder/$1.service" | tail -n 1
}

seconds() {
  value=${1%s}
  case $value in '' | *[!0-9.]*) echo "$2" ;; *) echo "${value%.*}" ;; esac
}

expect_unit() {
  [ -f "$folder/$2.service" ] && return
  echo "Failed to $1 $2.service: Unit $2.service not found." >&2
  exit 5
}

start() {
  expect_unit start "$1"
  line=$(setting "$1" ExecStart)
  if [ "$(setting "$1" Type)" = oneshot ]; then
    sh -c "$line" >>"/var/log/$1.log" 2>&1 </dev/null && return
    echo "Job for $1.service failed because the control process exited with error code." >&2
    exit 1
  fi
  restart=$(setting "$1" Restart)
  sh "$keeper" start "$1" "${restart:-no}" "$(seconds "$(setting "$1" RestartSec)" 1)" "/var/log/$1.log" "$line"
}

stop() {
  expect_unit stop "$1"
  mode=$(setting "$1" KillMode)
  sh "$keeper" stop "$1" "${mode:-control-group}" "$(seconds "$(setting "$1" TimeoutStopSec)" 90)"
}

enable() {
  [ -f "$folder/$1.service" ] || {
    echo "Failed to enable unit: Unit file $1.service does not exist." >&2
    exit 1
  }
  [ -L "$wants/$1.service" ] && return
  mkdir -p "$wants"
  ln -s "$folder/$1.service" "$wants/$1.service"
  echo "Created symlink $wants/$1.service → $folder/$1.service." >&2
}

disable() {
  [ -L "$wants/$1.service" ] || return 0
  rm -f "$wants/$1.service"
  echo "Removed \"$wants/$1.service\"." >&2
}

state() {
  if [ -n "$(sh "$keeper" main "$1")" ]; then echo active
  elif [ -e "/run/proxmox-sim/units/$1.keeper" ]; then echo activating
  elif [ "$(cat "/run/proxmox-sim/units/$1.exit" 2>/dev/null || echo 0)" != 0 ]; then echo failed
  else echo inactive; fi
}

status() {
  [ -f "$folder/$1.service" ] || {
    echo "Unit $1.service could not be found." >&2
    exit 4
  }
  is=$(state "$1")
  echo "$1.service - $(setting "$1" Description)"
  echo "     Loaded: loaded ($folder/$1.service; $(is_enabled "$1"))"
  echo "     Active: $is"
  echo "   Main PID: $(sh "$keeper" main "$1")"
  tail -n 10 "/var/log/$1.log" 2>/dev/null
  [ "$is" = active ] || exit 3
}

is_enabled() {
  if [ -L "$wants/$1.service" ]; then echo enabled; else echo disabled; fi
}

show() {
  [ -f "$folder/$1.service" ] && echo LoadState=loaded || echo LoadState=not-found
  is=$(state "$1")
  main=$(sh "$keeper" main "$1")
  echo "ActiveState=$is"
  echo "MainPID=${main:-0}"
}

say() {
  [ -n "$quiet" ] || echo "$1"
}

for unit in $units; do
  case $verb in
    start) start "$unit" ;;
    stop) stop "$unit" ;;
    restart | reload-or-restart) expect_unit restart "$unit" && stop "$unit" && start "$unit" ;;
    try-restart | condrestart) [ "$(state "$unit")" != active ] || { stop "$unit" && start "$unit"; } ;;
    enable) enable "$unit" && { [ -z "$now" ] || start "$unit"; } ;;
    disable) disable "$unit" && { [ -z "$now" ] || stop "$unit"; } ;;
    is-active) is=$(state "$unit") && say "$is" && { [ "$is" = active ] || exit 3; } ;;
    is-failed) is=$(state "$unit") && say "$is" && { [ "$is" = failed ] || exit 1; } ;;
    is-enabled) is=$(is_enabled "$unit") && say "$is" && { [ "$is" = enabled ] || exit 1; } ;;
    status) status "$unit" ;;
    show) show "$unit" ;;
    cat) expect_unit cat "$unit" && echo "# $folder/$unit.service" && cat "$folder/$unit.service" ;;
    reset-failed) rm -f "/run/proxmox-sim/units/$unit.exit" ;;
    *) echo "Unknown command verb $verb." >&2 && exit 1 ;;
  esac
done
[ -n "$units" ] || case $verb in
  daemon-reload | daemon-reexec | reset-failed) ;;
  is-system-running) echo running ;;
  list-units)
    for file in "$folder"/*.service; do
      [ -f "$file" ] || continue
      unit=${file##*/}
      echo "$unit loaded $(state "${unit%.service}") $(setting "${unit%.service}" Description)"
    done
    ;;
  *) echo "Unknown command verb '$verb', or it needs a unit." >&2 && exit 1 ;;
esac
