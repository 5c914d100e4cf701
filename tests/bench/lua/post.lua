-- For wrk: posts a body of BENCH_SIZE bytes, as random as a gzipped one, to the path of a telemetry submission.
math.randomseed(1)
local bytes = {}
for i = 1, tonumber(os.getenv("BENCH_SIZE")) do bytes[i] = string.char(math.random(0, 255)) end
wrk.method = "POST"
wrk.body   = table.concat(bytes)
wrk.headers["Content-Type"]     = "application/json"
wrk.headers["Content-Encoding"] = "gzip"
