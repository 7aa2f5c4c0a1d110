/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Channels with the real JavaScript SDK: subscription tokens, recovery over
 * killed connections and over a restart of the server, history, presence,
 * joins and leaves, deltas (decoded by the SDK), tags filters, server-side
 * subscriptions, batching, tokens that live for a second or two.
 */
import { Server, assert, eventually, merge, BASE, now, run, sleep, test,
	token } from './harness.mjs';
import { Centrifuge, PROTOBUF, UnauthorizedError } from './sdk_class.mjs';
import { NAMESPACES, filled, published } from './talk.mjs';
import { BrowserSocket } from './wire.mjs';

const EVENTS = ['connecting', 'connected', 'disconnected', 'error',
	'subscribing', 'subscribed', 'unsubscribed', 'publication', 'join',
	'leave'];

/* Keep every event of the emitter x in x.events, as {e, ...context}. */
function watch(x) {
	x.events = [];
	for (const e of EVENTS)
		x.on(e, (ctx) => x.events.push({ e, ...ctx }));
	return x;
}

/* Connected; c.kill() cuts the line as a bad network does, c.frames has what
 * the server sent. */
async function connected(t, s, opt = {}) {
	let socket;
	class Socket extends BrowserSocket {
		constructor(...args) {
			super(...args);
			socket = this;
		}
		set onmessage(f) {
			this.hear = (m) => {
				frames.push(m.data);
				f(m);
			};
		}
		get onmessage() {
			return this.hear;
		}
	}
	const frames = [];
	const c = watch(new Centrifuge(s.ws(), { websocket: Socket,
		minReconnectDelay: 100, maxReconnectDelay: 300,
		timeout: 10000, ...opt }));
	c.frames = frames;
	c.kill = () => socket.wire.tcp.sock.destroy();
	t.after(() => c.disconnect());
	c.connect();
	await c.ready(10000);
	return c;
}

const named = (t, s, name, claims, opt) => connected(t, s, {
	token: token({ sub: name, ...claims }), ...opt });

async function subscribed(c, channel, opt) {
	const sub = watch(c.newSubscription(channel, opt));
	sub.subscribe();
	await sub.ready(10000);
	return sub;
}

const all = (x, name) => x.events.filter((e) => e.e === name);

const event = (x, name, n = 1, ms = 15000) => eventually(() =>
    all(x, name)[n - 1], `event ${name} number ${n}: ` +
    JSON.stringify(x.events).slice(0, 500), ms);

const heard = async (sub, expected) => {
	await event(sub, 'publication', expected.length);
	assert.deepEqual(all(sub, 'publication').map((p) => p.data), expected);
};

const count = (from, to) => Array.from({ length: to - from + 1 },
    (_, i) => from + i);

/* --- subscription tokens --- */

test('sdk_get_token', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `$tok:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const asked = [];
	const sub = await subscribed(c, channel, { getToken: async (ctx) => {
		asked.push(ctx.channel);
		return token({ sub: 'ann', channel, data: { hello: 1 } });
	} });
	assert.deepEqual(asked, [channel]);
	assert.deepEqual((await event(sub, 'subscribed')).data, { hello: 1 });
	await published(s, channel, 1);
	await heard(sub, [1]);
});

test('sdk_get_token_again_after_expired', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tok:${t.channel()}`;
	const c = await named(t, s, 'ann');
	let n = 0;
	const sub = await subscribed(c, channel, { minResubscribeDelay: 20,
		getToken: async () => token({ sub: 'ann', channel,
			exp: now() + (n++ ? 100 : -100) }) });
	assert.equal(n, 2);
	assert.equal(sub.state, 'subscribed');
});

test('sdk_unauthorized_and_foreign_token', async (t) => {
	const s = await t.server(NAMESPACES);
	const c = await named(t, s, 'ann');
	const sub = watch(c.newSubscription('tok:a', { getToken: () =>
	    Promise.reject(new UnauthorizedError('')) }));
	sub.subscribe();
	assert.equal((await event(sub, 'unsubscribed')).reason,
	    'unauthorized');
	const other = watch(c.newSubscription('tok:b', {
		token: token({ sub: 'bob', channel: 'tok:b' }) }));
	other.subscribe();
	const e = await event(c, 'disconnected');
	assert.deepEqual([e.code, e.reason], [3500, 'invalid token']);
});

const QUICK = { ...NAMESPACES, client: { presence_update_interval: '1s',
	expired_close_delay: '1s', expired_sub_close_delay: '1s' } };

/* The first of the tokens and its grace are over when the fifth is asked
 * for. */
