/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * permessage-deflate (RFC 7692): what is negotiated, which messages are
 * compressed on their way out, and what compressed ones that come in may do.
 */
import fs from 'node:fs';
import zlib from 'node:zlib';
import { assert, eventually, need, run, test } from './harness.mjs';
import { OP, WAIT } from './wire.mjs';

const { WebSocket } = need('ws');
const { chromium } = need('playwright-core');

const OFFER = 'permessage-deflate';
const ANSWER = `${OFFER}; server_no_context_takeover; ` +
	'client_no_context_takeover';
const ON = { websocket: { compression: true } };
const MIN = { websocket: { compression: true, compression_min_size: 200 } };

const TAIL = Buffer.from([0, 0, 255, 255]);
const deflate = (data, level = 6) => zlib.deflateRawSync(data,
    { level, finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const inflate = (data, windowBits = 15) => zlib.inflateRawSync(
    Buffer.concat([data, TAIL]),
    { windowBits, finishFlush: zlib.constants.Z_SYNC_FLUSH });

const offering = (offer) => ({ headers: {
	'Sec-WebSocket-Extensions': offer } });

/* Text that shrinks to about a third, and is never the same twice. */
const long = (n) => Array.from({ length: Math.ceil(n / 30) }, () =>
	`a word, and a number: ${Math.random().toFixed(12)}.`).join(' ')
	.slice(0, n);

/* The next frame as it came: {rsv1, op, data}. */
const frame = (w, ms = WAIT) => w.tcp.until(() => {
	const b = w.tcp.buf;
	if (b.length < 4)
		return undefined;
	const n = b[1] < 126 ? b[1] : b[1] === 126 ? b.readUInt16BE(2) :
	    Number(b.readBigUInt64BE(2));
	const at = b[1] < 126 ? 2 : b[1] === 126 ? 4 : 10;
	if (b.length < at + n)
		return undefined;
	const f = w.tcp.take(at + n);
	assert.ok(f[0] & 0x80 && !(f[0] & 0x30) && b[1] < 128, 'bad bits');
	return { rsv1: !!(f[0] & 0x40), op: f[0] & 15, data: f.subarray(at) };
}, ms);

/* The next message as an object, and whether it was compressed. */
async function message(w, windowBits) {
	const f = await frame(w);
	assert.equal(f.op, OP.TEXT);
	const text = f.rsv1 ? inflate(f.data, windowBits) : f.data;
	return { rsv1: f.rsv1, size: f.data.length, whole: text.length,
		json: JSON.parse(text.toString()) };
}

const closed = async (w) => {
	for (let f; (f = await frame(w)) !== undefined;)
		if (f.op === OP.CLOSE)
			return f.data.readUInt16BE(0);
	return undefined;
};

const send = (w, data, opt) =>
	w.send(OP.TEXT, data, { rsv: 4, ...opt });

async function connected(s, offer, opt = {}) {
	const w = await s.open({ ...offering(offer), ...opt });
	w.cmd({ id: 1, connect: {} });
	const r = await message(w);
	assert.ok(r.json.connect, JSON.stringify(r.json));
	return w;
}

async function subscribed(s, offer, channel) {
	const w = await connected(s, offer);
	w.cmd({ id: 2, subscribe: { channel } });
	assert.ok((await message(w)).json.subscribe);
	return w;
}

test('deflate_offers_and_answers', async (t) => {
	const s = await t.server(ON);
	for (const [offer, answer] of [
		[OFFER, ANSWER],
		[`${OFFER}; client_max_window_bits`, ANSWER],
		[`${OFFER}; client_max_window_bits=9`, ANSWER],
		[`${OFFER}; server_no_context_takeover`, ANSWER],
		[`${OFFER}; client_no_context_takeover`, ANSWER],
		[`${OFFER}; server_max_window_bits=15`,
			`${ANSWER}; server_max_window_bits=15`],
		[`${OFFER}; server_max_window_bits=8`,
			`${ANSWER}; server_max_window_bits=8`],
		[`x-other; a=b, ${OFFER}`, ANSWER],
		[`${OFFER}; server_max_window_bits=7, ${OFFER}`, ANSWER],
		[`${OFFER}; server_max_window_bits=16`, undefined],
		[`${OFFER}; level=9`, undefined],
		['x-webkit-deflate-frame', undefined],
		[null, undefined],
	]) {
		const w = await s.open(offering(offer));
		assert.equal(w.response.headers['sec-websocket-extensions'],
		    answer, offer);
		w.close();
	}
	const off = await (await t.server()).open(offering(OFFER));
	assert.equal(off.response.headers['sec-websocket-extensions'],
	    undefined);
	off.close();
});

test('deflate_a_broadcast', async (t) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const all = [];
	for (let i = 0; i < 8; i++)
		all.push(await subscribed(s, OFFER, channel));
	const plain = await s.connected({}, {});
	await plain.call({ id: 2, subscribe: { channel } });
	const small = await subscribed(s,
	    `${OFFER}; server_max_window_bits=11`, channel);
	const fits = await subscribed(s,
	    `${OFFER}; server_max_window_bits=12`, channel);
	for (const n of [1000, 5000, 60000]) {
		const data = { text: long(n) };
		await s.publish(channel, data);
		const bodies = new Set();
		for (const w of [...all, fits]) {
			const m = await message(w, 12);
			assert.ok(m.rsv1 && m.size < m.whole * 0.7,
			    `${m.size} of ${m.whole} bytes`);
			assert.deepEqual(m.json.push.pub.data, data);
			bodies.add(m.size);
		}
		assert.equal(bodies.size, 1);
		const m = await message(small);
		assert.equal(m.rsv1, false);
		assert.deepEqual(m.json.push.pub.data, data);
		assert.deepEqual((await plain.reply()).push.pub.data, data);
	}
	for (const w of [...all, plain, small, fits])
		w.close();
});

test('deflate_min_size', async (t) => {
	const s = await t.server(MIN);
	const channel = t.channel();
	const w = await subscribed(s, OFFER, channel);
	for (const [n, rsv1] of [[50, false], [400, true]]) {
		await s.publish(channel, 'a'.repeat(n));
		const m = await message(w);
		assert.equal(m.rsv1, rsv1);
		assert.equal(m.json.push.pub.data.length, n);
	}
	w.close();
});

test('deflate_uni_websocket', async (t) => {
	const s = await t.server({ uni_websocket: { enabled: true,
		compression: true } });
	const channel = t.channel();
	const path = '/connection/uni_websocket?cf_connect=' +
	    encodeURIComponent(JSON.stringify({ subs: { [channel]: {} } }));
	const w = await s.open({ path, ...offering(OFFER) });
	assert.equal(w.response.headers['sec-websocket-extensions'], ANSWER);
	assert.ok((await message(w)).json.connect);
	w.close();
	const late = await s.open({ path: '/connection/uni_websocket',
		...offering(OFFER) });
	send(late, deflate('{}'));
	assert.ok((await message(late)).json.connect);
	late.close();
});

test('deflate_what_comes_in', async (t) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const hears = await s.connected();
	await hears.call({ id: 2, subscribe: { channel } });
	const w = await subscribed(s, OFFER, t.channel());
	let id = 10;
	const publish = async (data, put) => {
		put(Buffer.from(JSON.stringify({ id: ++id,
			publish: { channel, data } })));
		assert.equal((await message(w)).json.id, id);
		assert.deepEqual((await hears.reply()).push.pub.data, data);
	};
	for (const n of [10, 3000, 5000, 100000])
		await publish(long(n), (b) => send(w, deflate(b)));
	await publish('plain', (b) => w.send(OP.TEXT, b));
	await publish('stored', (b) => send(w, deflate(b, 0)));
	await publish('the last block', (b) => send(w,
	    Buffer.concat([zlib.deflateRawSync(b), Buffer.from([0])])));
	await publish('in fragments', (b) => {
		const z = deflate(b);
		send(w, z.subarray(0, 3), { fin: false });
		w.send(OP.CONT, '', { fin: false });
		w.send(OP.PONG, 'not compressed');
		w.send(OP.CONT, z.subarray(3));
	});
	await publish('byte by byte', (b) => {
		const z = deflate(b);
		z.forEach((c, i) => w.send(i ? OP.CONT : OP.TEXT,
		    Buffer.from([c]), { rsv: i ? 0 : 4,
			fin: i === z.length - 1 }));
	});
	w.close();
	hears.close();
});

