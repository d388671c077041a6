# `./dev run`: one instance of the app on the shared stack. Each instance leaves a file named after its ./dev process
# in .local/instances, with the app's process and port, so that the last one to go can tell that it is the last.

instance_field() { sed -n "s/^$2=//p" "$1"; }

# An instance lives while its ./dev does. When that was killed outright, its app may be left: end it too.
forget_dead_instances() {
  local file pid
  for file in "$STATE"/instances/*.env; do
    [[ -e "$file" ]] || continue
    pid="$(basename "$file" .env)"
    is_process "$pid" "dev" && [[ "$(instance_field "$file" STARTED)" == "$(process_started "$pid")" ]] && continue
    stop_process "$(instance_field "$file" APP)" "ViralEngine.Functions.dll" 15
    rm -rf "$STATE/instances/$pid" "$file"
  done
}

# Clock ticks since boot: tells a process from a later one with the same id.
process_started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

live_instances() {
  local file
  for file in "$STATE"/instances/*.env; do
    [[ -e "$file" ]] && basename "$file" .env
  done
  return 0
}

instances_status() {
  local file
  for file in "$STATE"/instances/*.env; do
    [[ -e "$file" ]] || continue
    if is_process "$(instance_field "$file" APP)" "ViralEngine.Functions.dll"; then
      echo "app         up, http://127.0.0.1:$(instance_field "$file" PORT), process $(instance_field "$file" APP)"
    fi
  done
}

run_command() {
  local port=7071
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --port) port="${2:?--port takes a number}"; shift 2 ;;
      --port=*) port="${1#*=}"; shift ;;
      *) die "run: unknown argument $1" ;;
    esac
  done
  [[ "$port" =~ ^[0-9]+$ ]] && ((port > 0 && port < 65536)) || die "--port $port: not a port number"

  require_tools
  prepare_state
  mkdir -p "$STATE/instances"
  INSTANCE="$STATE/instances/$$"
  trap 'leave_stack' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  lock
  forget_dead_instances
  ! port_in_use "$port" || die "port $port is in use. Stop the process that listens there, or choose another port: ./dev run --port $((port + 1))"
  say "building"
  build ViralEngine.Functions
  build ViralEngine.LocalHost
  build tools/ViralEngine.Dev
  load_secrets "$STATE/secrets.env"
  say "starting the stack"
  printf 'STARTED=%s\nPORT=%s\n' "$(process_started $$)" "$port" >"$INSTANCE.env"
  start_servers "$STATE"
  migrate
  start_app "$port"
  wait_until_ready "$port"
  demo "$port"
  unlock

  show_how "$port"
  wait "$APP" || die "the app exited; the end of its log:
$(tail -n 20 "$INSTANCE.log")"
}

# Run from a copy, so that the next build cannot pull the program from under it.
start_app() {
  local port="$1"
  mkdir -p "$INSTANCE"
  cp -r "$(output_of ViralEngine.Functions)" "$INSTANCE/app"
  cp -r "$(output_of ViralEngine.LocalHost)" "$INSTANCE/host"
  app_settings "$port"
  # In a session of its own, so that Ctrl-C comes to us alone; and it ends when we do, however we do.
  DOTNET_STARTUP_HOOKS="$INSTANCE/host/ViralEngine.LocalHost.dll" \
    setsid setpriv --pdeathsig TERM dotnet "$INSTANCE/app/ViralEngine.Functions.dll" </dev/null >"$INSTANCE.log" 2>&1 9>&- &
  APP=$!
  echo "APP=$APP" >>"$INSTANCE.env"
}

app_settings() {
  export ASPNETCORE_URLS="http://127.0.0.1:$1"
  export ConnectionStrings__Postgres="$APP_POSTGRES" ConnectionStrings__Redis="$APP_REDIS"
  export SweepSchedule="${SweepSchedule:-*/10 * * * * *}"
  export Auth__PlatformKey="${Auth__PlatformKey:-$SECRET_PLATFORM_KEY}"
  export Auth__JwtSharedKey="${Auth__JwtSharedKey:-$SECRET_JWT_SHARED_KEY}"
  export Secrets__Keys__0="${Secrets__Keys__0:-$SECRET_ENCRYPTION_KEY}"
  # Webhooks and agents of a development machine live on it too.
  export Outgoing__AllowedNetworks__0="${Outgoing__AllowedNetworks__0:-127.0.0.0/8}"
  export Outgoing__AllowedNetworks__1="${Outgoing__AllowedNetworks__1:-::1/128}"
}

