# The local stack: PostgreSQL and Redis on loopback, started together, shared by every instance of this checkout.

# Ports are chosen once, and again only when something else has taken one meanwhile.
choose_ports() {
  local file="$1/ports.env" POSTGRES="" REDIS=""
  # shellcheck source=/dev/null
  [[ -s "$file" ]] && source "$file"
  if [[ -z "$POSTGRES" ]] || { port_in_use "$POSTGRES" && ! postgres_is_up "$1/postgres"; }; then POSTGRES="$(free_port)"; fi
  while [[ -z "$REDIS" || "$REDIS" == "$POSTGRES" ]] || { port_in_use "$REDIS" && ! redis_is_up "$1"; }; do
    REDIS="$(free_port)"
  done
  printf 'POSTGRES=%s\nREDIS=%s\n' "$POSTGRES" "$REDIS" >"$file.new"
  mv "$file.new" "$file"
  POSTGRES_PORT="$POSTGRES" REDIS_PORT="$REDIS"
}

# start_servers FOLDER: what the environment does not replace. The caller holds the lock and has loaded the secrets.
start_servers() {
  local folder="$1"
  if [[ -z "${ConnectionStrings__Postgres:-}" ]]; then
    require_postgres
    postgres_home "$folder"
  fi
  choose_ports "$folder"
  if [[ -z "${ConnectionStrings__Postgres:-}" ]]; then
    postgres_start "$POSTGRES_HOME" "$POSTGRES_PORT" "$SECRET_POSTGRES"
  fi
  if [[ -z "${ConnectionStrings__Redis:-}" ]]; then
    redis_start "$folder" "$REDIS_PORT" "$SECRET_REDIS"
  fi
}

stop_servers() {
  redis_stop "$1"
  if find_postgres; then postgres_stop "$(readlink -m "$1/postgres")"; fi
}

# The owner migrates; the app's own login owns nothing, may bypass nothing, and acts through the roles that the
# migrations make and grant to it.
create_database() {
  sql "$POSTGRES_PORT" "$SECRET_POSTGRES" postgres <<SQL
DO \$\$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral_owner') THEN CREATE ROLE viral_owner; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral') THEN CREATE ROLE viral; END IF;
END \$\$;
ALTER ROLE viral_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD '$SECRET_POSTGRES_OWNER';
ALTER ROLE viral LOGIN NOINHERIT NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD '$SECRET_POSTGRES_APP';
SELECT 'CREATE DATABASE viral OWNER viral_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'viral') \gexec
SQL
}

local_connection() { echo "Host=127.0.0.1;Port=$POSTGRES_PORT;Database=viral;Username=$1;Password=$2"; }

# Connection strings for the app and for its owner, from the environment or for the local servers.
use_stack() {
  if [[ -n "${ConnectionStrings__Postgres:-}" ]]; then
    OWNER_POSTGRES="${ConnectionStrings__PostgresOwner:-$ConnectionStrings__Postgres}"
    APP_POSTGRES="$ConnectionStrings__Postgres"
  else
    OWNER_POSTGRES="$(local_connection viral_owner "$SECRET_POSTGRES_OWNER")"
    APP_POSTGRES="$(local_connection viral "$SECRET_POSTGRES_APP");Max Auto Prepare=100;No Reset On Close=true;Maximum Pool Size=40"
  fi
  APP_REDIS="${ConnectionStrings__Redis:-127.0.0.1:$REDIS_PORT,password=$SECRET_REDIS,abortConnect=false}"
}

# Calls the tool with what the app's login is called, which the migrations grant to.
migrate() {
  use_stack
  if [[ -z "${ConnectionStrings__Postgres:-}" ]]; then create_database; fi
  VIRAL_CONNECTION="$OWNER_POSTGRES" VIRAL_APP_CONNECTION="$APP_POSTGRES" dev_tool migrate
}

migrate_command() {
  local connection="" login=()
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --connection) connection="${2:?--connection takes a connection string}"; shift 2 ;;
      --app-login) login=(--app-login "${2:?--app-login takes the name of a login}"); shift 2 ;;
      *) die "migrate: unknown argument $1" ;;
    esac
  done
  prepare_state
  build tools/ViralEngine.Dev
  if [[ -n "$connection" ]]; then
    VIRAL_CONNECTION="$connection" dev_tool migrate "${login[@]}"
    return 0
  fi
  require_tools
  lock
  load_secrets "$STATE/secrets.env"
  start_servers "$STATE"
  migrate
  # What was down before is down again.
  unset ConnectionStrings__Postgres ConnectionStrings__Redis
  stop_stack_if_unused
}

stack_command() {
  prepare_state
  case "${1:-}" in
    up)
      require_tools
      lock
      build tools/ViralEngine.Dev
      load_secrets "$STATE/secrets.env"
      start_servers "$STATE"
      if [[ -z "${ConnectionStrings__Postgres:-}" ]]; then create_database; fi
      touch "$STATE/keep-up"
      stack_status
      ;;
    down)
      lock
      forget_dead_instances
      [[ -z "$(live_instances)" ]] || die "an instance is running (process $(live_instances | tr '\n' ' ')); stop it first"
      rm -f "$STATE/keep-up"
      stop_servers "$STATE"
      say "the stack is down"
      ;;
    status) stack_status ;;
    *) die "usage: ./dev stack up|down|status" ;;
  esac
}

stack_status() {
  local POSTGRES="-" REDIS="-" up=0
  # shellcheck source=/dev/null
  [[ -s "$STATE/ports.env" ]] && source "$STATE/ports.env"
  if postgres_is_up "$STATE/postgres"; then
    echo "PostgreSQL  up, 127.0.0.1:$POSTGRES, process $(postgres_pid "$STATE/postgres"), data in $(readlink -f "$STATE/postgres")/data"
  else
    echo "PostgreSQL  down"; up=3
  fi
  if redis_is_up "$STATE"; then
    echo "Redis       up, 127.0.0.1:$REDIS, process $(<"$STATE/redis.pid")"
  else
    echo "Redis       down"; up=3
  fi
  instances_status
  return "$up"
}

# Call with the lock held.
stop_stack_if_unused() {
  forget_dead_instances
  [[ -e "$STATE/keep-up" || -n "$(live_instances)" ]] || stop_servers "$STATE"
}

clean_command() {
  if [[ -d "$STATE" ]]; then
    prepare_state
    lock
    forget_dead_instances
    [[ -z "$(live_instances)" ]] || die "an instance is running (process $(live_instances | tr '\n' ' ')); stop it first"
    stop_servers "$STATE"
    if [[ -L "$STATE/postgres" ]]; then rm -rf "$(readlink "$STATE/postgres")"; fi
    rm -rf "$STATE"
  fi
  find "$ROOT" -name node_modules -prune -o -type d \( -name bin -o -name obj \) -prune -print |
    while IFS= read -r folder; do
      # Only what a build made: next to a project file.
      compgen -G "$(dirname "$folder")/*.csproj" >/dev/null && rm -rf "$folder"
    done
  say "clean"
}
