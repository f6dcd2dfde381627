# Whether a package manager is here, by any of its names.
present() {
  case $1 in
    apt) command -v apt-get ;;
    dnf) command -v dnf || command -v dnf5 || command -v yum ;;
    *) command -v "$1" ;;
  esac >/dev/null
}

# Which package manager this system is built on: by its own name first, because several may be installed.
manager() {
  named=
  for word in $(sed -n -e 's/^ID=//p' -e 's/^ID_LIKE=//p' /etc/os-release 2>/dev/null | tr -d "\"'"); do
    case $word in
      debian | ubuntu) named=apt ;;
      alpine) named=apk ;;
      fedora | rhel | centos) named=dnf ;;
      suse | opensuse* | sles) named=zypper ;;
      arch) named=pacman ;;
    esac
    [ -z "$named" ] || break
  done
  for word in ${named:-apk apt zypper dnf pacman}; do
    present "$word" && echo "$word" && return
  done
  echo "no package manager found${named:+: this system should have $named}"
  return 1
}

# Runs a command for at most so many seconds, where the system can.
at_most() {
  if timeout --foreground 5 true 2>/dev/null; then timeout --foreground "$@"; else shift && "$@"; fi
}

# Whether this is a container, which has no kernel of its own.
contained() {
  [ -e /run/systemd/container ] || [ -e /.dockerenv ] || [ -e /run/.containerenv ] ||
    tr '\000' '\n' </proc/1/environ 2>/dev/null | grep -q '^container='
}

# Whether a restart is asked for; outside of containers also the running kernel and those that are installed.
reboot() {
  marked=no
  for mark in /run/reboot-required /var/run/reboot-required /run/reboot-needed; do
    [ ! -e "$mark" ] || marked=yes
  done
  echo "$marked"
  contained && return
  echo "running $(uname -r)"
  for kernel in /lib/modules/*/kernel; do
    [ ! -d "$kernel" ] || { kernel=${kernel%/kernel} && echo "kernel ${kernel##*/}"; }
  done
}

# What runs on programs or libraries that are deleted: the service, else the program's name.
restarts() {
  grep -l -E ' r-x.* /(usr/)?(s?bin|lib[^ /]*)/.* \(deleted\)$' /proc/[0-9]*/maps 2>/dev/null | while read -r maps; do
    service=$(sed -n 's,.*/\([^/]*\.service\).*,\1,p' "${maps%/maps}/cgroup" 2>/dev/null | head -n 1)
    if [ -n "$service" ]; then echo "$service"; else cat "${maps%/maps}/comm" 2>/dev/null; fi
  done | sort -u
}

