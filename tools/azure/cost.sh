#!/usr/bin/env bash
# What a month, and a million tasks, cost on Azure at three sizes. Every number is a variable of the environment; the
# defaults are assumptions of November 2026 in US dollars, explained in docs/cost.md.
set -euo pipefail

awk -v seconds="${TASK_SECONDS:-8}" -v concurrent="${TASKS_PER_INSTANCE:-25}" -v memory="${INSTANCE_GB:-2}" \
  -v calls="${EXECUTIONS_PER_TASK:-7}" -v transactions="${STORAGE_TRANSACTIONS_PER_TASK:-25}" \
  -v telemetry="${TELEMETRY_KB_PER_TASK:-6}" -v row="${DATABASE_KB_PER_TASK:-6}" -v kept="${MONTHS_KEPT:-1}" \
  -v timer="${TIMER_SECONDS:-5}" \
  -v p_gbs="${PRICE_GB_SECOND:-0.000026}" -v p_ready="${PRICE_READY_GB_SECOND:-0.000004}" \
  -v p_calls="${PRICE_MILLION_EXECUTIONS:-0.40}" -v p_trans="${PRICE_10K_TRANSACTIONS:-0.0004}" \
  -v p_log="${PRICE_LOG_GB:-2.76}" -v p_disk="${PRICE_DATABASE_GB:-0.12}" \
  -v p_d2="${PRICE_POSTGRES_D2:-130}" -v p_d4="${PRICE_POSTGRES_D4:-260}" -v p_d16="${PRICE_POSTGRES_D16:-1040}" \
  -v p_b0="${PRICE_REDIS_B0:-13}" -v p_b5="${PRICE_REDIS_B5_HA:-210}" -v p_b10="${PRICE_REDIS_B10_HA:-420}" \
  -v p_net="${PRICE_PRIVATE_NETWORK:-77}" '
function size(name, millions, postgres, redis, network, disk, ready,   tasks, compute, warm, sweeps, executions, storage, logs, data, fixed, total) {
  tasks = millions * 1e6
  # An instance is paid for while it works, whatever the number of tasks that share it.
  compute = tasks * seconds / concurrent * memory * p_gbs
  warm = ready * memory * 2592000 * p_ready
  executions = tasks * calls / 1e6 * p_calls
  storage = tasks * transactions / 1e4 * p_trans
  logs = tasks * telemetry / 1e6 * p_log
  data = (disk + tasks * kept * row / 1e6) * p_disk
  # The timer that sweeps has an instance of its own, and each call is paid for as a second at least.
  sweeps = 2592000 / timer * (memory * p_gbs + p_calls / 1e6)
  fixed = postgres + redis + network + warm + sweeps
  total = fixed + compute + executions + storage + logs + data
  printf "| %s | %g M | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | **%.2f** |\n", name, millions, fixed, compute, executions, storage, logs, data, total, total / millions
}
BEGIN {
  print "| size | tasks a month | fixed | compute | executions | storage | telemetry | data | month | per million tasks |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  size("small (dev)", 0.1, p_d2, p_b0, 0, 32, 0)
  size("medium (prod)", 5, 2 * p_d4, p_b5, p_net, 256, 4)
  size("large", 100, 2 * p_d16, p_b10, p_net, 1024, 10)
}'
