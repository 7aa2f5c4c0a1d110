/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The main job with the real JavaScript SDK: clients subscribe, clients and
 * the API publish, everybody hears the same in the same order; and what the
 * SDK makes of pings, closes, expired tokens and errors.
 */
import { assert, eventually, now, run, sleep, test, token }
	from './harness.mjs';
import { Centrifuge } from './sdk_class.mjs';
import { BrowserSocket } from './wire.mjs';

/* An SDK client whose events are kept in client.events. */
function client(t, s, opt = {}) {
	const c = new Centrifuge(s.ws(), { websocket: BrowserSocket,
		minReconnectDelay: 20, maxReconnectDelay: 100,
		timeout: 10000, ...opt });
	c.events = [];
	for (const e of ['connecting', 'connected', 'disconnected', 'error'])
		c.on(e, (ctx) => c.events.push({ e, ...ctx }));
	t.after(() => c.disconnect());
	return c;
}

async function connected(t, s, opt) {
	const c = client(t, s, opt);
	c.connect();
	await c.ready(10000);
	return c;
}

/* A subscription whose publications are kept in sub.got. */
async function subscribed(c, channel, opt) {
	const sub = c.newSubscription(channel, opt);
	sub.got = [];
	sub.on('publication', (ctx) => sub.got.push(ctx.data));
	sub.subscribe();
	await sub.ready(10000);
	return sub;
}

const heard = (sub, n, ms = 20000) =>
	eventually(() => sub.got.length >= n, `${n} publications`, ms);

const event = (c, name, ms = 20000) => eventually(
    () => c.events.find((e) => e.e === name), `event ${name}`, ms);

test('sdk_anonymous_connects', async (t) => {
	const s = await t.server();
	const c = await connected(t, s);
	assert.equal(c.state, 'connected');
	const e = await event(c, 'connected');
	assert.match(e.client, /^[0-9a-f-]{36}$/);
	assert.equal(e.transport, 'websocket');
});

test('sdk_publish_reaches_everybody', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const all = await Promise.all(Array.from({ length: 10 }, async () =>
	    subscribed(await connected(t, s), channel)));
	await all[0].publish({ hello: 'w\u00f6rld \u{1f421}', n: [1, 2.5, null] });
	await s.publish(channel, 'from the API');
	for (const sub of all) {
		await heard(sub, 2);
		assert.deepEqual(sub.got, [{ hello: 'w\u00f6rld \u{1f421}',
			n: [1, 2.5, null] }, 'from the API']);
	}
});

test('sdk_publication_names_the_publisher', async (t) => {
	const s = await t.server();
	const c = await connected(t, s, { token: token({ sub: 'ann',
		info: { name: 'Ann' } }) });
	const sub = c.newSubscription(t.channel());
	const got = new Promise((r) => sub.on('publication', r));
	sub.subscribe();
	await sub.ready(10000);
	await sub.publish(1);
	const ctx = await got;
	assert.equal(ctx.info.user, 'ann');
	assert.deepEqual(ctx.info.connInfo, { name: 'Ann' });
	assert.equal(ctx.info.client, c.events.find((e) =>
	    e.e === 'connected').client);
});

test('sdk_publish_without_subscription', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const sub = await subscribed(await connected(t, s), channel);
	const c = await connected(t, s);
	await c.publish(channel, { a: 1 });
	await heard(sub, 1);
	assert.deepEqual(sub.got, [{ a: 1 }]);
});

test('sdk_1000_messages_in_order_for_all', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const all = await Promise.all(Array.from({ length: 6 }, async () =>
	    subscribed(await connected(t, s), channel)));
	const c = await connected(t, s);
	for (let i = 0; i < 1000; i += 50)
		await Promise.all(Array.from({ length: 50 },
		    (_, k) => c.publish(channel, i + k)));
	const expected = Array.from({ length: 1000 }, (_, i) => i);
	for (const sub of all) {
		await heard(sub, 1000);
		assert.deepEqual(sub.got, expected);
	}
});

test('sdk_many_publishers_one_order_for_all', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const all = await Promise.all(Array.from({ length: 6 }, async () =>
	    subscribed(await connected(t, s), channel)));
	const publishers = await Promise.all(Array.from({ length: 4 },
	    () => connected(t, s)));
	await Promise.all(publishers.map(async (c, p) => {
		for (let i = 0; i < 100; i++)
			await c.publish(channel, { p, i });
	}));
	for (const sub of all) {
		await heard(sub, 400);
		assert.deepEqual(sub.got, all[0].got);
	}
	for (let p = 0; p < 4; p++)
		assert.deepEqual(all[0].got.filter((m) => m.p === p)
		    .map((m) => m.i), Array.from({ length: 100 }, (_, i) => i));
});

