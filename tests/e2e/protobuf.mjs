/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The protobuf encoding by its bytes: what the SDK does not say or show.
 * That the SDK is content with it, 92_protobuf.sh shows by running the SDK's
 * suites in this encoding.
 */
import { assert, eventually, need, run, test, token }
	from './harness.mjs';
import { BrowserSocket, OP } from './wire.mjs';
import { ALL, NAMESPACES, published } from './talk.mjs';

const { Centrifuge } = need('centrifuge/build/protobuf');

/* --- messages: {number: value}; strings and buffers are bytes --- */

const varint = (n) => {
	const out = [];
	let u = BigInt.asUintN(64, BigInt(n));
	for (; u > 127n; u >>= 7n)
		out.push(Number(u & 127n) | 128);
	return Buffer.from([...out, Number(u)]);
};
const bytes = (n, b) => Buffer.concat([varint(n << 3 | 2),
	varint(b.length), b]);
const member = (n, v) => typeof v === 'number' ?
	Buffer.concat([varint(n << 3), varint(v)]) :
	bytes(n, typeof v === 'string' ? Buffer.from(v) :
	    Buffer.isBuffer(v) ? v : pb(v));
const pb = (o) => Buffer.concat(Object.entries(o).map(([n, v]) =>
	member(Number(n), v)));
const framed = (...messages) => Buffer.concat(messages.flatMap((m) => {
	const b = Buffer.isBuffer(m) ? m : pb(m);
	return [varint(b.length), b];
}));

/* The fields of a message: [number, value] with numbers or Buffers. */
function fields(b) {
	const out = [];
	let at = 0;
	const number = () => {
		let n = 0;
		for (let k = 1; ; k *= 128) {
			n += (b[at] & 127) * k;
			if (b[at++] < 128)
				return n;
		}
	};
	while (at < b.length) {
		const tag = number();
		if (tag % 8 === 0) {
			out.push([tag >> 3, number()]);
			continue;
		}
		assert.equal(tag % 8, 2);
		const n = number();
		out.push([tag >> 3, b.subarray(at, at + n)]);
		at += n;
	}
	assert.equal(at, b.length);
	return out;
}
const get = (b, ...path) => path.reduce((x, n) => x &&
	fields(x).find(([k]) => k === n)?.[1], b);

/* The replies of the next frame, which must be binary. */
async function replies(w, ms) {
	const out = [];
	const b = await w.message(ms);
	if (b === undefined)
		return undefined;
	assert.ok(Buffer.isBuffer(b), 'a text frame');
	for (let at = 0; at < b.length;) {
		let n = 0;
		for (let k = 1; ; k *= 128) {
			n += (b[at] & 127) * k;
			if (b[at++] < 128)
				break;
		}
		out.push(b.subarray(at, at + n));
		at += n;
		assert.ok(at <= b.length);
	}
	return out;
}

const HEADERS = { 'Sec-WebSocket-Protocol': 'centrifuge-protobuf' };

async function connected(s, connect = {}, opt = { headers: HEADERS }) {
	const w = await s.open(opt);
	w.send(OP.BIN, framed({ 1: 1, 4: connect }));
	const [r] = await replies(w);
	assert.equal(get(r, 1), 1);
	assert.equal(get(r, 5, 1).length, 36);
	return w;
}

async function subscribed(w, channel, more = {}) {
	w.send(OP.BIN, framed({ 1: 2, 5: { 1: channel, ...more } }));
	const [r] = await replies(w);
	assert.equal(get(r, 1), 2, r.toString('hex'));
	assert.ok(get(r, 6), r.toString('hex'));
	return get(r, 6);
}

/* --- the handshake --- */

test('pb_ways_to_ask_for_it', async (t) => {
	const s = await t.server();
	for (const opt of [{ headers: HEADERS },
		{ path: '/connection/websocket?cf_protocol=protobuf' },
		{ path: '/connection/websocket?format=protobuf' }]) {
		const w = await connected(s, {}, opt);
		assert.equal(w.response.headers['sec-websocket-protocol'],
		    opt.headers && 'centrifuge-protobuf');
		w.close();
	}
});

/* --- frames --- */

test('pb_several_commands_in_a_frame', async (t) => {
	const s = await t.server();
	const w = await s.open({ headers: HEADERS });
	const channel = t.channel();
	w.send(OP.BIN, framed({ 1: 1, 4: {} }, { 1: 2, 5: { 1: channel } },
	    { 1: 3, 7: { 1: channel, 2: Buffer.from([0, 255, 10]) } }));
	const all = [];
	while (all.length < 4)
		all.push(...await replies(w));
	assert.deepEqual(all.map((r) => get(r, 1)), [1, 2, undefined, 3]);
	assert.deepEqual(get(all[2], 4, 4, 4), Buffer.from([0, 255, 10]));
	w.close();
});

