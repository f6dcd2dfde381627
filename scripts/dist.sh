#!/usr/bin/env bash
# What one installs Muster from, into target/dist: one static program with the dashboard and the agents inside, as a
# tarball, as a .deb and as the context of a container image.
set -euo pipefail
cd "$(dirname "$0")/.."

arch=$(uname -m)
target="$arch-unknown-linux-gnu"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
dist=target/dist
docs=(README.md docs/configuration.md docs/errors.md docs/operating.md)

scripts/build.sh web
scripts/build.sh agent
RUSTFLAGS='-C target-feature=+crt-static' cargo build --quiet --release --target "$target" -p muster \
    --target-dir target/static
rm -rf "$dist" && mkdir -p "$dist"
program="$dist/muster"
install -m 755 "target/static/$target/release/muster" "$program"
! ldd "$program" 2>&1 | grep -q '=>' || { echo "$program is not static" >&2 && exit 1; }

tarball() {
    local root="$dist/muster-$version-$arch"
    mkdir "$root"
    install -m 755 "$program" "$root/"
    install -m 644 packaging/muster.service packaging/muster.toml "${docs[@]}" "$root/"
    tar --owner=0 --group=0 -C "$dist" -czf "$root.tar.gz" "muster-$version-$arch"
    rm -r "$root"
}

# The tree of the package is the tree of the machine it is installed on.
deb() {
    local root="$dist/deb" name
    name=$(dpkg --print-architecture)
    install -D -m 755 "$program" "$root/usr/bin/muster"
    install -D -m 644 packaging/muster.service "$root/usr/lib/systemd/system/muster.service"
    install -D -m 644 packaging/muster.toml "$root/etc/muster/muster.toml"
    install -D -m 644 -t "$root/usr/share/doc/muster" "${docs[@]}"
    install -D -m 755 -t "$root/DEBIAN" packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm
    echo /etc/muster/muster.toml >"$root/DEBIAN/conffiles"
    cat >"$root/DEBIAN/control" <<CONTROL
Package: muster
Version: $version
Architecture: $name
Maintainer: Muster <muster@localhost>
Section: admin
Priority: optional
Depends: passwd
Recommends: ca-certificates
Description: keeps the guests of Proxmox VE clusters up to date
 Finds every node, container and virtual machine from an API token, says what
 is out of date in each, and never calls a failed scan "0 updates".
CONTROL
    dpkg-deb --root-owner-group -b "$root" "$dist/muster_${version}_$name.deb" >/dev/null
    rm -r "$root"
}

# `docker build target/dist/image` makes the image; `docker run -v muster:/var/lib/muster -p 8080:8080 …` runs it.
image() {
    local root="$dist/image/root"
    install -D -m 755 "$program" "$root/usr/bin/muster"
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    install -d -m 700 "$root/var/lib/muster"
    chown 65532:65532 "$root/var/lib/muster" 2>/dev/null || true
    cp packaging/Dockerfile "$dist/image/"
}

tarball
if command -v dpkg-deb >/dev/null; then deb; else echo "no .deb: this machine has no dpkg-deb" >&2; fi
image
(cd "$dist" && sha256sum muster *.tar.gz *.deb 2>/dev/null >SHA256SUMS || true)
[ "$arch" != x86_64 ] || echo "no agent for aarch64 inside: build one on such a machine and name its folder with agent_dir" >&2
ls -l "$dist"
