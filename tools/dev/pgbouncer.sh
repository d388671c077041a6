# PgBouncer in transaction mode before the PostgreSQL of a test run: the app must not need sessions. Every function takes
# the folder first.

require_pgbouncer() {
  command -v pgbouncer >/dev/null || PATH="$PATH:/usr/sbin"
  command -v pgbouncer >/dev/null && return 0
  if may_install; then apt_install pgbouncer || true; fi
  command -v pgbouncer >/dev/null || die "PgBouncer is missing. On Debian or Ubuntu: sudo apt install pgbouncer"
}

# pgbouncer_start FOLDER PORT POSTGRES_PORT: any database, for the login that the tests give the app. Its password follows from
# the superuser's, as tests/ViralEngine.Testing/TestLogins.cs makes it.
pgbouncer_start() {
  local folder="$1" port="$2" postgres="$3" home="$1/pgbouncer" password deadline=$((SECONDS + 30))
  password="$(printf 'tests of %s' "$SECRET_POSTGRES" | sha256sum | cut -d' ' -f1)"
  mkdir -p "$home"
  printf '"viral_test_app" "%s"\n' "$password" >"$home/users.txt"
  cat >"$home/pgbouncer.ini" <<CONF
[databases]
* = host=127.0.0.1 port=$postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = $home/users.txt
max_client_conn = 2000
default_pool_size = 15
server_idle_timeout = 5
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
logfile = $home/pgbouncer.log
pidfile = $home/pgbouncer.pid
CONF
  chown -R "$(postgres_user)" "$home"
  as_postgres "$(command -v pgbouncer)" -d -q "$home/pgbouncer.ini"
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    ((SECONDS < deadline)) || { cat "$home/pgbouncer.log" >&2; die "PgBouncer did not start listening"; }
    sleep 0.1
  done
}

pgbouncer_stop() {
  stop_process "$(cat "$1/pgbouncer/pgbouncer.pid" 2>/dev/null)" "$1/pgbouncer/pgbouncer.ini" 10
}
