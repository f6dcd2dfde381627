# Fetches a URL into a file: 0 done, 1 no connection, 2 the server said no, 3 no program for it.
# Certificates are not looked at: what is fetched is compared with a checksum that came with this script.
fetch() {
  if command -v curl >/dev/null; then
    curl -fsSk --connect-timeout 15 --max-time 300 -o "$2" "$1" </dev/null >/dev/null 2>&1
    case $? in 0) return 0 ;; 22) return 2 ;; *) return 1 ;; esac
  fi
  command -v wget >/dev/null || return 3
  options=
  help=$(wget --help 2>&1)
  case $help in *--no-check-certificate*) options=--no-check-certificate ;; esac
  case $help in *--tries*) options="$options --tries=2" ;; esac
  # A busybox that is built without this option crashes on it.
  case $help in *'-T '* | *'-T,'*) options="$options -T 15" ;; esac
  # The options are split into words on purpose.
  said=$(wget $options -O "$2" "$1" 2>&1 </dev/null) && return 0
  case $said in *'server returned error'* | *' ERROR '[45]*) return 2 ;; *) return 1 ;; esac
}

# Prints a file's SHA-256.
checksum() {
  if command -v sha256sum >/dev/null; then sha256sum "$1" | cut -d' ' -f1; else openssl dgst -sha256 -r "$1" | cut -d' ' -f1; fi
}

# Fetches the agent for an architecture into a file and checks it; prints what is wrong.
fetch_agent() {
  case $1 in
@AGENTS@
    *) echo "there is no agent for the architecture $1" && return 1 ;;
  esac
  fetch "$url" "$2"
  case $? in
    0) ;;
    2) echo "Muster answers at $agent_url, but has no agent at $url" && return 1 ;;
    3) echo "neither curl nor wget is here to fetch the agent" && return 3 ;;
    *) echo "cannot reach $agent_url" && return 1 ;;
  esac
  [ "$(checksum "$2")" = "$sum" ] || { echo "the agent from $url is damaged: its checksum is wrong" && return 1; }
}
