# The tool under the name it has here, and its version.
dnf_tool() {
  for dnf in dnf dnf5 yum; do
    command -v "$dnf" >/dev/null && break
  done
  said=$("$dnf" --version 2>&1)
  code=$?
  echo "$dnf"
  printf '%s\n' "$said" | head -n 1
  return "$code"
}

# Asks without going to the network. A repository that was never read is left out.
dnf_cached() {
  if [ "$dnf_waits" = no ]; then
    "$dnf" -C --setopt='*.skip_if_unavailable=1' "$@"
  else
    "$dnf" -C --setopt='*.skip_if_unavailable=1' --setopt=exit_on_lock=1 "$@"
  fi
}

# Reads all repositories anew. Version 4 would wait for another tool without end.
dnf_refresh() {
  waited=0
  once=
  [ "$dnf_waits" = no ] || once=--setopt=exit_on_lock=1
  while :; do
    said=$(at_most @REFRESH_SECONDS@ "$dnf" -q $once makecache --refresh 2>&1)
    code=$?
    [ "$code" = 200 ] && [ "$waited" -lt @LOCK_SECONDS@ ] || break
    sleep 2
    waited=$((waited + 2))
  done
  printf '%s\n' "$said"
  return "$code"
}

# Which repositories were read, and whether they tell of advisories.
dnf_repositories() {
  for index in /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml /var/cache/yum/*/repodata/repomd.xml; do
    [ -e "$index" ] || continue
    repository=${index%/repodata/repomd.xml}
    repository=${repository##*/}
    if grep -q 'type="updateinfo"' "$index"; then word=advisories; else word=silent; fi
    echo "$word ${repository%-*}"
  done
}

# Version 4 ends each line by itself, version 5 does not: empty lines are left over.
dnf_query() {
  dnf_cached -q repoquery "$@" --qf '%{name}\t%{evr}\t%{arch}\t%{repoid}\t%{downloadsize}\t%{installsize}\n'
}

# The same with packages that are excluded or locked.
dnf_query_all() {
  if [ "$dnf_waits" = no ]; then
    dnf_query "$@" --setopt='disable_excludes=*'
  else
    dnf_query "$@" --disableexcludes=all --disableplugin=versionlock
  fi
}

dnf_scan() {
  section tool dnf_tool || return
  dnf=$(printf '%s\n' "$section_body" | head -n 1)
  case $section_body in
    *dnf5*) dnf_waits=no ;;
    *) dnf_waits=yes ;;
  esac
  section refresh dnf_refresh
  section repositories dnf_repositories
  section upgrades dnf_query --upgrades || return
  section all dnf_query_all --upgrades || return
  names=$(printf '%s\n' "$section_body" | cut -s -f1 | sort -u)
  section transaction dnf_cached --assumeno upgrade
  [ -n "$names" ] || return
  # Split into words on purpose: a package name has no character that a shell would expand.
  section installed dnf_query_all --installed $names
  section advisories dnf_cached -q updateinfo list
  section details dnf_cached -q updateinfo info
}