const GRACE = { ...NAMESPACES, client: { presence_update_interval: '1s',
	expired_close_delay: '4s', expired_sub_close_delay: '4s' } };

test('sdk_subscription_is_refreshed', async (t) => {
	const s = await t.server(GRACE);
	const channel = `tok:${t.channel()}`;
	const c = await named(t, s, 'ann');
	let n = 0;
	const sub = await subscribed(c, channel, { getToken: async () => {
		n++;
		return token({ sub: 'ann', channel, exp: now() + 2 });
	} });
	await eventually(() => n >= 5, 'five tokens', 60000);
	assert.equal(all(sub, 'subscribed').length, 1);
	assert.equal(all(sub, 'subscribing').length, 1);
	await published(s, channel, 1);
	await heard(sub, [1]);
});

test('sdk_subscription_that_expired_comes_back', async (t) => {
	const s = await t.server(QUICK);
	const channel = `tok:${t.channel()}`;
	const c = await named(t, s, 'ann');
	let n = 0;
	const sub = watch(c.newSubscription(channel, {
		minResubscribeDelay: 20, getToken: async () => {
		if (++n === 2)	/* the refresh: too late */
			await sleep(6000);
		return token({ sub: 'ann', channel, exp: now() + 2 });
	} }));
	sub.subscribe();
	const e = await event(sub, 'subscribing', 2, 20000);
	assert.equal(e.code, 2501);
	sub.unsubscribe();
});

test('sdk_short_connection_token_is_refreshed', async (t) => {
	const s = await t.server(GRACE);
	let n = 0;
	const c = await connected(t, s, { getToken: async () => {
		n++;
		return token({ sub: 'ann', exp: now() + 2 });
	} });
	await eventually(() => n >= 5, 'five tokens', 60000);
	assert.equal(c.state, 'connected');
	assert.equal(all(c, 'connecting').length, 1);
});

/* --- recovery --- */

test('sdk_recovers_after_a_killed_connection', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel);
	const first = await event(sub, 'subscribed');
	assert.equal(first.recoverable, true);
	assert.equal(first.wasRecovering, false);
	let n = 0;
	for (let round = 1; round <= 3; round++) {
		for (let i = 0; i < 3; i++)
			await published(s, channel, ++n);
		await event(sub, 'publication', n);
		c.kill();
		for (let i = 0; i < 4; i++)
			await published(s, channel, ++n);
		const e = await event(sub, 'subscribed', round + 1);
		assert.equal(e.wasRecovering, true);
		assert.equal(e.recovered, true);
		assert.equal(e.streamPosition.epoch,
		    first.streamPosition.epoch);
		await heard(sub, count(1, n));
	}
	await published(s, channel, ++n);
	await heard(sub, count(1, n));
});

test('sdk_is_told_when_it_could_not_recover', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel);
	await published(s, channel, 1);
	await event(sub, 'publication');
	c.kill();
	await filledFrom(s, channel, 2, 20);
	const e = await event(sub, 'subscribed', 2);
	assert.deepEqual([e.wasRecovering, e.recovered], [true, false]);
	assert.equal(e.streamPosition.offset, 20);
	await published(s, channel, 21);
	await heard(sub, [1, 21]);
});

async function filledFrom(s, channel, from, to) {
	await s.api('batch', { commands: count(from, to).map((data) =>
	    ({ publish: { channel, data } })) });
}

test('sdk_recovers_from_a_given_position', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const epoch = await filled(s, channel, 5);
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel, { since: { offset: 2,
		epoch } });
	await heard(sub, [3, 4, 5]);
	assert.equal((await event(sub, 'subscribed')).recovered, true);
});

test('sdk_cache_recovery', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `auto:${t.channel()}`;
	await filled(s, channel, 5);
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel);
	await heard(sub, [5]);
	c.kill();
	await published(s, channel, 6);
	await published(s, channel, 7);
	await event(sub, 'subscribed', 2);
	await eventually(() => all(sub, 'publication').at(-1).data === 7,
	    'the latest');
});

/* The same address after a restart, nothing kept: another epoch. */
test('sdk_restart_changes_the_epoch', async (t) => {
	const s = await t.ownServer(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel);
	await filled(s, channel, 3);
	await heard(sub, [1, 2, 3]);
	await s.stop();
	const again = new Server(merge(BASE, NAMESPACES), t.workers);
	await again.start(s.port);
	t.after(() => again.stop());
	const e = await event(sub, 'subscribed', 2);
	assert.deepEqual([e.wasRecovering, e.recovered], [true, false]);
	const [before] = all(sub, 'subscribed');
	assert.notEqual(e.streamPosition.epoch, before.streamPosition.epoch);
	assert.equal(e.streamPosition.offset, 0);
	await published(again, channel, 'anew');
	await heard(sub, [1, 2, 3, 'anew']);
});