test('sdk_many_channels', async (t) => {
	const s = await t.server();
	const base = t.channel();
	const c = await connected(t, s);
	const subs = await Promise.all(Array.from({ length: 100 },
	    (_, i) => subscribed(c, `${base}.${i}`)));
	await Promise.all(subs.map((sub, i) => s.publish(`${base}.${i}`, i)));
	for (const [i, sub] of subs.entries()) {
		await heard(sub, 1);
		assert.deepEqual(sub.got, [i]);
	}
});

test('sdk_unsubscribe_and_subscribe_again', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const sub = await subscribed(await connected(t, s), channel);
	const other = await subscribed(await connected(t, s), channel);
	await s.publish(channel, 1);
	await heard(sub, 1);
	sub.unsubscribe();
	await sleep(200);
	await s.publish(channel, 2);
	await heard(other, 2);
	sub.subscribe();
	await sub.ready(10000);
	await s.publish(channel, 3);
	await heard(sub, 2);
	assert.deepEqual(sub.got, [1, 3]);
	assert.deepEqual(other.got.slice(0, 2), [1, 2]);
});

test('sdk_server_unsubscribe', async (t) => {
	const s = await t.server();
	const user = t.channel();
	const c = await connected(t, s, { token: token({ sub: user }) });
	const sub = await subscribed(c, t.channel());
	const gone = new Promise((r) => sub.on('unsubscribed', r));
	await s.api('unsubscribe', { user, channel: sub.channel });
	const ctx = await gone;
	assert.equal(ctx.code, 2000);
	assert.equal(ctx.reason, 'server unsubscribe');
	assert.equal(c.state, 'connected');
	await s.publish(sub.channel, 1);
	await sleep(100);
	assert.deepEqual(sub.got, []);
});

test('sdk_subscribe_error_is_told', async (t) => {
	const s = await t.server();
	const c = await connected(t, s);
	const sub = c.newSubscription('nope:x');
	const gone = new Promise((r) => sub.on('unsubscribed', r));
	sub.subscribe();
	assert.equal((await gone).code, 102);
});

test('sdk_rpc_error', async (t) => {
	const s = await t.server();
	const c = await connected(t, s);
	await assert.rejects(c.rpc('x', {}), { code: 108,
		message: 'not available' });
	assert.equal(c.state, 'connected');
});

test('sdk_history_and_presence_errors', async (t) => {
	const s = await t.server();
	const c = await connected(t, s);
	const sub = await subscribed(c, t.channel());
	for (const f of [() => sub.history({ limit: 1 }),
	    () => sub.presence(), () => sub.presenceStats()])
		await assert.rejects(f(), { code: 108 });
	assert.equal(c.state, 'connected');
});

for (const code of [3011, 3499, 4000, 4499])
	test(`sdk_reconnects_after_${code}`, async (t) => {
		const s = await t.server();
		const user = t.channel();
		const c = await connected(t, s, { token: token({ sub: user }) });
		const sub = await subscribed(c, t.channel());
		await s.api('disconnect', { user, disconnect: { code,
			reason: 'come back' } });
		await eventually(() => c.events.filter((e) =>
		    e.e === 'connected').length === 2, 'connected again');
		const e = c.events.filter((x) => x.e === 'connecting')[1];
		assert.equal(e.code, code);
		assert.equal(e.reason, 'come back');
		await sub.ready(10000);
		await s.publish(sub.channel, 1);
		await heard(sub, 1);
	});

for (const code of [3503, 3999, 4500, 4999])
	test(`sdk_stays_away_after_${code}`, async (t) => {
		const s = await t.server();
		const user = t.channel();
		const c = await connected(t, s, { token: token({ sub: user }) });
		await s.api('disconnect', { user, disconnect: { code,
			reason: 'go away' } });
		const e = await event(c, 'disconnected');
		assert.equal(e.code, code);
		assert.equal(e.reason, 'go away');
		await sleep(300);
		assert.equal(c.state, 'disconnected');
	});

test('sdk_default_disconnect_is_terminal', async (t) => {
	const s = await t.server();
	const user = t.channel();
	const c = await connected(t, s, { token: token({ sub: user }) });
	await s.api('disconnect', { user });
	const e = await event(c, 'disconnected');
	assert.equal(e.code, 3503);
	assert.equal(e.reason, 'force disconnect');
});

test('sdk_invalid_token_is_terminal', async (t) => {
	const s = await t.server();
	const c = client(t, s, { token: token({ sub: 'u' },
	    { secret: 'wrong' }) });
	c.connect();
	const e = await event(c, 'disconnected');
	assert.equal(e.code, 3500);
	assert.equal(e.reason, 'invalid token');
});

test('sdk_expired_token_asks_for_a_new_one', async (t) => {
	const s = await t.server();
	let asked = 0;
	const c = client(t, s, { token: token({ sub: 'u', exp: now() - 5 }),
		getToken: async () => {
			asked++;
			return token({ sub: 'u', exp: now() + 100 });
		} });
	c.connect();
	await c.ready(10000);
	assert.equal(asked, 1);
});