wait_until_ready() {
  local deadline=$((SECONDS + 120))
  until curl -sf -o /dev/null --max-time 5 "http://127.0.0.1:$1/api/health/ready"; do
    kill -0 "$APP" 2>/dev/null || die "the app did not start; the end of its log:
$(tail -n 30 "$INSTANCE.log")"
    ((SECONDS < deadline)) || die "the app has not been ready for two minutes; the end of its log ($INSTANCE.log):
$(tail -n 30 "$INSTANCE.log")"
    sleep 0.2
  done
}

# The demo organization, made once, and .local/demo.env with how to reach it at this instance.
demo() (
  umask 077
  set -a
  # shellcheck source=/dev/null
  [[ ! -s "$STATE/demo.env" ]] || source "$STATE/demo.env"
  VIRAL_URL="http://127.0.0.1:$1" VIRAL_PLATFORM_KEY="$Auth__PlatformKey"
  dev_tool demo >"$STATE/demo.env.new" && mv "$STATE/demo.env.new" "$STATE/demo.env"
)

show_how() {
  cat <<HOW

Viral Engine is ready at http://127.0.0.1:$1 (log: ${INSTANCE#"$ROOT"/}.log). Ctrl-C stops it.

In another terminal, give a task to the built-in agent and watch its answer arrive:

  cd $(printf '%q' "$ROOT") && source .local/demo.env

  TASK=\$(curl -s "\$VIRAL_URL/api/tasks" -H "Authorization: Bearer \$VIRAL_API_KEY" \\
    -H 'Content-Type: application/json' \\
    -d '{"agent_id": "echo", "description": "Hello from the first task"}' | grep -o '"id":"[^"]*' | head -1 | cut -d'"' -f4)

  curl -sN "\$VIRAL_URL/api/tasks/\$TASK/stream-response" -H "Authorization: Bearer \$VIRAL_API_KEY"

  curl -s "\$VIRAL_URL/api/tasks/\$TASK" -H "Authorization: Bearer \$VIRAL_API_KEY"

Or open http://127.0.0.1:$1/console in a browser and sign in with that key.

HOW
}

leave_stack() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP
  if [[ -n "${APP:-}" ]]; then
    say "stopping"
    stop_process "$APP" "ViralEngine.Functions.dll" 30
  fi
  # The log stays to be read; there is one per instance and the next run starts it anew.
  if [[ -s "$INSTANCE.log" ]]; then mv "$INSTANCE.log" "$STATE/app.log"; fi
  rm -rf "$INSTANCE" "$INSTANCE.env"
  lock
  unset ConnectionStrings__Postgres ConnectionStrings__Redis
  stop_stack_if_unused
  point_demo_at_the_living
  exit "$status"
}

# demo.env names the instance started last; when that goes and another runs, it names that one.
point_demo_at_the_living() {
  local file other="" url
  [[ -s "$STATE/demo.env" ]] || return 0
  url="$(sed -n 's/^VIRAL_URL=//p' "$STATE/demo.env")"
  for file in "$STATE"/instances/*.env; do
    [[ -e "$file" ]] || return 0
    other="http://127.0.0.1:$(instance_field "$file" PORT)"
    [[ "$other" != "$url" ]] || return 0
  done
  sed -i "s|^VIRAL_URL=.*|VIRAL_URL=$other|" "$STATE/demo.env"
}

token_command() {
  prepare_state
  build tools/ViralEngine.Dev
  load_secrets "$STATE/secrets.env"
  Auth__JwtSharedKey="${Auth__JwtSharedKey:-$SECRET_JWT_SHARED_KEY}" dev_tool token "$@"
}
