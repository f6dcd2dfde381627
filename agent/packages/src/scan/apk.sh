# Fetches the indexes. Without the age apk takes what it has for four hours and says nothing.
apk_refresh() {
  at_most @REFRESH_SECONDS@ apk --wait @LOCK_SECONDS@ --cache-max-age 1 update
}

# Packages whose scripts failed: apk counts them as upgraded and fails with every later upgrade.
apk_unfinished() {
  for database in /lib/apk/db/installed /usr/lib/apk/db/installed; do
    [ ! -e "$database" ] || sed -n -e 's/^P://p' -e 's/^f:.*[sS].*/  script failed/p' "$database" || return
  done
}

# What Alpine says about fixed packages, once a day for each release and repository that is in use: one line a package.
apk_security() {
  folder=/var/cache/muster/secdb
  (umask 022 && mkdir -p "$folder") || return
  sed -n 's,^[^#]*/\(v[0-9.]*\|edge\)/\(main\|community\)/*$,\1 \2,p' /etc/apk/repositories | sort -u | while read -r release repository; do
    file=$folder/$release-$repository
    if [ -z "$(find "$file" -mtime -1 2>/dev/null)" ]; then
      at_most 60 wget -q -O "$file.new" "https://secdb.alpinelinux.org/$release/$repository.json" 2>/dev/null </dev/null &&
        mv "$file.new" "$file" || rm -f "$file.new"
    fi
    [ -e "$file" ] || continue
    echo "database $release/$repository"
    for origin in $1; do
      tr -d '\n' <"$file" | sed 's/{ *"pkg" *:/\
&/g' | grep -F "\"$origin\"" | grep "\"name\" *: *\"$origin\""
    done
  done
}

apk_scan() {
  section version apk --version
  section refresh apk_refresh
  section unfinished apk_unfinished
  section simulate apk upgrade --simulate
  section outdated apk list --upgradable
  names=$(printf '%s\n' "$section_body" | sed -n 's/.*\[upgradable from: \(.*\)-[^-]*-r[0-9]*\]$/\1/p')
  origins=$(printf '%s\n' "$section_body" | sed -n 's/^[^ ]* [^ ]* {\([^}]*\)}.*/\1/p' | sort -u)
  section world cat /etc/apk/world
  [ -n "$names" ] || return
  # Split into words on purpose: a package name has no character that a shell would expand.
  section policy apk policy $names
  section security apk_security "$origins"
}
