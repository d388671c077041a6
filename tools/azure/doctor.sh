#!/usr/bin/env bash
# `./dev azure doctor`: everything that would stop a first deployment, at once, each with the command that mends it.
# Reads, and changes nothing. AZURE_LOCATION, VIRAL_SIZE, VIRAL_DURABLE_STORAGE, AZURE_ENV_NAME and
# AZURE_SUBSCRIPTION_ID say what is meant.
source "$(dirname "$0")/common.sh"

# What the environment says, or else what azd remembers, which may be missing itself.
wanted() { printf '%s' "${!1:-$(command -v azd >/dev/null && azd_value "$1" || true)}"; }
location="$(wanted AZURE_LOCATION)" size="$(wanted VIRAL_SIZE)" durable="$(wanted VIRAL_DURABLE_STORAGE)"
name="$(wanted AZURE_ENV_NAME)" subscription="$(wanted AZURE_SUBSCRIPTION_ID)"
location="${location:-westeurope}" size="${size:-try}" durable="${durable:-AzureStorage}"

problems=0
problem() { problems=$((problems + 1)); printf -- '- %s\n    %s\n' "$1" "$2" >&2; }

# Tools, and the oldest that will do. Since 2.86 the Azure CLI names servers and firewall rules apart.
tool() { command -v "$1" >/dev/null || problem "$1 is missing." "$2"; }
tool az "Install the Azure CLI: https://aka.ms/azure-cli"
tool azd "Install the Azure Developer CLI: https://aka.ms/azd"
tool dotnet "Install the .NET SDK 10: https://dotnet.microsoft.com/download"
tool zip "Debian or Ubuntu: sudo apt install zip"
tool unzip "Debian or Ubuntu: sudo apt install unzip"
tool openssl "Debian or Ubuntu: sudo apt install openssl"
tool curl "Debian or Ubuntu: sudo apt install curl"
tool python3 "Debian or Ubuntu: sudo apt install python3"
if command -v dotnet >/dev/null && ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
  problem "The .NET SDK 10 is missing." "https://dotnet.microsoft.com/download"
fi
case "$size" in
  try | dev | prod) ;;
  *) problem "VIRAL_SIZE is $size." "azd env set VIRAL_SIZE try    # or dev, or prod" ;;
esac
case "$durable" in
  AzureStorage | SchedulerConsumption | SchedulerDedicated) ;;
  *)
    problem "VIRAL_DURABLE_STORAGE is $durable." \
      "azd env set VIRAL_DURABLE_STORAGE AzureStorage    # or SchedulerConsumption, SchedulerDedicated"
    ;;
esac
if [[ -n "$name" && ! "$name" =~ ^[A-Za-z][A-Za-z0-9-]{0,10}[A-Za-z0-9]$ ]]; then
  problem "The environment is called $name; names take 2 to 12 letters, digits and hyphens, and begin with a letter." \
    "azd env new NAME"
fi

finish() {
  if ((problems > 0)); then fail "$problems to fix before $size can be deployed to $location"; fi
  say "doctor: nothing in the way of $size in $location"
  exit 0
}

command -v az >/dev/null || finish
version="$(az version --query '"azure-cli"' --output tsv 2>/dev/null || true)"
if [[ -n "$version" && "$(printf '%s\n2.86.0\n' "$version" | sort -V | head -n 1)" != 2.86.0 ]]; then
  problem "The Azure CLI is $version; it must be 2.86.0 or later." "az upgrade"
fi
if ! current="$(az account show --query id --output tsv 2>/dev/null)"; then
  problem "The Azure CLI is not signed in." "az login"
  finish
fi
# azd has a subscription of its own; what follows asks, and the migration goes, where the Azure CLI is.
if [[ -n "$subscription" && "$subscription" != "$current" ]]; then
  problem "azd deploys to the subscription $subscription, and the Azure CLI is in $current." \
    "az account set --subscription $subscription"
fi

