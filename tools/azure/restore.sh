#!/usr/bin/env bash
# restore.sh --at TIME          the app goes on with the database as it was at TIME (2026-11-24T10:00:00Z)
# restore.sh --drill [--at TIME]  only a rehearsal: restores beside, compares, tells how long it took, and deletes the copy
#
# Run it through azd, which knows the names: azd env exec -- bash tools/azure/restore.sh --drill
# A restore that failed is run again with the same TIME and goes on where it stopped. The old server is never touched.
source "$(dirname "$0")/common.sh"
cd "$AZURE_ROOT"

drill=0 at=""
while [[ $# -gt 0 ]]; do
  case "$1" in
    --drill) drill=1; shift ;;
    --at) at="${2:-}"; shift 2 || fail "--at takes a time, such as 2026-11-24T10:00:00Z" ;;
    *) fail "unknown argument $1; usage: restore.sh --at TIME | --drill [--at TIME]" ;;
  esac
done
((drill == 1)) || [[ -n "$at" ]] || fail "usage: restore.sh --at TIME | --drill [--at TIME]"
need AZURE_RESOURCE_GROUP VIRAL_POSTGRES_SERVER VIRAL_POSTGRES_DATABASE
need_tool az
# A quarter of an hour ago unless told: the newest minutes are not backed up yet.
[[ -n "$at" ]] || at="$(date -u -d '-15 minutes' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v-15M +%Y-%m-%dT%H:%M:%SZ)"
[[ "$at" =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$ ]] ||
  fail "$at is not a UTC time such as 2026-11-24T10:00:00Z"
stamp="$(tr -d 'TZ:-' <<<"$at")"
old="$VIRAL_POSTGRES_SERVER"

# restore_to NAME [OPTION…]
restore_to() {
  local there copy="$1"
  shift
  there="$(or_fail "the servers of $AZURE_RESOURCE_GROUP cannot be listed; nothing was restored" \
    az postgres flexible-server list --resource-group "$AZURE_RESOURCE_GROUP" --query "[?name=='$copy'].name" --output tsv)"
  if [[ -n "$there" ]]; then
    say "restore: $copy already exists"
    return
  fi
  say "restore: $old as of $at becomes $copy; this takes minutes to hours, depending on its size"
  or_fail "$copy was not restored; the app and $old are unchanged" \
    az postgres flexible-server restore --resource-group "$AZURE_RESOURCE_GROUP" --name "$copy" --source-server "$old" \
    --restore-time "$at" "$@" --output none
}

undo=()
take_back() {
  local status=$? i
  trap - EXIT
  for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
    eval "${undo[i]}" || { status=1; say "restore: this command failed; run it yourself: ${undo[i]}"; }
  done
  exit "$status"
}
trap take_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ask HOST SQL: as the role above tenants, which the owner takes for one transaction that is rolled back.
ask() {
  psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --set at="$at" --host "$1" \
    --port "${VIRAL_POSTGRES_PORT:-5432}" --dbname "$VIRAL_POSTGRES_DATABASE" <<SQL
BEGIN;
SET LOCAL ROLE viral_owner;
GRANT viral_sweeper TO viral_owner;
SET LOCAL ROLE viral_sweeper;
$2
ROLLBACK;
SQL
}

