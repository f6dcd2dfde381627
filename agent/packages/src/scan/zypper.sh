zypper_ask() {
  zypper --non-interactive --no-refresh "$@"
}

# Reads all repositories anew; zypper itself waits for another tool.
zypper_refresh() {
  at_most @REFRESH_SECONDS@ zypper --non-interactive refresh
}

# Which repositories were read, and whether they tell of patches.
zypper_repositories() {
  for index in /var/cache/zypp/raw/*/repodata/repomd.xml; do
    [ -e "$index" ] || continue
    repository=${index%/repodata/repomd.xml}
    if grep -q 'type="updateinfo"' "$index"; then word=advisories; else word=silent; fi
    echo "$word ${repository##*/}"
  done
}

# A rolling release is updated as a whole.
zypper_update() {
  case $(sed -n 's/^ID=//p' /etc/os-release | tr -d "\"'") in
    opensuse-tumbleweed | opensuse-slowroll | opensuse-microos) zypper_ask --xmlout dist-upgrade --dry-run --details ;;
    *) zypper_ask --xmlout update --dry-run --details ;;
  esac
}

zypper_scan() {
  ZYPP_LOCK_TIMEOUT=@LOCK_SECONDS@
  export ZYPP_LOCK_TIMEOUT
  section refresh zypper_refresh
  section repositories zypper_repositories
  section all zypper_ask --xmlout list-updates --all
  section locks zypper_ask --xmlout locks
  section transaction zypper_update
  section patches zypper_ask --xmlout list-patches
  patches=$(printf '%s\n' "$section_body" | tr '<' '\n' | sed -n 's/^update .*name="\([^"]*\)".*/\1/p' | sort -u)
  [ -n "$patches" ] || return
  # Split into words on purpose: a patch's name has no character that a shell would expand.
  section contents zypper_ask info -t patch $patches
}
