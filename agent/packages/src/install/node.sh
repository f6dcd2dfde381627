#!/bin/sh
# Installs the Muster agent in containers of this Proxmox VE node. Run it as root on the node that they run on:
#   sh install-node.sh VMID=TOKEN VMID=TOKEN ...
# It prints one line per container and a summary; a container that fails does not stop the others.

agent_url='@AGENT_URL@'

main() {
  PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  export PATH
  [ "$(id -u)" = 0 ] || stop "this must be run as root"
  command -v pct >/dev/null || stop "there is no pct here: paste this line into the shell of the Proxmox VE node"
  work=$(mktemp -d) || stop "cannot make a temporary folder"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  guest_script >"$work/install.sh"
  installed=0 failed=0 skipped=0
  for pair in "$@"; do
    vmid=${pair%%=*}
    install_in "${pair#*=}"
  done
  echo "$installed installed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}

install_in() {
  state=$(pct status "$vmid" 2>&1 </dev/null)
  case $state in
    *running*) ;;
    *stopped*) skipped=$((skipped + 1)) && echo "$vmid skipped: it is not running" && return ;;
    *) failed=$((failed + 1)) && echo "$vmid failed: $(last_line "$state")" && return ;;
  esac
  run_in "$1"
  code=$?
  if [ "$code" = 3 ]; then
    bring_agent && run_in "$1" --agent "$there"
    code=$?
  fi
  case $code in
    0) installed=$((installed + 1)) && echo "$vmid installed: $said" ;;
    124) failed=$((failed + 1)) && echo "$vmid failed: no end after 3 minutes" ;;
    *) failed=$((failed + 1)) && echo "$vmid failed: ${said#failed: }" ;;
  esac
}

# Runs the install script in the container; `said` is its last line. The node's own variables stay outside.
run_in() {
  said=$(timeout 180 pct exec "$vmid" -- env -i HOME=/root \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -s -- "$@" <"$work/install.sh" 2>&1)
  code=$?
  said=$(last_line "$said")
  return "$code"
}

# For a container that cannot fetch anything: the node fetches the agent once per architecture and puts it in.
bring_agent() {
  there=/usr/local/lib/muster/.muster-agent.brought
  arch=$(timeout 30 pct exec "$vmid" -- uname -m </dev/null | tr -d '\r')
  if [ ! -f "$work/agent.$arch" ]; then
    said=$(fetch_agent "$arch" "$work/fetched") || return 1
    mv "$work/fetched" "$work/agent.$arch"
  fi
  said=$(timeout 30 pct exec "$vmid" -- mkdir -p /usr/local/lib/muster 2>&1 </dev/null &&
    timeout 60 pct push "$vmid" "$work/agent.$arch" "$there" 2>&1 </dev/null) || {
    said="the agent could not be put into the container: $(last_line "$said")"
    return 1
  }
}

last_line() {
  printf '%s\n' "$1" | tr -d '\r' | tail -n 1
}

stop() {
  echo "failed: $*"
  exit 1
}

guest_script() {
  cat <<'END_OF_GUEST_SCRIPT'
@GUEST_SCRIPT@END_OF_GUEST_SCRIPT
}

@FETCH@
main "$@"
