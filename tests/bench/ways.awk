# SPDX-License-Identifier: ISC
# Copyright (c) 2026 The fugu authors
#
# The sections of the table about TLS and the other ways in; see table.awk.

# Figures of two servers and the ratio within a round.
function pair(label, figure, a, b, scale, digits,    x, y) {
	x = of(figure, a)
	y = of(figure, b)
	return sprintf("%-38s %10s %10s %10s", label, \
	    cell(x == "" ? x : x * scale, digits), \
	    cell(y == "" ? y : y * scale, digits), cell(ratio(figure, a, b), 2))
}

function shake(label, scene) {
	print pair("  " label, scene ".shake_cpu_us", "tlsfugu", "tlsnchan", \
	    1, 0)
}

function shakes_per_core(label, scene) {
	print pair("  " label, scene ".shake_per_core_s", "tlsfugu", \
	    "tlsnchan", 1, 0)
}

function tls_fan(title, scene, digits,    f) {
	f = scene ".deliver_cpu_us"
	printf "%-38s %10s %10s %10s\n", title, "TLS", "plain", "TLS/plain"
	print pair_of("  fugu", f, "tlsfugu", "fugu")
	print pair_of("  nchan", f, "tlsnchan", "nchan")
	alone("ratio, both with TLS", ratio(f, "tlsfugu", "tlsnchan"), 2)
	alone("latency p99 of fugu with TLS, ms", of(scene ".p99_ms", \
	    "tlsfugu"), 2)
}

function pair_of(label, figure, a, b) {
	return pair(label, figure, a, b, 1, 2)
}

function tls(    x) {
	printf "%-38s %10s %10s %10s\n", "TLS", "fugu", "nginx", "ratio"
	print pair("memory of an idle connection, bytes", \
	    "tlsidle.rss_conn", "tlsfugu", "tlsnchan", 1, 0) \
	    verdict_of("tlsidle.rss_conn", "tlsfugu", 5632)
	print "server CPU per handshake, us, its TCP connection included"
	shake("P-256 key, X25519, full", "full-ec256")
	shake("P-256 key, P-256, full", "full-p256")
	shake("P-384 key, X25519, full", "full-ec384")
	shake("RSA 2048 key, X25519, full", "full-rsa2048")
	shake("RSA 4096 key, X25519, full", "full-rsa4096")
	shake("P-256 key, resumed", "again-ec256")
	shake("RSA 2048 key, resumed", "again-rsa2048")
	shake("P-256 key, TLS 1.3, full", "shake13")
	print "handshakes per second and core"
	shakes_per_core("P-256 key, X25519, full", "full-ec256")
	shakes_per_core("RSA 2048 key, X25519, full", "full-rsa2048")
	shakes_per_core("P-256 key, resumed", "again-ec256")
	shakes_per_core("RSA 2048 key, resumed", "again-rsa2048")
	tls_fan("fan-out to 1000, us per delivery", "tlsfan")
	tls_fan("fan-out of 16 KB to 200, us per delivery", "tlsbulk")
}

function verdict_of(figure, server, limit,    x) {
	x = of(figure, server)
	return x == "" ? "  not measured" : \
	    sprintf("  <= %s %s", limit, x <= limit ? "ok" : "MISSED")
}

function way(label, id,    s) {
	s = "way-" id
	printf "%-30s %8s %8s %8s %8s %10s\n", "  " label, \
	    cell(of(s ".deliver_cpu_us", "ways"), 2), \
	    cell(way_ratio(s), 2), cell(of(s ".p50_ms", "ways"), 1), \
	    cell(of(s ".p99_ms", "ways"), 1), cell(of(s ".rss_conn", "ways"), 0)
}

# Of CPU, to the way that is first, each round by itself.
function way_ratio(s,    v, n, r, f) {
	n = 0
	f = ".deliver_cpu_us"
	for (r = 1; r <= rounds; r++)
		if ((s f, "ways", r) in val && ("way-ws" f, "ways", r) in val)
			v[++n] = val[s f, "ways", r] / \
			    val["way-ws" f, "ways", r]
	return median(v, n)
}

function zipped(label, scene, server) {
	printf "  %-36s %10s\n", label, \
	    cell(of(scene ".deliver_cpu_us", server), 2)
}

function proxied(label, scene, server) {
	printf "  %-36s %10s %10s %10s\n", label, \
	    cell(of(scene ".deliver_cpu_us", server), 2), \
	    cell(of(scene ".p50_ms", server), 2), \
	    cell(of(scene ".p99_ms", server), 2)
}

function ways() {
	printf "%-30s %8s %8s %8s %8s %10s\n", "fan-out to " conns \
	    " by", "us each", "ratio", "p50 ms", "p99 ms", "bytes/conn"
	way("WebSocket, JSON", "ws")
	way("WebSocket, protobuf", "ws-pb")
	way("SSE", "sse")
	way("HTTP stream, JSON", "http")
	way("HTTP stream, protobuf", "http-pb")
	way("one-way WebSocket", "uni-ws")
	way("one-way SSE", "uni-sse")
	way("one-way HTTP stream", "uni-http")
	print "broadcast of 1 KB of JSON to " conns ", us per delivery"
	zipped("fugu, permessage-deflate", "zip", "ways")
	zipped("fugu", "nozip", "ways")
	zipped("nchan", "nozip", "nchan")
	printf "%-38s %10s %10s %10s\n", "SSE, fan-out to 2000", "us each", \
	    "p50 ms", "p99 ms"
	proxied("fugu", "sse-direct", "ways")
	proxied("fugu behind nginx", "sse-proxied", "front")
	proxied("that nginx", "sse-proxy", "front")
}
