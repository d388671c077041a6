#!/usr/bin/env bash
# Whether a deployed app does its work: it becomes ready, and with VIRAL_PLATFORM_KEY it makes an organization, runs one
# task in it to the end, and deletes it.
set -euo pipefail

url="${1:-${VIRAL_URL:-}}"
[[ -n "$url" ]] || { echo "usage: tools/azure/smoke.sh URL" >&2; exit 2; }
url="${url%/}"

# until_true SECONDS WHAT COMMAND…
until_true() {
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || { echo "smoke: $what: not in time" >&2; return 1; }
    sleep 2
  done
}

call() {
  local method="$1" path="$2" key="$3"
  shift 3
  # The key comes over standard input, since command lines are seen by others.
  curl --silent --show-error --fail-with-body --max-time 30 --request "$method" "$url$path" \
    --header 'Content-Type: application/json' --config - "$@" <<<"header = \"Authorization: Bearer $key\""
}

field() { python3 -c 'import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1].split("."): value = value[name]
print(value)' "$1"; }

ready() { curl --silent --fail --max-time 10 --output /dev/null "$url/api/health/ready"; }
until_true 300 "$url is ready" ready
echo "smoke: ready"

if [[ -z "${VIRAL_PLATFORM_KEY:-}" ]]; then
  echo "smoke: VIRAL_PLATFORM_KEY is not set, so no task was run"
  exit 0
fi

made="$(call POST /api/organizations "$VIRAL_PLATFORM_KEY" --data '{"name": "smoke test"}')"
organization="$(field id <<<"$made")"
key="$(field api_key.key <<<"$made")"
trap 'call DELETE "/api/organizations/$organization" "$VIRAL_PLATFORM_KEY" --output /dev/null || true' EXIT

task="$(call POST /api/tasks "$key" --data '{"agent_id": "echo", "description": "smoke test"}' | field id)"
finished() { [[ "$(call GET "/api/tasks/$task" "$key" | field status)" == completed ]]; }
until_true 120 "task $task completes" finished
echo "smoke: a task was run to the end"
