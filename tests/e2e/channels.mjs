/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Channels on the wire: names, namespaces, who may do what, presence, joins
 * and leaves, and what limits connections.  recovery.mjs has history and all
 * that is built on it, subs.mjs the tokens and server-side subscriptions.
 * A case named spec12_N is about row N of the contract's section 12.
 */
import { assert, eventually, run, sleep, test, token } from './harness.mjs';
import { ALL, CLOSED, NAMESPACES, answers, ends, error, hears, opened,
	problem, pub, published, push, raw, says, silent, subscribed,
	unsubscribed, user, welcome } from './talk.mjs';

/* User ann asks these, in order, of a channel; the lines are the answers. */
function rows(name, list, who = 'ann') {
	test(name, async (t) => {
		const s = await t.server(NAMESPACES);
		const w = await (who ? user(s, who) : s.connected());
		for (const [command, ...expected] of list)
			await says(w, command, ...expected);
		await silent(w, 100);
		w.close();
	});
}

const sub = (channel, more) => ({ id: 2, subscribe: { channel, ...more } });
const OK = '{"id":2,"subscribe":{}}';

/* --- names --- */

rows('user_limited_channels', [
	[sub('listed:a#ann'), OK],
	[sub('listed:a#bob,ann'), OK],
	[sub('listed:a#bob,ann,eve'), OK],
	[sub('listed:#ann'), OK],
	[sub('listed:a#bob#ann'), OK],
	[sub('listed:a#bob'), error(2, 103)],
	[sub('listed:a#ann#bob'), error(2, 103)],
	[sub('listed:a#an'), error(2, 103)],
	[sub('listed:a#annn'), error(2, 103)],
	[sub('listed:a#ann, bob'), OK],
	[sub('listed:a#bob, ann'), error(2, 103)],
	[sub('listed:a#'), error(2, 103)],
	[sub('listed:a'), error(2, 103)],
	[sub('$listed:a#ann'), error(2, 103)],
]);

rows('user_limited_channels_for_anonymous', [
	[sub('listed:a#'), OK],
	[sub('listed:a#,ann'), OK],
	[sub('listed:a#ann'), error(2, 103)],
], null);

rows('user_limited_channel_with_a_token_of_its_own', [
	[sub('listed:a#bob', { token: token({ sub: 'ann',
	    channel: 'listed:a#bob' }) }), OK],
]);

rows('spec12_37_channel_regex_is_for_the_part_after_the_namespace', [
	[sub('regex:abc'), OK],
	[sub('regex:abc1'), OK],
	[sub('regex:abc12'), error(2, 107)],
	[sub('regex:'), error(2, 107)],
	[sub('regex:regex:a'), error(2, 107)],
	[sub('regex:ABC'), error(2, 107)],
	[sub('accent:\u00e9\u00e9'), OK],
	[sub('accent:e'), error(2, 107)],
	[sub('plain:\u00e9'), error(2, 107)],
	[sub('plain:a b~'), OK],
]);

rows('spec12_37_regex_and_ascii_for_every_command', ['publish', 'history',
    'presence', 'presence_stats'].flatMap((method) => [
	[{ id: 3, [method]: { channel: 'regex:abc12', data: 1 } },
	    error(3, 107)],
	[{ id: 3, [method]: { channel: 'plain:\u00e9', data: 1 } },
	    error(3, 107)],
	[{ id: 3, [method]: { channel: 'nope:x', data: 1 } }, error(3, 102)],
]));

rows('namespace_is_what_is_before_the_first_boundary', [
	[sub('plain:'), OK],
	[sub('plain:nope:x'), OK],
	[sub('nope:plain:x'), error(2, 102)],
	[sub(':x'), OK],
	[sub('plain'), OK],
]);

