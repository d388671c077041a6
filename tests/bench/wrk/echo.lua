wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("VIRAL_API_KEY")
wrk.body = '{"agent_id":"echo","description":"say this back to me"}'
