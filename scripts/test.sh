#!/usr/bin/env bash
# Every test. What cannot run on this machine is skipped, counted and named; in CI a skip is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/parts.sh install
export TEST_SKIPS="$PWD/target/skipped-tests.txt"
mkdir -p target && : >"$TEST_SKIPS"

scripts/build.sh web
scripts/build.sh agent
export TEST_AGENTS="$PWD/target/agents"
scripts/with-postgres.sh cargo test --quiet --workspace
# The server's own tests once more, on PostgreSQL.
# shellcheck disable=SC2016 # the inner shell expands it
scripts/with-postgres.sh bash -c \
    '[ -z "${TEST_POSTGRES_URL:-}" ] || TEST_SERVER_ON=$TEST_POSTGRES_URL cargo test --quiet -p muster --test it'
(cd web && npm run --silent test)
if command -v chromium >/dev/null; then
    node scripts/e2e.mjs
else
    echo "browser tests: no chromium on this machine" >>"$TEST_SKIPS"
fi

skipped=$(wc -l <"$TEST_SKIPS")
echo "skipped: $skipped"
[ "$skipped" = 0 ] || sort "$TEST_SKIPS" | uniq -c
[ "$skipped" = 0 ] || [ -z "${CI:-}" ] || { echo "a skipped test is a failed one in CI" >&2 && exit 1; }
