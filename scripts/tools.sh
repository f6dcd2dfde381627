#!/usr/bin/env bash
# The two cargo tools of `make check`, built once into target/tools.
set -euo pipefail
cd "$(dirname "$0")/.."

need() {
    command -v "target/tools/bin/$1" >/dev/null && return
    echo "building $1 $2, once"
    cargo install --quiet --locked --root target/tools --version "$2" "$1"
}
need cargo-deny 0.20.2
need cargo-machete 0.9.2
