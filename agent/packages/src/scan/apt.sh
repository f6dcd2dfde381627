# Updates the package lists. Another package tool may hold the lock on them: apt-get itself does not wait for that one.
apt_refresh() {
  waited=0
  while :; do
    said=$(at_most @REFRESH_SECONDS@ apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 \
      -o Acquire::https::Timeout=20 -o DPkg::Lock::Timeout=@LOCK_SECONDS@ update 2>&1)
    code=$?
    case $said in
      *'Could not get lock'* | *'Unable to lock'*) [ "$waited" -lt @LOCK_SECONDS@ ] || break ;;
      *) break ;;
    esac
    sleep 2
    waited=$((waited + 2))
  done
  printf '%s\n' "$said"
  return "$code"
}

# Names of a simulated upgrade: what it would put in, and what it keeps back.
apt_names() {
  printf '%s\n' "$section_body" | sed -n -e 's/^Inst \([^ ]*\) \[.*/\1/p' \
    -e '/kept back:$/,/^[^ ]/s/^ //p' -e '/due to phasing:$/,/^[^ ]/s/^ //p'
}

# Packages in the middle of a transaction, as two letters that dpkg-query gives them and their name.
apt_unfinished() {
  states=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>&1) || { printf '%s\n' "$states"; return 1; }
  printf '%s\n' "$states" | sed -n -e '/^.[HUFWt]/p' -e '/^..R/p'
}

apt_scan() {
  DEBIAN_FRONTEND=noninteractive
  export DEBIAN_FRONTEND
  section refresh apt_refresh
  section unfinished apt_unfinished
  section simulate apt-get -s -o Debug::NoLocking=1 dist-upgrade || return
  names=$(apt_names)
  section sources apt-cache policy
  [ -n "$names" ] || return
  # The names are split into words on purpose; a package name has no character that a shell would expand.
  section held apt-mark showhold
  section archs dpkg-query -W -f '${Package}\t${Architecture}\n' $names
  section versions apt-cache policy $names
  section files apt-get -qq -o Debug::NoLocking=1 --print-uris -y dist-upgrade
}
