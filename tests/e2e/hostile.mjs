/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * HTTP from those who mean no good: slow heads and bodies, requests made to
 * be read differently by a proxy in front, limits; and pipelining, which is
 * fair. The raw bytes are what counts, so no HTTP client is used.
 */
import fs from 'node:fs';
import { API_KEY, assert, eventually, run, sleep, test } from './harness.mjs';
import { OP, TLS, Tcp, Wire, frame, handshake } from './wire.mjs';

/* Short for those who dawdle, and long enough for a handshake of TLS among a
 * hundred others. */
const SHORT = { http_server: { header_timeout: '3s', body_timeout: '3s',
	idle_timeout: '4s' } };

const HOST = 'Host: 127.0.0.1\r\n';
const KEY = `X-API-Key: ${API_KEY}\r\n`;
const BODY = '{"channel":"x","data":1}';

/* Statuses of all answers until the peer closes or is quiet. */
async function statuses(t, ms) {
	const all = await t.all(ms);
	return [...all.matchAll(/(?:^|\r\n\r\n.*?)HTTP\/1\.1 (\d{3})/gs)]
	    .map((m) => Number(m[1]));
}

/* --- what a proxy might read differently: one answer, 400, and the end --- */

const post = (headers, body = '') =>
	`POST /api/publish HTTP/1.1\r\n${HOST}${KEY}${headers}\r\n${body}`;
const LEN = `Content-Length: ${BODY.length}\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const SMUGGLED = 'GET /health HTTP/1.1\r\n' + HOST + '\r\n';

for (const [name, text, fugu = false] of [
	['length_and_chunked', post(LEN + CHUNKED, '0\r\n\r\n'), true],
	['chunked_and_length', post(CHUNKED + LEN, '0\r\n\r\n'), true],
	['two_lengths', post('Content-Length: 24\r\nContent-Length: 0\r\n',
	    BODY)],
	['length_list', post('Content-Length: 24, 0\r\n', BODY)],
	['length_with_plus', post('Content-Length: +24\r\n', BODY)],
	['length_negative', post('Content-Length: -1\r\n', BODY)],
	['length_hex', post('Content-Length: 0x18\r\n', BODY)],
	['length_empty', post('Content-Length: \r\n', BODY)],
	['length_overflow',
	    post('Content-Length: 18446744073709551640\r\n', BODY)],
	['space_before_colon', post('Content-Length : 24\r\n', BODY)],
	['folded_header', post(`X: a\r\n b\r\n${LEN}`, BODY), true],
	['folded_first_header', 'GET /health HTTP/1.1\r\n ' + HOST + '\r\n'],
	['bare_lf', 'GET /health HTTP/1.1\nHost: x\n\n', true],
	['bare_lf_after_header', `GET /health HTTP/1.1\r\n${HOST}X: y\n\r\n`,
	    true],
	['bare_cr_in_value', `GET /health HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n`],
	['nul_in_value', `GET /health HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
	['header_without_colon', `GET /health HTTP/1.1\r\n${HOST}Xy\r\n\r\n`],
	['header_without_name', `GET /health HTTP/1.1\r\n${HOST}: y\r\n\r\n`],
	['header_name_not_a_token',
	    `GET /health HTTP/1.1\r\n${HOST}X(y): z\r\n\r\n`],
	['two_hosts', `GET /health HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`],
	['no_host', 'GET /health HTTP/1.1\r\n\r\n'],
	['two_spaces', `GET  /health HTTP/1.1\r\n${HOST}\r\n`],
	['tab_for_space', `GET\t/health HTTP/1.1\r\n${HOST}\r\n`],
	['space_first', ` GET /health HTTP/1.1\r\n${HOST}\r\n`],
	['http_0_9', 'GET /health\r\n\r\n'],
	['control_byte_in_target', `GET /hea\x01lth HTTP/1.1\r\n${HOST}\r\n`],
	['not_http', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
	['chunk_size_bad', post(CHUNKED, `zz\r\n${BODY}\r\n0\r\n\r\n`), true],
	['chunk_size_negative', post(CHUNKED, `-1\r\n${BODY}\r\n0\r\n\r\n`), true],
	['chunk_size_0x', post(CHUNKED, `0x18\r\n${BODY}\r\n0\r\n\r\n`), true],
	['chunk_size_overflow',
	    post(CHUNKED, `10000000000000018\r\n${BODY}\r\n0\r\n\r\n`), true],
	['chunk_size_space', post(CHUNKED, `18 \r\n${BODY}\r\n0\r\n\r\n`),
	    true],
	['chunk_without_crlf', post(CHUNKED, `18\r\n${BODY}XX0\r\n\r\n`), true],
	['chunk_bare_lf', post(CHUNKED, `18\n${BODY}\n0\n\n`), true],
])
	test(`smuggling_${name}_400`, async (t) => {
		const s = await t.server();
		const c = await Tcp.open(s.port);
		c.send(Buffer.from(text + SMUGGLED, 'latin1'));
		const got = await statuses(c);
		c.close();
		assert.deepEqual(got, [400], 'answers');
		assert.ok(c.ended, 'still open');
	}, { fugu });