/* The first token and its grace are over when the fourth is asked for. */
test('sdk_refreshes_before_the_token_expires', async (t) => {
	const s = await t.server({ client: { expired_close_delay: '4s' } });
	let asked = 0;
	const c = await connected(t, s, { getToken: async () => {
		asked++;
		return token({ sub: 'u', exp: now() + 3 });
	} });
	await eventually(() => asked >= 4, 'four tokens', 60000);
	assert.equal(c.state, 'connected');
	assert.equal(c.events.filter((e) => e.e === 'connected').length, 1);
});

test('sdk_token_not_refreshed_is_3005', async (t) => {
	const s = await t.server({ client: { expired_close_delay: '1s' } });
	const c = await connected(t, s, { token: token({ sub: 'u',
	    exp: now() + 3 }), getToken: () => new Promise(() => {}) });
	await eventually(() => c.events.find((e) => e.e === 'connecting' &&
	    e.code === 3005), 'connection expired');
});

test('sdk_answers_pings', async (t) => {
	const s = await t.server({ client: { ping_interval: '2s',
		pong_timeout: '1900ms' } });
	const c = await connected(t, s);
	await sleep(7500);
	assert.equal(c.state, 'connected');
	assert.equal(c.events.filter((e) => e.e === 'connecting').length, 1);
});

test('sdk_batching', async (t) => {
	const s = await t.server();
	const c = await connected(t, s);
	const base = t.channel();
	c.startBatching();
	const subs = Array.from({ length: 20 }, (_, i) => {
		const sub = c.newSubscription(`${base}.${i}`);
		sub.got = [];
		sub.on('publication', (ctx) => sub.got.push(ctx.data));
		sub.subscribe();
		return sub;
	});
	c.stopBatching();
	await Promise.all(subs.map((sub) => sub.ready(10000)));
	c.startBatching();
	const done = subs.map((sub, i) => sub.publish({ i }));
	c.stopBatching();
	await Promise.all(done);
	for (const [i, sub] of subs.entries()) {
		await heard(sub, 1);
		assert.deepEqual(sub.got, [{ i }]);
	}
});

test('sdk_commands_right_after_connect', async (t) => {
	const s = await t.server();
	const c = client(t, s);
	const sub = c.newSubscription(t.channel());
	const got = new Promise((r) => sub.on('publication', r));
	sub.subscribe();
	c.connect();
	await sub.ready(10000);
	await sub.publish('x');
	assert.equal((await got).data, 'x');
});

test('sdk_big_messages', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const sub = await subscribed(await connected(t, s), channel);
	const c = await connected(t, s);
	const sizes = [125, 126, 127, 4000, 65000];
	for (const n of sizes)
		await c.publish(channel, 'x'.repeat(n));
	await s.publish(channel, 'y'.repeat(300000));
	await heard(sub, sizes.length + 1);
	assert.deepEqual(sub.got.map((x) => x.length), [...sizes, 300000]);
	assert.equal(sub.got.at(-1), 'y'.repeat(300000));
});

test('sdk_too_big_a_command_disconnects', async (t) => {
	const s = await t.server();
	const c = await connected(t, s);
	c.publish(t.channel(), 'x'.repeat(70000)).catch(() => {});
	const e = await event(c, 'disconnected');
	assert.equal(e.code, 3);	/* the SDK's name for 1009 */
});

test('sdk_unicode', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const sub = await subscribed(await connected(t, s), channel);
	const texts = ['\u00e4\u00f6\u00fc', '\u65e5\u672c\u8a9e',
		'\u{1f421}\u{10ffff}', '\u0000\u001f\u007f', '\u2028\u2029', '"\\/\b\f\n\r\t', '</script>',
		'\ufeff', ''];
	for (const x of texts)
		await sub.publish({ [x]: x });
	for (const x of texts)
		await s.publish(channel, { [x]: x });
	await heard(sub, 2 * texts.length);
	const expected = texts.map((x) => ({ [x]: x }));
	assert.deepEqual(sub.got, [...expected, ...expected]);
});

test('sdk_come_and_go', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const stay = await subscribed(await connected(t, s), channel);
	for (let i = 0; i < 30; i++) {
		const c = client(t, s);
		const sub = c.newSubscription(channel);
		sub.subscribe();
		c.connect();
		if (i % 3) {
			await sub.ready(10000);
			await sub.publish(i);
		}
		c.disconnect();
	}
	await s.publish(channel, 'end');
	await eventually(() => stay.got.at(-1) === 'end', 'the last message');
	assert.deepEqual(stay.got.slice(0, -1),
	    Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 3));
});

test('sdk_server_restart', async (t) => {
	const s = await t.ownServer();
	const c = await connected(t, s);
	await s.stop();
	const e = await eventually(() => c.events.filter((x) =>
	    x.e === 'connecting')[1], 'reconnecting');
	assert.equal(e.code, 3001);
	assert.equal(e.reason, 'shutdown');
});

await run();
