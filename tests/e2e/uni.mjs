/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The one-way transports: connect by URL, body or first message, bare
 * pushes, pings, errors that become disconnects or statuses, ends.
 */
import { IS_FUGU, assert, eventually, now, run, test, token }
	from './harness.mjs';
import { OP, WAIT, Wire } from './wire.mjs';
import { Stream, query } from './stream.mjs';

const KINDS = ['uni_websocket', 'uni_sse', 'uni_http_stream'];
const ON = Object.fromEntries(KINDS.map((k) => [k, { enabled: true }]));

/* One client: pushes are what next() gives, pings left out. */
class Uni {
	static async open(s, kind, request = {}, opt = {}) {
		const u = new Uni();
		const path = `/connection/${kind}`;
		const body = JSON.stringify(request);
		u.kind = kind;
		if (kind === 'uni_websocket') {
			u.wire = await Wire.open(s.port, { path,
				autoPong: false, ...opt });
			u.wire.text(body);
		} else {
			u.stream = await Stream.open(s.port, 'POST', path,
			    { body, ...opt });
			assert.equal(u.stream.status, 200);
		}
		return u;
	}
	async next(ms) {
		const m = this.wire ? await this.wire.reply(ms) :
		    await this.stream.next(ms);
		return m;
	}
	async connected() {
		const m = await this.next();
		assert.deepEqual(Object.keys(m ?? {}), ['connect']);
		return m.connect;
	}
	/* The disconnect push, and the end with the same code. */
	async ended() {
		const m = await this.next();
		assert.deepEqual(Object.keys(m ?? {}), ['disconnect']);
		if (this.wire) {
			const c = await this.wire.closed();
			assert.deepEqual(c, m.disconnect);
		} else {
			assert.ok(await this.stream.ended());
		}
		return m.disconnect;
	}
	close() {
		(this.wire || this.stream).close();
	}
}

/* Each test once for each kind. */
function each(name, f, opt) {
	for (const kind of KINDS)
		test(`${kind}_${name}`, (t) => f(t, kind), opt);
}

const by = (user, more) => token({ sub: user, ...more });

/* ---- connect and pushes ---- */

each('connect_push', async (t, kind) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const u = await Uni.open(s, kind, { token: by('ann',
	    { channels: [channel] }), name: 'test', data: { a: 1 } });
	const c = await u.connected();
	assert.match(c.client, /^[0-9a-f-]{36}$/);
	assert.match(c.session, /^[0-9a-f-]{34,}$/);
	assert.deepEqual(c.subs, { [channel]: {} });
	assert.equal(c.ping, 25);
	assert.equal(c.pong, undefined);
	assert.equal(c.node, undefined);
	await s.publish(channel, { n: 1 });
	assert.deepEqual(await u.next(), { channel, pub: { data: { n: 1 } } });
	u.close();
});

each('anonymous', async (t, kind) => {
	const s = await t.server(ON);
	const u = await Uni.open(s, kind);
	assert.ok((await u.connected()).client);
	u.close();
});

each('server_side_changes', async (t, kind) => {
	const s = await t.server(ON);
	const user = t.channel('u');
	const channel = t.channel();
	const u = await Uni.open(s, kind, { token: by(user) });
	await u.connected();
	await s.api('subscribe', { user, channel });
	assert.deepEqual(await u.next(), { channel, subscribe: {} });
	await s.publish(channel, 'x');
	assert.deepEqual(await u.next(), { channel, pub: { data: 'x' } });
	await s.api('unsubscribe', { user, channel });
	assert.deepEqual(await u.next(), { channel, unsubscribe:
	    { code: 2000, reason: 'server unsubscribe' } });
	await s.api('refresh', { user, expire_at: now() + 100 });
	assert.equal((await u.next()).refresh.expires, true);
	u.close();
});

