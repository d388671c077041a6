#!/usr/bin/env bash
# Whether anything that is built or tested with has a known vulnerability: NuGet packages, those they bring, and npm's.
source "$(dirname "$0")/common.sh"
cd "$AZURE_ROOT"

need_tool dotnet
report="$(or_fail "the packages cannot be checked" \
  dotnet list ViralEngine.sln package --vulnerable --include-transitive --format json)"
# The command succeeds whatever it finds.
if grep -q '"vulnerabilities"' <<<"$report"; then
  printf '%s\n' "$report" >&2
  fail "packages with known vulnerabilities, see above"
fi
while IFS= read -r lock; do
  need_tool npm
  npm audit --prefix "$(dirname "$lock")" --audit-level moderate >&2 || fail "$(dirname "$lock") has packages with known vulnerabilities"
done < <(git ls-files '*package-lock.json')
say "vulnerable: no known vulnerabilities"
