wrk.headers["Authorization"] = "Bearer " .. os.getenv("VIRAL_API_KEY")
local tasks = tonumber(os.getenv("VIRAL_TASKS"))

function request()
  return wrk.format("GET", "/api/tasks/" .. string.format("00000000-0000-7000-8000-%012d", math.random(1, tasks)))
end
