#!/usr/bin/env bash
# Builds the parts that cargo does not build by itself: `build.sh web` and `build.sh agent`.
set -euo pipefail
cd "$(dirname "$0")/.."

build_web() {
    cd web
    # npm's own stamp says whether what is installed is what the lock file names.
    if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
        # Not `npm ci`: it refuses a lock file that lacks the optional programs of other platforms. What the lock file
        # names is installed all the same.
        npm install --no-save --no-audit --no-fund --loglevel=error
        touch node_modules/.package-lock.json
    fi
    npm run --silent build
}

# One static program without any library, so that it runs in every guest of this architecture.
build_agent() {
    local target
    target="$(uname -m)-unknown-linux-gnu"
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --quiet --profile agent --target "$target" \
        -p muster-agent --target-dir target/static
    mkdir -p target/agents
    install -m 755 "target/static/$target/agent/muster-agent" "target/agents/muster-agent-$(uname -m)"
}

case "${1:-}" in
    web) build_web ;;
    agent) build_agent ;;
    *) echo "usage: $0 web|agent" >&2 && exit 2 ;;
esac
