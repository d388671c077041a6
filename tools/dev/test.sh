# `./dev test`: all tests on PostgreSQL and Redis of their own, made for the run and removed after it.

# What starts no instance of the app: rules, SQL and Redis scripts, on real servers. Slow there: a year of minutes, a million rows.
FAST_TESTS=tests/ViralEngine.Core.Tests
FAST_FILTER='Category!=Slow'

# Makes the servers, exports how to reach them, and removes them when this process exits.
throwaway_stack() {
  require_tools
  find_postgres || require_postgres
  sweep_throwaways
  THROWAWAY="$(mktemp -d "${TMPDIR:-/tmp}/viral-engine-test.XXXXXXXX")"
  # The server's user passes through; what is inside has its own mode.
  chmod 755 "$THROWAWAY"
  echo "$$ $(process_started $$)" >"$THROWAWAY/owner"
  trap 'remove_throwaway "$THROWAWAY"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  unset ConnectionStrings__Postgres ConnectionStrings__Redis
  export VIRAL_TEST_RUN="$THROWAWAY"
  load_secrets "$THROWAWAY/secrets.env"
  start_servers "$THROWAWAY"
  export VIRAL_TEST_POSTGRES="Host=127.0.0.1;Port=$POSTGRES_PORT;Database=postgres;Username=postgres;Password=$SECRET_POSTGRES"
  export VIRAL_TEST_REDIS="127.0.0.1:$REDIS_PORT,password=$SECRET_REDIS,abortConnect=false"
}

remove_throwaway() {
  end_processes_of "$1"
  pgbouncer_stop "$1" || true
  stop_servers "$1" || true
  rm -rf "$1"
}

# Instances of the app that outlived the tests that started them. Each carries the name of its run in its environment.
end_processes_of() {
  local environment
  for environment in /proc/[0-9]*/environ; do
    { tr '\0' '\n' <"$environment" | grep -qxF "VIRAL_TEST_RUN=$1"; } 2>/dev/null || continue
    { tr '\0' ' ' <"${environment%environ}cmdline"; } 2>/dev/null | grep -qF ViralEngine.Functions.dll || continue
    kill -KILL "$(basename "$(dirname "$environment")")" 2>/dev/null || true
  done
}

# What a killed run left behind.
sweep_throwaways() {
  local folder pid started
  for folder in "${TMPDIR:-/tmp}"/viral-engine-test.*; do
    [[ -O "$folder" && -s "$folder/owner" ]] || continue
    read -r pid started <"$folder/owner"
    [[ "$(process_started "$pid")" == "$started" ]] || remove_throwaway "$folder"
  done
}

