f=$(mktemp) || exit 1;
trap "rm -f $f" EXIT;
u="@URL@";
if command -v curl; then curl -fsSk --connect-timeout 15 -o "$f" "$u";
elif wget --version; then wget -q -t 2 -T 15 --no-check-certificate -O "$f" "$u";
else wget -q --no-check-certificate -O "$f" "$u" || wget -q -O "$f" "$u"; fi >/dev/null 2>&1 ||
{ echo "cannot reach $u (curl or wget is needed)"; exit 1; };
echo "@SHA256@  $f" | sha256sum -c >/dev/null 2>&1 ||
{ echo "what $u sent is not the expected script: copy a fresh line from Muster"; exit 1; };
sh "$f" @ARGUMENTS@
