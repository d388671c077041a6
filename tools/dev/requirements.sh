# What the machine must have: installed where that is allowed, explained where it is not.

as_root() {
  if [[ "$(id -u)" == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
  command -v apt-get >/dev/null || return 1
  [[ "$(id -u)" == 0 ]] || sudo -n true 2>/dev/null
}

apt_install() {
  say "installing $* with apt"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 </dev/null && return 0
  as_root apt-get update -q >&2 </dev/null || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2 </dev/null
}

require_dotnet() {
  local sdk='^10\.'
  [[ -x "$HOME/.dotnet/dotnet" ]] && ! command -v dotnet >/dev/null && PATH="$HOME/.dotnet:$PATH"
  command -v dotnet >/dev/null && dotnet --list-sdks | grep -q "$sdk" && return 0
  if may_install && [[ -n "$(apt-cache search --names-only '^dotnet-sdk-10\.0$' 2>/dev/null)" ]]; then
    apt_install dotnet-sdk-10.0 || true
  fi
  command -v dotnet >/dev/null && dotnet --list-sdks | grep -q "$sdk" && return 0
  die "the .NET SDK 10 is missing. Ubuntu: sudo apt install dotnet-sdk-10.0.
     Elsewhere: https://learn.microsoft.com/dotnet/core/install/linux, or into your home folder:
     curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

require_tools() {
  local tool missing=()
  for tool in curl flock runuser setsid setpriv; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [[ ${#missing[@]} == 0 ]] && return 0
  if may_install; then apt_install curl util-linux || true; fi
  for tool in "${missing[@]}"; do
    command -v "$tool" >/dev/null || die "$tool is missing. On Debian or Ubuntu: sudo apt install curl util-linux"
  done
}

find_postgres() {
  local folder
  if [[ -n "${PG_BIN:-}" ]]; then
    [[ -x "$PG_BIN/initdb" ]] || die "PG_BIN is $PG_BIN, which has no initdb"
    return 0
  fi
  folder="$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)"
  if [[ -x "$folder" ]]; then
    PG_BIN="$(dirname "$folder")"
  elif command -v initdb >/dev/null; then
    PG_BIN="$(dirname "$(readlink -f "$(command -v initdb)")")"
  else
    return 1
  fi
}

require_postgres() {
  find_postgres && return 0
  if may_install; then
    # Debian's package would start a server of its own on port 5432, which nobody asked for.
    local settings=/etc/postgresql-common/createcluster.d
    as_root mkdir -p "$settings"
    echo 'create_main_cluster = false' | as_root tee "$settings/viral-engine.conf" >/dev/null
    apt_install postgresql || true
    as_root rm -f "$settings/viral-engine.conf"
  fi
  find_postgres && return 0
  die "PostgreSQL is missing. On Debian or Ubuntu: sudo apt install postgresql. Elsewhere: install it and set PG_BIN to
     the folder that holds initdb, or set ConnectionStrings__Postgres to a server that is already running"
}

# The browser that the console's tests drive. VIRAL_CHROMIUM names another one.
find_chromium() {
  local name
  [[ -n "${VIRAL_CHROMIUM:-}" ]] && return 0
  for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && return 0
  done
  return 1
}

require_chromium() {
  find_chromium && return 0
  # The shell is the same browser without its own windows, which cost more than the pages. Of the fonts one is enough.
  if may_install; then apt_install chromium-headless-shell fonts-liberation || apt_install chromium fonts-liberation || true; fi
  find_chromium && return 0
  die "Chromium is missing: the console's tests drive it. On Debian: sudo apt install chromium. Elsewhere: install it, or
     Chrome, and set VIRAL_CHROMIUM to its program"
}
