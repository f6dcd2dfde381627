#!/bin/sh
# The login of a terminal. Nobody has a password here, so nobody gets in.
system=$(. /etc/os-release && echo "$NAME ${VERSION_ID-}")
name=$(uname -n)
saved=$(stty -g)
trap '' INT QUIT TSTP
printf '\r\n%s %s tty1\n\n' "$system" "$name"
while :; do
  printf '%s login: ' "$name"
  IFS= read -r user || exit 0
  [ -n "$user" ] || {
    printf '\r\n'
    continue
  }
  stty -echo
  printf 'Password: '
  IFS= read -r _
  stty "$saved"
  sleep 3
  printf '\n\nLogin incorrect\n'
done
