/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Server-Sent Events and HTTP streams with commands by way of /emulation:
 * the answers' heads and framing, sessions on other workers, limits, other
 * sites' pages, ends, and the JavaScript SDK on top.
 */
import { assert, chooser, eventually, need, now, run, sleep, test, token }
	from './harness.mjs';
import { BrowserSocket, Tcp, WAIT } from './wire.mjs';
import { Emulated, EventSourceLike, Stream, lines, query }
	from './stream.mjs';

const { Centrifuge } = need('centrifuge');
const protobuf = need('centrifuge/build/protobuf');

const ON = { sse: { enabled: true }, http_stream: { enabled: true } };
const ORIGIN = 'http://a.example';
const PAGES = { ...ON, client: { allowed_origins: [ORIGIN] },
	init: { enabled: true }, uni_sse: { enabled: true },
	uni_http_stream: { enabled: true } };

const KINDS = ['sse', 'http_stream'];
/* Each test once for either kind. */
function both(name, f, opt) {
	for (const kind of KINDS)
		test(`${kind}_${name}`, (t) => f(t, kind), opt);
}

const CONNECT = { id: 1, connect: {} };

/* ---- framing ---- */

for (const version of ['1.0', '1.1'])
	both(`head_and_bytes_http_${version}`, async (t, kind) => {
		const s = await t.server(ON);
		const st = kind === 'sse' ?
		    await Stream.open(s.port, 'GET',
			`/connection/sse${query(CONNECT)}`, { version }) :
		    await Stream.open(s.port, 'POST', '/connection/http_stream',
			{ body: lines(CONNECT), version });
		assert.equal(st.status, 200);
		assert.equal(st.headers['x-accel-buffering'], 'no');
		assert.match(st.headers['cache-control'], /no-cache, no-store/);
		assert.equal(st.headers['content-type'], kind === 'sse' ?
		    'text/event-stream; charset=utf-8' :
		    'text/plain; charset=utf-8');
		assert.equal(st.headers.connection, 'close');
		assert.equal(st.headers['transfer-encoding'], undefined);
		assert.equal(st.headers['content-length'], undefined);
		assert.equal(st.start, kind === 'sse' ? '\r\n' : '');
		const { connect } = await st.reply(1);
		assert.match(connect.client, /^[0-9a-f-]{36}$/);
		assert.match(connect.node, /^[0-9a-f-]{36}$/);
		assert.match(connect.session, /^\w{34,}$/);
		assert.equal(connect.ping, 25);
		assert.equal(connect.pong, true);
		st.close();
	}, { fugu: true });

both('commands_of_the_first_request', async (t, kind) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const e = await Emulated.open(s, kind, {}, [
		{ id: 2, subscribe: { channel } },
		{ id: 3, publish: { channel, data: { n: 1 } } } ]);
	assert.deepEqual(await e.stream.next(), { id: 2, subscribe: {} });
	const rest = [await e.stream.next(), await e.stream.next()];
	assert.deepEqual(rest.find((m) => m.id === 3), { id: 3, publish: {} });
	assert.deepEqual(rest.find((m) => m.push).push.pub.data, { n: 1 });
	await s.publish(channel, 'from the API');
	assert.equal((await e.stream.push()).pub.data, 'from the API');
	e.close();
});

test('sse_post_begins_one_too', async (t) => {
	const s = await t.server(ON);
	const st = await Stream.open(s.port, 'POST', '/connection/sse',
	    { body: lines(CONNECT) });
	assert.match(st.headers['content-type'], /event-stream/);
	assert.ok((await st.reply(1)).connect);
	st.close();
});

/* Data with line ends of their own must not end an event. */
both('line_ends_in_data', async (t, kind) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const e = await Emulated.open(s, kind, {},
	    [{ id: 2, subscribe: { channel } }]);
	await e.stream.reply(2);
	const r = await s.http('POST', '/api/publish', {
		body: `{"channel":"${channel}","data":{\r\n "a":\r1,\n` +
		    `"b":"c\\r\\nd"}}`,
		headers: { 'X-API-Key': 'e2e-key' } });
	assert.equal(r.status, 200);
	assert.deepEqual((await e.stream.push()).pub.data,
	    { a: 1, b: 'c\r\nd' });
	e.close();
}, { fugu: true });

