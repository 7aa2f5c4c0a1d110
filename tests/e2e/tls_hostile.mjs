/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS from those who mean no good, or whose network is bad: hellos in
 * pieces, never to be completed, cut off anywhere, and what comes after the
 * handshake and should not.
 */
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { Duplex } from 'node:stream';
import { assert, eventually, run, sleep, test } from './harness.mjs';
import { Tcp, WAIT } from './wire.mjs';

const ALERT = 21;
const HANDSHAKE = 22;
const HALF_OPEN = 5000;
const GET = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';

const plainly = (s) => Tcp.open(s.port, { secure: false });

/* What a client says first. */
function hello() {
	return new Promise((resolve) => {
		const sink = new Duplex({ read() {}, write(d, e, done) {
			resolve(d);
			done();
		} });
		tls.connect({ socket: sink, servername: 'localhost',
			maxVersion: 'TLSv1.2' }).on('error', () => {});
	});
}

const record = (type, data) => Buffer.concat([Buffer.from([type, 3, 1,
	data.length >> 8, data.length & 255]), data]);

/* The first record of the answer: {type, data}; undefined: none. */
async function answer(t, ms = WAIT) {
	const head = await t.until(() => t.buf.length >= 5 ? t.take(5) :
	    undefined, ms);
	if (head === undefined)
		return undefined;
	const n = head.readUInt16BE(3);
	const data = await t.until(() => t.buf.length >= n ? t.take(n) :
	    undefined, ms);
	return { type: head[0], data: [...(data ?? [])] };
}

/* A way to the server that lets f decide what comes of the client's bytes:
 * f(data, to) with the socket to the server. Its port. */
async function relay(t, s, f) {
	const server = net.createServer((from) => {
		const to = net.connect(s.port, '127.0.0.1');
		to.setNoDelay(true);
		from.on('error', () => to.destroy());
		from.on('close', () => to.destroy());
		to.on('error', () => from.destroy());
		to.on('close', () => from.destroy());
		to.on('data', (d) => from.write(d));
		from.on('data', (d) => f(d, to));
	});
	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	t.after(() => server.close());
	return server.address().port;
}

const failed = (s, reason) => s.metric('fugu_tls_handshakes_total',
    { result: 'failed', reason });

const idle = (s) => eventually(async () =>
    await s.metric('fugu_tls_handshakes_inflight') === 0,
    'no handshake is left', 15000);

test('tls_hello_in_records_of_ten_bytes', async (t) => {
	const s = await t.server();
	const body = (await hello()).subarray(5);
	const c = await plainly(s);
	for (let i = 0; i < body.length; i += 10)
		c.send(record(HANDSHAKE, body.subarray(i, i + 10)));
	const r = await answer(c);
	assert.equal(r?.type, HANDSHAKE);
	assert.equal(r.data[0], 2, 'a ServerHello');
	c.close();
});

for (const [name, change, alert] of [
	['old_version', (h) => { h[10] = 2; }, 70],
	['ssl_3', (h) => { h[10] = 0; }, 70],
	['not_a_hello', (h) => { h[5] = 16; }, undefined],
	['empty_hello', (h) => h.fill(0, 6, 9), undefined],
	['hello_longer_than_it_says', (h) => { h[8] -= 1; }, undefined],
	['session_id_too_long', (h) => { h[43] = 33; }, undefined],
	['record_too_long', (h) => { h[3] = 0x48; h[4] = 1; }, undefined],
	['record_of_no_type', (h) => { h[0] = 24; }, undefined],
])
	test(`tls_${name}_gets_an_alert`, async (t) => {
		const s = await t.server();
		const h = Buffer.from(await hello());
		change(h);
		const c = await plainly(s);
		c.send(h);
		const r = await answer(c);
		assert.ok(r === undefined || r.type === ALERT,
		    JSON.stringify(r));
		if (alert !== undefined)
			assert.deepEqual(r?.data, [2, alert]);
		assert.ok(await c.gone(), 'still open');
		c.close();
	});

test('tls_empty_records_come_to_an_end', async (t) => {
	const s = await t.server({ http_server: { tls:
	    { handshake_timeout: '2s' } } });
	const c = await plainly(s);
	for (let i = 0; i < 1000; i++)
		c.send(record(HANDSHAKE, Buffer.alloc(0)));
	assert.ok(await c.gone(), 'still open');
	c.close();
});

test('tls_garbage_is_no_hello', async (t) => {
	const s = await t.server();
	for (let i = 0; i < 64; i++) {
		const c = await plainly(s);
		c.send(Buffer.from(Array.from({ length: 200 }, (_, k) =>
		    (i * 37 + k * k * 11 + (k ? 0 : i * 4)) & 255)));
		c.sock.end();
		assert.ok(await c.gone(), `${i} still open`);
		c.close();
	}
});

test('tls_plain_http_is_told', async (t) => {
	const s = await t.ownServer();
	const c = await plainly(s);
	c.send(GET);
	const r = await c.response();
	assert.equal(r.status, 400);
	assert.match(r.body, /https/);
	assert.ok(await c.gone(), 'still open');
	assert.equal(await failed(s, 'not_tls'), 1);
});

test('tls_byte_by_byte', async (t) => {
	const s = await t.server();
	let tail = Promise.resolve();
	const port = await relay(t, s, (d, to) => {
		for (const b of d)
			tail = tail.then(() => new Promise((r) => {
				to.write(Buffer.from([b]));
				setImmediate(r);
			}));
	});
	const c = await Tcp.open(port);
	c.send(GET);
	assert.equal((await c.response()).status, 200);
	c.close();
});