for (const [name, headers, status] of [
	['gzip_chunked', 'Transfer-Encoding: gzip, chunked\r\n', 501],
	['chunked_twice', 'Transfer-Encoding: chunked, chunked\r\n', 400],
	['chunked_not_last', 'Transfer-Encoding: chunked, gzip\r\n', 400],
	['identity', 'Transfer-Encoding: identity\r\n', 501],
	['unknown', 'Transfer-Encoding: xchunked\r\n', 501],
])
	test(`transfer_encoding_${name}_refused`, async (t) => {
		const s = await t.server();
		const c = await Tcp.open(s.port);
		c.send(post(headers, '0\r\n\r\n' + SMUGGLED));
		const got = await statuses(c);
		c.close();
		assert.equal(got.length, 1, `answers ${got}`);
		assert.ok([400, 501].includes(got[0]), `${got} (${status})`);
		assert.ok(c.ended, 'still open');
	});

/* --- limits --- */

for (const [name, text, status, fugu = false] of [
	['target_too_long', `GET /${'a'.repeat(70000)} HTTP/1.1\r\n${HOST}\r\n`,
	    414, true],
	['header_too_long', `GET /health HTTP/1.1\r\n${HOST}` +
	    `X: ${'a'.repeat(70000)}\r\n\r\n`, 431, true],
	['too_many_headers', `GET /health HTTP/1.1\r\n${HOST}` +
	    'X: y\r\n'.repeat(5000) + '\r\n', 431, true],
	['version_2', `GET /health HTTP/2.0\r\n${HOST}\r\n`, 505],
	['post_without_length', `POST /api/publish HTTP/1.1\r\n${HOST}${KEY}` +
	    '\r\n', 411, true],
	['expectation_unknown', post(`Expect: tea\r\n${LEN}`, BODY), 417],
])
	test(`limit_${name}_${status}`, async (t) => {
		const s = await t.server();
		const c = await Tcp.open(s.port);
		c.send(text);
		const r = await c.response();
		c.close();
		assert.equal(r?.status, status);
	}, { fugu });

test('a_method_not_allowed_says_which_are', async (t) => {
	const s = await t.server();
	for (const [path, allow] of [['/api/publish', 'POST'],
	    ['/connection/websocket', 'GET']]) {
		const r = await s.http('DELETE', path);
		assert.equal(r.status, 405, path);
		assert.ok(r.headers.allow?.split(/, */).includes(allow),
		    `${path}: ${r.headers.allow}`);
	}
}, { fugu: true });

/* --- slowness --- */

test('silent_connection_is_closed', async (t) => {
	const s = await t.server(SHORT);
	const began = Date.now();
	const c = await Tcp.open(s.port);
	assert.ok(await c.gone(), 'still open');
	assert.ok(Date.now() - began > 2900);
	c.close();
}, { fugu: true });