both('arrives_at_once', async (t, kind) => {
	const s = await t.ownServer(ON);
	const channel = t.channel();
	const e = await Emulated.open(s, kind, {},
	    [{ id: 2, subscribe: { channel } }]);
	await e.stream.reply(2);
	/* A machine that is not idle is asked again. */
	let median = Infinity;
	for (let round = 0; round < 5 && median >= 50; round++) {
		const late = [];
		for (let i = 0; i < 20; i++) {
			const began = performance.now();
			await s.publish(channel, i);
			assert.equal((await e.stream.push()).pub.data, i);
			late.push(performance.now() - began);
		}
		median = late.sort((a, b) => a - b)[10];
	}
	assert.ok(median < 50, `median ${median} ms`);
	e.close();
}, { quiet: true });

/* ---- emulation ---- */

both('commands_find_their_worker', async (t, kind) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const all = await Promise.all(Array.from({ length: 12 }, () =>
	    Emulated.open(s, kind)));
	/* Each command on a connection of its own: any worker may get it. */
	await Promise.all(all.map(async (e, i) => {
		assert.deepEqual((await e.call({ id: 2,
			subscribe: { channel } })).subscribe, {});
		assert.deepEqual((await e.call({ id: 3, publish: { channel,
			data: i } })).publish, {});
		assert.equal((await e.call({ id: 4, history: { channel } }))
		    .error.code, 108);
	}));
	await s.publish(channel, 'all');
	for (const e of all) {
		let p;
		do
			p = await e.stream.push();
		while (p.pub.data !== 'all');
		e.close();
	}
});

test('emulation_answers', async (t) => {
	const s = await t.server(ON);
	const e = await Emulated.open(s, 'sse');
	const { session, node } = e.connect;
	const post = async (body) => (await s.http('POST', '/emulation', {
		body: typeof body === 'string' ? body : JSON.stringify(body),
	})).status;
	const data = lines({ id: 2, ping: {} });
	assert.equal(await post({ session, node: 'other', data }), 404);
	assert.equal(await post({ session, data }), 404);
	/* An unknown session is no different from one that has gone. */
	assert.equal(await post({ session: 'x', node, data }), 204);
	assert.equal(await post({ node, data }), 204);
	const flip = (c) => c === '0' ? '1' : '0';
	assert.equal(await post({ session: session.slice(0, -1) +
	    flip(session.slice(-1)), node, data }), 204);
	assert.equal(await post('nonsense'), 400);
	assert.equal(await post(''), 400);
	assert.equal(await post({ session, node, data: 'x'.repeat(66000) }),
	    413);
	assert.equal((await s.http('GET', '/emulation')).status, 405);
	assert.equal((await s.http('OPTIONS', '/emulation')).status, 204);
	/* None of it has reached the client. */
	assert.equal(await e.stream.text(300), undefined);
	assert.ok(!e.stream.tcp.ended);
	e.close();
});

/* fugu alone: who sends no text is told. */
test('emulation_data_must_be_text', async (t) => {
	const s = await t.server(ON);
	const e = await Emulated.open(s, 'sse');
	const { session, node } = e.connect;
	for (const body of [`[]`, `{"session":1,"node":"${node}"}`,
		`{"session":"${session}","node":"${node}","data":{}}`])
		assert.equal((await s.http('POST', '/emulation', { body }))
		    .status, 400);
	e.close();
}, { fugu: true });

both('malformed_commands_end_it', async (t, kind) => {
	const s = await t.server(ON);
	const e = await Emulated.open(s, kind);
	const { session, node } = e.connect;
	const r = await s.http('POST', '/emulation', { body: JSON.stringify(
	    { session, node, data: '{"id":' }) });
	assert.equal(r.status, 204);
	assert.deepEqual((await e.stream.push()).disconnect,
	    { code: 3501, reason: 'bad request' });
	assert.ok(await e.stream.ended());
});