test('sdk_resubscribes_after_insufficient_state', async (t) => {
	const s = await t.server({ channel: { namespaces: [{ name: 'mm',
		allow_subscribe_for_client: true, history_size: 10,
		history_ttl: '1s', history_meta_ttl: '2s',
		force_recovery: true }] } });
	const channel = `mm:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel, { minResubscribeDelay: 20 });
	await published(s, channel, 1);
	await heard(sub, [1]);
	await sleep(4500);
	await published(s, channel, 2);
	assert.equal((await event(sub, 'subscribing', 2)).code, 2500);
	const e = await event(sub, 'subscribed', 2);
	assert.deepEqual([e.wasRecovering, e.recovered], [true, false]);
});

/* --- history, presence --- */

test('sdk_history', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel);
	const epoch = await filled(s, channel, 5);
	const data = (r) => r.publications.map((p) => p.data);
	assert.deepEqual(await sub.history({ limit: 0 }), { publications: [],
		epoch, offset: 5 });
	assert.deepEqual(data(await sub.history({ limit: 3 })), [1, 2, 3]);
	assert.deepEqual(data(await sub.history({ limit: 9,
		since: { offset: 3, epoch } })), [4, 5]);
	assert.deepEqual(data(await sub.history({ limit: 2,
		reverse: true })), [5, 4]);
	assert.deepEqual(data(await c.history(channel, { limit: 1 })), [1]);
	await assert.rejects(sub.history({ limit: 1, since: { offset: 1,
		epoch: 'x' } }), { code: 112 });
});

test('sdk_presence', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `presonly:${t.channel()}`;
	const a = await named(t, s, 'ann', { info: { name: 'Ann' } });
	const b = await named(t, s, 'bob');
	const sub = await subscribed(a, channel);
	await subscribed(b, channel);
	const { clients } = await sub.presence();
	assert.deepEqual(Object.values(clients).map((i) => [i.user,
		i.connInfo]).sort(), [['ann', { name: 'Ann' }],
		['bob', undefined]]);
	assert.deepEqual(await sub.presenceStats(), { numClients: 2,
		numUsers: 2 });
	b.disconnect();
	await eventually(async () => (await a.presenceStats(channel))
	    .numClients === 1, 'one is left');
});

test('sdk_join_and_leave', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pres:${t.channel()}`;
	const a = await named(t, s, 'ann');
	const sub = await subscribed(a, channel, { joinLeave: true });
	await event(sub, 'join');
	const b = await named(t, s, 'bob', { info: 7 });
	const his = await subscribed(b, channel);
	const join = await event(sub, 'join', 2);
	assert.equal(join.info.user, 'bob');
	assert.equal(join.info.connInfo, 7);
	his.unsubscribe();
	const leave = await event(sub, 'leave');
	assert.deepEqual(leave.info, join.info);
	assert.deepEqual(all(his, 'join'), []);
});

/* --- deltas and filters --- */

const doc = (i) => ({ i, text: 'lorem ipsum "dolor" \u{1f421} '.repeat(20),
	list: count(1, i % 7 + 1), nested: { n: `${i * i}` } });

test('sdk_delta_fossil', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel, { delta: 'fossil' });
	const plain = await subscribed(await named(t, s, 'bob'), channel);
	let n = 0;
	const send = async (k) => {
		for (; k; k--)
			await published(s, channel, doc(++n));
	};
	const right = async () => {
		for (const x of [sub, plain])
			await heard(x, count(1, n).map(doc));
	};
	await send(4);
	await right();
	c.kill();
	await send(5);
	await right();
	await send(3);
	await sub.publish(doc(++n));
	await send(2);
	await right();
	assert.equal((await event(sub, 'subscribed', 2)).recovered, true);
	/* The first is full, so is the first recovered; the replies to
	 * subscribe say it as well. */
	if (PROTOBUF)
		return;
	const deltas = c.frames.join('').match(/"delta":true}/g).length;
	assert.ok(deltas >= 12 && deltas <= n, `${deltas} of ${n}`);
});