test('slow_head_is_closed', async (t) => {
	const s = await t.server(SHORT);
	const c = await Tcp.open(s.port);
	const began = Date.now();
	const drip = setInterval(() => c.send('X'), 100);
	c.send('GET /health HTTP/1.1\r\n');
	const got = await statuses(c);
	clearInterval(drip);
	assert.ok(c.ended, 'still open');
	assert.ok(Date.now() - began < 8000, 'took too long');
	assert.ok(got.length === 0 || got[0] === 408, `answer ${got}`);
	c.close();
}, { fugu: true });

for (const [name, headers, drip] of [['length', 'Content-Length: 1000\r\n',
    'a'], ['chunked', CHUNKED, '1\r\na\r\n']])
	test(`slow_body_with_${name}_is_closed`, async (t) => {
		const s = await t.server(SHORT);
		const c = await Tcp.open(s.port);
		const began = Date.now();
		c.send(post(headers));
		const timer = setInterval(() => c.send(drip), 100);
		const got = await statuses(c);
		clearInterval(timer);
		assert.ok(c.ended, 'still open');
		assert.ok(Date.now() - began < 8000, 'took too long');
		assert.ok(got.length === 0 || got[0] === 408, `answer ${got}`);
		c.close();
	}, { fugu: true });

test('idle_keep_alive_is_closed', async (t) => {
	const s = await t.server(SHORT);
	const c = await Tcp.open(s.port);
	const began = Date.now();
	c.send(SMUGGLED);
	assert.equal((await c.response()).status, 200);
	assert.ok(await c.gone(), 'still open');
	assert.ok(Date.now() - began > 3900);
	c.close();
}, { fugu: true });

test('websocket_outlives_the_http_time_outs', async (t) => {
	const s = await t.server(SHORT);
	const w = await s.connected();
	assert.equal(await w.closed(5500), undefined);
	await w.call({ id: 2, rpc: {} });
	w.close();
}, { fugu: true });

test('hundred_slow_ones_do_not_keep_others_out', async (t) => {
	const s = await t.server(SHORT);
	const slow = await Promise.all(Array.from({ length: 100 }, async () => {
		const c = await Tcp.open(s.port);
		c.send('GET /health HTTP/1.1\r\nX');
		return c;
	}));
	for (let i = 0; i < 20; i++) {
		const began = Date.now();
		assert.ok(await s.health());
		assert.ok(Date.now() - began < 3000);
	}
	for (const c of slow) {
		assert.ok(await c.gone());
		c.close();
	}
}, { fugu: true });

test('a_peer_that_does_not_read_its_answers_is_closed', async (t) => {
	const s = await t.ownServer(SHORT);
	const c = await Tcp.open(s.port);
	/* The server's end of it; 01: established. */
	const at = (port) => '0100007F:' +
	    port.toString(16).toUpperCase().padStart(4, '0');
	const row = `${at(s.port)} ${at(c.raw.localPort)} 01 `;
	const open = () => fs.readFileSync('/proc/net/tcp', 'latin1')
	    .includes(row);
	c.sock.pause();
	c.sock.write(`GET /metrics HTTP/1.1\r\n${HOST}\r\n`.repeat(5000));
	assert.ok(open(), 'it is open');
	await eventually(() => !open(), 'it is closed', 30000);
	c.close();
}, { fugu: true });

/* --- pipelining and keep-alive --- */

test('pipelined_requests_are_answered_in_order', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	const one = post(LEN, BODY);
	const bad = post('Content-Length: 2\r\n', '{}');
	c.send((one + bad + SMUGGLED +
	    `GET /nope HTTP/1.1\r\n${HOST}\r\n`).repeat(10));
	for (let i = 0; i < 10; i++) {
		assert.equal((await c.response()).body, '{"result":{}}');
		assert.match((await c.response()).body, /107/);
		assert.equal((await c.response()).body, '{}');
		assert.equal((await c.response()).status, 404);
	}
	c.close();
});

