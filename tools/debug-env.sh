#!/usr/bin/env bash
# For debuggers: starts and migrates the local stack and writes .local/debug.env, the settings of an instance on port 7071.
set -euo pipefail

ROOT="$(cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
STATE="$ROOT/.local"
CONFIGURATION="${CONFIGURATION:-Release}"
for part in console requirements postgres redis stack build run; do
  # shellcheck source=/dev/null
  source "$ROOT/tools/dev/$part.sh"
done

"$ROOT/dev" stack up >&2
"$ROOT/dev" migrate
load_secrets "$STATE/secrets.env"
# shellcheck source=/dev/null
source "$STATE/ports.env"
POSTGRES_PORT="$POSTGRES" REDIS_PORT="$REDIS"
use_stack
app_settings 7071
umask 077
for name in ASPNETCORE_URLS ConnectionStrings__Postgres ConnectionStrings__Redis SweepSchedule Auth__PlatformKey Auth__JwtSharedKey Secrets__Keys__0; do
  printf '%s=%s\n' "$name" "${!name}"
done >"$STATE/debug.env"
echo "DOTNET_STARTUP_HOOKS=$ROOT/ViralEngine.LocalHost/bin/Debug/net10.0/ViralEngine.LocalHost.dll" >>"$STATE/debug.env"
