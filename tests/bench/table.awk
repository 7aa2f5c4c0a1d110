# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The table of run.sh. In: lines "scene.figure server round value". Out: for
# each figure the median of each server's rounds, the medians of the ratios
# taken within a round, and the budget (DESIGN.md) with ok or MISSED. The
# sections tls and ways are in ways.awk.

{
	val[$1, $2, $3] = $4
	if ($3 + 0 > rounds)
		rounds = $3 + 0
}

function median(v, n,    i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	if (n == 0)
		return ""
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function of(figure, server,    v, n, r) {
	n = 0
	for (r = 0; r <= rounds; r++)
		if ((figure, server, r) in val)
			v[++n] = val[figure, server, r] + 0
	return median(v, n)
}

# Of server to base, each round by itself.
function ratio(figure, server, base,    v, n, r) {
	n = 0
	for (r = 0; r <= rounds; r++)
		if ((figure, server, r) in val && (figure, base, r) in val &&
		    val[figure, base, r] > 0)
			v[++n] = val[figure, server, r] / val[figure, base, r]
	return median(v, n)
}

function cell(x, digits) {
	return x == "" ? "-" : sprintf("%." digits "f", x)
}

function head(    i, line) {
	line = sprintf("%-38s", "")
	for (i = 1; i <= ns; i++)
		line = line sprintf(" %10s", name[i])
	for (i = 1; i <= ns; i++)
		if (name[i] != "yardstick")
			line = line sprintf(" %10s", \
			    substr(name[i], 1, 5) ":yard")
	print line sprintf(" %10s", "fugu:nchan") "  budget"
}

# kind: "<" at most limit, "x" at most limit times the yardstick, "" none.
function verdict(figure, kind, limit, scale,    x) {
	if (kind == "")
		return ""
	if (kind == "x")
		x = ratio(figure, "fugu", "yardstick")
	else
		x = of(figure, "fugu")
	if (x == "")
		return "  not measured"
	if (kind == "<")
		x *= scale
	return sprintf("  <= %s%s %s", limit, kind == "x" ? " x yard" : "",
	    x <= limit ? "ok" : "MISSED")
}

# The columns of figures and no more: a share that the clock tick samples.
function values(label, figure, scale, digits,    i, line, x) {
	line = sprintf("%-38s", label)
	for (i = 1; i <= ns; i++) {
		x = of(figure, name[i])
		line = line sprintf(" %10s", \
		    cell(x == "" ? x : x * scale, digits))
	}
	return line
}

function row(label, figure, scale, digits, kind, limit,    i, line) {
	line = values(label, figure, scale, digits)
	for (i = 1; i <= ns; i++)
		if (name[i] != "yardstick")
			line = line sprintf(" %10s", \
			    cell(ratio(figure, name[i], "yardstick"), 2))
	line = line sprintf(" %10s", cell(ratio(figure, "fugu", "nchan"), 2))
	print line verdict(figure, kind, limit, scale)
}

function rate_kept(scene,    i, x) {
	for (i = 1; i <= ns; i++)
		if ((x = of(scene ".stretch", name[i])) > 1.25)
			printf "  %s did not keep this rate:" \
			    " %.2f times the time\n", name[i], x
}

function fan(title, scene, kind,    x) {
	x = of(scene ".rate", "-")
	printf "%s, %.1f messages/s\n", title, x
	row("  server CPU, us per delivery", scene ".deliver_cpu_us", 1, 2, \
	    kind, 1.2)
	print values("    user space", scene ".deliver_user_us", 1, 2)
	print values("    kernel", scene ".deliver_sys_us", 1, 2)
	row("  latency p50, ms", scene ".p50_ms", 1, 2)
	row("  latency p99, ms", scene ".p99_ms", 1, 2)
	print values("  server core busy, %", scene ".deliver_busy_server", \
	    100, 0)
	rate_kept(scene)
}

# One column, x; limit "": no budget.
function alone(label, x, digits, limit,    v) {
	if (limit != "")
		v = x == "" ? "  not measured" : sprintf("  <= %s %s", limit, \
		    x <= limit ? "ok" : "MISSED")
	printf "  %-36s %10s%s\n", label, cell(x, digits), v
}

function two_workers() {
	print "fan-out to " conns ", fugu with 2 workers, nothing pinned"
	alone("server CPU, us per delivery", of("two.deliver_cpu_us", \
	    "fugu2"), 2)
	alone("latency p50, ms", of("two.p50_ms", "fugu2"), 2)
	alone("latency p99, ms", of("two.p99_ms", "fugu2"), 2)
}

function chan(figure, scale,    x) {
	x = of(figure, "chan")
	return x == "" ? x : x * scale
}

# Of figure a to figure b, each round by itself.
function chan_ratio(a, b,    v, n, r) {
	n = 0
	for (r = 0; r <= rounds; r++)
		if ((a, "chan", r) in val && (b, "chan", r) in val && \
		    val[b, "chan", r] > 0)
			v[++n] = val[a, "chan", r] / val[b, "chan", r]
	return median(v, n)
}

function churn(title, scene) {
	print title
	alone("subscribe per second", chan(scene ".subscribe_per_s", 1), 0)
	alone("server CPU, us each", chan(scene ".subscribe_cpu_us", 1), 2)
	alone("unsubscribe per second", chan(scene ".unsubscribe_per_s", 1), \
	    0)
	alone("server CPU, us each", chan(scene ".unsubscribe_cpu_us", 1), 2)
}

function storm() {
	print conns " clients drop, come back and recover 20 messages each"
	alone("until all are live, s", chan("storm.live_s", 1), 2)
	alone("server CPU, us per client", chan("storm.live_cpu_us", 1), 2)
	alone("server core busy, %", chan("storm.live_busy_server", 100), 0)
	alone("load generator busy, %", chan("storm.live_busy_load", 100), 0)
	alone("RSS before, KB", chan("storm.rss_before", 1 / 1024), 0)
	alone("RSS at most, KB", chan("storm.rss_peak", 1 / 1024), 0)
	alone("others' latency p99 before, ms", chan("storm.calm_p99_ms", 1), \
	    2)
	alone("others' latency p50, ms", chan("storm.others_p50_ms", 1), 2)
	alone("others' latency p99, ms", chan("storm.others_p99_ms", 1), 2)
	alone("others' latency at most, ms", chan("storm.others_max_ms", 1), \
	    2)
}

function channels() {
	print "fan-out to 1000: history 100 and recovery, beside neither"
	alone("server CPU, us per delivery", chan("hi1k.deliver_cpu_us", 1), \
	    2)
	alone("  without", chan("pl1k.deliver_cpu_us", 1), 2)
	alone("  ratio", chan_ratio("hi1k.deliver_cpu_us", \
	    "pl1k.deliver_cpu_us"), 2, 1.15)
	storm()
	churn("1 connection, 100 channels", "churn1")
	churn("100 connections, 100 channels each", "churn100")
	churn("1 connection, 10000 channels", "churnbig")
	print "100000 publications of 200 bytes kept in 1000 channels"
	alone("overhead, bytes per publication", chan("keep.overhead", 1), 1, \
	    64)
	print "a million publications to a million channels, ttl 1 s"
	alone("to publish them, s", chan("expire.publish_s", 1), 1)
	alone("RSS before, KB", chan("expire.rss_before", 1 / 1024), 0)
	alone("RSS at most, KB", chan("expire.rss_peak", 1 / 1024), 0)
	alone("RSS after, KB", chan("expire.rss_after", 1 / 1024), 0)
	alone("  ratio to before", chan("expire.rss_ratio", 1), 2, 1.25)
	print "delta of JSON documents of 4 KB, 4 changes each"
	alone("encode, MB/s", chan("delta.mb_per_s", 1), 0)
	alone("bytes saved, %", chan("delta.saved", 100), 1)
}

function publishing(title, scene) {
	print title
	row("  requests per second", scene ".publish_per_s", 1, 0)
	row("  server CPU, us per request", scene ".publish_cpu_us", 1, 2)
	print values("  server core busy, %", scene ".publish_busy_server", \
	    100, 0)
	print values("  load generator busy, %", scene ".publish_busy_load", \
	    100, 0)
}

function compared() {
	head()
	fan("fan-out to 1000, one channel", "fan1k", "x")
	fan("fan-out to " conns ", one channel", "fan10k", "x")
	fan(conns " connections over 1000 channels", "chan1k", "")
	two_workers()
	print conns " idle connections, one subscription and a 25 s ping each"
	row("  RSS, bytes per connection", "idle.rss_conn", 1, 0, "<", 1024)
	row("  private, bytes per connection", "idle.private_conn", 1, 0)
	row("  PSS, bytes per connection", "idle.pss_conn", 1, 0)
	row("  kernel (both ends), bytes per conn.", "idle.kernel_conn", 1, 0)
	row("  CPU, us per second and connection", "idle.idle_cpu_us", 1, 2, \
	    "<", 2)
	print values("  pings per connection", "idle.idle_pings", 1, 2)
	print "opening them: handshake, connect, subscribe" \
	    " (yardstick, nchan: handshake only)"
	row("  connections per second", "fan10k.connect_per_s", 1, 0)
	row("  server CPU, us per connection", "fan10k.connect_cpu_us", 1, 2)
	print values("    user space", "fan10k.connect_user_us", 1, 2)
	print values("    kernel", "fan10k.connect_sys_us", 1, 2)
	publishing("publishing by HTTP, 16 connections, no subscriber", "pub0")
	publishing("publishing by HTTP, 16 connections, 1 subscriber", "pub1")
	print "start"
	row("  to listening, ms", "start.start_ms", 1, 1, "<", 10)
	row("  RSS, KB", "idle.rss_start", 1 / 1024, 0, "<", 2048)
	row("  binary, stripped, KB", "size.bytes", 1 / 1024, 0, "<", 1172)
}

function wants(section) {
	return index(" " only " ", " " section " ") > 0
}

END {
	ns = split(servers, name, " ")
	if (wants("servers"))
		compared()
	if (wants("channels"))
		channels()
	if (wants("tls"))
		tls()
	if (wants("ways"))
		ways()
}