test('pipelined_byte_by_byte', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	for (const b of Buffer.from(post(LEN, BODY) + post(CHUNKED,
	    `18;a=b\r\n${BODY}\r\n0\r\nT: x\r\n\r\n`) + SMUGGLED)) {
		c.send(Buffer.from([b]));
		if (b === 10)
			await sleep(1);
	}
	assert.equal((await c.response()).body, '{"result":{}}');
	assert.equal((await c.response()).body, '{"result":{}}');
	assert.equal((await c.response()).body, '{}');
	c.close();
});

test('pipelined_after_a_head_request', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	c.send(SMUGGLED.replace('GET', 'HEAD') + SMUGGLED);
	const r = await c.response(undefined, { head: true });
	assert.equal(r.status, 200);
	assert.equal((await c.response()).body, '{}');
	c.close();
});

test('connection_close_closes', async (t) => {
	const s = await t.server();
	for (const text of [
	    `GET /health HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
	    'GET /health HTTP/1.0\r\n\r\n']) {
		const c = await Tcp.open(s.port);
		c.send(text);
		assert.equal((await c.response()).status, 200);
		assert.ok(await c.gone());
		c.close();
	}
});

test('http_1_0_keep_alive', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	for (let i = 0; i < 2; i++) {
		c.send('GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
		assert.equal((await c.response()).status, 200);
	}
	c.close();
});

test('expect_100_continue', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	c.send(post(`${LEN}Expect: 100-continue\r\n`));
	assert.equal((await c.response()).status, 100);
	c.send(BODY);
	assert.equal((await c.response()).body, '{"result":{}}');
	c.close();
});

test('empty_lines_before_a_request_are_skipped', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	c.send(SMUGGLED + '\r\n' + SMUGGLED);
	assert.equal((await c.response()).status, 200);
	assert.equal((await c.response()).status, 200);
	c.close();
}, { fugu: true });

test('absolute_target', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	c.send(`GET http://127.0.0.1/health HTTP/1.1\r\n${HOST}\r\n`);
	assert.equal((await c.response()).status, 200);
	c.close();
});

test('frames_sent_with_the_handshake_are_not_lost', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	c.send(Buffer.concat([Buffer.from(handshake(s.port,
	    { key: 'AAAAAAAAAAAAAAAAAAAAAA==' })),
	    frame(OP.TEXT, '{"id":1,"connect":{}}')]));
	const r = await c.response();
	assert.equal(r.status, 101);
	const w = Object.assign(new Wire(), { tcp: c, lines: [], pings: 0 });
	assert.ok((await w.reply()).connect);
	c.close();
}, { fugu: true });

/* Not over TLS: who has said that it ends gets the same back at once, and
 * nothing else (RFC 5246, 7.2.1). */
if (!TLS) test('half_closed_after_the_request_is_still_answered', async (t) => {
	const s = await t.server();
	const c = await Tcp.open(s.port);
	c.send(post(LEN, BODY));
	c.sock.end();
	assert.equal((await c.response())?.body, '{"result":{}}');
	c.close();
});

test('garbage_harms_nobody', async (t) => {
	const s = await t.server();
	let seed = 12345;
	const random = () => (seed = (seed * 1103515245 + 12345) >>> 0) >>> 8;
	const base = [SMUGGLED, post(LEN, BODY), post(CHUNKED,
	    `18\r\n${BODY}\r\n0\r\n\r\n`)];
	for (let i = 0; i < 150; i++) {
		const b = Buffer.from(base[i % 3], 'latin1');
		for (let k = random() % 4 + 1; k; k--)
			b[random() % b.length] = random() & 255;
		const c = await Tcp.open(s.port);
		c.send(b);
		c.sock.end();
		await c.gone(300);
		c.close();
	}
});

await run();