each('recovers_by_subs', async (t, kind) => {
	const s = await t.server({ ...ON, channel: { without_namespace: {
		history_size: 10, history_ttl: '60s',
		force_recovery: true } } });
	const channel = t.channel();
	const join = (subs) => Uni.open(s, kind, { token: by('ann',
	    { channels: [channel] }), subs });
	let u = await join();
	const { epoch } = (await u.connected()).subs[channel];
	u.close();
	for (let n = 1; n <= 3; n++)
		await s.api('publish', { channel, data: n });
	u = await join({ [channel]: { recover: true, epoch, offset: 1 } });
	const sub = (await u.connected()).subs[channel];
	assert.equal(sub.recovered, true);
	assert.deepEqual(sub.publications.map((p) => p.data), [2, 3]);
	u.close();
});

each('data_with_line_ends', async (t, kind) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const u = await Uni.open(s, kind, { token: by('ann',
	    { channels: [channel] }) });
	await u.connected();
	await s.http('POST', '/api/publish', { body: `{"channel":"${channel}",` +
	    '"data":{\n "a": "1\\n2"\n}}', headers: { 'X-API-Key': 'e2e-key' } });
	assert.deepEqual((await u.next()).pub.data, { a: '1\n2' });
	u.close();
});

for (const kind of ['uni_websocket', 'uni_sse'])
	test(`${kind}_connect_by_url`, async (t) => {
		const s = await t.server(ON);
		const target = `/connection/${kind}${query({ token: by('ann') })}`;
		const u = new Uni();
		if (kind === 'uni_sse')
			u.stream = await Stream.open(s.port, 'GET', target);
		else
			u.wire = await Wire.open(s.port, { path: target });
		assert.ok((await u.connected()).client);
		u.close();
		await assert.rejects(async () => {
			const r = await s.http('GET',
			    `/connection/${kind}${query('x')}`, kind ===
			    'uni_sse' ? {} : { headers: { Upgrade: 'websocket',
				Connection: 'Upgrade',
				'Sec-WebSocket-Version': '13',
				'Sec-WebSocket-Key':
				    'AAAAAAAAAAAAAAAAAAAAAA==' } });
			throw new Error(String(r.status));
		}, /^Error: 400$/);
	});

test('uni_sse_connect_by_nothing', async (t) => {
	const s = await t.server(ON);
	const st = await Stream.open(s.port, 'GET', '/connection/uni_sse');
	assert.equal(st.headers['content-type'],
	    'text/event-stream; charset=utf-8');
	assert.equal(st.start, '\r\n');
	assert.ok((await st.next()).connect);
	st.close();
});

/* ---- pings ---- */

const FAST = { ...ON, client: { ping_interval: '2s', pong_timeout: '1900ms' } };

for (const kind of ['uni_sse', 'uni_http_stream'])
	test(`${kind}_pings_need_no_answer`, async (t) => {
		const s = await t.server(FAST);
		const u = await Uni.open(s, kind);
		await u.connected();
		for (let i = 0; i < 4; i++)
			assert.equal(await u.stream.text(), '{}');
		u.close();
	});

test('uni_websocket_pings_twice', async (t) => {
	const s = await t.server(FAST);
	const u = await Uni.open(s, 'uni_websocket');
	await u.connected();
	let message = 0, ping = 0;
	while (message < 3 || ping < 3) {
		const f = await u.wire.frame();
		assert.ok(f);
		if (f.op === OP.PING) {
			ping++;
			u.wire.send(OP.PONG, f.data);
		} else {
			assert.equal(f.data.toString(), '{}');
			message++;
		}
	}
	/* Who answers no more is gone. */
	await eventually(async () => {
		const f = await u.wire.frame(100);
		return u.wire.tcp.ended || f?.op === OP.CLOSE;
	}, 'it is sent away');
	u.close();
});

/* ---- refusals and ends ---- */