/* Commands that come while another waits for its answer are not lost. */
both('many_commands_keep_their_order', async (t, kind) => {
	const s = await t.server({ ...ON, channel: { without_namespace: {
		presence: true, allow_presence_for_client: true,
		allow_presence_for_anonymous: true } } });
	const channel = t.channel();
	const e = await Emulated.open(s, kind);
	await e.call({ id: 2, subscribe: { channel } });
	for (let k = 0; k < 10; k++)
		await e.send(...Array.from({ length: 20 }, (_, i) =>
		    ({ id: 100 + k * 20 + i, presence: { channel } })));
	for (let i = 0; i < 200; i++) {
		const m = await e.stream.next();
		assert.equal(m.id, 100 + i);
		assert.equal(Object.keys(m.presence.presence).length, 1);
	}
	e.close();
});

/* ---- beginnings ---- */

test('sse_without_connect', async (t) => {
	const s = await t.server(ON);
	for (const target of ['', '?', '?cf_connect=', '?cf_connect=%4'])
		assert.equal((await s.http('GET', `/connection/sse${target}`))
		    .status, 400, target);
	assert.equal((await s.http('HEAD', '/connection/sse')).status, 405);
	assert.equal((await s.http('GET', '/connection/http_stream')).status,
	    405);
});

both('first_command_must_be_connect', async (t, kind) => {
	const s = await t.server(ON);
	for (const text of ['x', '{}', '[]', lines({ id: 1,
		subscribe: { channel: 'x' } })]) {
		const st = kind === 'sse' ?
		    await Stream.open(s.port, 'GET',
			`/connection/sse${query(text)}`) :
		    await Stream.open(s.port, 'POST', '/connection/http_stream',
			{ body: text });
		assert.equal(st.status, 200);
		assert.equal((await st.push()).disconnect.code, 3501, text);
		assert.ok(await st.ended());
	}
});

both('refused_connects', async (t, kind) => {
	const s = await t.server({ ...ON, client: { stale_close_delay: '1s' } });
	const open = (connect) => {
		const text = lines({ id: 1, connect });
		return kind === 'sse' ? Stream.open(s.port, 'GET',
			`/connection/sse${query(text)}`) :
		    Stream.open(s.port, 'POST', '/connection/http_stream',
			{ body: text });
	};
	let st = await open({ token: token({ sub: 'u', exp: now() - 10 }) });
	assert.equal((await st.reply(1)).error.code, 109);
	assert.equal((await st.push()).disconnect.code, 3502);
	assert.ok(await st.ended());
	st = await open({ token: 'bad' });
	assert.equal((await st.push()).disconnect.code, 3500);
	assert.ok(await st.ended());
});

both('too_large_a_body', async (t, kind) => {
	const s = await t.server({ sse: { enabled: true,
		max_request_body_size: 300 }, http_stream: { enabled: true,
		max_request_body_size: 300 } });
	const post = async (n) => {
		const st = await Stream.open(s.port, 'POST',
		    `/connection/${kind}`, { body: 'x'.repeat(n) });
		st.close();
		return st.status;
	};
	assert.equal(await post(300), 200);
	assert.equal(await post(301), 413);
});

both('limits_on_connections', async (t, kind) => {
	const s = await t.ownServer({ ...ON, client: { connection_limit: 2 } });
	const a = await Emulated.open(s, kind);
	await Emulated.open(s, kind);
	const refused = () => Stream.open(s.port, 'POST', `/connection/${kind}`,
	    { body: lines(CONNECT) }).then((st) => st.status);
	assert.equal(await refused(), 503);
	a.close();
	await eventually(async () => await refused() === 200,
	    'a place becomes free');
}, { fugu: true });

/* ---- pages of other sites ---- */

