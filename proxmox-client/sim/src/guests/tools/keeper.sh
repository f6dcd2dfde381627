#!/bin/sh
# Keeps services running, for systemctl and rc-service.
#   keeper start NAME RESTART DELAY LOG COMMAND LINE   RESTART: always, on-failure or no
#   keeper stop NAME MODE SECONDS                      MODE process: only the main process is ended
#   keeper main NAME                                   prints the main process
units=/run/proxmox-sim/units
mkdir -p "$units"
verb=$1 name=$2
pids=$units/$name

start() {
  restart=$1 delay=$2 log=$3 line=$4
  [ -z "$(main)" ] || return 0
  rm -f "$pids.main"
  setsid sh "$0" keep "$name" "$restart" "$delay" "$line" >>"$log" 2>&1 </dev/null &
  # The caller may look at once whether it runs.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -e "$pids.main" ] && return 0
    sleep 0.05
  done
}

keep() {
  restart=$1 delay=$2 line=$3
  echo $$ >"$pids.keeper"
  while :; do
    sh -c "exec $line" &
    main=$!
    echo "$main" >"$pids.main"
    wait "$main"
    code=$?
    rm -f "$pids.main"
    case $restart in
      always) ;;
      on-failure) [ "$code" != 0 ] || break ;;
      *) break ;;
    esac
    sleep "$delay"
  done
  echo "$code" >"$pids.exit"
  rm -f "$pids.keeper"
}

stop() {
  mode=$1 seconds=$2
  keeper=$(cat "$pids.keeper" 2>/dev/null)
  main=$(main)
  rm -f "$pids.keeper" "$pids.main" "$pids.exit"
  [ -z "$keeper" ] || kill -s KILL "$keeper" 2>/dev/null
  [ -n "$main" ] || return 0
  whom=$main
  # The keeper leads the process group of everything it started.
  [ "$mode" = process ] || [ -z "$keeper" ] || whom=-$keeper
  kill -s TERM -- "$whom" 2>/dev/null
  tries=$((seconds * 10))
  while kill -0 "$main" 2>/dev/null; do
    [ "$tries" -gt 0 ] || { kill -s KILL -- "$whom" 2>/dev/null; break; }
    tries=$((tries - 1))
    sleep 0.1
  done
}

main() {
  running=$(cat "$pids.main" 2>/dev/null) || return 0
  kill -0 "$running" 2>/dev/null && echo "$running"
}

shift 2
"$verb" "$@"
