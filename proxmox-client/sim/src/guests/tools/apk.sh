#!/bin/sh
# Stands in for apk-tools 2.14: answers the questions of a scan in the words of the real one.
index=/var/cache/apk/index
repository=http://mirror.invalid/alpine/v3.22/main

while :; do
  case $1 in
    --wait | --cache-max-age) shift 2 ;;
    *) break ;;
  esac
done

outdated() {
  [ -e "$index" ] || { echo "WARNING: opening from cache $repository: No such file or directory" >&2; return; }
  cat "$index"
}

case "$*" in
  --version) echo "apk-tools 2.14.9, compiled for $(uname -m)." ;;
  update)
    cp /srv/mirror/index "$index" || exit 1
    echo "fetch $repository/$(uname -m)/APKINDEX.tar.gz"
    echo "OK: 25 distinct packages available"
    ;;
  'upgrade --simulate')
    total=$(outdated | wc -l)
    number=0
    outdated | while IFS='	' read -r name from to; do
      number=$((number + 1))
      echo "($number/$total) Upgrading $name ($from -> $to)"
    done
    echo "OK: 12 MiB in 25 packages"
    ;;
  'list --upgradable')
    outdated | while IFS='	' read -r name from to; do
      echo "$name-$to $(uname -m) {$name} (MIT) [upgradable from: $name-$from]"
    done
    ;;
  policy*)
    outdated | while IFS='	' read -r name from to; do
      printf '%s policy:\n  %s:\n    lib/apk/db/installed\n  %s:\n    %s\n' "$name" "$from" "$to" "$repository"
    done
    ;;
  *)
    echo "ERROR: this guest's apk knows no '$*'" >&2
    exit 1
    ;;
esac
