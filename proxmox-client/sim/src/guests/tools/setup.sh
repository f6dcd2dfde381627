# The first process of a guest's namespaces. Puts the guest's file system together below $root, makes it the root and
# becomes the guest's init. Prints the process id (as the node sees it) and, at the end of the boot, "ready".
#   root     the guest's own folders; /usr comes from this machine, read-only
#   tools    programs that stand before those of this machine
#   hidden   programs of this machine that this system does not have
set -eu
root=$1 tools=$2 hidden=$3 name=$4
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

main() {
  # Read from the /proc of this machine, so it is the number that this machine uses.
  read -r pid _ </proc/self/stat
  echo "pid $pid"
  hostname "$name"
  mount --bind "$root" "$root"
  cd "$root"
  share_programs
  share_settings
  make_devices
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t proc proc proc
  # Every boot has its own id, as in a container of LXC.
  cat proc/sys/kernel/random/uuid >run/.boot-id
  mount --bind run/.boot-id proc/sys/kernel/random/boot_id
  read_only proc/sys
  mount --bind /dev/null proc/sysrq-trigger 2>/dev/null || true
  mount -t tmpfs -o mode=1777 tmpfs tmp
  put_tools
  become_root
  exec /bin/sh /run/proxmox-sim/init
}

# Programs and libraries. Whatever is mounted below /usr becomes read-only, too.
share_programs() {
  for folder in usr bin sbin lib lib32 lib64; do
    [ -d "/$folder" ] && [ ! -L "/$folder" ] || continue
    mkdir -p "$folder"
    mount --rbind "/$folder" "$folder"
    while read -r _ at _; do
      case $at in "$root/$folder" | "$root/$folder/"*) read_only_mount "$at" ;; esac
    done </proc/self/mounts
  done
  mount --bind "$root/../local" usr/local
}

# What programs of this machine need from /etc: names that point to programs, certificates, the linker's cache.
share_settings() {
  for setting in alternatives ca-certificates crypto-policies ld.so.cache ld.so.conf ld.so.conf.d localtime pki ssl; do
    [ -e "/etc/$setting" ] || continue
    [ -e "etc/$setting" ] || if [ -d "/etc/$setting" ]; then mkdir "etc/$setting"; else : >"etc/$setting"; fi
    mount --bind "/etc/$setting" "etc/$setting"
    read_only_mount "etc/$setting"
  done
  cat /etc/resolv.conf >etc/resolv.conf 2>/dev/null || :
}

make_devices() {
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
  done
  mkdir dev/shm dev/pts
  mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  ln -s /proc/self/fd/0 dev/stdin
  ln -s /proc/self/fd/1 dev/stdout
  ln -s /proc/self/fd/2 dev/stderr
}

# A tool stands in the place of the program of this machine, else in a folder that comes early in PATH.
put_tools() {
  mkdir run/proxmox-sim run/lock
  cp "$tools"/* run/proxmox-sim/
  for tool in "$tools"/*; do
    tool=${tool##*/}
    case $tool in init | keeper | getty | *.part) continue ;; esac
    placed=
    for folder in usr/bin usr/sbin; do
      if [ -e "$folder/$tool" ]; then mount --bind "run/proxmox-sim/$tool" "$folder/$tool" && placed=yes; fi
    done
    [ -n "$placed" ] || ln -sfn "/run/proxmox-sim/$tool" "usr/local/sbin/$tool"
  done
  for program in $hidden; do
    for folder in usr/bin usr/sbin; do
      [ ! -e "$folder/$program" ] || mount --bind /dev/null "$folder/$program"
    done
  done
}

become_root() {
  mkdir run/.node
  pivot_root . run/.node
  cd /
  umount -l /run/.node
  rmdir /run/.node
}

read_only() {
  mount --rbind "$1" "$1"
  read_only_mount "$1"
}

# Flags that the mount has on this machine may not be lost here, and nobody says which ones it has.
read_only_mount() {
  for flags in ro ro,nosuid ro,nodev ro,nosuid,nodev ro,noexec,nosuid,nodev ro,nosuid,nodev,noatime ro,nosuid,nodev,relatime; do
    mount -o "remount,bind,$flags" "$1" 2>/dev/null && return
  done
  echo "cannot make $1 read-only" >&2
  exit 1
}

main