each('refused_connects', async (t, kind) => {
	const s = await t.server({ ...ON, client: {
		allow_anonymous_connect_without_token: false,
		connect_code_to_unidirectional_disconnect: { enabled: true,
			transforms: [{ code: 110, to: { code: 4321,
				reason: 'another' } }] } } });
	const refused = async (request) =>
	    (await Uni.open(s, kind, request)).ended();
	assert.deepEqual(await refused({}),
	    { code: 3501, reason: 'bad request' });
	assert.deepEqual(await refused(null),
	    { code: 3501, reason: 'bad request' });
	assert.deepEqual(await refused({ token: 'bad' }),
	    { code: 3500, reason: 'invalid token' });
	assert.deepEqual(await refused({ token: by('u', { exp: now() - 5 }) }),
	    { code: 3005, reason: 'connection expired' });
});

each('refused_connects_as_configured', async (t, kind) => {
	const s = await t.server({ ...ON, client: {
		connect_code_to_unidirectional_disconnect: { enabled: true,
			transforms: [{ code: 109, to: { code: 4321,
				reason: 'so expired' } }] } } });
	const u = await Uni.open(s, kind, { token: by('u',
	    { exp: now() - 5 }) });
	assert.deepEqual(await u.ended(), { code: 4321, reason: 'so expired' });
});

for (const kind of ['uni_sse', 'uni_http_stream'])
	test(`${kind}_refused_with_a_status`, async (t) => {
		const s = await t.server({ ...ON, [kind]: { enabled: true,
			connect_code_to_http_response: { enabled: true,
				transforms: [{ code: 109, to: {
					status_code: 418, body: 'tea' } },
				{ code: 3501, to: { status_code: 403,
					body: '' } }] } },
			client: { allow_anonymous_connect_without_token:
			    false } });
		const post = (request) => s.http('POST', `/connection/${kind}`,
		    { body: JSON.stringify(request),
			headers: { Origin: 'http://a.example' } });
		let r = await post({ token: by('u', { exp: now() - 5 }) });
		assert.equal(r.status, 418);
		assert.equal(r.body, 'tea');
		assert.equal(r.headers['access-control-allow-origin'],
		    'http://a.example');
		r = await post({});
		assert.equal(r.status, 403);
		assert.equal(r.body, 'bad request');
		r = await post({ token: 'bad' });
		assert.equal(r.status, 500);
		assert.equal(r.body, 'Internal Server Error');
		const u = await Uni.open(s, kind, { token: by('u') });
		assert.ok((await u.connected()).client);
		u.close();
	});

/* The connect that has to ask the other workers is answered, too. */
for (const kind of ['uni_sse', 'uni_http_stream'])
	test(`${kind}_status_decided_later`, async (t) => {
		const s = await t.server({ ...ON, [kind]: { enabled: true,
			connect_code_to_http_response: { enabled: true,
				transforms: [{ code: 3504, to: {
					status_code: 429, body: 'many' } }] } },
			client: { user_connection_limit: 2 } });
		const user = t.channel();
		const request = { token: by(user) };
		const all = [];
		for (let i = 0; i < 2; i++) {
			all.push(await Uni.open(s, kind, request));
			await all[i].connected();
		}
		const r = await s.http('POST', `/connection/${kind}`,
		    { body: JSON.stringify(request) });
		assert.equal(r.status, 429);
		assert.equal(r.body, 'many');
		all.map((u) => u.close());
	});

for (const kind of ['uni_sse', 'uni_http_stream'])
	test(`${kind}_malformed`, async (t) => {
		const s = await t.server(ON);
		for (const body of ['', 'x', '[]', '1', '{"token":"'])
			assert.equal((await s.http('POST', `/connection/${kind}`,
			    { body })).status, 400, body);
		assert.equal((await s.http('PUT', `/connection/${kind}`,
		    { body: '' })).status, 405);
		const big = JSON.stringify({ token: 'x'.repeat(66000) });
		const st = await Stream.open(s.port, 'POST',
		    `/connection/${kind}`, { body: big });
		assert.equal(st.status, 413);
		st.close();
	});

