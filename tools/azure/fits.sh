#!/usr/bin/env bash
# fits.sh PACKAGE: whether a package was built for where orchestrations are kept (VIRAL_DURABLE_STORAGE of the deployment).
# The app refuses to start on the wrong one; this says so before it is deployed.
source "$(dirname "$0")/common.sh"

package="${1:-}"
[[ -f "$package" ]] || fail "the package ${package:-(none was named)} does not exist: bash tools/azure/package.sh"
need_tool unzip
names="$(or_fail "$package is not a package" unzip -Z1 "$package")"
built=AzureStorage
if grep -q 'DurableTask\.AzureManaged\.dll$' <<<"$names"; then built=Scheduler; fi
wanted="${VIRAL_DURABLE_STORAGE:-AzureStorage}"
[[ "$wanted" == "$built"* ]] ||
  fail "the package was built for $built, but the deployment keeps orchestrations in $wanted: set" \
    "VIRAL_DURABLE_STORAGE to what is meant, then provision and build again"
