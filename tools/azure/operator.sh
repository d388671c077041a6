#!/usr/bin/env bash
# Before azd provisions: tells it who migrates the database and from where, and makes the secrets that are missing.
set -euo pipefail

has() { [[ -n "$(azd env get-value "$1" 2>/dev/null)" ]] && ! azd env get-value "$1" 2>&1 | grep -qi 'not found'; }

command -v az >/dev/null || { echo "the Azure CLI is missing: https://aka.ms/azure-cli" >&2; exit 1; }
az account show --output none 2>/dev/null || { echo "sign in first: az login" >&2; exit 1; }

read -r id name < <(az ad signed-in-user show --query '[id, userPrincipalName]' --output tsv | tr '\n' ' ')
azd env set VIRAL_OPERATOR_OBJECT_ID "$id"
azd env set VIRAL_OPERATOR_NAME "$name"
has VIRAL_MY_ADDRESS ||
  echo "VIRAL_MY_ADDRESS is not set. If this machine is outside Azure, PostgreSQL will refuse it:
  azd env set VIRAL_MY_ADDRESS <your public IPv4 address>" >&2

has VIRAL_PLATFORM_KEY || azd env set VIRAL_PLATFORM_KEY "$(openssl rand -hex 24)"
has VIRAL_SECRETS_KEY || azd env set VIRAL_SECRETS_KEY "k$(date +%Y%m%d):$(openssl rand -base64 32)"