test('cors_of_all_endpoints', async (t) => {
	const s = await t.server(PAGES);
	const ask = (target, origin, method = 'OPTIONS') => s.http(method,
	    target, { headers: { ...(origin ? { Origin: origin } : {}),
		'Access-Control-Request-Headers': 'content-type, x-a' } });
	for (const [target, methods] of [
		['/connection/http_stream', 'POST, OPTIONS'],
		['/emulation', 'POST, OPTIONS'],
		['/connection/uni_http_stream', 'POST, OPTIONS'],
	]) {
		let r = await ask(target, ORIGIN);
		assert.equal(r.status, 204, target);
		assert.equal(r.headers['access-control-allow-origin'], ORIGIN);
		assert.equal(r.headers['access-control-allow-credentials'],
		    'true');
		assert.equal(r.headers['access-control-allow-headers'],
		    'content-type, x-a');
		assert.equal(r.headers['access-control-allow-methods'],
		    methods);
		assert.equal(r.headers['access-control-max-age'], '300');
		r = await ask(target, 'http://b.example');
		assert.equal(r.status, 204, target);
		assert.equal(r.headers['access-control-allow-origin'],
		    undefined);
		/* A refusal can be read as well. */
		r = await ask(target, ORIGIN, 'GET');
		assert.equal(r.status, 405);
		assert.equal(r.headers['access-control-allow-origin'], ORIGIN);
	}
	let r = await ask('/connection/init', ORIGIN, 'GET');
	assert.equal(r.status, 200);
	assert.equal(r.body, '{}');
	assert.match(r.headers['content-type'], /^application\/json/);
	assert.equal(r.headers['access-control-allow-origin'], ORIGIN);
	r = await ask('/connection/init', ORIGIN);
	assert.equal(r.status, 405);
});

/* A page that is not allowed can't read the stream; it is not refused
 * (only WebSockets are). */
both('other_origins_get_a_stream', async (t, kind) => {
	const s = await t.server(PAGES);
	for (const [origin, allowed] of [[ORIGIN, ORIGIN],
		['http://b.example', undefined]]) {
		const st = await Stream.open(s.port, 'POST',
		    `/connection/${kind}`, { body: lines(CONNECT),
			headers: { Origin: origin } });
		assert.equal(st.status, 200);
		assert.equal(st.headers['access-control-allow-origin'],
		    allowed);
		st.close();
	}
	const r = await s.http('GET', '/connection/websocket', { headers: {
		Origin: 'http://b.example', Upgrade: 'websocket',
		Connection: 'Upgrade', 'Sec-WebSocket-Version': '13',
		'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' } });
	assert.equal(r.status, 403);
});

test('streams_are_off_by_default', async (t) => {
	const s = await t.server();
	for (const path of ['/connection/sse', '/connection/http_stream',
		'/emulation', '/connection/uni_sse', '/connection/init',
		'/connection/uni_http_stream', '/connection/uni_websocket'])
		assert.equal((await s.http('GET', path)).status, 404, path);
});

/* ---- pings and ends ---- */

const FAST = { ...ON, client: { ping_interval: '2s', pong_timeout: '1900ms' } };

both('pings_and_pongs', async (t, kind) => {
	const s = await t.server(FAST);
	const e = await Emulated.open(s, kind);
	for (let i = 0; i < 3; i++) {
		assert.equal(await e.stream.text(), '{}');
		await e.send({});
	}
	assert.equal(await e.stream.text(), '{}');
	assert.deepEqual((await e.stream.push()).disconnect,
	    { code: 3012, reason: 'no pong' });
	assert.ok(await e.stream.ended());
});

both('api_disconnect', async (t, kind) => {
	const s = await t.server(ON);
	const user = t.channel();
	const e = await Emulated.open(s, kind, { token: token({ sub: user }) });
	await s.api('disconnect', { user, disconnect: { code: 4321,
		reason: 'so "it" is' } });
	assert.deepEqual((await e.stream.push()).disconnect,
	    { code: 4321, reason: 'so "it" is' });
	assert.ok(await e.stream.ended());
});

