/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Subscription tokens and server-side subscriptions on the wire: every claim,
 * what does not match, what expires, what is refreshed, what connect, the
 * token and the server API subscribe to.  A case named spec12_N is about row
 * N of the contract's section 12.
 */
import { assert, now, run, test, token } from './harness.mjs';
import { CLOSED, NAMESPACES, answers, ends, error, filled, hears,
	opened, problem, pub, published, push, says, silent, subscribed,
	unsubscribed, user, welcome } from './talk.mjs';

const b64 = (v) => Buffer.from(JSON.stringify(v)).toString('base64');
const OK = '{"id":2,"subscribe":{}}';

/* --- subscription tokens --- */

const ticket = (channel, claims, opt) =>
	token({ sub: 'ann', channel, ...claims }, opt);
const ask = (channel, claims, opt) => ({ id: 2, subscribe: { channel,
	token: ticket(channel, claims, opt) } });

/* A lifetime that must be told, one second more or less. */
function expires(line, id, method, ttl) {
	const r = JSON.parse(line);
	assert.ok(Math.abs(r[method].ttl - ttl) <= 1, line);
	assert.deepEqual(r, { id, [method]: { expires: true,
		ttl: r[method].ttl } });
}

test('subscription_token', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	let n = 0;
	for (const [claims, answer] of [
	    [{}, OK],
	    [{ exp: now() + 100, expire_at: 0 }, OK],
	    [{ exp: now() + 100, expire_at: -1 }, OK],
	    [{ client: w.client }, OK],
	    [{ data: { b: 1, a: '<' } },
		'{"id":2,"subscribe":{"data":{"b":1,"a":"<"}}}'],
	    [{ b64data: b64([1]) }, '{"id":2,"subscribe":{"data":[1]}}'],
	    [{ data: 1, b64data: b64(2) }, '{"id":2,"subscribe":{"data":2}}'],
	    [{ iat: now(), jti: 'x', nbf: now() - 10 }, OK],
	    [{ exp: now() - 10 }, error(2, 109)],
	    [{ nbf: now() + 100 }, error(2, 109)],
	    [{ exp: now() - 10, expire_at: now() + 100 }, error(2, 109)],
	    [{ exp: now() + 100, expire_at: now() - 10 }, error(2, 110)]])
		await says(w, ask(`tok:${t.name}${++n}`, claims), answer);
	w.cmd(ask('tok:e1', { exp: now() + 100 }));
	expires(await w.line(), 2, 'subscribe', 100);
	w.cmd(ask('tok:e2', { exp: now() + 100, expire_at: now() + 50 }));
	expires(await w.line(), 2, 'subscribe', 50);
	w.cmd(ask('tok:e3', { expire_at: now() + 70 }));
	expires(await w.line(), 2, 'subscribe', 70);
	w.close();
});

test('spec12_26_invalid_subscription_token_is_103', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	const channel = 'tok:a';
	for (const bad of ['', 'abc', 'a.b.c', token({ sub: 'ann' }),
	    token({ sub: 5, channel }), ticket(channel, {}, { secret: 'x' }),
	    ticket(channel, {}, { header: { alg: 'none' } }),
	    ticket(channel, {}, { header: { alg: 'RS256' } })])
		await says(w, { id: 2, subscribe: { channel, token: bad } },
		    error(2, 103));
	/* A bad token is no help where none was needed. */
	await says(w, { id: 2, subscribe: { channel: 'hist:a',
	    token: 'abc' } }, error(2, 103));
	w.close();
});

for (const [name, claims] of [['channel', { channel: 'tok:b' }],
    ['user', { sub: 'bob' }], ['no_user', { sub: undefined }],
    ['client', { client: 'other' }]])
	test(`spec12_26_token_of_other_${name}_is_3500`, async (t) => {
		const s = await t.server(NAMESPACES);
		const w = await user(s, 'ann');
		await ends(w, ask('tok:a', claims), CLOSED.token);
	});

test('subscription_token_for_anonymous', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await s.connected();
	await says(w, ask('tok:a', { sub: '' }), OK);
	w.close();
});

