LC_ALL=C LANGUAGE='' LANG=C
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL LANGUAGE LANG PATH
sections=0

# Runs a command and prints what it said as one section: its lines behind a bar, its exit code, its checksum.
section() {
  section_name=$1
  shift
  section_body=$("$@" 2>&1 </dev/null)
  section_exit=$?
  section_body=$(printf '%s' "$section_body" | tr -cd '\11\12\40-\176\200-\377')
  section_sum=$(printf '%s' "$section_body" | sha256sum | cut -d' ' -f1)
  printf '%%muster-section %s\n' "$section_name"
  [ -z "$section_body" ] || printf '%s\n' "$section_body" | sed 's/^/|/'
  printf '%%muster-end %s %s %s\n' "$section_name" "$section_exit" "$section_sum"
  sections=$((sections + 1))
  return "$section_exit"
}
