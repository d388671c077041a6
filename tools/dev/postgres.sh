# A PostgreSQL cluster of our own: `home` holds its data folder, its settings and its log. Every function takes the
# home first, and the same functions serve the stack of `./dev run` and the throwaway one of `./dev test`.

# PostgreSQL refuses to run as root: then it runs as the packaged user, or as nobody.
as_postgres() (
  cd /
  if [[ "$(id -u)" != 0 ]]; then exec "$@"; fi
  exec runuser -u "$(postgres_user)" -- "$@"
)

postgres_user() {
  if [[ "$(id -u)" != 0 ]]; then id -un
  elif id -u postgres >/dev/null 2>&1; then echo postgres
  else echo nobody; fi
}

# postgres_home FOLDER: makes FOLDER/postgres, owned by the server's user, and sets POSTGRES_HOME to where it really is. A
# checkout that the server's user cannot reach keeps it under /var/tmp, with a link in its place.
postgres_home() {
  local link="$1/postgres" away
  away="/var/tmp/viral-engine-$(printf '%s' "$link" | sha256sum | cut -c1-16)"
  if [[ -L "$link" && "$(readlink "$link")" != "$away" ]]; then rm "$link"; fi
  if [[ ! -e "$link" && ! -L "$link" ]]; then
    mkdir "$link"
    chown "$(postgres_user)" "$link"
    as_postgres test -w "$link" || rmdir "$link"
  fi
  if [[ -d "$link" && ! -L "$link" ]]; then
    POSTGRES_HOME="$link"
    as_postgres test -w "$link" || die "$link is not writable for $(postgres_user), the user that runs PostgreSQL. Remove it: ./dev clean"
    return 0
  fi

  mkdir -p -m 700 "$away"
  [[ -O "$away" || "$(stat -c %U "$away")" == "$(postgres_user)" ]] || die "$away belongs to someone else"
  chown "$(postgres_user)" "$away"
  ln -sfn "$away" "$link"
  POSTGRES_HOME="$away"
}

postgres_pid() { head -n 1 "$1/data/postmaster.pid" 2>/dev/null; }

# Processes of this cluster, the server's children too: each works in the data folder.
postgres_processes() {
  local data link
  data="$(readlink -f "$1/data")"
  for link in /proc/[0-9]*/cwd; do
    [[ "$(readlink "$link" 2>/dev/null)" == "$data" ]] && basename "$(dirname "$link")"
  done
  return 0
}

postgres_is_up() {
  local pid
  pid="$(postgres_pid "$1")" || return 1
  [[ -n "$pid" && "$(readlink "/proc/$pid/cwd" 2>/dev/null)" == "$(readlink -f "$1/data")" ]]
}

# postgres_start HOME PORT SUPERUSER_PASSWORD
postgres_start() {
  local home="$1" port="$2" password="$3"
  postgres_is_up "$home" && return 0
  postgres_create "$home" "$password"
  postgres_forget_the_dead "$home"
  postgres_configure "$home" "$port"
  if ! as_postgres "$PG_BIN/pg_ctl" start -s -w -t 120 -D "$home/data" -l "$home/server.log" >/dev/null 9>&-; then
    tail -n 20 "$home/server.log" >&2 || true
    die "PostgreSQL did not start; its log is $home/server.log"
  fi
}

# initdb works in a folder of its own that takes the final name when complete: a half-made cluster is never used.
postgres_create() {
  local home="$1" password="$2" found log="$STATE/initdb.log"
  if [[ -f "$home/data/PG_VERSION" ]]; then
    found="$("$PG_BIN/postgres" --version | grep -oE '[0-9]+' | head -n 1)"
    [[ "$(<"$home/data/PG_VERSION")" == "$found" ]] ||
      die "the data in $home is from PostgreSQL $(<"$home/data/PG_VERSION"), but $PG_BIN has $found. Set PG_BIN, or start over: ./dev clean"
    return 0
  fi
  as_postgres rm -rf "$home/data.new" "$home/data" "$home/password"
  printf '%s\n' "$password" | as_postgres sh -c 'umask 077; cat >"$1"' sh "$home/password"
  if ! as_postgres "$PG_BIN/initdb" -D "$home/data.new" -U postgres -A scram-sha-256 --pwfile="$home/password" \
    -E UTF8 --locale=C.UTF-8 >"$log" 2>&1; then
    cat "$log" >&2
    die "initdb failed"
  fi
  as_postgres rm -f "$home/password"
  as_postgres mv "$home/data.new" "$home/data"
}

# After a kill -9 the pid file may name a process that is now something else, and PostgreSQL would refuse to start. The
# file also guards against children of a dead server that still use its memory, so those end first.
postgres_forget_the_dead() {
  local home="$1" deadline=$((SECONDS + 10)) left
  [[ -e "$home/data/postmaster.pid" ]] || return 0
  while left="$(postgres_processes "$home")" && [[ -n "$left" ]]; do
    # shellcheck disable=SC2086
    ((SECONDS < deadline)) || kill -KILL $left 2>/dev/null || true
    sleep 0.1
  done
  rm -f "$home/data/postmaster.pid"
}

postgres_configure() {
  local home="$1" port="$2"
  as_postgres tee "$home/data/postgresql.auto.conf" >/dev/null <<CONF
# Written by ./dev at every start.
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 300
shared_buffers = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
fsync = ${POSTGRES_FSYNC:-on}
jit = off
max_parallel_workers_per_gather = 0
log_line_prefix = '%m [%p] %u@%d '
log_checkpoints = off
CONF
}

# postgres_stop HOME
postgres_stop() {
  local home="$1"
  postgres_is_up "$home" || return 0
  as_postgres "$PG_BIN/pg_ctl" stop -s -w -t 60 -m fast -D "$home/data" 2>/dev/null ||
    as_postgres "$PG_BIN/pg_ctl" stop -s -w -t 30 -m immediate -D "$home/data"
}

# sql PORT PASSWORD DATABASE: run what comes on standard input as the superuser.
sql() {
  PGPASSWORD="$2" PGCONNECT_TIMEOUT=10 PGOPTIONS="-c client_min_messages=warning" "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$1" -U postgres -d "$3" -At
}
