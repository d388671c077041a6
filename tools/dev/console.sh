# Talking to the person at the terminal, and small things every part needs.
#
# Functions here say `return 0` and never a bare `return`: in a trap, bash takes the latter for the status before the trap, so
# that after Ctrl-C whatever a clean-up asked would look refused.

say() { printf '%s\n' "$*" >&2; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }

# Values are written for a shell to read back, so they are made of characters that need no quoting.
random_secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
random_key() { head -c 32 /dev/urandom | base64 -w0; }

port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range the kernel hands out for outgoing connections, so that none of those takes it meanwhile.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + RANDOM % 12000))
    port_in_use "$port" || { echo "$port"; return 0; }
  done
  die "found no free port between 20000 and 32000"
}

# is_process PID TEXT: alive, and its command line holds TEXT. A process id alone may have been reused.
is_process() {
  local command_line
  [[ -n "${1:-}" ]] || return 1
  command_line="$({ tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null)" || return 1
  [[ "$command_line" == *"$2"* ]]
}

# stop_process PID TEXT SECONDS: ask, wait, then insist.
stop_process() {
  local deadline=$((SECONDS + $3))
  is_process "$1" "$2" || return 0
  kill -TERM "$1" 2>/dev/null || return 0
  while is_process "$1" "$2"; do
    if ((SECONDS >= deadline)); then
      kill -KILL "$1" 2>/dev/null || true
      deadline=$((SECONDS + 10))
    fi
    sleep 0.1
  done
}

# One start-up at a time in a checkout; the kernel drops the lock when its holder dies, however it dies.
# Whatever outlives the holder must be started with 9>&-, or it would hold the lock for ever.
lock() {
  exec 9>"$STATE/lock"
  flock -n 9 && return 0
  say "waiting for another ./dev in this checkout"
  flock -w 600 9 || die "another ./dev has held $STATE/lock for ten minutes"
}

unlock() { exec 9>&-; }

prepare_state() {
  mkdir -p "$STATE" 2>/dev/null || die "cannot create $STATE: is the checkout yours?"
  [[ -w "$STATE" ]] || die "$STATE belongs to $(stat -c %U "$STATE"). Run ./dev as that user, or remove it as that user: ./dev clean"
  # The server's user passes through here on its way to its data; what is secret has its own mode.
  chmod 755 "$STATE"
}

# Keys and passwords of this checkout, made once.
load_secrets() {
  local file="$1"
  if [[ ! -s "$file" ]]; then
    # The passwords of a cluster that exists cannot be made anew.
    [[ ! -e "$(dirname "$file")/postgres/data/." && ! -L "$(dirname "$file")/postgres" ]] ||
      die "$file is missing, but the data beside it was created with it. Restore it, or start over: ./dev clean"
    (
      umask 077
      {
        echo "SECRET_POSTGRES=$(random_secret)"
        echo "SECRET_POSTGRES_OWNER=$(random_secret)"
        echo "SECRET_POSTGRES_APP=$(random_secret)"
        echo "SECRET_REDIS=$(random_secret)"
        echo "SECRET_PLATFORM_KEY=$(random_secret)"
        echo "SECRET_JWT_SHARED_KEY=$(random_secret)"
        echo "SECRET_ENCRYPTION_KEY=dev:$(random_key)"
      } >"$file.new"
      mv "$file.new" "$file"
    )
  fi
  # shellcheck source=/dev/null
  source "$file"
}