test('subscription_token_checks_names_all_the_same', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	await says(w, ask('$tok:p'), OK);
	await says(w, ask('$nope:p'), error(2, 102));
	await says(w, ask('nope:p'), error(2, 102));
	await says(w, ask('regex:9'), error(2, 107));
	await says(w, ask('tok:\u00e9'), error(2, 107));
	await says(w, { id: 2, subscribe: { channel: 'tok:x', type: 1,
	    token: ticket('tok:x') } }, error(2, 103));
	w.close();
});

test('subscription_token_override', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	const recover = '{"id":2,"subscribe":{"recoverable":true,' +
	    '"epoch":"@","positioned":true}}';
	let n = 0;
	for (const [option, ns, on, off] of [
	    ['force_recovery', 'tok', recover, OK],
	    ['force_recovery', 'rec', recover, OK],
	    ['force_positioning', 'tok', '{"id":2,"subscribe":{"epoch":"@",' +
		'"positioned":true}}', OK],
	    ['force_positioning', 'pos', '{"id":2,"subscribe":{"epoch":"@",' +
		'"positioned":true}}', OK]])
		for (const value of [true, false])
			await says(w, ask(`${ns}:${t.name}${++n}`,
			    { override: { [option]: { value } } }),
			    value ? on : off);
	w.close();
});

test('subscription_token_override_presence_and_joins', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	const stats = (channel, n) => answers(s, 'presence_stats', { channel },
	    `{"result":{"num_clients":${n},"num_users":${n}}}`);
	const on = { value: true };
	const off = { value: false };
	const join = (channel) => push(channel,
	    `"join":{"info":{"user":"ann","client":"${w.client}"}}`);
	let channel = `tok:${t.channel()}`;
	await says(w, ask(channel, { override: { presence: off } }), OK);
	await stats(channel, 0);
	channel = `tok:${t.channel()}`;
	await says(w, ask(channel, { override: { force_push_join_leave: on } }),
	    OK, join(channel));
	await stats(channel, 1);
	channel = `pushed:${t.channel()}`;
	await says(w, ask(channel, { override: { join_leave: off } }), OK);
	channel = `pushed:${t.channel()}`;
	await says(w, ask(channel,
	    { override: { force_push_join_leave: off } }), OK);
	channel = `plain:${t.channel()}`;
	await says(w, ask(channel, { override: { join_leave: on,
	    force_push_join_leave: on } }), OK, join(channel));
	await silent(w);
	w.close();
});

test('subscription_token_info', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann', { info: { c: 1 } });
	const channel = `pushed:${t.channel()}`;
	const me = `{"user":"ann","client":"${w.client}",` +
	    '"conn_info":{"c":1},"chan_info":{"z":1}}';
	await says(w, ask(channel, { info: { z: 1 } }), OK,
	    push(channel, `"join":{"info":${me}}`));
	await answers(s, 'presence', { channel },
	    `{"result":{"presence":{"${w.client}":${me}}}}`);
	await says(w, { id: 3, publish: { channel, data: 1 } },
	    pub(channel, `"data":1,"info":${me}`), '{"id":3,"publish":{}}');
	const other = `pres:${t.channel()}`;
	await says(w, ask(other, { info: 1, b64info: b64({ q: 2 }) }), OK);
	await answers(s, 'presence', { channel: other },
	    `{"result":{"presence":{"*":${me.replace('{"z":1}', '{"q":2}')}` +
	    '}}}');
	w.close();
});

test('subscription_tokens_of_their_own_verifier', async (t) => {
	const s = await t.server({ ...NAMESPACES, client: {
		subscription_token: { enabled: true,
			hmac_secret_key: 'other', audience: 'subs' } } });
	const w = await user(s, 'ann');
	await says(w, ask('tok:a', { aud: 'subs' }), error(2, 103));
	await says(w, ask('tok:a', {}, { secret: 'other' }), error(2, 103));
	await says(w, ask('tok:a', { aud: 'subs' }, { secret: 'other' }), OK);
	w.close();
});

/* --- refreshing subscriptions --- */

const refresh = (id, channel, claims, opt) => ({ id, sub_refresh: { channel,
	token: ticket(channel, claims, opt) } });

