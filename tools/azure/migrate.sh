#!/usr/bin/env bash
# Brings the database on Azure up to date, and lets the app's identity in. Safe to run again.
#
# Whoever is signed in (az login) must administer the server: the migration identity in the workflow, the operator on a
# developer's machine. Either acts as the role viral_owner, so that both own the same tables.
#
# Where the database is private, a container in its network does it (VIRAL_MIGRATION_SUBNET, VIRAL_REGISTRY); with
# VIRAL_MIGRATE=here this machine does, which must then be in that network. Elsewhere this machine does it, and the
# firewall lets its address in meanwhile.
source "$(dirname "$0")/common.sh"
cd "$AZURE_ROOT"

need VIRAL_POSTGRES_HOST VIRAL_POSTGRES_DATABASE VIRAL_APP_IDENTITY VIRAL_APP_PRINCIPAL_ID
login="${VIRAL_LOGIN:-${VIRAL_OPERATOR_NAME:-${VIRAL_MIGRATION_IDENTITY:-}}}"
[[ -n "$login" ]] || fail "VIRAL_LOGIN is not set: the PostgreSQL login of whoever is signed in"
need_tool az dotnet

undo=() # what is to be taken back, last first
take_back() {
  local status=$? i
  trap - EXIT
  for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
    eval "${undo[i]}" || { status=1; say "migrate: this command failed; run it yourself: ${undo[i]}"; }
  done
  exit "$status"
}
trap take_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A token of Entra is the password. It goes through the environment, so it is on no command line, and only to a server
# whose certificate is for the name that was asked: whoever else answers gets nothing.
if [[ -z "${PGPASSWORD:-}" ]]; then
  PGPASSWORD="$(or_fail "Entra returned no token for PostgreSQL: az login" \
    az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv)"
fi
[[ -n "$PGPASSWORD" ]] || fail "Entra returned an empty token for PostgreSQL: az login"
export PGPASSWORD
VIRAL_CONNECTION="Host=$VIRAL_POSTGRES_HOST;Port=${VIRAL_POSTGRES_PORT:-5432};Database=postgres;Username=$login"
VIRAL_CONNECTION+=";SSL Mode=VerifyFull;Timeout=30;Command Timeout=0"
export VIRAL_CONNECTION
stays="the database is as the last migration that succeeded left it; mend what is said above and run this again"
work=(azure-database --database "$VIRAL_POSTGRES_DATABASE" --app "$VIRAL_APP_IDENTITY"
  --app-principal "$VIRAL_APP_PRINCIPAL_ID")

open_door() {
  need AZURE_RESOURCE_GROUP VIRAL_POSTGRES_SERVER
  local address="${VIRAL_MY_ADDRESS:-}" rule
  if [[ -z "$address" ]]; then
    need_tool curl
    address="$(or_fail "the public address of this machine is unknown: azd env set VIRAL_MY_ADDRESS <address>" \
      curl --silent --show-error --fail --max-time 15 https://api.ipify.org)"
  fi
  [[ "$address" =~ ^[0-9]+(\.[0-9]+){3}$ ]] || fail "\"$address\" is not an IPv4 address: azd env set VIRAL_MY_ADDRESS <address>"
  rule="migration-${address//./-}"
  # Before it is there: a door that was opened by a call that then failed is closed, too.
  undo+=("az postgres flexible-server firewall-rule delete --yes --resource-group $(printf %q "$AZURE_RESOURCE_GROUP") \
    --server-name $(printf %q "$VIRAL_POSTGRES_SERVER") --name $rule --output none")
  or_fail "the firewall of $VIRAL_POSTGRES_SERVER was not opened for $address" \
    az postgres flexible-server firewall-rule create --resource-group "$AZURE_RESOURCE_GROUP" \
    --server-name "$VIRAL_POSTGRES_SERVER" --name "$rule" --start-ip-address "$address" --end-ip-address "$address" --output none
}

migrate_here() {
  say "migrate: from this machine, as $login"
  dotnet run --project tools/ViralEngine.Dev -c Release -- "${work[@]}" || fail "$stays"
}