test('uni_websocket_malformed', async (t) => {
	const s = await t.server(ON);
	for (const text of ['', 'x', '[]', '{"token":"']) {
		const w = await Wire.open(s.port,
		    { path: '/connection/uni_websocket' });
		w.text(text);
		assert.equal((await w.closed()).code, 3501, text);
	}
});

each('stale_and_expired', async (t, kind) => {
	const s = await t.server({ ...ON, client: { stale_close_delay: '1s',
		expired_close_delay: '1s' } });
	if (kind === 'uni_websocket') {
		const w = await Wire.open(s.port,
		    { path: '/connection/uni_websocket' });
		assert.equal((await w.closed()).code, 3502);
	}
	const u = await Uni.open(s, kind, { token: by('u',
	    { exp: now() + 4 }) });
	const c = await u.connected();
	assert.equal(c.expires, true);
	assert.ok(c.ttl <= 4);
	assert.equal((await u.ended()).code, 3005);
});

each('api_disconnect', async (t, kind) => {
	const s = await t.server(ON);
	const user = t.channel();
	const [a, b] = await Promise.all([1, 2].map(() => Uni.open(s, kind,
	    { token: by(user) })));
	const { session } = await a.connected();
	await b.connected();
	await s.api('disconnect', { user, session, disconnect: { code: 4100,
		reason: 'by session' } });
	assert.deepEqual(await a.ended(), { code: 4100, reason: 'by session' });
	await s.api('disconnect', { user });
	assert.deepEqual(await b.ended(),
	    { code: 3503, reason: 'force disconnect' });
});

test('uni_websocket_without_farewells', async (t) => {
	const open = async (over) => {
		const s = await t.server({ ...ON, uni_websocket: {
			enabled: true, ...over } });
		const u = await Uni.open(s, 'uni_websocket',
		    { token: 'bad' });
		const frames = [];
		for (let f; (f = await u.wire.frame()) !== undefined;) {
			frames.push(f.op);
			if (f.op === OP.CLOSE)
				break;
		}
		if (frames.at(-1) !== OP.CLOSE)
			assert.ok(u.wire.tcp.ended);
		u.close();
		return frames;
	};
	assert.deepEqual(await open({}), [OP.TEXT, OP.CLOSE]);
	assert.deepEqual(await open({ disable_disconnect_push: true }),
	    [OP.CLOSE]);
	assert.deepEqual(await open({ disable_closing_handshake: true }),
	    [OP.TEXT]);
});

test('uni_websocket_ignores_what_follows', async (t) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const u = await Uni.open(s, 'uni_websocket', { token: by('ann',
	    { channels: [channel] }) });
	await u.connected();
	for (const text of ['{}', 'x', '{"id":2,"ping":{}}', ''])
		u.wire.text(text);
	await s.publish(channel, 1);
	assert.deepEqual(await u.next(), { channel, pub: { data: 1 } });
	u.wire.send(OP.CLOSE);
	assert.equal((await u.wire.closed()).code, IS_FUGU ? 1005 :
	    u.wire.close_.code);
});

test('uni_websocket_of_other_pages', async (t) => {
	const s = await t.server({ ...ON, client:
	    { allowed_origins: ['http://a.example'] } });
	const path = '/connection/uni_websocket';
	await assert.rejects(Wire.open(s.port, { path,
		headers: { Origin: 'http://b.example' } }),
	    (e) => e.response.status === 403);
	const w = await Wire.open(s.port, { path,
		headers: { Origin: 'http://a.example' } });
	w.close();
});

test('uni_websocket_compressed', async (t) => {
	const s = await t.server({ ...ON, uni_websocket: { enabled: true,
		compression: true } });
	const w = await Wire.open(s.port, { path: '/connection/uni_websocket',
		headers: { 'Sec-WebSocket-Extensions':
		    'permessage-deflate' } });
	assert.match(w.response.headers['sec-websocket-extensions'],
	    /permessage-deflate/);
	w.text('{}');
	/* FIN, RSV1 and text. */
	assert.equal(await w.tcp.until(() => w.tcp.buf[0], WAIT), 0xc1);
	w.close();
});

await run();
