#!/usr/bin/env bash
# Builds the package that is deployed: .local/azure/app.zip, or the file that is named. The old one stays until the new one
# is whole.
source "$(dirname "$0")/common.sh"
cd "$AZURE_ROOT"

package="${1:-.local/azure/app.zip}"
need_tool dotnet zip
mkdir -p "$(dirname "$package")"
package="$(cd "$(dirname "$package")" && pwd)/$(basename "$package")"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# The scheduler needs one package more; VIRAL_DURABLE_STORAGE is what the template was given, too.
case "${VIRAL_DURABLE_STORAGE:-AzureStorage}" in
  AzureStorage) storage=storage ;;
  SchedulerConsumption | SchedulerDedicated) storage=azuremanaged ;;
  *) fail "VIRAL_DURABLE_STORAGE is $VIRAL_DURABLE_STORAGE; it must be AzureStorage, SchedulerConsumption or SchedulerDedicated" ;;
esac

dotnet publish ViralEngine.Functions -c Release -r linux-x64 -p:DurableStorage="$storage" -o "$folder/app" --nologo ||
  fail "the app was not built; the package is unchanged"
# To know how many instances it takes, the platform reads from host.json, and not from the settings, how many activities
# one runs. Other hosts run more.
places="$(sed -n "s/^var activitiesPerInstance = '\([0-9]*\)'$/\1/p" infra/bicep/main.bicep)"
[[ -n "$places" ]] ||
  fail "infra/bicep/main.bicep does not say how many activities an instance runs; the package is unchanged"
sed "s/\(\"maxConcurrentActivityFunctions\": *\)[0-9]*/\1$places/" "$folder/app/host.json" >"$folder/host.json" ||
  fail "host.json was not read; the package is unchanged"
mv -f "$folder/host.json" "$folder/app/host.json"
(cd "$folder/app" && zip -q -r "$folder/app.zip" .) || fail "the package was not written; it is unchanged"
bash tools/azure/fits.sh "$folder/app.zip"
mv -f "$folder/app.zip" "$package"
echo "$package"