/* A frame may be text: only the bytes count. */
test('pb_in_text_frames', async (t) => {
	const s = await t.server();
	const w = await s.open({ headers: HEADERS });
	w.send(OP.TEXT, framed({ 1: 1, 4: {} }));
	assert.equal(get((await replies(w))[0], 1), 1);
	w.close();
});

test('pb_long_messages', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await connected(s);
	await subscribed(w, channel);
	for (const n of [1, 100, 120, 126, 127, 128, 129, 16200, 16383, 16384,
		40000]) {
		const data = Buffer.alloc(n, n);
		w.send(OP.BIN, framed({ 1: n, 7: { 1: channel, 2: data } }));
		const all = [];
		while (all.length < 2)
			all.push(...await replies(w));
		assert.deepEqual(get(all[0], 4, 4, 4), data);
		assert.equal(get(all[1], 1), n);
	}
	w.close();
});

test('pb_pings', async (t) => {
	const s = await t.server({ client: { ping_interval: '2s',
		pong_timeout: '1900ms' } });
	const w = await connected(s);
	for (let i = 0; i < 3; i++) {
		assert.deepEqual(await replies(w), [Buffer.alloc(0)]);
		w.send(OP.BIN, framed(Buffer.alloc(0)));
	}
	assert.deepEqual(await replies(w), [Buffer.alloc(0)]);
	assert.equal(await replies(w), undefined);
	assert.deepEqual(w.close_, { code: 3012, reason: 'no pong' });
	w.close();
});

/* --- what is refused, and what is not --- */

const BAD = {
	empty: Buffer.alloc(0),
	no_length: Buffer.from([0x80]),
	length_too_long: Buffer.from([5, 8, 1]),
	length_overflows: Buffer.from([...Array(9).fill(0xff), 1]),
	cut_field: framed(Buffer.from([0x22])),
	cut_message: framed(Buffer.from([0x22, 5, 0])),
	group: framed(Buffer.from([0x0b, 0x0c])),
	field_0: framed(Buffer.from([0, 1])),
	id_is_bytes: framed({ 1: 'x', 4: {} }),
	connect_is_number: framed({ 1: 1, 4: 7 }),
	token_is_number: framed({ 1: 1, 4: { 1: 5 } }),
	channel_is_number: framed({ 1: 1, 5: { 1: 5 } }),
	subs_is_number: framed({ 1: 1, 4: { 3: 5 } }),
	ping_command: framed({ 1: 1, 4: {} }, { 1: 2, 11: {} }),
	no_id: framed({ 4: {} }),
	before_connect: framed({ 1: 1, 5: { 1: 'a' } }),
	no_channel: framed({ 1: 1, 4: {} }, { 1: 2, 5: {} }),
	json: Buffer.from('{"id":1,"connect":{}}'),
};
/* A length beyond all numbers is the end of Centrifugo 6.9.1. */
for (const [name, frame] of Object.entries(BAD))
	test(`pb_bad_${name}`, async (t) => {
		const s = await t.server();
		const w = await s.open({ headers: HEADERS });
		w.send(OP.BIN, frame);
		while (await replies(w) !== undefined)
			continue;
		assert.deepEqual(w.close_, { code: 3501,
			reason: 'bad request' });
		w.close();
	}, { fugu: name === 'length_overflows' });

test('pb_strings_are_utf8', async (t) => {
	const s = await t.server();
	const w = await connected(s);
	w.send(OP.BIN, framed({ 1: 2, 5: { 1: Buffer.from([0xff]) } }));
	assert.equal(await replies(w), undefined);
	assert.equal(w.close_.code, 3501);
	w.close();
}, { fugu: true });

test('pb_unknown_fields_are_passed_over', async (t) => {
	const s = await t.server();
	const w = await connected(s, { 77: 'x', 78: 5,
		4: 'js', 5: '1', 6: { 1: 'k', 2: 'v' } });
	await subscribed(w, t.channel(), { 99: 7, 8: 'data', 2000: 'y' });
	w.close();
});

test('pb_errors', async (t) => {
	const s = await t.server();
	const w = await connected(s);
	w.send(OP.BIN, framed({ 1: 5, 13: { 1: 'x', 2: 'm' } },
	    { 1: 6, 10: { 1: 'a' } }, { 1: 7, 5: { 1: 'nons:a' } }));
	const all = [];
	while (all.length < 3)
		all.push(...await replies(w));
	assert.deepEqual(all.map((r) => [get(r, 1), get(r, 2, 1)]),
	    [[5, 108], [6, 108], [7, 102]]);
	assert.equal(get(all[2], 2, 2).toString(), 'unknown channel');
	w.close();
});

/* --- data --- */