test('deflate_what_may_not_come_in', async (t) => {
	const s = await t.server(ON);
	const bomb = deflate(Buffer.alloc(40 << 20, ' '), 9);
	for (const [name, code, put, offer = OFFER] of [
		['bomb', 1009, (w) => send(w, bomb)],
		['bomb in fragments', 1009, (w) => {
			send(w, bomb.subarray(0, 100), { fin: false });
			w.send(OP.CONT, bomb.subarray(100));
		}],
		['one over', 1009, (w) =>
			send(w, deflate(' '.repeat(655361)))],
		['too many compressed bytes', 1009, (w) => {
			w.tcp.send(Buffer.from([0xc1, 0xff, 0, 0, 0, 0, 0, 1,
				0, 1, 0, 0, 0, 0]));
		}],
		['damaged', 1007, (w) => send(w, '\xff\xff')],
		['cut short', 1007, (w) => send(w,
		    deflate(long(500)).subarray(0, 100))],
		['not UTF-8', 1007, (w) => send(w,
		    deflate(Buffer.from([0xc3, 0x28])))],
		['RSV1 on a ping', 1002, (w) =>
			w.send(OP.PING, '', { rsv: 4 })],
		['RSV1 on a continuation', 1002, (w) => {
			send(w, 'x', { fin: false });
			w.send(OP.CONT, 'x', { rsv: 4 });
		}],
		['RSV2', 1002, (w) => send(w, 'x', { rsv: 6 })],
		['not negotiated', 1002, (w) => send(w, deflate('{}')), null],
	]) {
		const w = await connected(s, offer);
		put(w);
		assert.equal(await closed(w), code, name);
		w.close();
	}
	/* As much as there may be. */
	const w = await connected(s, OFFER);
	send(w, deflate(`${JSON.stringify({ id: 9, ping: {},
		presence: { channel: 'x' } })}`.padEnd(655360)));
	assert.equal((await message(w)).json.id, 9);
	w.close();
});

