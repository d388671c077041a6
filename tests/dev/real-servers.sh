#!/usr/bin/env bash
# start|stop CHECKOUT FOLDER: servers that no ./dev knows of, in FOLDER, by the means of a built CHECKOUT. FOLDER/real.env says
# how to reach them.
set -euo pipefail
ROOT="$2" STATE="$3" CONFIGURATION="${CONFIGURATION:-Release}"
for part in console requirements postgres redis stack run build; do
  # shellcheck source=/dev/null
  source "$ROOT/tools/dev/$part.sh"
done
unset ConnectionStrings__Postgres ConnectionStrings__Redis ConnectionStrings__PostgresOwner

if [[ "$1" == stop ]]; then
  stop_servers "$STATE"
  exit
fi

load_secrets "$STATE/secrets.env"
find_postgres
start_servers "$STATE"
create_database
use_stack
printf '%s=%q\n' ConnectionStrings__Postgres "$APP_POSTGRES" ConnectionStrings__PostgresOwner "$OWNER_POSTGRES" \
  ConnectionStrings__Redis "$APP_REDIS" REAL_POSTGRES "$POSTGRES_PORT" REAL_REDIS "$REDIS_PORT" >"$STATE/real.env"
