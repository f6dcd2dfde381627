# The lists are fetched into a folder of their own: fetched into the system's, the next installation of one package would
# update half of the system.
pacman_lists=/var/cache/muster/pacman

pacman_prepare() {
  system=$(pacman-conf DBPath 2>/dev/null) || system=/var/lib/pacman/
  (umask 022 && mkdir -p "$pacman_lists/sync") && ln -sfn "${system%/}/local" "$pacman_lists/local" || return
  # Until the first own lists are here, those of the system are the best known.
  for list in "${system%/}"/sync/*.db; do
    [ ! -e "$list" ] || [ -e "$pacman_lists/sync/${list##*/}" ] || cp -p "$list" "$pacman_lists/sync/" || return
  done
  waited=0
  while [ -e "${system%/}/db.lck" ]; do
    [ "$waited" -lt @LOCK_SECONDS@ ] || { echo "${system%/}/db.lck exists" && return 1; }
    sleep 2
    waited=$((waited + 2))
  done
  # Nobody but this script takes this lock, and only one scan runs at a time.
  rm -f "$pacman_lists/db.lck"
}

pacman_ask() {
  pacman --dbpath "$pacman_lists" --logfile /dev/null --noconfirm "$@"
}

pacman_refresh() {
  at_most @REFRESH_SECONDS@ pacman --dbpath "$pacman_lists" --logfile /dev/null --noconfirm -Sy
}

pacman_scan() {
  section prepare pacman_prepare || return
  section refresh pacman_refresh
  section lists ls "$pacman_lists/sync"
  section outdated pacman_ask -Qu
  outdated=$(printf '%s\n' "$section_body" | sed -n 's/^\([^ :]*\) [^ ]* -> .*/\1/p')
  section transaction pacman_ask -Su --print-format '%n %v %r %s'
  names=$(printf '%s\n' "$section_body" | sed -n 's/^\([^ :]*\) [^ ]* [^ ]* [0-9]*$/\1/p')
  [ -n "$outdated$names" ] || return
  # Split into words on purpose: a package name has no character that a shell would expand.
  section packages pacman_ask -Si $(printf '%s\n' $outdated $names | sort -u)
  section installed pacman_ask -Q
}
