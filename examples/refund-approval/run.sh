#!/usr/bin/env bash
# A refund from request to payment, with a person in between. See README.md.
set -euo pipefail
cd "$(dirname -- "${BASH_SOURCE[0]}")"
: "${VIRAL_URL:?Set VIRAL_URL, or source .local/demo.env}" "${VIRAL_API_KEY:?}" "${VIRAL_APPROVER_KEY:?}"

operator() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $VIRAL_API_KEY" "$@"; }
approver() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $VIRAL_APPROVER_KEY" "$@"; }

echo "== Submit the refund"
id="$(operator --json @workflow.json "$VIRAL_URL/api/workflows" | jq --raw-output .id)"
echo "workflow $id"

echo "== What waits for the approver"
for ((i = 0; i < 300; i++)); do
  gate="$(approver "$VIRAL_URL/api/approvals?limit=100" | jq --arg id "$id" '.approvals[] | select(.workflow_id == $id)')"
  [[ -n "$gate" ]] && break
  sleep 0.2
done
jq --raw-output '.title, .message' <<<"$gate"

echo "== Approve it"
approver --json '{"decision": "approve", "reason": "The photo shows the crack."}' \
  "$VIRAL_URL/api/workflows/$id/gates/$(jq --raw-output .gate_id <<<"$gate")/decisions" | jq --raw-output '"the gate is \(.status)"'

echo "== Follow it to the end"
operator --no-buffer --max-time 120 "$VIRAL_URL/api/workflows/$id/stream" | sed -n 's/^event: //p'

echo "== The outcome"
operator "$VIRAL_URL/api/workflows/$id" | jq --raw-output '.status, (.steps[] | select(.id == "tell") | .output)'

echo "== Drawn"
operator "$VIRAL_URL/api/workflows/$id/visualize?format=mermaid"
