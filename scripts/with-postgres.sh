#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES_URL naming a throw-away PostgreSQL server, which goes away afterwards.
# Without PostgreSQL on the machine the command runs with the variable unset, and its tests count themselves as skipped.
set -euo pipefail

[ -z "${TEST_POSTGRES_URL:-}" ] || exec "$@"
bin=$(dirname "$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)" 2>/dev/null || true)
[ -x "$bin/initdb" ] || exec "$@"

folder=$(mktemp -d)
as_owner=()
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    chown nobody "$folder"
    as_owner=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
fi
port=$(node -e 's=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
stop() {
    (cd / && "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop) >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT
(
    cd /
    "${as_owner[@]}" "$bin/initdb" -D "$folder/data" -A trust -U muster --no-sync -E UTF8
    "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" \
        -o "-c listen_addresses=127.0.0.1 -p $port -k $folder -c fsync=off -c max_connections=400" start
) >/dev/null
TEST_POSTGRES_URL="postgres://muster@127.0.0.1:$port/postgres" "$@"