test_command() {
  local url="" filter="" pgbouncer="" smoke="" fast="" built="" args=() project failed=0
  TEST_PROJECTS=("$ROOT"/tests/*.Tests/*.csproj)
  while [[ $# -gt 0 ]]; do
    case "$1" in
      --url) url="${2:?--url takes an address}"; shift 2 ;;
      --url=*) url="${1#*=}"; shift ;;
      --pgbouncer) pgbouncer=1; shift ;;
      --smoke) smoke=1; shift ;;
      --fast) fast=1; shift ;;
      --no-build) built=1; shift ;;
      --filter) filter="${2:?--filter takes an expression}"; shift 2 ;;
      -*) args+=("$1"); shift; if [[ $# -gt 0 && "$1" != -* ]]; then args+=("$1"); shift; fi ;;
      *) filter="FullyQualifiedName~$1"; shift ;;
    esac
  done

  [[ -z "$smoke" || -n "$url" ]] || die "test: --smoke requires --url"
  [[ -z "$fast" || -z "$url$pgbouncer" ]] || die "test: --fast takes neither --url nor --pgbouncer"
  require_dotnet
  prepare_state
  if [[ -n "$fast" ]]; then
    TEST_PROJECTS=("$ROOT/$FAST_TESTS"/*.csproj)
    filter="${filter:+($filter)&}$FAST_FILTER"
  fi
  if [[ -z "$built" ]]; then
    say "building"
    build "$([[ -n "$fast" ]] && echo "$FAST_TESTS" || echo ViralEngine.sln)"
  fi
  rm -rf "$STATE/test-results"
  mkdir -p "$STATE/test-results"

  if [[ -n "$url" ]]; then
    export VIRAL_URL="${url%/}"
    [[ -n "${VIRAL_PLATFORM_KEY:-}" ]] || die "VIRAL_PLATFORM_KEY is not set: the tests create their organizations with it"
    # A class is of the category BlackBox, some of its tests of Smoke too.
    filter="${filter:+($filter)&}Category=$([[ -n "$smoke" ]] && echo Smoke || echo BlackBox)"
  else
    unset VIRAL_URL VIRAL_TENANT VIRAL_API_KEY VIRAL_APPROVER_KEY VIRAL_PLATFORM_KEY
    [[ -n "$fast" ]] || { require_chromium; require_pgbouncer; }
    # Tests drive the machine's own browser; none is downloaded.
    export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
    # Test processes live too briefly to gain from compiling twice what is called thirty times. The number is hexadecimal.
    export DOTNET_TieredPGO=0 DOTNET_TC_CallCountThreshold=3E8
    # They crash the server and not the machine.
    POSTGRES_FSYNC=off
    throwaway_stack
    if [[ -n "$pgbouncer" ]]; then
      VIRAL_TEST_PGBOUNCER_PORT="$(free_port)"
      export VIRAL_TEST_PGBOUNCER_PORT
      pgbouncer_start "$THROWAWAY" "$VIRAL_TEST_PGBOUNCER_PORT" "$POSTGRES_PORT"
    fi
  fi

  for project in "${TEST_PROJECTS[@]}"; do
    test_project "$project" "$filter" "${args[@]}" || failed=1
  done
  summarize || failed=1
  return "$failed"
}

# The fast tests, again after each change of a file.
watch_command() {
  require_dotnet
  prepare_state
  POSTGRES_FSYNC=off
  throwaway_stack
  dotnet watch --no-hot-reload --non-interactive --project "$ROOT/$FAST_TESTS" test -c "$CONFIGURATION" --nologo \
    --filter "${1:+FullyQualifiedName~$1&}$FAST_FILTER"
}

# What must hold besides tests.
check_command() {
  local script
  say "scripts"
  for script in "$ROOT"/{dev,.ci/run,tools/*.sh,tools/*/*.sh,infra/bicep/check.sh,tests/dev/*.sh}; do
    bash -n "$script" || die "$script does not parse"
  done
  prepare_state
  say "the build, with warnings as errors"
  build ViralEngine.sln
  # Style rules and analyzers are part of the build; what is left is white space.
  say "120 columns"
  ! LC_ALL=C.UTF-8 grep -rnE --include='*.cs' --exclude-dir={bin,obj} '^.{121,}' "$ROOT"/ViralEngine.* "$ROOT/tools" ||
    die "lines are longer than 120 columns"
  say "white space"
  dotnet format whitespace "$ROOT/ViralEngine.sln" --verify-no-changes --no-restore
  say "Azure templates"
  bash "$ROOT/infra/bicep/check.sh" --templates
}

test_project() {
  local project="$1" filter="$2" name log
  shift 2
  name="$(basename "$project" .csproj)"
  log="$STATE/test-results/$name.log"
  say "testing $name"
  dotnet test "$project" -c "$CONFIGURATION" --no-build --nologo ${filter:+--filter "$filter"} \
    --results-directory "$STATE/test-results" --logger "trx;LogFileName=$name.trx" \
    --blame-hang-timeout 15m --blame-hang-dump-type none "$@" >"$log" 2>&1 </dev/null && return 0
  # The failures, not everything that passed; the log has it all.
  head -c 40000 "$log"
  say "$name failed; the full log is $log"
  return 1
}

# The numbers come from the result files, and a project that wrote none counts as one failure.
summarize() {
  local passed=0 failed=0 project name counters
  for project in "${TEST_PROJECTS[@]}"; do
    name="$(basename "$project" .csproj)"
    counters="$(grep -o '<Counters [^>]*' "$STATE/test-results/$name.trx" 2>/dev/null)" || {
      # Nothing in this project matched the filter.
      grep -q 'No test matches' "$STATE/test-results/$name.log" || failed=$((failed + 1))
      continue
    }
    passed=$((passed + $(sed 's/.* passed="\([0-9]*\)".*/\1/' <<<"$counters")))
    failed=$((failed + $(sed 's/.* failed="\([0-9]*\)".*/\1/' <<<"$counters")))
    # A run that was cut short says so only in its outcome.
    if grep -q '<ResultSummary outcome="\(Failed\|Aborted\)"' "$STATE/test-results/$name.trx" && [[ "$counters" == *' failed="0"'* ]]; then
      failed=$((failed + 1))
    fi
  done
  echo "$passed passed, $failed failed"
  ((failed == 0 && passed > 0))
}

# The pictures of the documents: one test takes them.
screenshots_command() {
  require_chromium
  prepare_state
  say "building"
  build tests/ViralEngine.Console.Tests
  throwaway_stack
  mkdir -p "$ROOT/docs/screenshots"
  rm -f "$ROOT"/docs/screenshots/*.png
  VIRAL_GALLERY="$ROOT/docs/screenshots" dotnet test "$ROOT/tests/ViralEngine.Console.Tests" -c "$CONFIGURATION" --no-build --filter "FullyQualifiedName~GalleryTests"
}
