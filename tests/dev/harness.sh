# What the checks of ./dev share: a folder of their own, one line for each check, and a deadline on every wait.

CHECK_SECONDS=150
WAIT_SECONDS=45
passed=0
failed=0

# check NAME FUNCTION…: in a process group of its own, which ends with its time.
check() {
  local name="$1" started=$SECONDS job status
  shift
  [[ -d "$WORK" ]] || { echo "$WORK is gone; nothing can be checked without it"; exit 1; }
  set -m
  ("$@") >"$WORK/output" 2>&1 </dev/null &
  job=$!
  set +m
  while kill -0 "$job" 2>/dev/null && ((SECONDS - started < CHECK_SECONDS)); do sleep 0.1; done
  if kill -KILL -- "-$job" 2>/dev/null; then echo "not done after $CHECK_SECONDS seconds" >>"$WORK/output"; fi
  wait "$job" 2>/dev/null
  status=$?
  if ((status == 0)); then
    passed=$((passed + 1))
    echo "ok      $name ($((SECONDS - started)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $name ($((SECONDS - started)) s)"
    tail -n 40 "$WORK/output" | sed 's/^/        /'
    # What it left running would fail the checks after it.
    end_processes_in "$WORK"
  fi
}

# eventually COMMAND…: waits for a condition.
eventually() {
  local deadline=$((SECONDS + WAIT_SECONDS))
  until "$@"; do
    ((SECONDS < deadline)) && [[ -d "$WORK" ]] || { echo "waited $WAIT_SECONDS seconds for: $*"; return 1; }
    sleep 0.2
  done
}

# Files of this checkout as they are now, without what git ignores.
copy_checkout() {
  mkdir -p "$1"
  git -C "$SOURCE" ls-files -z --cached --others --exclude-standard | (cd "$SOURCE" && xargs -0 ls -d 2>/dev/null) |
    tar -C "$SOURCE" -T - -cf - | tar -C "$1" -xf -
}

# dev …: as the user whose turn it is, from a folder that is not the checkout's.
dev() { (cd / && "${AS[@]}" "$COPY/dev" "$@"); }

# state FILE NAME: a value that ./dev keeps in .local/FILE.env.
state() { sed -n "s/^$2=//p" "$COPY/.local/$1.env"; }

free_port() { perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport'; }

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# What a failed check left running: each of its processes names this run's own folder, or works in it.
end_processes_in() {
  local process
  for process in /proc/[0-9]*; do
    [[ "${process#/proc/}" != "$$" ]] || continue
    if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -qF "$1" || [[ "$(readlink "$process/cwd" 2>/dev/null)" == "$1"* ]]; then
      kill -KILL "${process#/proc/}" 2>/dev/null
    fi
  done
}
