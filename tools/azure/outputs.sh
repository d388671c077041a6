#!/usr/bin/env bash
# outputs.sh FILE: the outputs of a deployment, as "az deployment sub create --query properties.outputs" writes them, as lines
# NAME=value for the environment of what follows. Resource Manager returns the names in a case of its own (viraL_URL), so
# azd takes them from the template, and this by what is true of each: it has no small letter.
source "$(dirname "$0")/common.sh"

[[ -f "${1:-}" ]] || fail "usage: outputs.sh FILE"
need_tool python3
or_fail "$1 does not hold the outputs of a deployment" python3 - "$1" <<'PY'
import json, sys
for name, output in json.load(open(sys.argv[1], encoding="utf-8")).items():
    print(f"{name.upper()}={output['value']}")
PY
