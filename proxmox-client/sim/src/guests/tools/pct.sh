#!/bin/sh
# pct for the shell of a simulated node: looks up and enters its containers.
here=$(dirname "$0")
requests=$here/../requests

# Asks the simulator; its answer is in $answer, without the first word.
ask() {
  reply=$here/../reply.$$
  mkfifo -m 600 "$reply"
  trap 'rm -f "$reply"' EXIT
  echo "$reply $*" >"$requests"
  answer=$(cat "$reply")
  rm -f "$reply"
  case $answer in
    ok*) answer=${answer#ok} && answer=${answer#[ 
]} ;;
    *) echo "${answer#error }" >&2 && exit 255 ;;
  esac
}

usage() {
  echo "ERROR: $1" >&2
  echo "pct <COMMAND> [ARGS] [OPTIONS]: here are exec, push, pull, status and list" >&2
  exit 255
}

# Runs a command in the container that $answer names by its process and the namespaces to enter.
enter() {
  # Process id and options are two words on purpose.
  set -- ${answer#* } --target "${answer%% *}" --preserve-credentials --root --wd -- "$@"
  nsenter "$@"
}

exec_in() {
  vmid=$1 && shift
  clear=
  while :; do
    case ${1-} in
      --keep-env) [ "$2" != 0 ] || clear=yes && shift 2 ;;
      --keep-env=0) clear=yes && shift ;;
      --keep-env=1) shift ;;
      --) shift && break ;;
      -*) usage "Unknown option: ${1#--}" ;;
      *) break ;;
    esac
  done
  [ $# -gt 0 ] || usage "not enough arguments"
  ask enter "$vmid"
  [ -z "$clear" ] || set -- env -i container=lxc TERM="${TERM-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  enter "$@"
}

push() {
  [ $# -ge 3 ] || usage "not enough arguments"
  vmid=$1 file=$2 to=$3
  shift 3
  perms=
  while [ $# -gt 1 ]; do
    case $1 in --perms) perms=$2 ;; --user | --group) ;; *) usage "Unknown option: ${1#--}" ;; esac
    shift 2
  done
  [ -r "$file" ] || { echo "failed to open $file for reading: No such file or directory" >&2 && exit 255; }
  ask enter "$vmid"
  enter sh -c 'cat >"$1" && { [ -z "$2" ] || chmod "$2" "$1"; }' sh "$to" "$perms" <"$file"
}

pull() {
  [ $# -ge 3 ] || usage "not enough arguments"
  ask enter "$1"
  enter cat "$2" >"$3"
}

verb=${1-}
[ $# = 0 ] || shift
case $verb in
  exec) [ $# -gt 0 ] || usage "not enough arguments" && exec_in "$@" ;;
  push) push "$@" ;;
  pull) pull "$@" ;;
  status) ask status "${1-}" && echo "status: $answer" ;;
  list) ask list && [ -z "$answer" ] || echo "$answer" ;;
  *) usage "unknown command 'pct $verb'" ;;
esac