rows('spec12_36_private_prefix_is_kept_in_the_name', [
	[sub('$plain:a'), error(2, 103)],
	[sub('$nope:a'), error(2, 102)],
	[sub('$plain:a', { token: token({ sub: 'ann',
	    channel: '$plain:a' }) }), OK],
	[{ id: 3, publish: { channel: 'plain:a', data: 1 } },
	    '{"id":3,"publish":{}}'],
	[{ id: 4, publish: { channel: '$plain:a', data: 2 } },
	    pub('$plain:a', '"data":2,"info":{"user":"ann","client":"*"}'),
	    '{"id":4,"publish":{}}'],
	[{ id: 5, history: { channel: '$hist:b' } },
	    '{"id":5,"history":{"publications":[],"epoch":"@","offset":0}}'],
]);

test('boundaries_and_prefix_are_options', async (t) => {
	const s = await t.server({ channel: { private_prefix: '!',
		namespace_boundary: '/', user_boundary: '@',
		user_separator: ';', max_length: 20,
		without_namespace: { allow_user_limited_channels: true,
			allow_subscribe_for_client: false },
		namespaces: [{ name: 'open', ...ALL }] } });
	const w = await user(s, 'ann');
	for (const [channel, good] of [['x', error(2, 103)],
	    ['x@ann', OK], ['x@bob;ann', OK], ['x@bob,ann', error(2, 103)],
	    ['x#ann', error(2, 103)], ['open/x', OK], ['nope/x', error(2, 102)],
	    ['open:x', error(2, 103)], ['$open/x', error(2, 102)],
	    ['!open/x', error(2, 103)], ['open/' + 'x'.repeat(15), OK],
	    ['open/' + 'x'.repeat(16), error(2, 107)]])
		await says(w, sub(channel), good);
	w.close();
});

test('spec12_39_channel_limit_of_the_client_is_error_106', async (t) => {
	const s = await t.server({ client: { channel_limit: 3 } });
	const w = await user(s, 'ann');
	for (const c of ['a', 'b', 'c'])
		await says(w, sub(c), OK);
	await says(w, sub('d'), error(2, 106));
	await says(w, sub('a'), error(2, 105));
	await says(w, { id: 3, unsubscribe: { channel: 'a' } },
	    '{"id":3,"unsubscribe":{}}');
	await says(w, sub('d'), OK);
	w.close();
});

test('spec12_39_channel_limit_of_the_server_is_3505', async (t) => {
	const s = await t.server({ client: { channel_limit: 3 } });
	const name = t.channel();
	const channels = ['a', 'b', 'c', 'd'];
	const w = await opened(s, { token: token({ sub: name, channels }) });
	assert.deepEqual(await w.closed(), CLOSED.channels);
	const v = await user(s, name, { channels: channels.slice(1) });
	await says(v, sub('a'), error(2, 106));
	await s.api('subscribe', { user: name, channel: 'a' });
	assert.deepEqual(await v.closed(), CLOSED.channels);
	w.close();
	v.close();
});

/* --- who may do what --- */

const ALL_FOUR = (channel) => [{ id: 2, subscribe: { channel } },
	{ id: 3, publish: { channel, data: 1 } },
	{ id: 4, history: { channel } }, { id: 5, presence: { channel } },
	{ id: 6, presence_stats: { channel } },
	{ id: 7, unsubscribe: { channel } }];

/* What became of each: the error's code or 0. */
async function verdicts(w, channel, commands) {
	const got = [];
	for (const command of commands) {
		const r = await w.call(command);
		got.push(r.error ? r.error.code : 0);
	}
	return got;
}

for (const [ns, ofUser, ofAnonymous, outside] of [
	['plain', [0, 0, 108, 108, 108, 0], [0, 0, 108, 108, 108, 0],
	    [0, 108, 108, 108]],
	['forclients', [0, 0, 0, 0, 0, 0], [103, 103, 103, 103, 103, 0],
	    [0, 0, 0, 0]],
	['foranon', [103, 103, 103, 103, 103, 0],
	    [103, 103, 103, 103, 103, 0], [103, 103, 103, 103]],
	['forsubs', [0, 0, 0, 0, 0, 0], [0, 103, 103, 103, 103, 0],
	    [103, 103, 103, 103]],
	['anonsubs', [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0],
	    [103, 103, 103, 103]],
	['tok', [103, 103, 103, 103, 103, 0],
	    [103, 103, 103, 103, 103, 0], [103, 103, 103, 103]],
])
	test(`permissions_${ns}`, async (t) => {
		const s = await t.server(NAMESPACES);
		const channel = `${ns}:${t.channel()}`;
		const w = await user(s, 'ann');
		const v = await s.connected();
		assert.deepEqual(await verdicts(w, channel,
		    ALL_FOUR(channel)), ofUser, 'user');
		assert.deepEqual(await verdicts(v, channel,
		    ALL_FOUR(channel)), ofAnonymous, 'anonymous');
		assert.deepEqual(await verdicts(w, channel,
		    ALL_FOUR(channel).slice(1, 5)), outside, 'not subscribed');
		w.close();
		v.close();
	});

