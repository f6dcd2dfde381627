#!/usr/bin/env bash
# What CI runs. Cheap checks first.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%s s so far)\n' "$1" "$SECONDS"; }

step "format"
cargo fmt --all --check
step "dependencies: licences, bans, sources, unused ones"
scripts/tools.sh
PATH="$PWD/target/tools/bin:$PATH" cargo deny --log-level error check bans licenses sources
PATH="$PWD/target/tools/bin:$PATH" cargo machete
step "dashboard: types, lints, unit tests, budget"
scripts/build.sh web
(cd web && npm run --silent check)
step "clippy"
cargo clippy --quiet --workspace --all-targets -- -D warnings
step "documentation"
# Help texts of the command line are documentation too, and show addresses as a person types them.
RUSTDOCFLAGS='-D warnings -A rustdoc::bare-urls -A rustdoc::invalid-html-tags' cargo doc --quiet --workspace --no-deps
step "tests"
scripts/test.sh
step "done"
