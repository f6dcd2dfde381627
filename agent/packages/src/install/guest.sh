#!/bin/sh
# Installs the Muster agent in this guest. Run it as root:
#   sh install.sh TOKEN               installs, or repairs an installation
#   sh install.sh TOKEN --agent FILE  the same with an agent program that is already here
#   sh install.sh --uninstall         removes everything again
# In two steps, for whoever watches them:
#   sh install.sh --program [FILE]    only puts the agent program in place, fetched or from FILE
#   sh install.sh --serve FILE        only enrols with the token in FILE, and starts the service
# The last line it prints says how it went. Exit codes: 1 anything, 3 no curl and no wget, 4 no service manager that is
# known, 5 too little space, 6 the program does not run here, 7 not enrolled, 8 the service does not start.

agent_url='@AGENT_URL@'
server_key='@SERVER_KEY@'
certificate='@CERTIFICATE@'
folder=/usr/local/lib/muster
program=$folder/muster-agent
unit=/etc/systemd/system/muster-agent.service
initscript=/etc/init.d/muster-agent

main() {
  umask 022
  unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
  PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  export PATH
  [ "$(id -u)" = 0 ] || fail "this must be run as root"
  case ${1-} in
    --uninstall) uninstall ;;
    --program) begin && given=${2-} && place_program && echo "the agent program is in place" ;;
    --serve) begin && serve "$2" && echo "the agent is enrolled and its service runs" ;;
    '' | -*) fail "the one-time token is missing: copy the whole line from Muster" ;;
    *) install_agent "$@" ;;
  esac
}

install_agent() {
  token=$1
  given=
  [ "${2-}" != --agent ] || given=${3-}
  begin
  place_program
  enrol
  run_service
  wait_until_online
}

begin() {
  choose_init
  fresh=yes
  [ ! -e "$unit" ] && [ ! -e "$initscript" ] || fresh=
  trap 'exit 1' HUP INT TERM
}

serve() {
  token=$(cat "$1") && rm -f "$1"
  [ -n "$token" ] || fail "there is no token in $1"
  enrol
  run_service
}

run_service() {
  # From here on the installation can come right by itself or be repaired: it stays.
  fresh=
  "write_$init"
  start_service
}

choose_init() {
  if [ -d /run/systemd/system ]; then init=systemd
  elif [ -d /run/openrc ] || command -v openrc-run >/dev/null; then init=openrc
  else fail_as 4 "this system runs neither systemd nor OpenRC, so nothing would keep the agent running"; fi
}

check_space() {
  mkdir -p "$folder" || fail "cannot write to $folder"
  free=$(df -Pk "$folder" | { read -r _ && read -r _ _ _ free _ && echo "$free"; })
  [ "${free:-0}" -ge 16384 ] || fail_as 5 "there is too little space in $folder: 16 MB are needed"
}

# The program is checked under another name in the same folder and then renamed, so that there is never half of it.
place_program() {
  check_space
  new=$folder/.muster-agent.new.$$
  trap 'rm -f "$new"' EXIT
  if [ -n "$given" ]; then
    mv -f "$given" "$new" || fail "there is no agent program at $given"
    expect_agent "$new"
  elif expect_agent "$program" 2>/dev/null; then
    return
  else
    reason=$(fetch_agent "$(uname -m)" "$new")
    code=$?
    [ "$code" = 0 ] || fail_as "$code" "$reason"
  fi
  chmod 755 "$new"
  "$new" --version >/dev/null 2>&1 </dev/null || fail_as 6 "the agent program does not run on this system"
  mv -f "$new" "$program" || fail "cannot write $program"
}

enrol() {
  set -- --url "$agent_url" --token "$token" --server-key "$server_key"
  [ -z "$certificate" ] || set -- "$@" --certificate "$certificate"
  said=$("$program" enroll "$@" 2>&1 </dev/null) || fail_as 7 "$(printf '%s\n' "$said" | tail -n 1)"
}

# The agent needs root's full rights, because package managers do, so there is little to take away. Settings that need a
# mount namespace are left out: in many containers the service would not start with them.
# KillMode=process: stopping the agent must not kill a package transaction that it started.
write_systemd() {
  cat >"$unit" <<'UNIT' || fail "cannot write $unit"
[Unit]
Description=Muster agent
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/local/lib/muster/muster-agent run
Restart=always
RestartSec=5
KillMode=process
TimeoutStopSec=10
LimitCORE=0
LockPersonality=yes
RestrictRealtime=yes

[Install]
WantedBy=multi-user.target
UNIT
}

write_openrc() {
  cat >"$initscript" <<'INITSCRIPT' || fail "cannot write $initscript"
#!/sbin/openrc-run
name="Muster agent"
supervisor=supervise-daemon
command=/usr/local/lib/muster/muster-agent
command_args=run
respawn_delay=5
respawn_max=0
output_log=/var/log/muster-agent.log
error_log=/var/log/muster-agent.log

depend() {
  after net dns
}
INITSCRIPT
  chmod 755 "$initscript"
}

start_service() {
  if [ "$init" = systemd ]; then
    systemctl daemon-reload && systemctl enable muster-agent && systemctl restart muster-agent
  else
    rc-update add muster-agent default && rc-service muster-agent restart
  fi >/dev/null 2>&1 </dev/null || fail_as 8 "the agent is enrolled, but its service does not start: ask $init why"
}

wait_until_online() {
  seconds=0
  until said=$("$program" status 2>&1 </dev/null); do
    [ "$seconds" -lt 20 ] || fail "installed, but not online yet: $(printf '%s\n' "$said" | tail -n 1)"
    sleep 1
    seconds=$((seconds + 1))
  done
  echo "muster-agent is online"
}

uninstall() {
  @UNINSTALL@
}

expect_agent() {
  wanted=
  case $(uname -m) in
@SUMS@
  esac
  [ -n "$wanted" ] && [ -f "$1" ] && [ "$(checksum "$1")" = "$wanted" ] && return
  [ "$1" = "$program" ] || fail "the agent program at $given is not the expected one"
  return 1
}

fail() {
  fail_as 1 "$*"
}

# A first installation that fails before it is enrolled leaves no program behind; a repair that fails leaves the old one.
fail_as() {
  [ -z "${fresh-}" ] || rm -rf "$folder"
  echo "failed: $2"
  exit "$1"
}

@FETCH@
main "$@"