test('a_subscription_by_token_makes_a_subscriber', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `$forsubs:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, sub(channel, { token: token({ sub: 'ann', channel }) }),
	    OK);
	assert.deepEqual(await verdicts(w, channel,
	    ALL_FOUR(channel).slice(1, 5)), [0, 0, 0, 0]);
	w.close();
});

test('a_server_side_subscription_makes_a_subscriber', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `forsubs:${t.channel()}`;
	const w = await user(s, 'ann', { channels: [channel] });
	assert.deepEqual(await verdicts(w, channel,
	    ALL_FOUR(channel).slice(1, 5)), [0, 0, 0, 0]);
	w.close();
});

for (const [ns, good, bad] of [
	['json', ['1', '{"a":1}', '"x"', ' [] ', 'null'],
	    ['{"a":', 'x', '1 2', '{"a":1,}']],
	['object', ['{"a":1}', ' {} '], ['1', '"x"', '[]', 'null', '{"a":']],
	['binary', ['1', '{"a":', '\x00\xff'], []],
])
	test(`publication_data_format_${ns}`, async (t) => {
		const s = await t.server(NAMESPACES);
		for (const [list, answer] of [[good, '{"result":{}}'],
		    [bad, problem(107)]])
			for (const text of list)
				await answers(s, 'publish', { channel: `${ns}:x`,
					b64data: Buffer.from(text, 'latin1')
					    .toString('base64') }, answer);
	});

rows('publication_data_format_of_client_publications', [
	[{ id: 3, publish: { channel: 'object:x', data: 1 } }, error(3, 107)],
	[{ id: 4, publish: { channel: 'object:x', data: {} } },
	    '{"id":4,"publish":{}}'],
	[{ id: 5, publish: { channel: 'json:x', data: 1 } },
	    '{"id":5,"publish":{}}'],
]);

test('spec12_20_binary_data_disconnects_json_subscribers', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `binary:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, sub(channel), OK);
	await s.api('publish', { channel, b64data: '/wA=' });
	assert.deepEqual(await w.closed(), { code: 3506,
		reason: 'inappropriate protocol' });
	w.close();
});