run_drill() {
  local copy="${old%%-at-*}-drill-$stamp" host old_host before after started=$SECONDS address server login
  need_tool psql
  [[ -z "${VIRAL_MIGRATION_SUBNET:-}" || "${VIRAL_MIGRATE:-}" == here ]] ||
    fail "the server is private: run the drill from a machine in its network, with VIRAL_MIGRATE=here"
  login="${VIRAL_LOGIN:-${VIRAL_OPERATOR_NAME:-}}"
  [[ -n "$login" ]] || fail "VIRAL_LOGIN is not set: the PostgreSQL login of whoever is signed in"
  undo+=("az postgres flexible-server delete --yes --resource-group $(printf %q "$AZURE_RESOURCE_GROUP") \
    --name $copy --output none")
  restore_to "$copy"
  say "restore: restored after $((SECONDS - started)) s"

  if [[ -z "${PGPASSWORD:-}" ]]; then
    PGPASSWORD="$(or_fail "Entra returned no token for PostgreSQL: az login" \
      az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv)"
  fi
  # The certificate must be for the name that was asked, by an authority that this system trusts.
  export PGPASSWORD PGUSER="$login" PGSSLMODE="${PGSSLMODE:-verify-full}" PGSSLROOTCERT="${PGSSLROOTCERT:-system}"
  [[ "$PGSSLMODE" != disable ]] || unset PGSSLROOTCERT
  host_of() {
    or_fail "$1 does not exist" az postgres flexible-server show --resource-group "$AZURE_RESOURCE_GROUP" --name "$1" \
      --query fullyQualifiedDomainName --output tsv
  }
  old_host="$(host_of "$old")"
  host="$(host_of "$copy")"
  if [[ -z "${VIRAL_MIGRATION_SUBNET:-}" ]]; then
    address="${VIRAL_MY_ADDRESS:-}"
    [[ -n "$address" ]] || address="$(or_fail "the public address of this machine is unknown: set VIRAL_MY_ADDRESS" \
      curl --silent --show-error --fail --max-time 15 https://api.ipify.org)"
    undo+=("az postgres flexible-server firewall-rule delete --yes --resource-group $(printf %q "$AZURE_RESOURCE_GROUP") \
      --server-name $old --name drill --output none")
    for server in "$old" "$copy"; do
      or_fail "the firewall of $server was not opened" \
        az postgres flexible-server firewall-rule create --resource-group "$AZURE_RESOURCE_GROUP" --server-name "$server" \
        --name drill --start-ip-address "$address" --end-ip-address "$address" --output none
    done
  fi

  compare() {
    before="$(or_fail "$old does not respond" ask "$old_host" "$2")"
    after="$(or_fail "the copy does not respond, or lacks the tables" ask "$host" "$2")"
    say "restore: $1: $before in use, $after in the copy"
    [[ "$before" =~ ^[0-9]+$ && "$after" =~ ^[0-9]+$ ]] || fail "$1: the count is not a number"
  }
  compare "organizations made by then" "SELECT count(*) FROM viral.organizations WHERE created_at <= :'at';"
  ((after >= before)) || fail "the copy lacks $((before - after)) organizations"
  # What retention has deleted since is still in the copy, so it may have more.
  compare "tasks accepted by then" "SELECT count(*) FROM viral.tasks WHERE created_at <= :'at';"
  ((after >= before)) || fail "the copy lacks $((before - after)) tasks"
  say "restore: the drill succeeded after $((SECONDS - started)) s; the copy is deleted now"
}

run_restore() {
  local copy="${old%%-at-*}-at-$stamp" hub geo
  need VIRAL_APP_NAME VIRAL_TASK_HUB
  need_tool azd
  [[ "$old" != *"-at-$stamp" ]] || fail "the app already uses $old"
  hub="${VIRAL_TASK_HUB%%At2*}At$stamp"
  # Backups in another region are chosen when a server is made; provisioning asks for them, and could not add them.
  geo="$(or_fail "$old does not exist; nothing was changed" \
    az postgres flexible-server show --resource-group "$AZURE_RESOURCE_GROUP" --name "$old" \
    --query backup.geoRedundantBackup --output tsv)"
  or_fail "$VIRAL_APP_NAME was not stopped; nothing was changed" \
    az functionapp stop --resource-group "$AZURE_RESOURCE_GROUP" --name "$VIRAL_APP_NAME"
  undo+=("az functionapp start --resource-group $(printf %q "$AZURE_RESOURCE_GROUP") --name $(printf %q "$VIRAL_APP_NAME")")
  restore_to "$copy" --geo-redundant-backup "${geo:-Disabled}"
  # Orchestrations of the old hub know of things that no longer happened. What is unfinished is started anew in the new one.
  local kept=("${undo[@]}")
  undo+=("azd env set VIRAL_POSTGRES_SERVER $(printf %q "$old")" "azd env set VIRAL_TASK_HUB $(printf %q "$VIRAL_TASK_HUB")")
  or_fail "azd could not set VIRAL_POSTGRES_SERVER; the app is unchanged" azd env set VIRAL_POSTGRES_SERVER "$copy"
  or_fail "azd could not set VIRAL_TASK_HUB; the app is unchanged" azd env set VIRAL_TASK_HUB "$hub"
  or_fail "the app was not moved to $copy; run this again with the same time" azd provision
  undo=("${kept[@]}")
  say "restore: the app now uses $copy. $old is unchanged: delete it once you have checked that nothing is missing"
}

if ((drill == 1)); then run_drill; else run_restore; fi
