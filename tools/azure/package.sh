#!/usr/bin/env bash
# Builds the package that is deployed: .local/azure/app.zip, or the file that is named.
set -euo pipefail
cd "$(dirname "$0")/../.."

package="${1:-.local/azure/app.zip}"
mkdir -p "$(dirname "$package")"
package="$(cd "$(dirname "$package")" && pwd)/$(basename "$package")"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# The scheduler needs one package more; VIRAL_DURABLE_STORAGE is named as in the parameter files.
storage=storage
[[ "${VIRAL_DURABLE_STORAGE:-AzureStorage}" == AzureStorage ]] || storage=azuremanaged

dotnet publish ViralEngine.Functions -c Release -p:FunctionsRuntime=azure -p:DurableStorage="$storage" -o "$folder" --nologo
rm -f "$package"
(cd "$folder" && zip -q -r "$package" .)
echo "$package"