test('spec12_41_unsubscribe_follows_subscribe_at_once', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pushed:${t.channel()}`;
	const w = await user(s, 'ann');
	const v = await user(s, 'bob');
	const unsubscribe = (id) => ({ id, unsubscribe: { channel } });
	const other = `rec:${t.channel()}`;
	w.cmd({ id: 2, subscribe: { channel: other } },
	    { id: 3, unsubscribe: { channel: other } },
	    { id: 4, subscribe: { channel: other } },
	    { id: 5, unsubscribe: { channel: other } },
	    { id: 6, subscribe: { channel: other } });
	const live = '"subscribe":{"recoverable":true,"epoch":"@",' +
	    '"positioned":true}}';
	await hears(w, `{"id":2,${live}`, '{"id":3,"unsubscribe":{}}',
	    `{"id":4,${live}`, '{"id":5,"unsubscribe":{}}', `{"id":6,${live}`);
	await published(s, other, 1);
	await hears(w, pub(other, '"data":1,"offset":1,"epoch":"@"'));
	/* Each of those that were ends as if it had never been. */
	v.cmd(sub(channel), unsubscribe(3), sub(channel), unsubscribe(5));
	const got = [];
	for (let l; got.length < 4 && (l = await v.line()) !== undefined;)
		if (l.includes('"id"'))
			got.push(l);
	assert.deepEqual(got, [OK, '{"id":3,"unsubscribe":{}}', OK,
		'{"id":5,"unsubscribe":{}}']);
	await v.rest(100);
	await answers(s, 'presence_stats', { channel },
	    '{"result":{"num_clients":0,"num_users":0}}');
	await published(s, channel, 1);
	await silent(v, 100);
	w.close();
	v.close();
});

/* --- presence --- */

const info = (name, w, more = '') =>
	`{"user":"${name}","client":"${w.client}"${more}}`;
const joined = (channel, i) => push(channel, `"join":{"info":${i}}`);
const left = (channel, i) => push(channel, `"leave":{"info":${i}}`);

test('presence_of_nobody', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	await says(w, { id: 2, presence: { channel: 'presonly:none' } },
	    '{"id":2,"presence":{"presence":{}}}');
	await says(w, { id: 3, presence_stats: { channel: 'presonly:none' } },
	    '{"id":3,"presence_stats":{"num_clients":0,"num_users":0}}');
	await answers(s, 'presence', { channel: 'presonly:none' },
	    '{"result":{"presence":{}}}');
	await answers(s, 'presence_stats', { channel: 'presonly:none' },
	    '{"result":{"num_clients":0,"num_users":0}}');
	w.close();
});

test('presence_has_every_client', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `presonly:${t.channel()}`;
	const all = [await user(s, 'ann', { info: { n: '<A>' } }),
		await user(s, 'ann'), await user(s, 'bob'),
		await s.connected()];
	for (const w of all)
		await says(w, sub(channel), OK);
	const r = await all[0].call({ id: 3, presence: { channel } });
	const expected = {};
	for (const [i, name] of ['ann', 'ann', 'bob', ''].entries())
		expected[all[i].client] = { user: name, client: all[i].client };
	expected[all[0].client].conn_info = { n: '<A>' };
	assert.deepEqual(r, { id: 3, presence: { presence: expected } });
	assert.deepEqual(await s.api('presence', { channel }),
	    { result: { presence: expected } });
	const stats = '"num_clients":4,"num_users":3';
	await says(all[0], { id: 4, presence_stats: { channel } },
	    `{"id":4,"presence_stats":{${stats}}}`);
	await answers(s, 'presence_stats', { channel },
	    `{"result":{${stats}}}`);
	await all[1].call({ id: 5, unsubscribe: { channel } });
	all[2].close();
	await eventually(async () => (await raw(s, 'presence_stats',
	    { channel })) === '{"result":{"num_clients":2,"num_users":2}}',
	    'two are left');
	all.forEach((w) => w.close());
});

test('spec12_66_presence_info_is_json', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tok:${t.channel()}`;
	const w = await user(s, 'ann', { info: { a: [1, '<'] } });
	await says(w, sub(channel, { token: token({ sub: 'ann', channel,
	    info: { z: 1 } }) }), OK);
	await answers(s, 'presence', { channel },
	    `{"result":{"presence":{"${w.client}":` + info('ann', w,
	    ',"conn_info":{"a":[1,"\\u003c"]},"chan_info":{"z":1}') + '}}}');
	w.close();
});

test('presence_is_kept_while_the_client_stays', async (t) => {
	const s = await t.server({ client: { presence_update_interval: '1s' },
		channel: { namespaces: [{ name: 'pr', ...ALL,
			presence: true }] } });
	const channel = `pr:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, sub(channel), OK);
	await sleep(2500);
	await answers(s, 'presence_stats', { channel },
	    '{"result":{"num_clients":1,"num_users":1}}');
	w.close();
});

/* --- joins and leaves --- */

test('spec12_11_own_join_follows_the_reply', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pushed:${t.channel()}`;
	const w = await user(s, 'ann', { info: { x: 1 } });
	const me = info('ann', w, ',"conn_info":{"x":1}');
	await says(w, sub(channel), OK, joined(channel, me));
	w.cmd(sub(channel, {}), { id: 3, unsubscribe: { channel } });
	await hears(w, error(2, 105), '{"id":3,"unsubscribe":{}}');
	await silent(w);
	w.close();
});

test('join_and_leave_are_told_to_the_others', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pushed:${t.channel()}`;
	const w = await user(s, 'ann');
	const v = await user(s, 'bob', { info: [1] });
	const him = info('bob', v, ',"conn_info":[1]');
	await says(w, sub(channel), OK, joined(channel, info('ann', w)));
	await says(v, sub(channel), OK, joined(channel, him));
	await hears(w, joined(channel, him));
	await says(v, { id: 3, unsubscribe: { channel } },
	    '{"id":3,"unsubscribe":{}}');
	await hears(w, left(channel, him));
	await says(v, sub(channel), OK, joined(channel, him));
	await hears(w, joined(channel, him));
	v.close();
	await hears(w, left(channel, him));
	await silent(w);
	w.close();
});

test('join_and_leave_only_to_who_asked', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pres:${t.channel()}`;
	const deaf = await user(s, 'ann');
	const w = await user(s, 'bob');
	await says(deaf, sub(channel), OK);
	await says(w, sub(channel, { join_leave: true }), OK,
	    joined(channel, info('bob', w)));
	const v = await user(s, 'eve');
	await says(v, sub(channel), OK);
	await hears(w, joined(channel, info('eve', v)));
	v.close();
	await hears(w, left(channel, info('eve', v)));
	await silent(deaf, 100);
	w.close();
	deaf.close();
});

test('join_leave_asked_without_presence_permission', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `nopres:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, sub(channel, { join_leave: true }), OK);
	const v = await user(s, 'bob');
	await says(v, sub(channel), OK);
	await silent(w);
	w.close();
	v.close();
});

test('join_leave_without_presence', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `join:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, sub(channel), OK, joined(channel, info('ann', w)));
	await says(w, { id: 3, presence: { channel } }, error(3, 108));
	w.close();
});

