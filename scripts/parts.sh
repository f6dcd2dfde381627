#!/usr/bin/env bash
# What the tests need beside Rust and Node. `parts.sh install` installs what is missing (as root on Debian), else prints
# the line to run; `parts.sh missing` lists it.
set -euo pipefail

declare -A package=(
    [chromium]=chromium
    [initdb]=postgresql
    [busybox]=busybox
    [newuidmap]=uidmap
    [apt-ftparchive]=apt-utils
    [nginx]=nginx-light
    [dnf]=dnf
    [zypper]=zypper
    [pacman]=pacman-package-manager
    [createrepo_c]=createrepo-c
    [rpmbuild]=rpm
)

have() {
    command -v "$1" >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null || [ -x "/usr/sbin/$1" ]
}

missing() {
    for tool in "${!package[@]}"; do
        have "$tool" || echo "${package[$tool]}"
    done
}

install() {
    local wanted
    wanted=$(missing | sort | tr '\n' ' ')
    [ -n "${wanted// /}" ] || return 0
    local line="apt-get update && apt-get install -y --no-install-recommends $wanted"
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "some tests will be skipped; to run them all, first run as root: $line" >&2
        return 0
    fi
    echo "installing for the tests: $wanted"
    (export DEBIAN_FRONTEND=noninteractive && eval "$line") >target/parts.log 2>&1 || {
        echo "that failed; the log is target/parts.log" >&2
        return 1
    }
}

mkdir -p target
case "${1:-}" in
    install) install ;;
    missing) missing ;;
    *) echo "usage: $0 install|missing" >&2 && exit 2 ;;
esac