/* A session is a way to name a client to the API. */
both('api_by_session', async (t, kind) => {
	const s = await t.server(ON);
	const user = t.channel();
	const [a, b] = await Promise.all([1, 2].map(() => Emulated.open(s,
	    kind, { token: token({ sub: user }) })));
	await s.api('disconnect', { user, session: a.connect.session });
	assert.equal((await a.stream.push()).disconnect.code, 3503);
	assert.equal(await b.stream.text(300), undefined);
	assert.ok(!b.stream.tcp.ended);
	b.close();
});

both('leaves_when_the_peer_is_gone', async (t, kind) => {
	const s = await t.server({ ...ON, channel: { without_namespace: {
		presence: true } } });
	const channel = t.channel();
	const e = await Emulated.open(s, kind, {},
	    [{ id: 2, subscribe: { channel } }]);
	await e.stream.reply(2);
	const count = async () => (await s.api('presence_stats', { channel }))
	    .result.num_clients;
	assert.equal(await count(), 1);
	e.close();
	await eventually(async () => await count() === 0, 'it has left');
});

both('drained_by_sigterm', async (t, kind) => {
	const s = await t.ownServer(ON);
	const all = await Promise.all(Array.from({ length: 5 }, () =>
	    Emulated.open(s, kind)));
	const stopped = s.stop();
	for (const e of all) {
		assert.equal((await e.stream.push()).disconnect.code, 3001);
		assert.ok(await e.stream.ended());
	}
	await stopped;
}, { fugu: true });

/* Who does not read is cut, and harms nobody. */
both('slow_readers_are_cut', async (t, kind) => {
	const s = await t.ownServer({ ...ON, client:
	    { queue_max_size: 65536 } });
	const channel = t.channel();
	const [slow, quick] = await Promise.all([1, 2].map(() =>
	    Emulated.open(s, kind, {}, [{ id: 2, subscribe: { channel } }])));
	await slow.stream.reply(2);
	await quick.stream.reply(2);
	slow.stream.tcp.sock.pause();
	const big = 'x'.repeat(50000);
	let n = 0;
	await eventually(async () => {
		for (let i = 0; i < 20; i++, n++) {
			await s.publish(channel, big + n);
			assert.equal((await quick.stream.push()).pub.data,
			    big + n);
		}
		return await s.metric(
		    'centrifugo_client_num_server_disconnects',
		    { code: '3008' }) > 0 || await s.metric(
		    'centrifugo_client_num_server_disconnects',
		    { code: '3009' }) > 0;
	}, 'it is sent away', 60000);
	slow.close();
	quick.close();
}, { fugu: true });