test('deflate_limits_of_its_own', async (t) => {
	const s = await t.server({ websocket: { compression: true,
		message_size_limit: 100,
		decompressed_message_size_limit: 5000 } });
	const ping = (n) => deflate('{"id":7,"presence":{"channel":"x"}}'
	    .padEnd(n));
	const w = await connected(s, OFFER);
	send(w, ping(5000));
	assert.equal((await message(w)).json.id, 7);
	send(w, ping(5001));
	assert.equal(await closed(w), 1009);
	w.close();
});

test('deflate_ws_package', async (t) => {
	const s = await t.server(ON);
	const channel = t.channel();
	const kinds = [{}, { serverNoContextTakeover: true },
		{ clientNoContextTakeover: true },
		{ clientMaxWindowBits: 9 }, { clientMaxWindowBits: 15 },
		{ serverMaxWindowBits: 9 }, { serverMaxWindowBits: 14 },
		{ serverNoContextTakeover: true, serverMaxWindowBits: 12,
			clientNoContextTakeover: true,
			clientMaxWindowBits: 10 }, false];
	for (const kind of kinds) {
		const ws = new WebSocket(s.ws(), { perMessageDeflate:
			kind && { threshold: 0, ...kind } });
		t.after(() => ws.terminate());
		const got = [];
		ws.on('message', (d) => got.push(...d.toString().split('\n')
		    .map((l) => JSON.parse(l))));
		const reply = (f, what) => eventually(() => got.find(f), what);
		await new Promise((yes, no) => {
			ws.once('open', yes);
			ws.once('error', no);
		});
		assert.equal(ws.extensions, kind ? OFFER : '');
		ws.send('{"id":1,"connect":{}}');
		await reply((r) => r.id === 1, 'connect');
		ws.send(JSON.stringify({ id: 2, subscribe: { channel } }));
		await reply((r) => r.id === 2, 'subscribe');
		for (let i = 0; i < 20; i++) {
			const data = `${i} ${long(1 << (i % 15))}`;
			ws.send(JSON.stringify({ id: 10 + i,
				publish: { channel, data } }));
			await reply((r) => r.push?.pub.data === data,
			    `publication ${i} with ${JSON.stringify(kind)}`);
		}
		ws.close(1000);
		await new Promise((r) => ws.once('close', r));
	}
});

test('deflate_chromium', async (t) => {
	const s = await t.server(ON);
	const browser = await chromium.launch({
		executablePath: '/usr/bin/chromium', headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
			'--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync'] });
	t.after(() => browser.close());
	const page = await browser.newPage();
	await page.goto(`http://127.0.0.1:${s.port}/health`);
	const texts = [1, 100, 5000, 200000].map(long)
		.concat('\u{1f421}'.repeat(500));
	const r = await page.evaluate(([url, channel, all]) =>
		new Promise((resolve) => {
			const ws = new WebSocket(url);
			const heard = [];
			const say = (o) => ws.send(JSON.stringify(o));
			ws.onopen = () => say({ id: 1, connect: {} });
			ws.onclose = (e) => resolve({ heard, code: e.code });
			ws.onmessage = (e) => {
				for (const l of e.data.split('\n')) {
					const m = JSON.parse(l);
					if (m.id === 1)
						say({ id: 2,
						    subscribe: { channel } });
					else if (m.id === 2)
						all.forEach((data, i) => say({
						    id: 3 + i, publish:
						    { channel, data } }));
					else if (m.push)
						heard.push(m.push.pub.data);
				}
				if (heard.length === all.length)
					resolve({ heard, extensions:
					    ws.extensions });
			};
		}), [s.ws(), t.channel(), texts]);
	assert.equal(r.extensions, ANSWER);
	assert.deepEqual(r.heard, texts);
});

const rss = (s) => Number(fs.readFileSync(`/proc/${s.pid}/status`, 'latin1')
	.match(/VmRSS:\s+(\d+)/)[1]);

test('deflate_memory', async (t) => {
	const grown = [];
	for (const over of [{}, ON]) {
		const s = await t.ownServer(over);
		const open = async (n) => Promise.all(Array.from(
		    { length: n }, () => connected(s, OFFER)));
		const first = await open(50);
		const before = rss(s);
		const more = [];
		for (let i = 0; i < 10; i++)
			more.push(...await open(100));
		grown.push(rss(s) - before);
		for (const w of [...first, ...more])
			w.close();
	}
	assert.ok(grown[1] < grown[0] + 1200, `${grown[1]} KB for a ` +
	    `thousand compressed connections, ${grown[0]} for others`);
}, { quiet: true });

run();
