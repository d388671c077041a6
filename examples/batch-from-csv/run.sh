#!/usr/bin/env bash
# A batch from a CSV file: submit it, follow it, fetch its results. README.md tells it step by step.
# usage: run.sh [results.csv]    with VIRAL_URL and VIRAL_API_KEY from the environment (see .local/demo.env)
#        AGENT=<id of an agent of yours> for another than the built-in echo
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
results="${1:-results.csv}"
: "${VIRAL_URL:?}" "${VIRAL_API_KEY:?}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
api=(curl --silent --show-error --fail-with-body --header "Authorization: Bearer $VIRAL_API_KEY")

# 1. One line of JSON for each row. The ticket's number becomes the item's id, so a result is found again by it.
awk '
  # RFC 4180: fields in quotes may hold commas, and a quote is doubled.
  function fields(line, out,    i, c, n, quoted) {
    n = 1; out[1] = ""; quoted = 0
    for (i = 1; i <= length(line); i++) {
      c = substr(line, i, 1)
      if (quoted && c == "\"" && substr(line, i + 1, 1) == "\"") { out[n] = out[n] c; i++ }
      else if (c == "\"") quoted = !quoted
      else if (c == "," && !quoted) out[++n] = ""
      else out[n] = out[n] c
    }
    return n
  }
  function text(s,    i, c, json) {
    for (i = 1; i <= length(s); i++) {
      c = substr(s, i, 1)
      json = json (c == "\\" ? "\\\\" : c == "\"" ? "\\\"" : c == "\t" ? "\\t" : c)
    }
    return "\"" json "\""
  }
  { sub(/\r$/, "") }
  NR > 1 {
    fields($0, f)
    printf "{\"id\":%s,\"description\":%s,\"metadata\":{\"channel\":%s,\"country\":%s}}\n",
      text(f[1]), text("Summarize this ticket and name what the customer wants: " f[5]), text(f[3]), text(f[4])
  }' "$here/tickets.csv" >"$work/items.ndjson"
rows="$(wc -l <"$work/items.ndjson")"

# 2. Submit. With the key, sending it again (a lost answer, a second try) makes no second batch.
batch="$("${api[@]}" "$VIRAL_URL/api/batches?name=tickets&agent_id=${AGENT:-echo}&concurrency_limit=10" \
  --header 'Content-Type: application/x-ndjson' --header "Idempotency-Key: tickets-$(date +%s%N)" \
  --data-binary "@$work/items.ndjson" | grep -o '"id":"[^"]*' | head -n 1 | cut -d '"' -f 4)"
echo "batch $batch: $rows items"

# 3. Follow. The stream ends when the batch does.
"${api[@]}" --no-buffer "$VIRAL_URL/api/batches/$batch/stream" | while IFS= read -r line; do
  case "$line" in
    'event: '*) event="${line#event: }" ;;
    'data: '*)
      settled="$(grep -o '"settled":[0-9]*' <<<"$line" | cut -d : -f 2 || true)"
      echo "${event:-} ${settled:+$settled of $rows}"
      ;;
  esac
done

# 4. Fetch. In the order of the rows, and safe to open in a spreadsheet.
"${api[@]}" "$VIRAL_URL/api/batches/$batch/results?format=csv" --output "$results"
failed="$("${api[@]}" "$VIRAL_URL/api/batches/$batch" | grep -o '"failed":[0-9]*' | cut -d : -f 2)"
echo "$results: $(grep -c '^T-[0-9]*,completed,' "$results") completed, $failed failed"

# 5. Whatever failed is run again by itself.
if ((failed > 0)); then
  "${api[@]}" --request POST "$VIRAL_URL/api/batches/$batch/retry-failed" >"$work/again.json"
  echo "running $failed again: GET $VIRAL_URL/api/batches/$batch"
fi
