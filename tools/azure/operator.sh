#!/usr/bin/env bash
# Before azd provisions: finds out who migrates the database and what has grown since, and makes the secrets that are
# missing. Everything is asked before anything is set.
source "$(dirname "$0")/common.sh"

bash "$(dirname "$0")/doctor.sh"

# One line for both, so that a name cannot be taken for an id.
id="$(azd_value VIRAL_OPERATOR_OBJECT_ID)" name="$(azd_value VIRAL_OPERATOR_NAME)"
if [[ -z "$id" || -z "$name" ]]; then
  who="$(or_fail "Entra does not say who is signed in. A service principal sets VIRAL_OPERATOR_OBJECT_ID, VIRAL_OPERATOR_NAME and VIRAL_OPERATOR_TYPE=ServicePrincipal itself." \
    az ad signed-in-user show --query "join(' ', [id, userPrincipalName])" --output tsv)"
  id="${who%% *}" name="${who#* }"
  [[ "$id" =~ ^[0-9a-fA-F-]{36}$ && -n "$name" && "$name" != "$who" ]] ||
    fail "Entra does not say who is signed in: it returned \"$who\""
fi

environment="${AZURE_ENV_NAME:-$(azd_value AZURE_ENV_NAME)}"
[[ -n "$environment" ]] || fail "there is no azd environment: azd env new NAME"
storage="$(bash "$(dirname "$0")/grown.sh" "$environment")"

platform="$(azd_value VIRAL_PLATFORM_KEY)" ring="$(azd_value VIRAL_SECRETS_KEY)" ends=""
if [[ -z "$platform" || -z "$ring" ]]; then
  [[ -n "$platform" ]] || new_platform="$(or_fail "no platform key was made" openssl rand -hex 24)"
  [[ -n "$ring" ]] || new_ring="k$(date -u +%Y%m%d):$(or_fail "no key was made" openssl rand -base64 32)"
  ends="$(date -u -d '+365 days' +%s 2>/dev/null || date -u -v+365d +%s)"
fi
budget="$(azd_value VIRAL_BUDGET_START)"

set_value() { or_fail "azd could not set $1" azd env set "$1" "$2"; }
set_value VIRAL_OPERATOR_OBJECT_ID "$id"
set_value VIRAL_OPERATOR_NAME "$name"
[[ -z "$storage" ]] || set_value VIRAL_POSTGRES_STORAGE_GB "$storage"
# A budget that is made now may begin in no earlier month, and one that is there keeps its beginning.
[[ -n "$budget" && -n "$storage" ]] || set_value VIRAL_BUDGET_START "$(date -u +%Y-%m-01)"
[[ -z "$ends" ]] || set_value VIRAL_SECRETS_EXPIRE_AT "$ends"
[[ -z "${new_platform:-}" ]] || set_value VIRAL_PLATFORM_KEY "$new_platform"
[[ -z "${new_ring:-}" ]] || set_value VIRAL_SECRETS_KEY "$new_ring"
say "operator: $name migrates the database"