test('sub_refresh', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	const c = `tok:${t.channel()}`;
	w.cmd(ask(c, { exp: now() + 100 }));
	await w.line();
	w.cmd(refresh(3, c, { exp: now() + 200 }));
	expires(await w.line(), 3, 'sub_refresh', 200);
	w.cmd(refresh(4, c, { expire_at: now() + 77 }));
	expires(await w.line(), 4, 'sub_refresh', 77);
	await says(w, refresh(5, c), '{"id":5,"sub_refresh":{}}');
	await says(w, refresh(6, c, { exp: now() + 100,
	    expire_at: now() - 5 }), error(6, 110));
	await says(w, { id: 7, sub_refresh: { channel: c } }, error(7, 107));
	await says(w, refresh(8, 'tok:other'), error(8, 103));
	await ends(w, { id: 9, sub_refresh: { token: ticket(c) } },
	    CLOSED.request);
});

for (const [name, claims, opt] of [['invalid', {}, { secret: 'x' }],
    ['of_another_user', { sub: 'bob' }],
    ['of_another_channel', { channel: 'tok:x' }]])
	test(`sub_refresh_${name}_is_3500`, async (t) => {
		const s = await t.server(NAMESPACES);
		const w = await user(s, 'ann');
		await subscribed(w, 'tok:a', { token: ticket('tok:a') });
		await ends(w, refresh(3, 'tok:a', claims, opt), CLOSED.token);
	});

/* The tick in which subscriptions expire, and the grace they have. What is to
 * end in the next second has ended when it comes: a token has two. */
const QUICK = { ...NAMESPACES, client: { presence_update_interval: '1s',
	expired_sub_close_delay: '1s', expired_close_delay: '1s' } };

test('spec12_38_expired_subscription_is_2501', async (t) => {
	const s = await t.server(QUICK);
	const w = await user(s, 'ann');
	const channel = `tok:${t.channel()}`;
	const began = Date.now();
	w.cmd(ask(channel, { exp: now() + 2 }));
	expires(await w.line(), 2, 'subscribe', 2);
	assert.equal(await w.line(), unsubscribed(channel, 2501,
	    'subscription expired'));
	assert.ok(Date.now() - began >= 1900, 'too early');
	await says(w, ask(channel), OK);
	w.close();
});

test('a_refreshed_subscription_stays', async (t) => {
	const s = await t.server(QUICK);
	const w = await user(s, 'ann');
	const channel = `tok:${t.channel()}`;
	w.cmd(ask(channel, { exp: now() + 2 }));
	await w.line();
	await says(w, refresh(3, channel), '{"id":3,"sub_refresh":{}}');
	await silent(w, 5000);
	w.close();
});

/* The real server answers with success and never ends the subscription:
 * that is the bug not to copy. */
test('spec12_27_expired_token_does_not_refresh', async (t) => {
	const s = await t.server(QUICK);
	const w = await user(s, 'ann');
	const channel = `tok:${t.channel()}`;
	w.cmd(ask(channel, { exp: now() + 2 }));
	await w.line();
	await says(w, refresh(3, channel, { exp: now() - 10 }), error(3, 109));
	assert.equal(await w.line(), unsubscribed(channel, 2501,
	    'subscription expired'));
	w.close();
}, { fugu: true });

test('spec12_38_expired_server_side_subscription_is_3006', async (t) => {
	const s = await t.server(QUICK);
	const name = t.channel();
	const w = await user(s, name);
	await s.api('subscribe', { user: name, channel: 'hist:e',
		expire_at: now() + 2 });
	await hears(w, push('hist:e', '"subscribe":{}'));
	assert.deepEqual(await w.closed(), CLOSED.subExpired);
	w.close();
});

test('expired_connection_is_3005', async (t) => {
	const s = await t.server(QUICK);
	const w = await user(s, 'ann', { exp: now() + 2 });
	assert.deepEqual(await w.closed(), CLOSED.expired);
	w.close();
});

/* --- refreshing connections --- */

const renew = (id, claims) => ({ id, refresh: { token: token({ sub: 'ann',
	...claims }) } });