/* spec 12.20 */
test('pb_bytes_part_json_from_protobuf', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `binary:${t.channel()}`;
	const a = await connected(s);
	await subscribed(a, channel);
	const b = await s.connected();
	await b.call({ id: 2, subscribe: { channel } });
	await published(s, channel, { x: 1 });
	assert.equal((await b.reply()).push.pub.data.x, 1);
	assert.equal(get((await replies(a))[0], 4, 4, 4).toString(),
	    '{"x":1}');
	await s.api('publish', { channel,
		b64data: Buffer.from('\xff{', 'latin1').toString('base64') });
	assert.deepEqual(get((await replies(a))[0], 4, 4, 4),
	    Buffer.from('\xff{', 'latin1'));
	assert.deepEqual(await b.closed(), { code: 3506,
		reason: 'inappropriate protocol' });
	b.close();
	a.close();
});

/* Who publishes bytes that are JSON reaches everybody. */
test('pb_publishes_to_json', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `plain:${t.channel()}`;
	const a = await connected(s, { 1: token({ sub: 'ann',
		info: { n: 1 } }) });
	const b = await s.connected();
	await b.call({ id: 2, subscribe: { channel } });
	a.send(OP.BIN, framed({ 1: 2, 7: { 1: channel, 2: '{"a": 1}' } }));
	assert.equal(get((await replies(a))[0], 1), 2);
	const { data, info } = (await b.reply()).push.pub;
	assert.deepEqual([data, info.user, info.conn_info],
	    [{ a: 1 }, 'ann', { n: 1 }]);
	a.send(OP.BIN, framed({ 1: 3, 7: { 1: channel, 2: 'no JSON' } }));
	assert.equal(get((await replies(a))[0], 1), 3);
	assert.equal((await b.closed()).code, 3506);
	b.close();
	a.close();
});

test('pb_publication_has_all_its_parts', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const w = await connected(s, { 1: token({ sub: 'ann' }) });
	await subscribed(w, channel);
	const { epoch } = await published(s, channel, 'x', {
		tags: { k: 'v"', '\u00e9': '' }, version: 7 });
	const [r] = await replies(w);
	assert.equal(get(r, 4, 2).toString(), channel);
	const pub = fields(get(r, 4, 4));
	assert.deepEqual(pub.filter(([n]) => n !== 7), [
		[4, Buffer.from('"x"')], [6, 1], [14, Buffer.from(epoch)],
		[16, 7]]);
	const tags = pub.filter(([n]) => n === 7).map(([, b]) =>
	    [get(b, 1).toString(), (get(b, 2) ?? '').toString()]);
	assert.deepEqual(Object.fromEntries(tags),
	    { k: 'v"', '\u00e9': '' });
	w.close();
});

/* The SDK puts the patches together; the data are no text at all. */
test('pb_delta_of_bytes', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	const c = new Centrifuge(s.ws(), { websocket: BrowserSocket,
		token: token({ sub: 'ann' }) });
	t.after(() => c.disconnect());
	c.connect();
	await c.ready(10000);
	const got = [];
	const sub = c.newSubscription(channel, { delta: 'fossil' });
	sub.on('publication', (ctx) => got.push(Buffer.from(ctx.data)));
	sub.subscribe();
	await sub.ready(10000);
	const raw = await connected(s, { 1: token({ sub: 'bob' }) });
	await subscribed(raw, channel, { 12: 'fossil' });
	const sent = [];
	const base = Buffer.from(Array.from({ length: 700 },
	    (_, i) => i * i % 251));
	for (let i = 0; i < 8; i++) {
		const data = Buffer.from(base);
		data[i * 80] ^= 0xff;
		sent.push(data);
		await c.publish(channel, data);
	}
	await eventually(() => got.length === 8, 'eight publications');
	assert.deepEqual(got, sent);
	const pubs = [];
	while (pubs.length < 8)
		pubs.push(...(await replies(raw)).map((r) => get(r, 4, 4)));
	assert.deepEqual(pubs.map((p) => get(p, 8)),
	    [undefined, 1, 1, 1, 1, 1, 1, 1]);
	assert.ok(pubs.slice(1).every((p) => get(p, 4).length < 200));
	raw.close();
});

test('pb_subscriptions_with_connect', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = t.channel();
	const one = `plain:${channel}`;
	const two = `rec:${channel}`;
	const { epoch } = await published(s, two, 1);
	await published(s, two, 2);
	const w = await s.open({ headers: HEADERS });
	w.send(OP.BIN, framed({ 1: 1, 4: { 1: token({ sub: channel, subs: {
		[one]: { data: [1] }, [two]: {} } }), 2: Buffer.from([255]),
		3: { 1: two, 2: { 3: 1, 6: epoch, 7: 1 } } } }));
	const [r] = await replies(w);
	const subs = fields(get(r, 5)).filter(([n]) => n === 6)
	    .map(([, b]) => [get(b, 1).toString(), get(b, 2)]);
	assert.equal(subs.length, 2);
	const of = Object.fromEntries(subs);
	assert.equal(get(of[one], 11).toString(), '[1]');
	assert.equal(get(of[two], 8), 1);
	assert.equal(get(of[two], 9), 1);
	assert.equal(get(of[two], 7, 4).toString(), '2');
	w.send(OP.BIN, framed({ 1: 3, 5: { 1: one } }));
	const [again] = await replies(w);
	assert.deepEqual([get(again, 1), get(again, 2, 1)], [3, 105]);
	w.close();
});

