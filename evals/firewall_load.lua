-- What wrk asks: the lines of a file in turn, "accept<TAB>path", as two hundred clients behind a proxy that is trusted.
-- At the end it prints one line of JSON.
local asked, turn = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local accept, path = line:match("^(.-)\t(.*)$")
    asked[#asked + 1] = { path, accept }
  end
end

function request()
  turn = turn + 1
  local one = asked[(turn - 1) % #asked + 1]
  local headers = { ["Accept"] = one[2], ["X-Forwarded-For"] = "192.0.2." .. (turn % 200 + 1) }
  headers["Accept-Encoding"] = "gzip, deflate"
  return wrk.format("GET", one[1], headers)
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "bytes": %d, "failed": %d, "p50": %.6f, "p99": %.6f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, failed,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
