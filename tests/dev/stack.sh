# ./dev itself and `./dev stack`.

query() {
  PGPASSWORD="$(state secrets SECRET_POSTGRES)" PGCONNECT_TIMEOUT=10 psql -X -At -h 127.0.0.1 -p "$(state ports POSTGRES)" -U postgres -d postgres -c "$1"
}

postgres_process() { head -n 1 "$COPY/.local/postgres/data/postmaster.pid"; }

helps_from_anywhere() { [[ "$(dev --help)" == 'usage: ./dev'* && "$(dev token --help)" == 'usage: ./dev'* ]]; }

# What a tool's half in C# refuses ends in a sentence too.
refuses_half_an_option() {
  local said
  said="$(dev token --minutes 2>&1)" && return 1
  [[ "$said" == *'expected --name value at: --minutes'* && "$said" != *'Unhandled exception'* ]]
}

refuses_what_it_does_not_know() {
  local said
  said="$(dev fly 2>&1)" && return 1
  [[ "$said" == *'unknown command: fly'* ]]
}

starts() { dev stack up && dev stack status; }

stops() { dev stack down && ! dev stack status; }

keeps_data_through_kill_9() {
  query 'CREATE TABLE kept AS SELECT 42 AS answer' || return 1
  kill -KILL "$(postgres_process)" "$(<"$COPY/.local/redis.pid")" || return 1
  dev stack up && [[ "$(query 'SELECT answer FROM kept')" == 42 ]]
}

starts_over_stale_pid_files() {
  dev stack down || return 1
  # Both name a process that lives and is something else.
  printf '%s\n%s\n' $$ "$COPY/.local/postgres/data" >"$COPY/.local/postgres/data/postmaster.pid"
  echo $$ >"$COPY/.local/redis.pid"
  dev stack up && [[ "$(query 'SELECT answer FROM kept')" == 42 ]]
}

starts_after_a_half_made_cluster() {
  dev stack down || return 1
  mv "$COPY/.local/postgres/data" "$COPY/.local/postgres/data.new" && rm "$COPY/.local/postgres/data.new/PG_VERSION" || return 1
  dev stack up && [[ "$(query 'SELECT 1')" == 1 ]]
}

moves_away_from_a_taken_port() {
  local taken listener status
  dev stack down || return 1
  taken="$(state ports POSTGRES)"
  perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die; sleep 120' "$taken" &
  listener=$!
  eventually listens "$taken" || return 1
  dev stack up && [[ "$(state ports POSTGRES)" != "$taken" && "$(query 'SELECT 1')" == 1 ]]
  status=$?
  kill "$listener"
  return "$status"
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

starts_once_from_two_terminals() {
  local first second
  dev stack down || return 1
  dev stack up &
  first=$!
  dev stack up &
  second=$!
  wait "$first" && wait "$second" && [[ "$(query 'SELECT 1')" == 1 ]]
}

migrates_and_gives_tokens() { dev migrate && dev migrate && [[ "$(dev token)" == *.*.* ]]; }

cleans_up_after_itself() {
  local data
  data="$(readlink -f "$COPY/.local/postgres")"
  dev clean && [[ ! -e "$COPY/.local" && ! -e "$data" && ! -e "$COPY/ViralEngine.Functions/bin" && -e "$COPY/ViralEngine.Functions/Program.cs" ]]
}