# Resource providers that a subscription has not used yet must be registered; Microsoft.App belongs to Flex Consumption.
providers=(Microsoft.App Microsoft.Web Microsoft.Storage Microsoft.KeyVault Microsoft.ManagedIdentity Microsoft.Network
  Microsoft.DBforPostgreSQL Microsoft.OperationalInsights Microsoft.Insights Microsoft.EventGrid Microsoft.Consumption)
[[ "$size" == try ]] || providers+=(Microsoft.Cache)
[[ "$size" != prod ]] || providers+=(Microsoft.ContainerRegistry Microsoft.ContainerInstance)
[[ "$durable" == AzureStorage ]] || providers+=(Microsoft.DurableTask)
if registered="$(az provider list --query "[?registrationState=='Registered'].namespace" --output tsv 2>/dev/null)"; then
  for provider in "${providers[@]}"; do
    grep -qix "$provider" <<<"$registered" ||
      problem "The resource provider $provider is not registered." "az provider register --wait --namespace $provider"
  done
else
  problem "The resource providers of the subscription cannot be read." "az account set --subscription ID    # one you may read"
fi

# Spread over zones, prod needs a region that has them.
listing=(az functionapp list-flexconsumption-locations) over=""
[[ "$size" != prod ]] || { listing+=(--zone-redundant=true) && over=" over zones"; }
elsewhere="azd env set AZURE_LOCATION REGION    # ${listing[*]} --output table"
regions="$("${listing[@]}" --query '[].name' --output tsv 2>/dev/null |
  tr '[:upper:]' '[:lower:]' | tr -d ' ' || true)"
if ! grep -qx "$location" <<<"$regions"; then
  problem "Flex Consumption is not offered$over in $location." "$elsewhere"
else
  runtimes="$(az functionapp list-flexconsumption-runtimes --location "$location" --runtime dotnet-isolated \
    --query '[].version' --output tsv 2>/dev/null || true)"
  grep -qxE '10(\.0)?' <<<"$runtimes" || problem "Flex Consumption in $location has no .NET 10." "$elsewhere"
fi

# Some subscriptions may not have PostgreSQL everywhere, and say so only here.
case "$size" in prod) sku=Standard_D4ds_v5 ;; dev) sku=Standard_D2ds_v5 ;; *) sku=Standard_B1ms ;; esac
if ! skus="$(az postgres flexible-server list-skus --location "$location" --output json 2>/dev/null)"; then
  problem "This subscription may not have PostgreSQL in $location." \
    "$elsewhere
    or ask for it: https://aka.ms/postgres-request-quota-increase"
elif ! grep -qi "\"$sku\"" <<<"$skus"; then
  problem "PostgreSQL in $location has no $sku for this subscription." "$elsewhere"
fi

# offered KIND NAMESPACE TYPE
offered() {
  az provider show --namespace "$2" --query "resourceTypes[?resourceType=='$3'].locations[]" --output tsv 2>/dev/null |
    tr '[:upper:]' '[:lower:]' | tr -d ' ' | grep -qx "$location" || problem "$1 is not offered in $location." "$elsewhere"
}
[[ "$size" == try ]] || offered "Azure Managed Redis" Microsoft.Cache redisEnterprise
[[ "$durable" == AzureStorage ]] || offered "The Durable Task Scheduler" Microsoft.DurableTask schedulers

# A deleted vault keeps its name until it is purged or recovered.
if [[ -n "$name" ]]; then
  deleted="$(az keyvault list-deleted --resource-type vault \
    --query "[?properties.tags.\"azd-env-name\"=='$name'].[name, properties.location]" --output tsv 2>/dev/null || true)"
  while IFS=$'\t' read -r vault region; do
    [[ -n "$vault" ]] || continue
    group="rg-viral-$(tr '[:upper:]' '[:lower:]' <<<"$name")"
    back="az group create --name $group --location $region && az keyvault recover --name $vault"
    if [[ "$size" == prod ]]; then
      problem "The vault $vault of a former $name is deleted and still holds its name, for 90 days." "$back"
    else
      problem "The vault $vault of a former $name is deleted and still holds its name." \
        "az keyvault purge --name $vault --location $region    # for good; or to have its keys back:
    $back"
    fi
  done <<<"$deleted"
fi
finish
