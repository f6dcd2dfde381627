# Whether the agent can be installed here. Also removes what an interrupted installation by Muster has left in the working
# folder, and makes that folder anew.

agent_url='@AGENT_URL@'
work='@WORK@'

init_system() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif [ -d /run/openrc ] || command -v openrc-run >/dev/null; then echo openrc
  else echo other; fi
}

# The agent is static: this is for people who look for the cause of something else.
libc_name() {
  for file in /lib/ld-musl-*; do [ ! -e "$file" ] || { echo musl && return; }; done
  getconf GNU_LIBC_VERSION 2>/dev/null || echo unknown
}

free_kib() {
  folder=/usr/local/lib
  [ -d "$folder" ] || folder=/
  df -Pk "$folder" | { read -r _ && read -r _ _ _ free _ && echo "$free"; }
}

# The first part of `fetch` decides; see there.
http_client() {
  if command -v curl >/dev/null; then echo curl
  elif command -v wget >/dev/null; then echo wget
  else echo none; fi
}

reach_muster() {
  fetch "$agent_url/healthz" /dev/null
  case $? in 0 | 2) echo yes ;; 3) echo unknown ;; *) echo no ;; esac
}

present_agent() {
  if [ -x /usr/local/lib/muster/muster-agent ]; then /usr/local/lib/muster/muster-agent --version; else echo none; fi
}

prepare_work() {
  rm -rf "$work" && mkdir -m 700 "$work"
}

section uid id -u
section arch uname -m
section init init_system
section libc libc_name
section free free_kib
section client http_client
section present present_agent
section work prepare_work
section reach reach_muster