test('pb_filter_of_tags', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tags:${t.channel()}`;
	const w = await connected(s, { 1: token({ sub: 'ann' }) });
	await subscribed(w, channel, { 13: Buffer.concat([pb({ 1: 'or' }),
		pb({ 6: Buffer.concat([pb({ 2: 'a', 3: 'in' }),
		    pb({ 5: 'x"' }), pb({ 5: '\u00e9' })]) }),
		pb({ 6: { 1: 'not', 6: { 2: 'b', 3: 'ex' } } })]) });
	await published(s, channel, 1, { tags: { a: 'x"' } });
	await published(s, channel, 2, { tags: { a: 'y', b: '' } });
	await published(s, channel, 3, { tags: { a: '\u00e9', b: '' } });
	await published(s, channel, 4, { tags: { b: '1' } });
	await published(s, channel, 5);
	const got = [];
	while (got.length < 3)
		got.push(...(await replies(w)).map((r) =>
		    get(r, 4, 4, 4).toString()));
	assert.deepEqual(got, ['1', '3', '5']);
	for (const bad of [{ 1: 'xor' }, { 2: 'a', 3: '?' }, {}]) {
		w.send(OP.BIN, framed({ 1: 9, 5: { 1: `${channel}x`,
			13: bad } }));
		assert.equal(get((await replies(w))[0], 2, 1), 107);
	}
	w.close();
});

/* --- beside each other --- */

/* Both hear the same, in the same order, whoever publishes. */
test('pb_and_json_in_one_channel', async (t) => {
	const s = await t.server({ channel: { namespaces: [{ name: 'both',
		...ALL, history_size: 500, history_ttl: '60s',
		force_recovery: true }] } });
	const channel = `both:${t.channel()}`;
	const open = async (encoding) => {
		const c = new (need(encoding).Centrifuge)(s.ws(), {
			websocket: BrowserSocket });
		t.after(() => c.disconnect());
		c.connect();
		await c.ready(10000);
		const sub = c.newSubscription(channel);
		const got = [];
		sub.on('publication', ({ data, offset, info }) => got.push([
			typeof data === 'object' ? Buffer.from(data)
			    .toString() : JSON.stringify(data), offset,
			info?.client]));
		sub.subscribe();
		await sub.ready(10000);
		return { c, sub, got };
	};
	const all = await Promise.all([...Array(4)].flatMap(() =>
	    [open('centrifuge'), open('centrifuge/build/protobuf')]));
	await Promise.all(all.map(async ({ sub }, k) => {
		for (let i = 0; i < 20; i++)
			await sub.publish(k % 2 ? Buffer.from(`${k * 100 + i}`) :
			    k * 100 + i);
	}));
	await eventually(() => all.every((x) => x.got.length === 160),
	    'everybody hears everything');
	for (const { got } of all)
		assert.deepEqual(got, all[0].got);
});

/* --- what the operator sees --- */

test('pb_metrics_and_log', async (t) => {
	const s = await t.ownServer({ log: { level: 'debug' } });
	const w = await connected(s, { 1: token({ sub: 'ann' }) },
	    { headers: { ...HEADERS, 'User-Agent': 'me/1' } });
	const open = (encoding) => s.metric(
	    'centrifugo_transport_connections_open',
	    { encoding, transport: 'websocket' });
	assert.equal(await open('protobuf'), 1);
	assert.equal(await open('json'), 0);
	w.send(OP.BIN, framed({ 1: 2, 5: {} }));
	await replies(w);
	w.close();
	await eventually(async () => await open('protobuf') === 0, 'gone');
	const x = await s.connected();
	x.close();
	const lines = () => s.log.split('\n').filter((l) =>
	    l.includes('msg="client disconnected"'));
	await eventually(() => lines().length === 2, 'two lines of log');
	assert.match(lines()[0], new RegExp('transport=websocket .*user=ann ' +
	    'code=3501 reason="bad request" peer=127.0.0.1 agent=me/1 ' +
	    'duration_ms=\\d+ bytes_in=\\d{2,} bytes_out=\\d{2,}'));
	assert.match(lines()[1], /code=0 reason="" /);
}, { fugu: true });

await run();
