# What the scripts for Azure share. Each of them can be run again after it has failed, wherever it failed.
set -euo pipefail

AZURE_ROOT="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"

say() { printf '%s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }

# need NAME…: each must have a value.
need() {
  local name
  for name in "$@"; do
    [[ -n "${!name:-}" ]] ||
      fail "$name is not set (with azd it comes out of \"azd provision\"; else from the outputs of infra/bicep/main.bicep)"
  done
}

need_tool() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || fail "$tool is missing; ./dev azure doctor says where to get it"
  done
}

# or_fail MESSAGE COMMAND…: what the command prints; if it fails, what it complained of, and what that means.
or_fail() {
  local message="$1" complaints status=0
  shift
  complaints="$(mktemp)"
  "$@" 2>"$complaints" || status=$?
  if ((status != 0)); then
    cat "$complaints" >&2
    rm -f "$complaints"
    fail "$message"
  fi
  rm -f "$complaints"
}

# A value of the azd environment; nothing when there is none.
azd_value() { azd env get-value "$1" 2>/dev/null || true; }

# until_true SECONDS WHAT COMMAND…
until_true() {
  local deadline=$((SECONDS + $1)) what="$2"
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || fail "$what: timed out"
    sleep "${VIRAL_POLL_SECONDS:-3}"
  done
}
