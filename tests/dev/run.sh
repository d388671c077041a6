#!/usr/bin/env bash
# Tests ./dev itself, in copies of this checkout whose path has a space: as the user who runs this and, when that is
# root, also as an ordinary user and in a folder that PostgreSQL's user cannot enter. Ends with "N passed, N failed".
set -uo pipefail
SOURCE="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
WORK="$(mktemp -d /tmp/viral-engine-dev-test.XXXXXX)"
COPY=""
AS=()
passed=0
failed=0

cleanup() {
  local copy
  for copy in "$WORK"/*/"a checkout"; do
    # Whatever a failed check left running; each process is found by its path in this run's own folder.
    pkill_in "$copy"
    [[ -L "$copy/.local/postgres" ]] && rm -rf "$(readlink "$copy/.local/postgres")"
  done
  rm -rf "$WORK"
}
trap cleanup EXIT

# Ends the processes whose command line or working folder lies in the folder given.
pkill_in() {
  local process folder
  folder="$(readlink -f "$1/.local/postgres" 2>/dev/null)/data"
  for process in /proc/[0-9]*; do
    if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -qF "$1/" || [[ "$(readlink "$process/cwd" 2>/dev/null)" == "$folder" ]]; then
      [[ "${process#/proc/}" == "$$" ]] || kill -KILL "${process#/proc/}" 2>/dev/null
    fi
  done
}

check() {
  local name="$1"
  shift
  if ("$@") >"$WORK/output" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tail -n 40 "$WORK/output" | sed 's/^/        /'
  fi
}

# Waits for a condition, ten minutes at most.
eventually() {
  local deadline=$((SECONDS + 600))
  until "$@"; do
    ((SECONDS < deadline)) || { echo "waited ten minutes for: $*"; return 1; }
    sleep 0.2
  done
}

dev() { (cd / && "${AS[@]}" "$COPY/dev" "$@"); }

# Runs ./dev in the background with Ctrl-C working, which a shell script's background processes ignore.
dev_in_background() {
  (cd / && exec "${AS[@]}" perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$COPY/dev" "$@") >"$WORK/run-$2$3.log" 2>&1 &
}

copy_checkout() {
  mkdir -p "$COPY"
  git -C "$SOURCE" ls-files -z --cached --others --exclude-standard | (cd "$SOURCE" && xargs -0 ls -d 2>/dev/null) |
    tar -C "$SOURCE" -T - -cf - | tar -C "$COPY" -xf -
}

state() { sed -n "s/^$2=//p" "$COPY/.local/$1.env"; }

query() {
  PGPASSWORD="$(state secrets SECRET_POSTGRES)" psql -X -At -h 127.0.0.1 -p "$(state ports POSTGRES)" -U postgres -d postgres -c "$1"
}

postgres_process() { head -n 1 "$COPY/.local/postgres/data/postmaster.pid"; }

is_gone() { ! kill -0 "$1" 2>/dev/null; }

helps_from_anywhere() { [[ "$(dev --help)" == 'usage: ./dev'* ]]; }

refuses_what_it_does_not_know() {
  local said
  said="$(dev fly 2>&1)" && return 1
  [[ "$said" == *'unknown command: fly'* ]]
}

starts() { dev stack up && dev stack status; }

stops() { dev stack down && ! dev stack status; }

keeps_data_through_kill_9() {
  query 'CREATE TABLE kept AS SELECT 42 AS answer' || return 1
  kill -KILL "$(postgres_process)" "$(<"$COPY/.local/redis.pid")"
  dev stack up && [[ "$(query 'SELECT answer FROM kept')" == 42 ]]
}

starts_over_a_stale_pid_file() {
  dev stack down || return 1
  printf '%s\n%s\n' $$ "$COPY/.local/postgres/data" >"$COPY/.local/postgres/data/postmaster.pid"
  "${AS[@]}" sh -c "echo $$ >'$COPY/.local/redis.pid'"
  dev stack up && [[ "$(query 'SELECT answer FROM kept')" == 42 ]]
}

starts_after_a_half_made_cluster() {
  dev stack down || return 1
  mv "$COPY/.local/postgres/data" "$COPY/.local/postgres/data.new" && rm "$COPY/.local/postgres/data.new/PG_VERSION"
  dev stack up && [[ "$(query 'SELECT 1')" == 1 ]]
}

moves_away_from_a_taken_port() {
  local taken listener
  dev stack down || return 1
  taken="$(state ports POSTGRES)"
  perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die; sleep 600' "$taken" &
  listener=$!
  eventually bash -c "exec 3<>/dev/tcp/127.0.0.1/$taken" 2>/dev/null
  dev stack up && [[ "$(state ports POSTGRES)" != "$taken" ]]
  local status=$?
  kill "$listener"
  return "$status"
}

starts_once_from_two_terminals() {
  dev stack down || return 1
  dev stack up & local first=$!
  dev stack up & local second=$!
  wait "$first" && wait "$second" && [[ "$(query 'SELECT 1')" == 1 ]]
}

migrates_and_gives_tokens() { dev migrate && dev migrate && [[ "$(dev token)" == *.*.* ]]; }

free_port() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport'; }

is_ready() { curl -sf -o /dev/null --max-time 5 "http://127.0.0.1:$1/api/health/ready"; }

# run PORT: an instance in the background; prints the process of its ./dev when it is ready for work.
run_until_ready() {
  dev_in_background run --port "$1"
  RUN=$!
  eventually grep -qE 'is ready at|^dev: ' "$WORK/run---port$1.log" && is_ready "$1" && return
  cat "$WORK/run---port$1.log"
  return 1
}

# The shell process of ./dev, below runuser where that is in between.
dev_process() { basename "$(grep -l "^PORT=$1$" "$COPY"/.local/instances/*.env)" .env; }

app_process() { sed -n 's/^APP=//p' "$COPY"/.local/instances/"$(dev_process "$1")".env; }

runs_and_prints_commands_that_work() {
  run_until_ready "$FIRST" || return 1
  # What it printed, as someone would paste it.
  sed -n 's/^  //p' "$WORK/run---port$FIRST.log" >"$WORK/pasted.sh"
  (cd / && "${AS[@]}" bash -euo pipefail "$WORK/pasted.sh") | tee "$WORK/pasted.out"
  grep -q '"status": *"completed"' "$WORK/pasted.out" && grep -q 'Hello' "$WORK/pasted.out"
}

refuses_a_port_in_use() {
  local said
  said="$(dev run --port "$FIRST" 2>&1)" && return 1
  [[ "$said" == *"port $FIRST is in use"* ]]
}

joins_as_a_second_instance() { run_until_ready "$SECOND" && is_ready "$FIRST"; }

survives_the_death_of_the_other() {
  local app
  app="$(app_process "$FIRST")"
  kill -KILL "$(dev_process "$FIRST")"
  eventually is_gone "$app" && is_ready "$SECOND" && dev stack status &&
    [[ "$(state demo VIRAL_URL)" == "http://127.0.0.1:$SECOND" ]]
}

takes_the_stack_along_when_the_last_stops() {
  kill -INT "$(dev_process "$SECOND")"
  eventually stack_is_down
}

stack_is_down() { ! dev stack status >/dev/null && ! is_ready "$SECOND"; }

runs_again_after_everything_was_killed() {
  local tenant
  run_until_ready "$FIRST" || return 1
  tenant="$(state demo VIRAL_TENANT)"
  kill -KILL "$(dev_process "$FIRST")" "$(app_process "$FIRST")" "$(postgres_process)" "$(<"$COPY/.local/redis.pid")"
  eventually is_gone_from "$FIRST" || return 1
  run_until_ready "$FIRST" && [[ "$(state demo VIRAL_TENANT)" == "$tenant" ]] || return 1
  kill -TERM "$(dev_process "$FIRST")"
  eventually stack_is_down
}

is_gone_from() { ! is_ready "$1"; }

cleans_up_after_itself() { dev clean && [[ ! -e "$COPY/.local" ]]; }

exercise() {
  local who="$1"
  FIRST="$(free_port)"
  SECOND="$(free_port)"
  check "$who: helps from any folder" helps_from_anywhere
  check "$who: refuses a command it does not know" refuses_what_it_does_not_know
  check "$who: starts the stack" starts
  check "$who: keeps its data through kill -9" keeps_data_through_kill_9
  check "$who: starts over stale pid files" starts_over_a_stale_pid_file
  check "$who: starts after a half-made cluster" starts_after_a_half_made_cluster
  check "$who: moves away from a taken port" moves_away_from_a_taken_port
  check "$who: starts once from two terminals" starts_once_from_two_terminals
  check "$who: migrates, twice, and gives tokens" migrates_and_gives_tokens
  check "$who: stops the stack" stops
  check "$who: runs, and what it prints works" runs_and_prints_commands_that_work
  check "$who: refuses a port in use" refuses_a_port_in_use
  check "$who: joins as a second instance" joins_as_a_second_instance
  check "$who: survives the death of the other instance" survives_the_death_of_the_other
  check "$who: takes the stack along when the last one stops" takes_the_stack_along_when_the_last_stops
  check "$who: runs again after everything was killed" runs_again_after_everything_was_killed
  check "$who: cleans up after itself" cleans_up_after_itself
}

chmod 755 "$WORK"
if [[ "$(id -u)" == 0 ]]; then
  COPY="$WORK/closed/a checkout"
  mkdir -m 700 "$WORK/closed"
  copy_checkout
  exercise "root, in a closed folder"

  # An ordinary user with a home and packages of its own: hard links, as a copy would be a gigabyte.
  COPY="$WORK/open/a checkout"
  copy_checkout
  mkdir "$WORK/home"
  cp -al "${NUGET_PACKAGES:-$HOME/.nuget/packages}" "$WORK/packages" 2>/dev/null || cp -r "${NUGET_PACKAGES:-$HOME/.nuget/packages}" "$WORK/packages"
  find "$WORK/packages" -type d -exec chown nobody {} +
  chown -R nobody "$WORK/open" "$WORK/home"
  AS=(runuser -u nobody -- env HOME="$WORK/home" NUGET_PACKAGES="$WORK/packages" PATH="$PATH")
  exercise "an ordinary user"
else
  COPY="$WORK/open/a checkout"
  copy_checkout
  exercise "an ordinary user"
fi

echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
