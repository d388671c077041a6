# The Redis-protocol server: Microsoft.Garnet in a process of its own, run from a copy so that a build cannot pull the
# program from under it. It keeps nothing on disk. Every function takes the folder first.

redis_is_up() {
  is_process "$(cat "$1/redis.pid" 2>/dev/null)" "$1/redis/ViralEngine.Dev.dll"
}

# redis_start FOLDER PORT PASSWORD
redis_start() {
  local folder="$1" port="$2" password="$3" pid deadline=$((SECONDS + 60))
  redis_is_up "$folder" && return 0
  rm -rf "$folder/redis"
  cp -r "$(output_of tools/ViralEngine.Dev)" "$folder/redis"
  VIRAL_REDIS_PASSWORD="$password" setsid dotnet "$folder/redis/ViralEngine.Dev.dll" redis --port "$port" \
    </dev/null >"$folder/redis.log" 2>&1 9>&- &
  pid=$!
  rm -f "$folder/redis.pid"
  echo "$pid" >"$folder/redis.pid"
  disown "$pid"
  until redis_answers "$port" "$password"; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$folder/redis.log" >&2; die "Redis did not start"; }
    ((SECONDS < deadline)) || die "Redis has not responded for a minute; its log is $folder/redis.log"
    sleep 0.1
  done
}

redis_answers() (
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf '*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n' "${#2}" "$2" >&3
  IFS= read -r -t 5 answer <&3
  [[ "$answer" == "+OK"* ]]
) 2>/dev/null

redis_stop() {
  local folder="$1"
  stop_process "$(cat "$folder/redis.pid" 2>/dev/null)" "$folder/redis/ViralEngine.Dev.dll" 10
  rm -f "$folder/redis.pid"
}
