#!/usr/bin/env bash
# What a month, and a million tasks, cost on Azure by size. Every number is a variable of the environment; the defaults are
# assumptions of November 2026 in US dollars, explained in docs/cost.md.
set -euo pipefail

awk -v seconds="${TASK_SECONDS:-8}" -v concurrent="${TASKS_PER_INSTANCE:-500}" -v memory="${INSTANCE_GB:-2}" \
  -v calls="${EXECUTIONS_PER_TASK:-3}" -v transactions="${STORAGE_TRANSACTIONS_PER_TASK:-1}" \
  -v telemetry="${TELEMETRY_KB_PER_TASK:-6}" -v row="${DATABASE_KB_PER_TASK:-6}" -v kept="${MONTHS_KEPT:-1}" \
  -v timer="${TIMER_SECONDS:-5}" -v try_timer="${TRY_TIMER_SECONDS:-60}" -v timers="${TIMERS:-3}" \
  -v others="${OTHER_TIMER_RUNS:-47520}" \
  -v p_gbs="${PRICE_GB_SECOND:-0.000026}" -v p_ready="${PRICE_READY_GB_SECOND:-0.000004}" \
  -v p_calls="${PRICE_MILLION_EXECUTIONS:-0.40}" -v p_trans="${PRICE_10K_TRANSACTIONS:-0.0004}" \
  -v p_log="${PRICE_LOG_GB:-2.76}" -v p_disk="${PRICE_DATABASE_GB:-0.12}" -v p_b1="${PRICE_POSTGRES_B1:-15}" \
  -v p_d2="${PRICE_POSTGRES_D2:-130}" -v p_d4="${PRICE_POSTGRES_D4:-260}" -v p_d16="${PRICE_POSTGRES_D16:-1040}" \
  -v p_b0="${PRICE_REDIS_B0:-13}" -v p_b5="${PRICE_REDIS_B5_HA:-210}" -v p_b10="${PRICE_REDIS_B10_HA:-420}" \
  -v p_endpoint="${PRICE_PRIVATE_ENDPOINT:-7.3}" -v p_zone="${PRICE_DNS_ZONE:-0.5}" -v p_nat="${PRICE_NAT_GATEWAY:-33}" \
  -v p_registry="${PRICE_REGISTRY:-5}" -v p_query5="${PRICE_QUERY_ALERT_5_MINUTES:-1.5}" \
  -v p_query15="${PRICE_QUERY_ALERT_15_MINUTES:-0.5}" -v p_metric="${PRICE_METRIC_ALERT:-0.1}" \
  -v p_test="${PRICE_AVAILABILITY_TEST:-0.0006}" -v month=2592000 '
# ready: instances kept warm by choice; zones: whether each timer has two of its own beside them.
function size(name, millions, postgres, redis, network, disk, ready, zones, every, watch,
    tasks, compute, warm, sweeps, executions, storage, logs, data, fixed, total) {
  tasks = millions * 1e6
  # An instance is paid for while it works, whatever the number of tasks that share it.
  compute = tasks * seconds / concurrent * memory * p_gbs
  # Spread over zones, each group of functions that scales apart has two instances always; each timer is a group.
  warm = (ready + (zones ? 2 * timers : 0)) * memory * month * p_ready
  executions = tasks * calls / 1e6 * p_calls
  storage = tasks * transactions / 1e4 * p_trans
  logs = tasks * telemetry / 1e6 * p_log
  data = (disk + tasks * kept * row / 1e6) * p_disk
  # A timer has an instance of its own, and each call is paid for as a second at least.
  sweeps = (month / every + others) * (memory * p_gbs + p_calls / 1e6)
  fixed = postgres + redis + network + warm + sweeps + watch
  total = fixed + compute + executions + storage + logs + data
  printf "| %s | %g M | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | **%.2f** |\n", name, millions, fixed, compute, executions, storage, logs, data, total, total / millions
}
BEGIN {
  # Six questions and five or six measures; from three places every five minutes.
  visits = 3 * month / 300 * p_test
  small = p_endpoint + p_zone
  whole = 7 * p_endpoint + 6 * p_zone + p_nat + p_registry
  print "| size | tasks a month | fixed | compute | executions | storage | telemetry | data | month | per million tasks |"
  print "|---|---|---|---|---|---|---|---|---|---|"
  size("try", 0.01, p_b1, 0, small, 32, 0, 0, try_timer, 6 * p_query15 + 5 * p_metric)
  size("dev", 0.1, p_d2, p_b0, small, 32, 0, 0, timer, 6 * p_query5 + 6 * p_metric + visits)
  size("prod", 5, 2 * p_d4, p_b5, whole, 256, 4, 1, timer, 6 * p_query5 + 6 * p_metric + visits)
  size("large", 100, 2 * p_d16, p_b10, whole, 1024, 10, 1, timer, 6 * p_query5 + 6 * p_metric + visits)
}'