migrate_inside() {
  need AZURE_RESOURCE_GROUP AZURE_LOCATION VIRAL_REGISTRY
  local registry token image container="ci-migration" spec state i
  say "migrate: in a container of the private network, as $login"
  token="$(or_fail "the registry $VIRAL_REGISTRY returned no token" \
    az acr login --name "$VIRAL_REGISTRY" --expose-token --query accessToken --output tsv)"
  registry="$(or_fail "the registry $VIRAL_REGISTRY does not exist" \
    az acr show --name "$VIRAL_REGISTRY" --query loginServer --output tsv)"
  image="migration:$(git rev-parse --short=12 HEAD 2>/dev/null || date -u +%Y%m%d%H%M%S)"
  # The SDK pushes by itself; no Docker is needed. A registry's token goes with this name.
  DOTNET_CONTAINER_PUSH_REGISTRY_UNAME=00000000-0000-0000-0000-000000000000 DOTNET_CONTAINER_PUSH_REGISTRY_PWORD="$token" \
    dotnet publish tools/ViralEngine.Dev -c Release --os linux --arch x64 -t:PublishContainer --nologo -v quiet \
    -p:ContainerRegistry="$registry" -p:ContainerRepository=migration -p:ContainerImageTag="${image#*:}" >&2 ||
    fail "the image was not built or not pushed; nothing has been migrated"

  # A file, since what is on a command line is seen by others; JSON is YAML.
  spec="$(mktemp)"
  undo+=("rm -f $spec")
  IMAGE="$registry/$image" REGISTRY="$registry" TOKEN="$token" NAME="$container" python3 - "${work[@]}" >"$spec" <<'PY'
import json, os, sys
e = os.environ
json.dump({
    "apiVersion": "2023-05-01", "type": "Microsoft.ContainerInstance/containerGroups",
    "location": e["AZURE_LOCATION"], "name": e["NAME"],
    "properties": {
        "osType": "Linux", "restartPolicy": "Never", "sku": "Standard",
        "subnetIds": [{"id": e["VIRAL_MIGRATION_SUBNET"]}],
        "imageRegistryCredentials": [{"server": e["REGISTRY"], "password": e["TOKEN"],
                                      "username": "00000000-0000-0000-0000-000000000000"}],
        "containers": [{"name": "migration", "properties": {
            "image": e["IMAGE"], "command": ["dotnet", "/app/ViralEngine.Dev.dll"] + sys.argv[1:],
            "resources": {"requests": {"cpu": 1, "memoryInGB": 1.5}},
            "environmentVariables": [{"name": "PGPASSWORD", "secureValue": e["PGPASSWORD"]},
                                     {"name": "VIRAL_CONNECTION", "value": e["VIRAL_CONNECTION"]}]}}]}}, sys.stdout)
PY
  undo+=("az container delete --yes --resource-group $(printf %q "$AZURE_RESOURCE_GROUP") --name $container --output none")
  # One that an earlier run could not delete would be taken for this one.
  az container delete --yes --resource-group "$AZURE_RESOURCE_GROUP" --name "$container" --output none 2>/dev/null || true
  or_fail "the container was not started; nothing has been migrated" \
    az container create --resource-group "$AZURE_RESOURCE_GROUP" --file "$spec" --output none
  # Half an hour and more for a long migration; the token would not last much longer.
  for ((i = 0; i < ${VIRAL_MIGRATION_POLLS:-600}; i++)); do
    state="$(or_fail "the container's state cannot be read; it may have migrated, and this can be run again" \
      az container show --resource-group "$AZURE_RESOURCE_GROUP" --name "$container" \
      --query "containers[0].instanceView.currentState.join(' ', [state || '-', to_string(exitCode)])" \
      --output tsv)"
    case "$state" in
      "Terminated 0") break ;;
      "Terminated "*)
        az container logs --resource-group "$AZURE_RESOURCE_GROUP" --name "$container" >&2 || true
        fail "$stays"
        ;;
    esac
    sleep "${VIRAL_POLL_SECONDS:-3}"
  done
  az container logs --resource-group "$AZURE_RESOURCE_GROUP" --name "$container" >&2 || true
  [[ "$state" == "Terminated 0" ]] || fail "the container has not ended: its last state was \"$state\""
}

if [[ -n "${VIRAL_MIGRATION_SUBNET:-}" && "${VIRAL_MIGRATE:-}" != here ]]; then
  need_tool python3
  export VIRAL_MIGRATION_SUBNET AZURE_LOCATION="${AZURE_LOCATION:-}"
  migrate_inside
else
  [[ -n "${VIRAL_MIGRATION_SUBNET:-}" || "${VIRAL_FIREWALL_OPEN:-}" == true ]] || open_door
  migrate_here
fi
say "migrate: the database is up to date"
