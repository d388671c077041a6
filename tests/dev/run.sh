#!/usr/bin/env bash
# Tests ./dev itself, in a copy of this checkout whose path has a space: as the user who runs this, and when that is root in
# a folder that PostgreSQL's user cannot enter, and then as an ordinary user. Ends with "N passed, N failed".
set -uo pipefail
SOURCE_OF_CHECKS="$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
SOURCE="$(cd -P -- "$SOURCE_OF_CHECKS/../.." && pwd)"
for part in harness stack instances; do
  # shellcheck source=/dev/null
  source "$SOURCE_OF_CHECKS/$part.sh"
done
unset ConnectionStrings__Postgres ConnectionStrings__Redis ConnectionStrings__PostgresOwner

WORK="$(cd -P -- "$(mktemp -d "${TMPDIR:-/tmp}/viral-engine-dev-test.XXXXXX")" && pwd)"
COPY="$WORK/home/a checkout"
AS=()

cleanup() {
  trap '' INT TERM
  end_processes_in "$WORK"
  if [[ -L "$COPY/.local/postgres" ]]; then
    end_processes_in "$(readlink "$COPY/.local/postgres")"
    rm -rf "$(readlink "$COPY/.local/postgres")"
  fi
  rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

exercise() {
  local who="$1"
  FIRST="$(free_port)"
  SECOND="$(free_port)"
  check "$who: helps from any folder" helps_from_anywhere
  check "$who: refuses a command it does not know" refuses_what_it_does_not_know
  # The first build may find every processor busy.
  CHECK_SECONDS=600 check "$who: builds, runs, and what it prints works" prints_commands_that_work
  check "$who: refuses a port in use" refuses_a_port_in_use
  check "$who: joins as a second instance" joins_as_a_second_instance
  check "$who: survives the death of the other instance" survives_the_death_of_the_other
  check "$who: takes the stack along when Ctrl-C stops the last one" takes_the_stack_along_when_the_last_stops
  check "$who: runs again after everything was killed" runs_again_after_everything_was_killed
  check "$who: runs on real servers and leaves them alone" uses_real_servers
  check "$who: starts the stack" starts
  check "$who: keeps its data through kill -9" keeps_data_through_kill_9
  check "$who: starts over stale pid files" starts_over_stale_pid_files
  check "$who: starts after a half-made cluster" starts_after_a_half_made_cluster
  check "$who: moves away from a taken port" moves_away_from_a_taken_port
  check "$who: starts once from two terminals" starts_once_from_two_terminals
  check "$who: migrates, twice, and gives tokens" migrates_and_gives_tokens
  check "$who: refuses half an option" refuses_half_an_option
  check "$who: stops the stack" stops
}

chmod 755 "$WORK"
mkdir -m 755 "$WORK/home"
if [[ "$(id -u)" == 0 ]]; then
  runuser -u nobody -- test -x "$WORK" || { echo "an ordinary user cannot enter $WORK; set TMPDIR to a folder that everyone can"; exit 1; }
  # Packages that both users can read: links, as a copy would be a gigabyte.
  cp -al "${NUGET_PACKAGES:-$HOME/.nuget/packages}" "$WORK/packages" 2>/dev/null || cp -r "${NUGET_PACKAGES:-$HOME/.nuget/packages}" "$WORK/packages"
  export NUGET_PACKAGES="$WORK/packages"
  chmod 700 "$WORK/home"
  copy_checkout "$COPY"
  exercise "root, in a closed folder"
  # The build is kept for the other user, who would need minutes for the same.
  cp -a "$COPY" "$WORK/home/built" && rm -rf "$WORK/home/built/.local"
  check "root, in a closed folder: cleans up after itself" cleans_up_after_itself

  rm -rf "$COPY" && mv "$WORK/home/built" "$COPY" && chmod 755 "$WORK/home"
  mkdir "$WORK/nobody"
  chown -R nobody "$COPY" "$WORK/nobody"
  find "$WORK/packages" -type d -exec chown nobody {} +
  AS=(runuser -u nobody -- env HOME="$WORK/nobody" PATH="$PATH" NUGET_PACKAGES="$NUGET_PACKAGES")
else
  copy_checkout "$COPY"
fi
exercise "an ordinary user"
check "an ordinary user: cleans up after itself" cleans_up_after_itself

echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
