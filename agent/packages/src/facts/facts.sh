init_system() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif [ -d /run/openrc ] || command -v openrc-run >/dev/null; then echo openrc
  else echo other; fi
}

machine_id() {
  cat /etc/machine-id 2>/dev/null || cat /var/lib/dbus/machine-id
}

section hostname uname -n
section arch uname -m
section kernel uname -r
section init init_system
section os cat /etc/os-release
section machine machine_id
section boot cat /proc/sys/kernel/random/boot_id