test('refresh_with_expire_at_and_without', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann', { exp: now() + 100 });
	await says(w, renew(2, {}), '{"id":2,"refresh":{}}');
	w.cmd(renew(3, { expire_at: now() + 9 }));
	expires(await w.line(), 3, 'refresh', 9);
	await says(w, renew(4, { expire_at: now() - 9 }), error(4, 110));
	await ends(w, renew(5, { exp: now() - 1 }), CLOSED.expired);
});

test('refresh_takes_the_new_info', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann', { info: { a: 1 } });
	const channel = `plain:${t.channel()}`;
	w.cmd(renew(2, { info: { b: 1 }, exp: now() + 100 }));
	expires(await w.line(), 2, 'refresh', 100);
	await subscribed(w, channel);
	await says(w, { id: 4, publish: { channel, data: 1 } }, pub(channel,
	    '"data":1,"info":{"user":"ann","client":"*","conn_info":' +
	    '{"b":1}}'), '{"id":4,"publish":{}}');
	w.close();
});

for (const [name, before, after] of [['other', ['hist:a'], ['hist:b']],
    ['fewer', ['hist:a'], undefined], ['more', undefined, ['hist:a']]])
	test(`refresh_with_${name}_channels_is_3010`, async (t) => {
		const s = await t.server(NAMESPACES);
		const w = await user(s, 'ann', { channels: before });
		await ends(w, renew(3, { channels: after }), CLOSED.state);
	});

test('refresh_with_the_same_channels', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann', { channels: ['hist:a'] });
	await says(w, renew(3, { channels: ['hist:a'] }),
	    '{"id":3,"refresh":{}}');
	w.close();
});

/* --- server-side subscriptions of connect --- */

test('token_channels', async (t) => {
	const s = await t.server(NAMESPACES);
	const tail = t.channel();
	const channels = ['hist', 'rec', 'pos', 'pres', '$hist', 'tok',
	    'regex'].map((ns) => `${ns}:${tail}`).concat('listed:a#bob', tail);
	const w = await opened(s, { token: token({ sub: 'ann', channels }) });
	const { subs } = await welcome(w);
	const position = { epoch: subs[`rec:${tail}`].epoch };
	const expected = {};
	for (const c of channels)
		expected[c] = {};
	expected[`rec:${tail}`] = { recoverable: true, ...position,
		positioned: true };
	expected[`pos:${tail}`] = { epoch: subs[`pos:${tail}`].epoch,
		positioned: true };
	assert.deepEqual(subs, expected);
	await published(s, `hist:${tail}`, 1);
	await published(s, `rec:${tail}`, 2);
	await hears(w, pub(`hist:${tail}`, '"data":1,"offset":1,"epoch":"@"'),
	    pub(`rec:${tail}`, '"data":2,"offset":1,"epoch":"@"'));
	w.close();
});

test('token_channels_reply_and_own_join_on_the_wire', async (t) => {
	const s = await t.server(NAMESPACES);
	const c = `pushed:${t.channel()}`;
	const w = await opened(s, { token: token({ sub: 'ann',
		channels: [c] }) });
	assert.match(await w.line(), new RegExp('^\\{"id":1,"connect":\\{' +
	    `"client":"[^"]*","version":"[^"]*","subs":\\{"${c}":\\{\\}\\},` +
	    '"ping":25,"pong":true\\}\\}$'));
	await hears(w, push(c, '"join":{"info":{"user":"ann","client":"*"}}'));
	w.close();
});

for (const claims of [{ channels: ['nope:a'] }, { subs: { 'nope:a': {} } }])
	test(`unknown_namespace_in_${Object.keys(claims)}_is_102`,
	    async (t) => {
		const s = await t.server(NAMESPACES);
		const w = await opened(s, { token: token({ sub: 'ann',
			...claims }) });
		await hears(w, error(1, 102));
		w.close();
	});

for (const claims of [{ channels: 'a' }, { channels: [1] }, { subs: [] },
    { subs: { a: 1 } }, { subs: { a: { override: 1 } } }])
	test(`token_with_${JSON.stringify(claims)}_is_3500`, async (t) => {
		const s = await t.server(NAMESPACES);
		const w = await opened(s, { token: token({ sub: 'ann',
			...claims }) });
		assert.deepEqual(await w.closed(), CLOSED.token);
		w.close();
	});

