#!/usr/bin/env bash
# `./dev azure`: the app under the Functions host of the Azure Functions Core Tools, with Azurite in the place of Azure Storage and the local stack's PostgreSQL and Redis. Ctrl-C stops the host; the stack stays up.
set -euo pipefail

ROOT="$(cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)"
STATE="$ROOT/.local"
CONFIGURATION="${CONFIGURATION:-Release}"
OUTPUT="$ROOT/ViralEngine.Functions/bin/$CONFIGURATION/net10.0"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT=1

for part in console requirements postgres redis stack build run; do
  # shellcheck source=/dev/null
  source "$ROOT/tools/dev/$part.sh"
done

usage() {
  cat <<'HELP'
usage: ./dev azure [--port N] [--check]
       ./dev azure doctor

  doctor      check what a deployment to Azure needs, and print the command that fixes each problem

  --port N    where the Functions host listens (default: 7071)
  --check     check the tools on this machine and build; start nothing

Needs the .NET SDK 10, Node.js with npm (for Azurite) and the Azure Functions Core Tools 4. Put your settings into local.settings.json, which is
copied from local.settings.sample.json the first time; environment variables override it.
HELP
}

# Everything that is missing, at once: nobody likes to be told one thing per run.
check_tools() {
  local missing=()
  command -v npm >/dev/null || missing+=("npm (Azurite comes from it). Install Node.js 20 or later: https://nodejs.org")
  if ! command -v func >/dev/null; then
    missing+=("func, the Azure Functions Core Tools 4. Install them: npm install -g azure-functions-core-tools@4
     or see https://learn.microsoft.com/azure/azure-functions/functions-run-local")
  elif [[ "$(func --version 2>/dev/null)" != 4.* ]]; then
    missing+=("version 4 of the Azure Functions Core Tools; this one is $(func --version 2>/dev/null || echo broken)")
  fi
  [[ ${#missing[@]} == 0 ]] && return
  say "missing on this machine:"
  for tool in "${missing[@]}"; do say "   - $tool"; done
  return 1
}

build_app() {
  local log="$STATE/azure-build.log"
  require_dotnet
  say "building"
  dotnet build "$ROOT/ViralEngine.Functions" -c "$CONFIGURATION" -v quiet -nodeReuse:false --tl:off \
    >"$log" 2>&1 </dev/null && return
  if grep -qE 'NU110[123]' "$log"; then
    die "these packages could not be restored:
$(grep -oE 'NU110[123]: Unable to find package [^ ]+( with version \([^)]*\))?' "$log" | sed 's/^/     /' | sort -u)
     They are on nuget.org. Where this machine's feed lacks them, add one that has them: dotnet nuget add source URL"
  fi
  grep -E ': error |error MSB|error NU' "$log" | sort -u | head -n 30 >&2
  die "the build failed; the full log is $log"
}

# Azurite on its usual ports, so that UseDevelopmentStorage=true means it. One that runs already is used as it is.
start_azurite() {
  local folder="$STATE/azurite"
  if port_in_use 10000 && port_in_use 10001 && port_in_use 10002; then
    say "using the storage emulator that listens on 10000 to 10002"
    return
  fi
  for port in 10000 10001 10002; do
    ! port_in_use "$port" || die "port $port is in use, and not by a storage emulator (it would have 10000 to 10002)"
  done
  mkdir -p "$folder/data"
  if [[ ! -x "$folder/node_modules/.bin/azurite" ]]; then
    say "installing Azurite"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel error azurite@3 >&2 </dev/null ||
      die "Azurite could not be installed from npm"
  fi
  # A newer client may ask for a version of the protocol that the emulator has not heard of.
  setsid "$folder/node_modules/.bin/azurite" --silent --skipApiVersionCheck --location "$folder/data" \
    --blobHost 127.0.0.1 --queueHost 127.0.0.1 --tableHost 127.0.0.1 </dev/null >"$folder/azurite.log" 2>&1 &
  AZURITE=$!
  local deadline=$((SECONDS + 60))
  until port_in_use 10000 && port_in_use 10001 && port_in_use 10002; do
    kill -0 "$AZURITE" 2>/dev/null || die "Azurite did not start: $(tail -n 5 "$folder/azurite.log")"
    ((SECONDS < deadline)) || die "Azurite does not listen after a minute; its log is $folder/azurite.log"
    sleep 0.2
  done
}

# What the app is told. The environment wins over local.settings.json, so that file needs no passwords.
settings() {
  [[ -f "$ROOT/local.settings.json" ]] || cp "$ROOT/local.settings.sample.json" "$ROOT/local.settings.json"
  cp "$ROOT/local.settings.json" "$OUTPUT/local.settings.json"
  export FUNCTIONS_WORKER_RUNTIME=dotnet-isolated AzureWebJobsStorage=UseDevelopmentStorage=true AzureWebJobsDisableHomepage=true
  export TaskHubName="${TaskHubName:-viraldev}"
  app_settings "$1"
  # Under the host the worker listens where the host tells it.
  unset ASPNETCORE_URLS DOTNET_STARTUP_HOOKS
  # With a container's name the host takes itself for a consumption plan, which refuses a functionTimeout of -1.
  unset CONTAINER_NAME
}

start_host() {
  (cd "$OUTPUT" && exec setsid func start --port "$1") </dev/null >"$STATE/func.log" 2>&1 &
  APP=$!
  INSTANCE="$STATE/func"
}

stop_all() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  # Each leads a group of its own, so that the host's worker goes with it.
  [[ -z "${APP:-}" ]] || kill -TERM -- "-$APP" 2>/dev/null || true
  [[ -z "${APP:-}" ]] || wait "$APP" 2>/dev/null || true
  [[ -z "${AZURITE:-}" ]] || kill -TERM -- "-$AZURITE" 2>/dev/null || true
  exit "$status"
}

azure_command() {
  local port=7071 check=0 tools=0
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --port) port="${2:?--port takes a number}"; shift 2 ;;
      --port=*) port="${1#*=}"; shift ;;
      --check) check=1; shift ;;
      doctor) exec bash "$ROOT/tools/azure/doctor.sh" ;;
      -h | --help) usage; return ;;
      *) usage >&2; die "azure: unknown argument $1" ;;
    esac
  done

  prepare_state
  check_tools || tools=1
  build_app
  ((tools == 0)) || die "install what is missing and run this again"
  if ((check == 1)); then say "all there: ./dev azure"; return; fi
  ! port_in_use "$port" || die "port $port is in use. Stop the process that listens there, or choose another port: ./dev azure --port $((port + 1))"

  trap stop_all EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  "$ROOT/dev" stack up >&2
  "$ROOT/dev" migrate
  build tools/ViralEngine.Dev
  load_secrets "$STATE/secrets.env"
  # shellcheck source=/dev/null
  source "$STATE/ports.env"
  POSTGRES_PORT="$POSTGRES" REDIS_PORT="$REDIS"
  use_stack
  start_azurite
  settings "$port"
  say "starting the Functions host; its log is .local/func.log"
  start_host "$port"
  wait_until_ready "$port"
  demo "$port"
  show_how "$port"
  say "Run the black-box tests: source .local/demo.env && ./dev test --url http://127.0.0.1:$port"
  wait "$APP" || die "the host ended by itself; the end of its log:
$(tail -n 20 "$STATE/func.log")"
}

azure_command "$@"
