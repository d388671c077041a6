#!/usr/bin/env bash
# grown.sh ENVIRONMENT: prints the storage, in GB, that PostgreSQL of an environment has by now; nothing when there is none.
# Disks grow by themselves, and a deployment that asks for less fails with DowngradeDiskSizeUnsupported.
source "$(dirname "$0")/common.sh"

[[ -n "${1:-}" ]] || fail "usage: grown.sh ENVIRONMENT"
sizes="$(or_fail "the size of PostgreSQL cannot be read" \
  az postgres flexible-server list --query "[?tags.\"azd-env-name\"=='$1'].storage.storageSizeGb" --output tsv)"
[[ -z "$sizes" ]] || ! grep -qv '^[0-9]*$' <<<"$sizes" || fail "the size of PostgreSQL is \"$sizes\", which is not a number"
sort -n <<<"$sizes" | tail -n 1
