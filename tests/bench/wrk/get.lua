wrk.headers["Authorization"] = "Bearer " .. os.getenv("VIRAL_API_KEY")