test('no_join_and_leave_where_the_namespace_has_none', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `presonly:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, sub(channel, { join_leave: true }), OK);
	const v = await user(s, 'bob');
	await says(v, sub(channel), OK);
	v.close();
	await silent(w);
	w.close();
});

test('api_unsubscribe_and_disconnect_leave', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `pushed:${t.channel()}`;
	const [a, b] = [t.channel(), t.channel()];
	const w = await user(s, 'watch');
	await says(w, sub(channel), OK, joined(channel, info('watch', w)));
	const v = await user(s, a);
	const u = await user(s, b);
	for (const [x, name] of [[v, a], [u, b]]) {
		await says(x, sub(channel), OK, joined(channel, info(name, x)));
		await hears(w, joined(channel, info(name, x)));
	}
	await s.api('unsubscribe', { user: a, channel });
	await hears(w, left(channel, info(a, v)));
	await hears(v, joined(channel, info(b, u)),
	    unsubscribed(channel, 2000, 'server unsubscribe'));
	await s.api('disconnect', { user: b });
	await hears(w, left(channel, info(b, u)));
	await answers(s, 'presence_stats', { channel },
	    '{"result":{"num_clients":1,"num_users":1}}');
	[w, v, u].forEach((x) => x.close());
});

/* --- connections --- */

test('user_connection_limit_3504', async (t) => {
	const s = await t.server({ client: { user_connection_limit: 2 } });
	const name = t.channel();
	const a = await user(s, name);
	const b = await user(s, name);
	const w = await opened(s, { token: token({ sub: name }) });
	assert.deepEqual(await w.closed(), CLOSED.limit);
	const others = [await user(s, t.channel())];
	for (let i = 0; i < 3; i++)	/* the anonymous are not one user */
		others.push(await s.connected());
	a.close();
	await eventually(async () => {
		const v = await opened(s, { token: token({ sub: name }) });
		others.push(v);
		return (await v.reply())?.connect;
	}, 'room for one more');
	[b, w, ...others].forEach((x) => x.close());
});

const HEADER = { client: { user_id_http_header: 'X-User',
	allow_anonymous_connect_without_token: false,
	subscribe_to_user_personal_channel: { enabled: true } } };

test('spec12_32_user_id_http_header', async (t) => {
	const s = await t.server(HEADER);
	const headers = { 'X-User': 'hal' };
	const w = await opened(s, { subs: { x: {} } }, { headers });
	assert.equal((await welcome(w)).subs, undefined);
	await says(w, sub('hx'), OK);
	await says(w, { id: 3, publish: { channel: 'hx', data: 1 } },
	    pub('hx', '"data":1,"info":{"user":"hal","client":"*"}'),
	    '{"id":3,"publish":{}}');
	const v = await opened(s, { token: token({ sub: 'ann' }) },
	    { headers });
	assert.deepEqual((await welcome(v)).subs, { '#ann': {} });
	for (const [connect, h, close] of [
	    [{}, {}, CLOSED.request], [{}, { 'X-User': '' }, CLOSED.request],
	    [{ token: 'x' }, headers, CLOSED.token]]) {
		const u = await opened(s, connect, { headers: h });
		assert.deepEqual(await u.closed(), close);
		u.close();
	}
	w.close();
	v.close();
});

test('spec12_32_anonymous_beats_the_header', async (t) => {
	const s = await t.server({ client: { user_id_http_header: 'X-User' } });
	const w = await s.connected({}, { headers: { 'X-User': 'hal' } });
	await says(w, sub('hy'), OK);
	await says(w, { id: 3, publish: { channel: 'hy', data: 1 } },
	    pub('hy', '"data":1,"info":{"user":"","client":"*"}'),
	    '{"id":3,"publish":{}}');
	w.close();
});

test('spec12_59_connection_rate_limit_is_a_burst', async (t) => {
	const s = await t.ownServer({ client: { connection_rate_limit: 3 } });
	const open = () => s.open().then((w) => (w.close(), 101),
	    (e) => e.response?.status);
	const got = [];
	for (let i = 0; i < 6; i++)
		got.push(await open());
	assert.deepEqual(got, [101, 101, 101, 503, 503, 503]);
	await sleep(1100);
	assert.deepEqual([await open(), await open()], [101, 503]);
});

const INSECURE = { client: { insecure: true,
	allow_anonymous_connect_without_token: false },
	channel: { without_namespace: { allow_subscribe_for_client: false,
		allow_subscribe_for_anonymous: false,
		allow_publish_for_client: false,
		allow_publish_for_anonymous: false },
	namespaces: [{ name: 'ins', history_size: 5, history_ttl: '10s',
		presence: true }, { name: 'rx', channel_regex: '^a$' }] } };

test('insecure_allows_everything_that_is_on', async (t) => {
	const s = await t.server(INSECURE);
	const channel = `ins:${t.channel()}`;
	const w = await opened(s, {});
	await welcome(w);
	const item = `"data":1,"info":${info('', w)},"offset":1,"epoch":"@"`;
	await says(w, sub(channel, { recoverable: true }), '{"id":2,' +
	    '"subscribe":{"recoverable":true,"epoch":"@","positioned":true}}');
	await says(w, { id: 3, publish: { channel, data: 1 } },
	    pub(channel, item), '{"id":3,"publish":{}}');
	await says(w, { id: 4, history: { channel, limit: 5 } },
	    `{"id":4,"history":{"publications":[{${item}}],` +
	    '"epoch":"@","offset":1}}');
	await says(w, { id: 5, presence: { channel } },
	    `{"id":5,"presence":{"presence":{"*":${info('', w)}}}}`);
	await says(w, sub('rx:b'), error(2, 107));
	await says(w, sub('ins:a#bob'), OK);
	await says(w, { id: 6, history: { channel: 'x' } }, error(6, 108));
	w.close();
});

test('spec12_30_insecure_keeps_tokens', async (t) => {
	const s = await t.server(INSECURE);
	const w = await opened(s, { token: 'x' });
	assert.deepEqual(await w.closed(), CLOSED.token);
	const v = await user(s, 'ann');
	await says(v, sub('$x'), error(2, 103));
	await says(v, sub('x', { token: 'bad' }), error(2, 103));
	await ends(v, sub('y', { token: token({ sub: 'bob', channel: 'y' }) }),
	    CLOSED.token);
	w.close();
});

await run();
