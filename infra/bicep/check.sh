#!/usr/bin/env bash
# Compiles and lints every template and parameter file, then holds what they would deploy against our rules.
# The compiler comes from NuGet with the tests; nothing is deployed and Azure is not asked.
set -euo pipefail
cd "$(dirname "$0")/../.."

project=tests/ViralEngine.Infrastructure.Tests
configuration="${CONFIGURATION:-Debug}"
dotnet build "$project" -c "$configuration" --nologo -v quiet -nodeReuse:false
bicep=$(dotnet msbuild "$project" -p:Configuration="$configuration" -getProperty:BicepProgram -target:TellWhereBicepIs)
chmod u+x "$bicep"

failed=0
while IFS= read -r file; do
  if ! complaints=$("$bicep" lint "$file" 2>&1) || [ -n "$complaints" ]; then
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

# Linting is done above, with the complaints in full.
dotnet test "$project" -c "$configuration" --no-build --nologo --filter 'FullyQualifiedName!~Compiles_and_lints'