/* A request has its time from the end of the handshake on. */
test('tls_slow_handshake_takes_no_time_from_the_head', async (t) => {
	const s = await t.ownServer({ http_server: { header_timeout: '1s' } });
	let late = 1500;	/* of the hello alone */
	const port = await relay(t, s, (d, to) => {
		setTimeout(() => to.write(d), late);
		late = 0;
	});
	const began = Date.now();
	const c = await Tcp.open(port);
	assert.ok(Date.now() - began >= 1500);
	c.send(GET);
	assert.equal((await c.response(15000))?.status, 200);
	c.close();
	/* And it has no more than that. */
	const mute = await Tcp.open(s.port);
	assert.ok(await mute.gone(6000));
	mute.close();
});

test('tls_too_slow_a_handshake_is_ended', async (t) => {
	const s = await t.ownServer({ http_server: { tls:
	    { handshake_timeout: '2s' } } });
	const h = await hello();
	const began = Date.now();
	const c = await plainly(s);
	for (let i = 0; !c.ended && i < 100; i++) {
		c.send(h.subarray(i, i + 1));
		await sleep(100);
	}
	assert.ok(c.ended, 'still open');
	assert.ok(Date.now() - began >= 1900, 'too early');
	assert.equal(await failed(s, 'timeout'), 1);
});

/* The client's bytes up to the n-th, then the end or a reset. */
test('tls_cut_anywhere', async (t) => {
	const s = await t.ownServer();
	let left;
	let end;
	let total = 0;
	const port = await relay(t, s, (d, to) => {
		total += d.length;
		const part = d.subarray(0, left);
		left -= part.length;
		to.write(part, () => {
			if (left === 0)
				to[end]();
		});
	});
	const once = (n, how) => {
		left = n;
		end = how;
		return Tcp.open(port).then((c) => {
			c.close();
			return true;
		}, () => false);
	};
	assert.ok(await once(1e9, 'end'), 'it works when nothing is cut');
	const all = total;
	assert.ok(all > 200, 'hello, key exchange and finished');
	for (let n = 1; n < all; n += 5)
		assert.equal(await once(n, n % 2 ? 'destroySoon' :
		    'resetAndDestroy'), false, `cut after ${n} of ${all}`);
	await idle(s);
	assert.ok(await failed(s, 'closed') >= 30, 'are counted');
});

test('tls_garbage_after_the_handshake', async (t) => {
	const s = await t.server();
	for (const bytes of [GET, record(23, Buffer.alloc(64)),
	    record(HANDSHAKE, Buffer.alloc(40)), record(20, Buffer.from([1])),
	    Buffer.alloc(5, 255), Buffer.from([23, 3, 3, 255, 255])]) {
		const c = await Tcp.open(s.port);
		c.sock.on('error', () => {});
		c.raw.write(bytes);
		assert.ok(await c.gone(), `still open after ${bytes[0]}`);
		c.close();
	}
});

test('tls_renegotiation_flood', async (t) => {
	const s = await t.server();
	for (let i = 0; i < 20; i++) {
		const c = await Tcp.open(s.port, { maxVersion: 'TLSv1.2' });
		const e = await new Promise((r) => {
			c.sock.once('error', r);
			c.sock.renegotiate({ rejectUnauthorized: true }, r);
			setTimeout(r, WAIT).unref();
		});
		assert.match(String(e), /no renegotiation/i);
		c.close();
	}
});

const rss = (s) => Number(fs.readFileSync(`/proc/${s.pid}/status`, 'utf8')
    .match(/VmRSS:\s+(\d+)/)[1]);

/* How long ten of them take one after the other, in order of that. */
async function handshakes(s) {
	const took = [];
	for (let i = 0; i < 10; i++) {
		const began = Date.now();
		const c = await Tcp.open(s.port);
		took.push(Date.now() - began);
		c.close();
	}
	return took.sort((a, b) => a - b);
}

/* A third says nothing, a third half a hello, a third a whole one; none has
 * to go because of the time that all of them take to come. */
test('tls_5000_half_open_handshakes', async (t) => {
	const s = await t.ownServer({ http_server: { tls:
	    { handshake_timeout: '120s' } } });
	const h = await hello();
	const said = [Buffer.alloc(0), h.subarray(0, 100), h];
	const alone = (await handshakes(s))[5];
	const before = rss(s);
	const all = [];
	t.after(() => all.forEach((c) => c.destroy()));
	for (let i = 0; i < HALF_OPEN; i++) {
		const c = net.connect(s.port, '127.0.0.1');
		c.on('error', () => {});
		c.resume();
		all.push(c);
		await new Promise((r) => c.once('connect', r));
		c.write(said[i % 3]);
	}
	await eventually(async () => await s.metric(
	    'fugu_tls_handshakes_inflight') >= 4000, 'many handshakes', 60000);
	await eventually(async () => await failed(s, 'overload') >=
	    HALF_OPEN - 4096 - 100, 'the oldest gave way', 60000);
	const took = await handshakes(s);
	assert.ok(took[5] < 250 + 10 * alone, `a normal client took ${took}, ` +
	    `and ${alone} when it was alone`);
	const kb = (rss(s) - before) / HALF_OPEN;
	console.log(`# ${kb.toFixed(1)} KB each, normal clients ${took} ms`);
	assert.ok(kb < 20, `${kb} KB each`);
}, { quiet: true });

await run();