test('sdk_delta_of_random_documents', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	const sub = await subscribed(await named(t, s, 'ann'), channel,
	    { delta: 'fossil' });
	const words = ['a', 'bb', 'ccc\u00e9', '\u{1f421}', '"', '\\', '\n',
		'dddddddddddddddddddddddddddddddd', '<>&'];
	let text = [];
	const sent = [];
	for (let i = 0; i < 150; i++) {
		const at = i * 7919 % (text.length + 1);
		if (i % 9 === 8)
			text = text.slice(at).concat(text.slice(0, at));
		else if (i % 5 === 4)
			text.splice(at, i % 13);
		else
			text.splice(at, 0, ...Array.from({ length: i % 17 },
			    (_, k) => words[(i * k + at) % words.length]));
		sent.push(text.join(i % 2 ? ' ' : ''));
	}
	await s.api('batch', { commands: sent.map((data) => ({ publish: {
		channel, data } })) });
	await heard(sub, sent);
});

test('sdk_tags_filter', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tags:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const sub = await subscribed(c, channel, { tagsFilter: { op: 'and',
		nodes: [{ key: 'team', cmp: 'in', vals: ['a', 'b'] },
		{ key: 'score', cmp: 'gte', val: '10' }] } });
	const send = async (data, team, score) => published(s, channel, data,
	    { tags: { team, score } });
	await send(1, 'a', '10');
	await send(2, 'c', '10');
	await send(3, 'b', '9.5');
	await send(4, 'b', '11');
	await heard(sub, [1, 4]);
	c.kill();
	await send(5, 'a', '1');
	await send(6, 'a', '100');
	const e = await event(sub, 'subscribed', 2);
	assert.equal(e.recovered, true);
	await heard(sub, [1, 4, 6]);
	assert.deepEqual(all(sub, 'publication').at(-1).tags, { team: 'a',
		score: '100' });
});

/* --- server-side subscriptions --- */

test('sdk_server_side_subscriptions', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const mine = `rec:${t.channel()}`;
	const c = await named(t, s, name, { subs: { [mine]: {
		data: { d: 1 } } } });
	const e = await event(c, 'subscribed');
	assert.equal(e.channel, mine);
	assert.deepEqual(e.data, { d: 1 });
	await published(s, mine, 1);
	await event(c, 'publication');
	c.kill();
	await published(s, mine, 2);
	await published(s, mine, 3);
	const again = await event(c, 'subscribed', 2);
	assert.deepEqual([again.wasRecovering, again.recovered], [true, true]);
	await event(c, 'publication', 3);
	assert.deepEqual(all(c, 'publication').map((p) => [p.channel, p.data]),
	    [[mine, 1], [mine, 2], [mine, 3]]);
});

test('sdk_subscribed_by_the_api', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const channel = `pushed:${t.channel()}`;
	const c = await named(t, s, name);
	await s.api('subscribe', { user: name, channel, data: { a: 1 },
		info: { i: 1 } });
	const e = await event(c, 'subscribed');
	assert.deepEqual([e.channel, e.data], [channel, { a: 1 }]);
	const join = await event(c, 'join');
	assert.deepEqual([join.channel, join.info.chanInfo],
	    [channel, { i: 1 }]);
	await published(s, channel, 1);
	assert.equal((await event(c, 'publication')).data, 1);
	await s.api('unsubscribe', { user: name, channel });
	assert.equal((await event(c, 'unsubscribed')).channel, channel);
	await s.api('refresh', { user: name, expired: true });
	const d = await event(c, 'connecting', 2);
	assert.deepEqual([d.code, d.reason], [3005, 'connection expired']);
});

test('sdk_personal_channel', async (t) => {
	const s = await t.server({ ...NAMESPACES, client: {
		subscribe_to_user_personal_channel: { enabled: true,
			personal_channel_namespace: 'hist' } } });
	const name = t.channel();
	const c = await named(t, s, name);
	await event(c, 'subscribed');
	await published(s, `hist:#${name}`, 'for you');
	assert.equal((await event(c, 'publication')).data, 'for you');
});

/* --- many at once --- */

test('sdk_batched_subscriptions_with_tokens', async (t) => {
	const s = await t.server(NAMESPACES);
	const base = `rec:${t.channel()}`;
	const c = await named(t, s, 'ann');
	const channels = count(1, 60).map((i) => `${base}.${i}`);
	c.startBatching();
	const subs = channels.map((channel) => {
		const sub = watch(c.newSubscription(channel));
		sub.subscribe();
		return sub;
	});
	c.stopBatching();
	await Promise.all(subs.map((sub) => sub.ready(15000)));
	await s.api('broadcast', { channels, data: 1 });
	c.kill();
	await s.api('broadcast', { channels, data: 2 });
	await s.api('broadcast', { channels, data: 3 });
	for (const sub of subs) {
		await event(sub, 'publication', 3);
		assert.deepEqual(all(sub, 'publication').map((p) => p.data),
		    [1, 2, 3]);
	}
});

await run();
