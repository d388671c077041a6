# Building, and where the results are.

# output_of PROJECT_FOLDER: as published, where a build publishes (ReadyToRun.props).
output_of() {
  local folder="$ROOT/$1/bin/$CONFIGURATION/net10.0"
  case "$CONFIGURATION/$1" in
    Release/ViralEngine.Functions | Release/ViralEngine.LocalHost) echo "$folder/publish" ;;
    *) echo "$folder" ;;
  esac
}

# build PROJECT_OR_SOLUTION: quiet when it succeeds.
build() {
  local log="$STATE/build.log"
  require_dotnet
  if ! dotnet build "$ROOT/$1" -c "$CONFIGURATION" -v quiet -nodeReuse:false --tl:off >"$log" 2>&1 </dev/null 9>&-; then
    grep -E ': error |error MSB|error NU' "$log" | sort -u | head -n 30 >&2 || tail -n 30 "$log" >&2
    die "the build failed; the full log is $log"
  fi
}

dev_tool() { dotnet "$(output_of tools/ViralEngine.Dev)/ViralEngine.Dev.dll" "$@"; }

bench_command() {
  require_dotnet
  [[ -d "$ROOT/tests/bench" ]] || die "tests/bench is missing from this checkout"
  prepare_state
  # The detector's own needs no servers.
  if [[ "${1:-}" == anomaly ]]; then
    dotnet run --project "$ROOT/tests/bench/Anomaly" -c Release -- "${@:2}"
    return
  fi
  local projects=("$ROOT"/tests/bench/*.csproj)
  build ViralEngine.Functions
  build ViralEngine.LocalHost
  build tools/ViralEngine.Dev
  throwaway_stack
  dotnet run --project "${projects[0]}" -c Release -- "$@"
}

torture_command() {
  require_tools
  find_postgres || require_postgres
  # Shifts the clock of one instance; without it that is left out, and said.
  if [[ -z "$(find /usr/lib -maxdepth 3 -name libfaketimeMT.so.1 -print -quit 2>/dev/null)" ]] && may_install; then
    apt_install faketime || true
  fi
  prepare_state
  say "building"
  build tests/torture
  dotnet "$(output_of tests/torture)/ViralEngine.Torture.dll" "$@"
}