test('token_subs', async (t) => {
	const s = await t.server(NAMESPACES);
	const tail = t.channel();
	const names = ['rec', 'hist', 'tok', 'pres', 'plain'].map((ns) =>
	    `${ns}:${tail}`);
	const [rec, hist, tok, pres, plain] = names;
	const yes = { value: true };
	const w = await opened(s, { token: token({ sub: 'ann',
	    channels: [rec, plain], subs: {
		[rec]: { data: { a: 1 }, override: {
			force_recovery: { value: false } } },
		[hist]: { b64data: b64([1]), override: {
			force_recovery: yes } },
		[tok]: { override: { force_positioning: yes,
			presence: { value: false } } },
		[pres]: { info: { i: 1 }, override: {
			force_push_join_leave: yes } },
	    } }) });
	const { subs } = await welcome(w);
	/* With subs the channels claim counts for nothing. */
	assert.deepEqual(subs, {
		[rec]: { data: { a: 1 } },
		[hist]: { recoverable: true, epoch: subs[hist].epoch,
			positioned: true, data: [1] },
		[tok]: { epoch: subs[tok].epoch, positioned: true },
		[pres]: {} });
	const me = `{"user":"ann","client":"${w.client}","chan_info":{"i":1}}`;
	await hears(w, push(pres, `"join":{"info":${me}}`));
	await answers(s, 'presence', { channel: pres },
	    `{"result":{"presence":{"${w.client}":${me}}}}`);
	await answers(s, 'presence', { channel: tok },
	    '{"result":{"presence":{}}}');
	w.close();
});

test('spec12_25_server_side_subscribed_is_105', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const w = await user(s, 'ann', { channels: [channel] });
	await says(w, { id: 2, subscribe: { channel } }, error(2, 105));
	await says(w, { id: 3, unsubscribe: { channel } },
	    '{"id":3,"unsubscribe":{}}');
	await says(w, { id: 4, subscribe: { channel } }, '{"id":4,' +
	    '"subscribe":{"recoverable":true,"epoch":"@","positioned":true}}');
	w.close();
});

test('server_side_subscriptions_recover', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const epoch = await filled(s, channel, 3);
	for (const [from, to] of [
	    [{ recover: true, offset: 1, epoch }, { recoverable: true, epoch,
		publications: [{ data: 2, offset: 2 }, { data: 3, offset: 3 }],
		recovered: true, offset: 1, positioned: true,
		was_recovering: true }],
	    [{ recover: true, offset: 1, epoch: 'x' }, { recoverable: true,
		epoch, offset: 3, positioned: true, was_recovering: true }],
	    [{}, { recoverable: true, epoch, offset: 3,
		positioned: true }]]) {
		const w = await opened(s, { subs: { [channel]: from },
			token: token({ sub: 'ann', channels: [channel] }) });
		assert.deepEqual((await welcome(w)).subs, { [channel]: to });
		w.close();
	}
});

test('server_side_auto_cache_recover', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `auto:${t.channel()}`;
	const epoch = await filled(s, channel, 2);
	const w = await opened(s, { token: token({ sub: 'ann',
		channels: [channel] }) });
	assert.deepEqual((await welcome(w)).subs, { [channel]: {
		recoverable: true, epoch, publications: [
		{ data: 2, offset: 2 }], recovered: true, positioned: true,
		was_recovering: true } });
	w.close();
});

test('spec12_33_connect_subs', async (t) => {
	const s = await t.server(NAMESPACES);
	const names = { 'hist:x': {}, 'tok:x': {}, '$hist:q': {},
		'listed:a#ann': {}, 'listed:a#bob': {}, 'regex:99': {},
		'hist:\u00e9': {}, 'forclients:x': {} };
	const w = await opened(s, { subs: names,
		token: token({ sub: 'ann' }) });
	assert.deepEqual((await welcome(w)).subs, { 'hist:x': {},
		'listed:a#ann': {}, 'forclients:x': {} });
	w.close();
	const v = await opened(s, { subs: names });
	assert.deepEqual((await welcome(v)).subs, { 'hist:x': {} });
	v.close();
	const u = await opened(s, { subs: { 'tok:x': {
		token: ticket('tok:x') } }, token: token({ sub: 'ann' }) });
	assert.equal((await welcome(u)).subs, undefined);
	u.close();
	const x = await opened(s, { subs: { 'hist:x': {}, 'nope:x': {} } });
	assert.deepEqual(await x.closed(), CLOSED.request);
	x.close();
});

