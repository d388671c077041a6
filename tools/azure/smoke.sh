#!/usr/bin/env bash
# Whether a deployed app does its work: it becomes ready, and with VIRAL_PLATFORM_KEY it makes an organization, runs one
# task in it to the end, and deletes it.
source "$(dirname "$0")/common.sh"

url="${1:-${VIRAL_URL:-}}"
[[ -n "$url" ]] || { echo "usage: tools/azure/smoke.sh URL" >&2; exit 2; }
url="${url%/}"

need_tool curl python3

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
print(value)' "$1" 2>/dev/null || fail "the response has no $1"; }

ready() { curl --silent --fail --max-time 10 --output /dev/null "$url/api/health/ready"; }
until_true 300 "$url is ready" ready
echo "smoke: ready"

if [[ -z "${VIRAL_PLATFORM_KEY:-}" ]]; then
  echo "smoke: VIRAL_PLATFORM_KEY is not set, so no task was run"
  exit 0
fi

made="$(or_fail "the organization was not created: is VIRAL_PLATFORM_KEY the key of $url?" \
  call POST /api/organizations "$VIRAL_PLATFORM_KEY" --data '{"name": "smoke test"}')"
organization="$(field id <<<"$made")"
key="$(field api_key.key <<<"$made")"
trap 'call DELETE "/api/organizations/$organization" "$VIRAL_PLATFORM_KEY" --output /dev/null ||
  say "smoke: the organization $organization was not deleted; delete it yourself"' EXIT

taken="$(or_fail "the task was rejected; see the app's response above" \
  call POST /api/tasks "$key" --data '{"agent_id": "echo", "description": "smoke test"}')"
task="$(field id <<<"$taken")"
finished() { [[ "$(call GET "/api/tasks/$task" "$key" | field status)" == completed ]]; }
until_true 120 "task $task completes" finished
echo "smoke: a task completed"