/* Many come and go at any point of a stream's life; nothing of them stays. */
test('streams_in_disorder', async (t) => {
	const s = await t.ownServer({ ...ON, uni_sse: { enabled: true },
		uni_http_stream: { enabled: true, connect_code_to_http_response:
		    { enabled: true } }, client: { user_connection_limit: 50 },
		channel: { without_namespace: { presence: true,
		    join_leave: true } } });
	const channel = t.channel();
	const c = chooser(42);
	const user = () => ({ token: token({ sub: `u${c.below(3)}`,
		channels: [channel] }) });
	const one = async () => {
		const kind = c.of([...KINDS, 'uni_sse', 'uni_http_stream']);
		const request = user();
		const body = kind.startsWith('uni') ? JSON.stringify(request) :
		    lines({ id: 1, connect: request },
			{ id: 2, publish: { channel, data: 'x' } });
		const tcp = await Tcp.open(s.port);
		const text = `POST /connection/${kind} HTTP/1.1\r\n` +
		    `Host: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
		const cut = c.below(4) === 0;
		tcp.send(cut ? text.slice(0, c.below(text.length)) : text);
		if (c.below(4) !== 0)
			await tcp.until(() => tcp.buf.includes('"connect":') ||
			    undefined, cut ? 100 : WAIT);
		const m = tcp.buf.toString().match(
		    /"session":"(\w+)","node":"([\w-]+)"/);
		for (let n = m ? c.below(4) : 0; n > 0; n--)
			s.http('POST', '/emulation', { body: JSON.stringify({
				session: m[1], node: m[2], data: c.of([
				    lines({ id: 9, presence: { channel } },
					{ id: 10, unsubscribe: { channel } }),
				    lines({ id: 9, subscribe: {
					channel: `${channel}${c.below(9)}` } }),
				    'x', '{}', '', '\n']) }) }).catch(() => {});
		if (c.below(2) === 0)
			await sleep(c.below(20));
		if (c.below(3) === 0)
			tcp.send('GET / HTTP/1.1\r\n\r\n');
		tcp.close();
	};
	for (let i = 0; i < 20; i++) {
		await Promise.all(Array.from({ length: 20 }, one));
		await s.api('publish', { channel, data: i });
		if (i % 5 === 4)
			await s.api('disconnect', { user: `u${i % 3}` });
	}
	await eventually(async () => await s.metric(
	    'centrifugo_node_num_clients') === 0 && (await s.api(
	    'presence_stats', { channel })).result.num_clients === 0,
	    'all have left');
	const e = await Emulated.open(s, 'sse');
	e.close();
}, { fugu: true });

/* ---- the SDK ---- */

const endpoint = (s, kind) => `http://127.0.0.1:${s.port}/connection/${kind}`;

function client(t, s, transports, opt = {}, Class = Centrifuge) {
	const c = new Class(transports.map((transport) => ({ transport,
		endpoint: transport === 'websocket' ? s.ws() :
		    endpoint(s, transport) })), {
		websocket: BrowserSocket, eventsource: EventSourceLike, fetch,
		readableStream: ReadableStream, emulationEndpoint:
		    `http://127.0.0.1:${s.port}/emulation`,
		minReconnectDelay: 20, maxReconnectDelay: 200, timeout: 15000,
		...opt });
	c.transports = [];
	c.on('connected', (ctx) => c.transports.push(ctx.transport));
	t.after(() => c.disconnect());
	return c;
}

async function subscribed(c, channel, opt) {
	const sub = c.newSubscription(channel, opt);
	sub.got = [];
	sub.on('publication', (ctx) => sub.got.push(ctx.data));
	sub.subscribe();
	await sub.ready(WAIT);
	return sub;
}

both('sdk', async (t, kind) => {
	const s = await t.server({ ...ON, channel: { without_namespace: {
		presence: true, history_size: 10, history_ttl: '60s',
		force_recovery: true, allow_presence_for_client: true,
		allow_history_for_client: true } } });
	const c = client(t, s, [kind], { token: token({ sub: 'ann' }) });
	c.connect();
	await c.ready(WAIT);
	assert.deepEqual(c.transports, [kind]);
	const channel = t.channel();
	const sub = await subscribed(c, channel);
	await sub.publish({ n: 1 });
	await c.publish(channel, 'two \u00e9 \u{1f421}\r\n');
	await s.api('publish', { channel, data: [3] });
	await eventually(() => sub.got.length >= 3, 'three publications');
	assert.deepEqual(sub.got, [{ n: 1 }, 'two \u00e9 \u{1f421}\r\n', [3]]);
	const { clients } = await sub.presence();
	assert.equal(Object.values(clients)[0].user, 'ann');
	assert.equal((await sub.history({ limit: 10 })).publications.length,
	    3);
	await assert.rejects(c.rpc('x', {}), { code: 108 });
	sub.unsubscribe();
	await s.api('publish', { channel, data: 4 });
	await sleep(100);
	assert.equal(sub.got.length, 3);
});

/* Commands and replies in protobuf, by the body's type. */
test('http_stream_sdk_protobuf', async (t) => {
	const s = await t.server({ ...ON, channel: { without_namespace: {
		presence: true, publication_data_format: 'binary',
		allow_presence_for_client: true } } });
	const c = client(t, s, ['http_stream'], { token: token({ sub: 'ann' }) },
	    protobuf.Centrifuge);
	c.connect();
	await c.ready(WAIT);
	const channel = t.channel();
	const all = [await subscribed(c, channel)];
	for (let i = 0; i < 4; i++) {
		const other = client(t, s, ['http_stream'], {},
		    protobuf.Centrifuge);
		other.connect();
		all.push(await subscribed(other, channel));
	}
	const bytes = Uint8Array.from({ length: 700 }, (_, i) => i);
	await all[0].publish(bytes);
	await all[1].publish(Uint8Array.of(0));
	for (const sub of all) {
		await eventually(() => sub.got.length >= 2, 'two');
		assert.deepEqual(Buffer.from(sub.got[0]), Buffer.from(bytes));
		assert.deepEqual(Buffer.from(sub.got[1]), Buffer.of(0));
	}
	assert.equal((await all[0].presenceStats()).numClients, 5);
	await assert.rejects(c.rpc('x', new Uint8Array()), { code: 108 });
});

test('http_stream_protobuf_pings', async (t) => {
	const s = await t.server(FAST);
	const c = client(t, s, ['http_stream'], {}, protobuf.Centrifuge);
	c.connect();
	await c.ready(WAIT);
	await sleep(7500);
	assert.equal(c.state, 'connected');
	assert.deepEqual(c.transports, ['http_stream']);
});

test('http_stream_protobuf_bytes', async (t) => {
	const s = await t.server(FAST);
	/* Behind their lengths: Command{id 1, connect {}}, and a reply. */
	const st = await Stream.open(s.port, 'POST', '/connection/http_stream',
	    { body: Buffer.from([4, 8, 1, 0x22, 0]), headers:
		{ 'Content-Type': 'application/octet-stream' } });
	assert.equal(st.headers['content-type'], 'application/octet-stream');
	const take = (n) => st.tcp.until(() => st.tcp.buf.length >= n ?
	    st.tcp.take(n) : undefined, WAIT);
	const [n, b1] = await take(2);
	const rest = await take(b1 & 0x80 ? 0 : n - 1);
	assert.deepEqual([b1, rest[0]], [8, 1]);
	/* A ping is a message of no bytes. */
	assert.deepEqual([...await take(1)], [0]);
	st.close();
}, { fugu: true });

both('sdk_1000_messages_in_order', async (t, kind) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const c = client(t, s, [kind]);
	c.connect();
	const sub = await subscribed(c, channel);
	for (let i = 0; i < 1000; i += 50)
		await Promise.all(Array.from({ length: 50 }, (_, k) =>
		    s.publish(channel, i + k)));
	await eventually(() => sub.got.length >= 1000, '1000 publications',
	    20000);
	assert.deepEqual([...sub.got].sort((a, b) => a - b),
	    Array.from({ length: 1000 }, (_, i) => i));
});

both('sdk_pings', async (t, kind) => {
	const s = await t.server(FAST);
	const c = client(t, s, [kind]);
	c.connect();
	await c.ready(WAIT);
	await sleep(7500);
	assert.equal(c.state, 'connected');
	assert.deepEqual(c.transports, [kind]);
}, { fugu: true });

both('sdk_comes_back_and_recovers', async (t, kind) => {
	const s = await t.ownServer(ON);
	const channel = t.channel();
	const c = client(t, s, [kind]);
	c.connect();
	const sub = await subscribed(c, channel);
	const again = new Promise((r) => c.once('connecting', r));
	s.proc.kill('SIGKILL');
	await s.exited;
	await again;
	s.status = undefined;
	await s.start(s.port);
	await c.ready(WAIT);
	await sub.ready(WAIT);
	await s.publish(channel, 'here again');
	await eventually(() => sub.got.length > 0, 'a publication');
	assert.deepEqual(c.transports, [kind, kind]);
}, { fugu: true });

/* A way that is blocked: the SDK goes on to the next. */
both('sdk_falls_back', async (t, kind) => {
	const s = await t.server({ ...ON, websocket: { disabled: true } });
	const c = client(t, s, ['websocket', kind]);
	c.connect();
	const sub = await subscribed(c, t.channel());
	await sub.publish(1);
	await eventually(() => sub.got.length > 0, 'a publication');
	assert.deepEqual(c.transports, [kind]);
});

await run();