test('connection_info_of_the_token', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pres:${t.channel()}`;
	const w = await user(s, 'ann', { info: 1, b64info: b64({ z: 2 }),
		meta: { m: 1 }, channels: [channel] });
	await answers(s, 'presence', { channel }, '{"result":{"presence":' +
	    `{"*":{"user":"ann","client":"${w.client}",` +
	    '"conn_info":{"z":2}}}}}');
	w.close();
});

/* --- the personal channel --- */

test('personal_channel', async (t) => {
	const s = await t.server({ client: {
		subscribe_to_user_personal_channel: { enabled: true } } });
	const name = t.channel();
	const w = await opened(s, { token: token({ sub: name }) });
	const channel = `#${name}`;
	assert.deepEqual((await welcome(w)).subs, { [channel]: {} });
	await says(w, { id: 2, subscribe: { channel } }, error(2, 105));
	await s.publish(channel, 1);
	await hears(w, pub(channel, '"data":1'));
	const v = await opened(s, {});
	assert.equal((await welcome(v)).subs, undefined);
	w.close();
	v.close();
});

test('single_connection_3504', async (t) => {
	const s = await t.server({ client: {
		subscribe_to_user_personal_channel: { enabled: true,
			personal_channel_namespace: 'me',
			single_connection: true } },
		channel: { namespaces: [{ name: 'me', presence: true }] } });
	const name = t.channel();
	const a = await user(s, name);
	const other = await user(s, t.channel());
	const b = await opened(s, { token: token({ sub: name }) });
	assert.deepEqual((await welcome(b)).subs, { [`me:#${name}`]: {} });
	assert.deepEqual(await a.closed(), CLOSED.limit);
	const c = await user(s, name);
	assert.deepEqual(await b.closed(), CLOSED.limit);
	await silent(c);
	await silent(other, 50);
	[a, b, c, other].forEach((w) => w.close());
});

/* --- server-side subscriptions by the API --- */

test('api_subscribe', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const [a, b] = [await user(s, name), await user(s, name)];
	const other = await user(s, t.channel());
	const plain = `hist:${t.channel()}`;
	await answers(s, 'subscribe', { user: name, channel: plain },
	    '{"result":{}}');
	for (const w of [a, b])
		await hears(w, push(plain, '"subscribe":{}'));
	const rec = `rec:${t.channel()}`;
	const epoch = await filled(s, rec, 1);
	for (let i = 0; i < 2; i++) {
		await answers(s, 'subscribe', { user: name, channel: rec,
			client: a.client }, '{"result":{}}');
		await hears(a, push(rec, '"subscribe":{"recoverable":true,' +
		    `"epoch":"${epoch}","offset":1,"positioned":true}`));
	}
	await published(s, rec, 2);
	await published(s, plain, 3);
	const three = pub(plain, '"data":3,"offset":1,"epoch":"@"');
	await hears(a, pub(rec, '"data":2,"offset":2'), three);
	await hears(b, three);
	for (const w of [a, b, other]) {
		await silent(w, 50);
		w.close();
	}
});

test('api_subscribe_info_data_override', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const w = await user(s, name);
	const me = (z) => `{"user":"${name}","client":"${w.client}",` +
	    `"chan_info":${z}}`;
	const a = `pushed:${t.channel()}`;
	await s.api('subscribe', { user: name, channel: a, info: { z: 1 },
		data: { d: 1 } });
	await hears(w, push(a, '"subscribe":{"data":{"d":1}}'),
	    push(a, `"join":{"info":${me('{"z":1}')}}`));
	const b = `tok:${t.channel()}`;
	const on = { value: true };
	await s.api('subscribe', { user: name, channel: b, info: 1,
		b64info: b64({ b: 1 }), data: 1, b64data: b64('bd'),
		override: { force_push_join_leave: on, force_recovery: on } });
	await hears(w, push(b, '"subscribe":{"recoverable":true,"epoch":"@",' +
	    '"positioned":true,"data":"bd"}'),
	    push(b, `"join":{"info":${me('{"b":1}')}}`));
	await answers(s, 'presence', { channel: b },
	    `{"result":{"presence":{"*":${me('{"b":1}')}}}}`);
	const c = `tok:${t.channel()}`;
	await s.api('subscribe', { user: name, channel: c, override: {
		presence: { value: false }, join_leave: { value: false },
		force_push_join_leave: on, force_positioning: on } });
	await hears(w, push(c, '"subscribe":{"epoch":"@",' +
	    '"positioned":true}'));
	await answers(s, 'presence', { channel: c },
	    '{"result":{"presence":{}}}');
	await silent(w);
	w.close();
});

