#!/usr/bin/env bash
# Stands in for az, azd, curl, dotnet, psql and npm: notes how it was called, fails when it is told to, and answers from a list. What azd
# remembers, it remembers. STANDIN is a folder with "calls" (written here), "answers" (lines of PATTERN<tab>ANSWER; the first
# pattern that matches counts, "$" begins a command), "azd.env", and "outputs" (what provisioning brings).
name="${0##*/}"
line="$name"
for argument; do
  # Quoted where a shell would need it, so that what is noted can be read and run.
  if [[ "$argument" =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then
    line+=" $argument"
  elif [[ "$argument" == *\'* ]]; then
    line+=" \"${argument//\"/\\\"}\""
  else
    line+=" '$argument'"
  fi
done
printf '%s\n' "$line" >>"$STANDIN/calls"
mapfile -t calls <"$STANDIN/calls"
if [[ "${#calls[@]}" == "${STANDIN_FAILS_AT:-0}" ]]; then
  printf '%s: something went wrong\n' "$name" >&2
  exit 1
fi

case "$name $1 $2" in
  "azd env get-value")
    value="$(grep "^$3=" "$STANDIN/azd.env" | tail -n 1)"
    [[ -n "$value" ]] || { echo "ERROR: key '$3' not found in the environment values" >&2; exit 1; }
    printf '%s\n' "${value#*=}"
    exit
    ;;
  "azd env set") printf '%s=%s\n' "$3" "$4" >>"$STANDIN/azd.env"; exit ;;
  "azd provision "*) cat "$STANDIN/outputs" >>"$STANDIN/azd.env"; exit ;;
  "dotnet publish ViralEngine.Functions")
    [[ "$line" =~ -o\ ([^ ]+) ]] && mkdir -p "${BASH_REMATCH[1]}"
    cp host.json "${BASH_REMATCH[1]}/host.json"
    [[ "$line" != *DurableStorage=azuremanaged* ]] ||
      echo >"${BASH_REMATCH[1]}/Microsoft.Azure.WebJobs.Extensions.DurableTask.AzureManaged.dll"
    exit
    ;;
esac

while IFS=$'\t' read -r pattern answer; do
  # shellcheck disable=SC2053
  if [[ -n "$pattern" && "$line" == $pattern ]]; then
    case "$answer" in
      '$'*) eval "${answer#?}"; exit ;;
      '') exit ;;
      *) printf '%b\n' "$answer"; exit ;;
    esac
  fi
done <"$STANDIN/answers"
exit 0
