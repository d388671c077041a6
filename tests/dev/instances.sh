# `./dev run`: instances that share a stack.

is_ready() { curl -sf -o /dev/null --max-time 5 "http://127.0.0.1:$1/api/health/ready"; }

# starts_instance PORT: an instance in a terminal of its own, ready for work. Ctrl-C is ignored in what a script starts in the
# background, so it is given back.
starts_instance() {
  local log="$WORK/run-$1.log"
  # Emptied before it is read: an earlier instance at this port wrote that it is ready.
  : >"$log"
  (cd / && exec setsid env --default-signal=INT "${AS[@]}" "$COPY/dev" run --port "$1") >"$log" 2>&1 </dev/null &
  WAIT_SECONDS=$((CHECK_SECONDS - 20)) eventually grep -qE 'is ready at|^dev: ' "$log"
  grep -q 'is ready at' "$log" && is_ready "$1" && return
  cat "$log"
  return 1
}

# dev_process PORT: the shell that runs the instance.
dev_process() { basename "$(grep -l "^PORT=$1$" "$COPY"/.local/instances/*.env)" .env | grep .; }

app_process() { sed -n 's/^APP=//p' "$COPY/.local/instances/$(dev_process "$1").env" | grep .; }

# As a terminal does it: to everything in the foreground.
press_ctrl_c() { kill -INT -- "-$(ps -o pgid= -p "$(dev_process "$1")" | tr -d ' ')"; }

stack_is_down() { ! dev stack status; }

is_not_ready() { ! is_ready "$1"; }

prints_commands_that_work() {
  starts_instance "$FIRST" || return 1
  # What it printed, as someone would paste it into another terminal.
  sed -n 's/^  //p' "$WORK/run-$FIRST.log" >"$WORK/pasted.sh"
  (cd / && "${AS[@]}" bash -euo pipefail <"$WORK/pasted.sh") | tee "$WORK/pasted.out"
  grep -q '"status": *"completed"' "$WORK/pasted.out" && grep -q '^event: *token' "$WORK/pasted.out" && grep -q 'Hello' "$WORK/pasted.out"
}

refuses_a_port_in_use() {
  local said
  said="$(dev run --port "$FIRST" 2>&1)" && return 1
  [[ "$said" == *"port $FIRST is in use"* ]] && is_ready "$FIRST"
}

joins_as_a_second_instance() { starts_instance "$SECOND" && is_ready "$FIRST" && [[ "$(dev stack status | grep -c '^app ')" == 2 ]]; }

survives_the_death_of_the_other() {
  local app
  app="$(app_process "$FIRST")" || return 1
  kill -KILL "$(dev_process "$FIRST")" || return 1
  eventually is_gone "$app" && is_ready "$SECOND" && dev stack status
}

takes_the_stack_along_when_the_last_stops() {
  local shell app
  shell="$(dev_process "$SECOND")" app="$(app_process "$SECOND")" || return 1
  press_ctrl_c "$SECOND" || return 1
  eventually is_gone "$shell" && eventually is_gone "$app" && stack_is_down && is_not_ready "$SECOND"
}

runs_again_after_everything_was_killed() {
  local tenant shell app
  starts_instance "$FIRST" || return 1
  tenant="$(state demo VIRAL_TENANT)"
  shell="$(dev_process "$FIRST")" app="$(app_process "$FIRST")" || return 1
  kill -KILL "$shell" "$app" "$(postgres_process)" "$(<"$COPY/.local/redis.pid")" || return 1
  eventually is_not_ready "$FIRST" || return 1
  starts_instance "$FIRST" && [[ "$(state demo VIRAL_TENANT)" == "$tenant" ]] || return 1
  shell="$(dev_process "$FIRST")" || return 1
  kill -TERM "$shell"
  eventually is_gone "$shell" && stack_is_down
}

# A PostgreSQL and a Redis that this checkout did not start.
uses_real_servers() {
  local real="$WORK/real-${#AS[@]}" status
  mkdir -m 755 "$real" && "${AS[@]}" true && chown "$(stat -c %u "$COPY")" "$real"
  "${AS[@]}" bash "$SOURCE_OF_CHECKS/real-servers.sh" start "$COPY" "$real" || return 1
  (
    set -a
    # shellcheck source=/dev/null
    source "$real/real.env"
    starts_instance "$FIRST" && source "$COPY/.local/demo.env" && stack_is_down &&
      [[ "$(curl -s -o /dev/null -w '%{http_code}' "$VIRAL_URL/api/tasks" -H "Authorization: Bearer $VIRAL_API_KEY")" == 200 ]] || exit 1
    shell="$(dev_process "$FIRST")" || exit 1
    press_ctrl_c "$FIRST" && eventually is_gone "$shell" && listens "$REAL_POSTGRES" && listens "$REAL_REDIS"
  )
  status=$?
  "${AS[@]}" bash "$SOURCE_OF_CHECKS/real-servers.sh" stop "$COPY" "$real"
  return "$status"
}