test('api_subscribe_refuses', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const w = await user(s, name);
	for (const [more, answer] of [
	    [{ channel: 'nope:s' }, problem(102)],
	    [{ channel: '' }, problem(107)], [{}, problem(107)],
	    [{ channel: 'hist:s', b64info: '***' }, problem(107)],
	    [{ channel: 'hist:s', b64data: '***' }, problem(107)],
	    [{ channel: 'hist:s', user: 'nobody' }, '{"result":{}}'],
	    [{ channel: 'hist:s', client: 'x' }, '{"result":{}}'],
	    [{ channel: 'hist:s', session: 'x' }, '{"result":{}}']])
		await answers(s, 'subscribe', { user: name, ...more }, answer);
	await silent(w);
	w.close();
});

test('api_subscribe_and_what_the_client_subscribed', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const w = await user(s, name);
	const channel = `plain:${t.channel()}`;
	await says(w, { id: 2, subscribe: { channel } }, OK);
	await s.api('subscribe', { user: name, channel });
	await hears(w, push(channel, '"subscribe":{}'));
	await published(s, channel, 1);
	await hears(w, pub(channel, '"data":1'));
	await silent(w);
	await s.api('unsubscribe', { user: name, channel });
	await hears(w, unsubscribed(channel, 2000, 'server unsubscribe'));
	await published(s, channel, 2);
	await silent(w);
	w.close();
});

test('api_unsubscribe_of_a_server_side_subscription', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const channel = `plain:${t.channel()}`;
	const [a, b] = [await user(s, name, { channels: [channel] }),
		await user(s, name, { channels: [channel] })];
	await s.api('unsubscribe', { user: name, channel, client: a.client });
	await hears(a, unsubscribed(channel, 2000, 'server unsubscribe'));
	await published(s, channel, 1);
	await hears(b, pub(channel, '"data":1'));
	await silent(a);
	a.close();
	b.close();
});

test('api_refresh', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const w = await user(s, name, { exp: now() + 100 });
	const v = await user(s, name);
	const renewed = async (x, ttl) => {
		const { push: p } = await x.reply();
		assert.ok(Math.abs(p.refresh.ttl - ttl) <= 1);
		assert.deepEqual(p, { refresh: { expires: true,
			ttl: p.refresh.ttl } });
	};
	await answers(s, 'refresh', { user: name, expire_at: now() + 50,
	    client: w.client, info: { z: 9 } }, '{"result":{}}');
	await renewed(w, 50);
	const channel = `plain:${t.channel()}`;
	await subscribed(w, channel);
	await says(w, { id: 3, publish: { channel, data: 1 } }, pub(channel,
	    `"data":1,"info":{"user":"${name}","client":"*",` +
	    '"conn_info":{"z":9}}'), '{"id":3,"publish":{}}');
	await answers(s, 'refresh', { user: name, client: w.client },
	    '{"result":{}}');
	await hears(w, '{"push":{"refresh":{}}}');
	await answers(s, 'refresh', { user: name, expire_at: now() - 5,
	    client: w.client }, '{"result":{}}');
	assert.deepEqual(await w.closed(), CLOSED.expired);
	await silent(v, 50);
	await answers(s, 'refresh', { user: name, expired: true },
	    '{"result":{}}');
	assert.deepEqual(await v.closed(), CLOSED.expired);
	await answers(s, 'refresh', { user: 'nobody', expired: true },
	    '{"result":{}}');
	w.close();
	v.close();
});

await run();
