#!/usr/bin/env bash
# Compiles and lints every template and parameter file, then holds what they would deploy against our rules.
# The compiler comes from NuGet with the tests; nothing is deployed and Azure is not asked. With --templates the tests of the
# rules are left out: ./dev test runs them too.
set -euo pipefail
cd "$(dirname "$0")/../.."

project=tests/ViralEngine.Infrastructure.Tests
configuration="${CONFIGURATION:-Debug}"
dotnet build "$project" -c "$configuration" --nologo -v quiet -nodeReuse:false
bicep=$(dotnet msbuild "$project" -p:Configuration="$configuration" -getProperty:BicepProgram -target:TellWhereBicepIs)
chmod u+x "$bicep"

# That API versions are no older than three years is asked here and nowhere else: whoever deploys may have a newer Bicep, which
# knows newer versions, and must not be stopped by that. A test sees to it that none is younger than half a year.
templates="$(mktemp -d)"
trap 'rm -rf "$templates"' EXIT
cp -R infra/bicep/. "$templates"
sed -i.bak 's/"use-recent-api-versions": {"level": "off"}/"use-recent-api-versions": {"level": "error", "maxAgeInDays": 1095}/' "$templates/bicepconfig.json"
grep -q maxAgeInDays "$templates/bicepconfig.json" || { echo "bicepconfig.json has no use-recent-api-versions to turn on" >&2; exit 1; }

failed=0
while IFS= read -r file; do
  complaints=""
  # Modules are linted with what they are part of.
  if [[ "$file" == infra/bicep/main.* ]] && ! complaints=$("$bicep" lint "$templates/${file#infra/bicep/}" 2>&1) || [ -n "${complaints:-}" ]; then
    echo "$file does not compile without a word:" >&2
    echo "$complaints" >&2
    failed=1
  fi
  # Formatting is the compiler's own; run "bicep format FILE" to have it.
  if ! "$bicep" format "$file" --stdout | diff -u "$file" - >&2; then
    echo "$file is not formatted" >&2
    failed=1
  fi
done < <(find infra/bicep -name '*.bicep' -o -name '*.bicepparam' | sort)
[ "$failed" = 0 ] || exit 1
[[ "${1:-}" != --templates ]] || exit 0

# Linting is done above, with the complaints in full. What needs a PostgreSQL runs with ./dev test.
dotnet test "$project" -c "$configuration" --no-build --nologo --filter 'FullyQualifiedName!~Compiles_and_lints&Category!=Database'
