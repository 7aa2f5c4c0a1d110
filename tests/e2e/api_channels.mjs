/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The server API about channels: history, presence, subscriptions, batches,
 * in the plain form, in the legacy one and in both ways to tell errors; every
 * answer to the byte.  What it does to clients is in subs.mjs and api.mjs.
 */
import fs from 'node:fs';
import { API_KEY, IS_FUGU, assert, eventually, run, sleep, test }
	from './harness.mjs';
import { ALL, HISTORY, NAMESPACES, answers, filled, problem, published, raw,
	same, subscribed, user } from './talk.mjs';

const TRANSPORT = { 'X-Centrifugo-Error-Mode': 'transport' };
const OK = '{"result":{}}';
const METHODS = ['history', 'history_remove', 'presence', 'presence_stats',
	'publish', 'subscribe', 'unsubscribe'];
const b64 = (text) => Buffer.from(text).toString('base64');
const bare = (code) => problem(code).slice(9, -1);

/* Rows {method, params, answer}, in order. */
function rows(name, list) {
	test(name, async (t) => {
		const s = await t.server(NAMESPACES);
		for (const [method, params, answer] of list)
			await answers(s, method, params, answer);
	});
}

rows('api_unknown_namespace_102', METHODS.map((method) =>
    [method, { channel: 'nope:x', data: 1, user: 'u' }, problem(102)]));

rows('api_without_channel_107', METHODS.filter((m) => m !== 'unsubscribe')
    .flatMap((method) => [[method, { data: 1, user: 'u' }, problem(107)],
	[method, { channel: '', data: 1, user: 'u' }, problem(107)]]));

rows('api_not_enabled_108', [
	['history', { channel: 'plain:x' }, problem(108)],
	['history_remove', { channel: 'plain:x' }, problem(108)],
	['presence', { channel: 'plain:x' }, problem(108)],
	['presence_stats', { channel: 'plain:x' }, problem(108)],
	['presence', { channel: 'join:x' }, problem(108)],
]);

test('api_malformed_400', async (t) => {
	const s = await t.server(NAMESPACES);
	for (const [method, body] of [['history', ''], ['history', '{'],
	    ['history', '{"channel":5}'],
	    ['history', '{"channel":"hist:x","limit":"a"}'],
	    ['history', '{"channel":"hist:x","limit":1.5}'],
	    ['history', '{"channel":"hist:x","since":5}'],
	    ['history', '{"channel":"hist:x","since":{"offset":-1}}'],
	    ['history', '{"channel":"hist:x","reverse":1}'],
	    ['presence', '[]'], ['presence_stats', '{"channel":[]}'],
	    ['history_remove', '{"channel":"hist:x"'],
	    ['subscribe', '{"channel":"hist:x","user":5}'],
	    ['subscribe', '{"channel":"hist:x","override":[]}'],
	    ['subscribe', '{"channel":"hist:x","expire_at":"x"}'],
	    ['refresh', '{"user":5}'], ['refresh', '{"expired":1}'],
	    ['publish', '{"channel":"x","data":1,"tags":[]}'],
	    ['publish', '{"channel":"x","data":1,"tags":{"a":1}}'],
	    ['publish', '{"channel":"x","data":1,"version":-1}'],
	    ['batch', '{"commands":{}}']]) {
		const r = await s.http('POST', `/api/${method}`, { body,
			headers: { 'X-API-Key': API_KEY } });
		assert.equal(r.status, 400, `${method} ${body}: ${r.body}`);
	}
});

/* --- history --- */

const kept = (publications, offset) => `{"result":{"publications":` +
	`[${publications}],"epoch":"@","offset":${offset}}}`;

/* Publications as this API tells them: without an epoch. */
const items = (...offsets) => offsets.map((n) =>
    `{"data":${n},"offset":${n}}`).join(',');

test('spec12_53_api_history', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	await answers(s, 'history', { channel, limit: 5 }, kept('', 0));
	const epoch = await filled(s, channel, 5);
	for (const [ask, answer] of [
	    [{}, ''], [{ limit: 0 }, ''], [{ limit: 2 }, items(1, 2)],
	    [{ limit: -1 }, items(1, 2, 3, 4, 5)],
	    [{ limit: -5 }, items(1, 2, 3, 4, 5)],
	    [{ limit: 2, reverse: true }, items(5, 4)],
	    [{ limit: -1, since: { offset: 3, epoch } }, items(4, 5)],
	    [{ limit: -1, since: { offset: 3 } }, items(4, 5)],
	    [{ limit: 1, since: { offset: 3, epoch } }, items(4)],
	    [{ limit: -1, since: { offset: 9, epoch } }, ''],
	    [{ limit: -1, reverse: true, since: { offset: 3, epoch } },
		items(2, 1)]])
		await answers(s, 'history', { channel, ...ask },
		    kept(answer, 5).replace('@', epoch));
	await answers(s, 'history', { channel, limit: -1,
	    since: { offset: 3, epoch: 'x' } }, problem(112));
	await answers(s, 'history', { channel, limit: -1, reverse: true,
	    since: { offset: 0, epoch } }, problem(100));
});

test('api_history_remove', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	await answers(s, 'history_remove', { channel }, OK);
	const epoch = await filled(s, channel, 3);
	await answers(s, 'history_remove', { channel }, OK);
	await answers(s, 'history', { channel, limit: -1 }, kept('', 3));
	assert.deepEqual(await published(s, channel, 4), { offset: 4, epoch });
	await answers(s, 'history', { channel, limit: -1 }, kept(items(4), 4));
});

test('spec12_52_data_is_compacted_and_escaped', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	await s.api('publish', { channel, tags: { t: '<' },
		b64data: b64('{ "b": [1, 2.50],\n "a<": "&>\u2028" }') });
	const w = await user(s, 'ann', { info: { n: '<1>' } });
	await w.call({ id: 2, publish: { channel, data: 'x' } });
	await answers(s, 'history', { channel, limit: -1 }, kept(
	    '{"data":{"b":[1,2.50],"a\\u003c":"\\u0026\\u003e\\u2028"},' +
	    '"offset":1,"tags":{"t":"\\u003c"}},{"data":"x","info":{"user":' +
	    `"ann","client":"${w.client}","conn_info":` +
	    '{"n":"\\u003c1\\u003e"}},"offset":2}', 2));
	w.close();
});

test('spec12_52_binary_data_makes_history_fail', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	await s.api('publish', { channel, b64data: b64('not JSON') });
	/* fugu fails as every other call does, with an error of the API. */
	if (IS_FUGU)
		await answers(s, 'history', { channel, limit: -1 },
		    problem(100));
	else
		await raw(s, 'history', { channel, limit: -1 }, 500);
	await answers(s, 'history', { channel }, kept('', 1));
});

/* --- errors by status --- */

test('error_mode_transport', async (t) => {
	const s = await t.server(NAMESPACES);
	const whole = await t.server({ ...NAMESPACES, http_api: {
		error_mode: 'transport' } });
	const channel = `hist:${t.channel()}`;
	for (const [method, params, status, code] of [
	    ['history', { channel: 'nope:x' }, 404, 102],
	    ['history', {}, 400, 107], ['presence', {}, 400, 107],
	    ['history', { channel: 'plain:x' }, 400, 108],
	    ['history_remove', { channel: 'plain:x' }, 400, 108],
	    ['presence_stats', { channel: 'plain:x' }, 400, 108],
	    ['history', { channel, since: { offset: 1, epoch: 'x' } },
		416, 112],
	    ['history', { channel, limit: 1, reverse: true, since: {
		offset: 0 } }, 500, 100],
	    ['subscribe', { user: 'u', channel: 'nope:x' }, 404, 102],
	    ['rpc', { method: 'x' }, 404, 104]]) {
		same(await raw(s, method, params, status, TRANSPORT),
		    bare(code));
		same(await raw(whole, method, params, status), bare(code));
		same(await raw(s, method, params, 200), problem(code));
	}
	same(await raw(s, 'history', { channel }, 200, TRANSPORT),
	    kept('', 0));
	same(await raw(whole, 'batch', { commands: [{ history: {
		channel: 'nope:x' } }] }), `{"replies":[${problem(102)}]}`);
});

/* --- batches and broadcasts --- */

test('batch_of_every_method', async (t) => {
	for (const parallel of [false, true]) {
		const s = await t.server(NAMESPACES);
		const channel = `rec:${t.channel()}`;
		const other = `pres:${t.channel()}`;
		await published(s, channel, 1);
		const commands = [
			{ history: { channel, limit: 1 } },
			{ history: { channel: other } },
			{ presence: { channel: other } },
			{ presence_stats: { channel: other } },
			{ history_remove: { channel: 'hist:none' } },
			{ subscribe: { user: 'nobody', channel } },
			{ unsubscribe: { user: 'nobody', channel } },
			{ refresh: { user: 'nobody' } },
			{ disconnect: { user: 'nobody' } },
			{ rpc: { method: 'x' } },
			{ channels: { pattern: 'none*' } },
			{ broadcast: { channels: [`hist:${t.channel()}`],
			    data: 1 } },
			{ publish: { channel: other, data: 1 } }];
		same(await raw(s, 'batch', { parallel, commands }),
		    '{"replies":[{"history":{"publications":[{"data":1,' +
		    '"offset":1}],"epoch":"@","offset":1}},' +
		    `${problem(108)},{"presence":{"presence":{}}},` +
		    '{"presence_stats":{"num_clients":0,"num_users":0}},' +
		    '{"history_remove":{}},{"subscribe":{}},' +
		    '{"unsubscribe":{}},{"refresh":{}},{"disconnect":{}},' +
		    `${problem(104)},{"channels":{"channels":{}}},` +
		    '{"broadcast":{"responses":[{"result":{"offset":1,' +
		    '"epoch":"@"}}]}},{"publish":{}}]}');
	}
});

test('batch_runs_in_order', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `large:${t.channel()}`;
	const commands = [];
	for (let i = 1; i <= 30; i++)
		commands.push({ publish: { channel, data: i } },
		    { history: { channel } });
	const { replies } = await s.api('batch', { commands });
	for (let i = 1; i <= 30; i++) {
		assert.equal(replies[2 * i - 2].publish.offset, i);
		assert.equal(replies[2 * i - 1].history.offset, i);
	}
});

test('batch_in_parallel_answers_in_order', async (t) => {
	const s = await t.server(NAMESPACES);
	const base = t.channel();
	const commands = Array.from({ length: 200 }, (_, i) => ({
		publish: { channel: `hist:${base}${i % 50}`, data: i } }));
	const { replies } = await s.api('batch', { parallel: true, commands });
	assert.equal(replies.length, 200);
	for (let c = 0; c < 50; c++) {
		const mine = [0, 1, 2, 3].map((k) =>
		    replies[c + 50 * k].publish.offset);
		assert.deepEqual(mine.sort(), [1, 2, 3, 4]);
		const { result } = await s.api('history', {
			channel: `hist:${base}${c}`, limit: -1 });
		for (const p of result.publications)
			assert.equal(replies[p.data].publish.offset, p.offset);
	}
});

test('broadcast_tells_each_position', async (t) => {
	const s = await t.server(NAMESPACES);
	const [a, b] = [`hist:${t.channel()}`, `hist:${t.channel()}`];
	await published(s, a, 1);
	const cast = { channels: [a, 'plain:x', 'nope:x', b, ''], data: 2 };
	const answer = (i, j) => '{"result":{"responses":[{"result":{' +
	    `"offset":${i},"epoch":"@"}},${OK},${problem(102)},{"result":{` +
	    `"offset":${j},"epoch":"@"}},${problem(107)}]}}`;
	await answers(s, 'broadcast', cast, answer(2, 1));
	await answers(s, 'broadcast', cast, answer(3, 2));
	await answers(s, 'broadcast', { ...cast, skip_history: true,
	    channels: [a] }, `{"result":{"responses":[${OK}]}}`);
	await answers(s, 'broadcast', { channels: [a, b], data: 1,
	    version: 1 }, '{"result":{"responses":[{"result":{"offset":4,' +
	    '"epoch":"@"}},{"result":{"offset":3,"epoch":"@"}}]}}');
	await answers(s, 'broadcast', { channels: [a, b], data: 1,
	    version: 1 }, '{"result":{"responses":[{"result":{"offset":4,' +
	    '"epoch":"@"}},{"result":{"offset":3,"epoch":"@"}}]}}');
});

/* --- the legacy form --- */

test('legacy_methods', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	const other = `pres:${t.channel()}`;
	const commands = [['publish', { channel, data: 1 }],
		['history', { channel, limit: 1 }],
		['history', { channel: 'plain:x' }],
		['history', { channel: 'nope:x' }],
		['history_remove', { channel }], ['history', { channel }],
		['presence', { channel: other }],
		['presence_stats', { channel: other }],
		['subscribe', { user: 'nobody', channel }],
		['refresh', { user: 'nobody' }], ['rpc', { method: 'x' }]];
	const r = await s.http('POST', '/api', {
		headers: { 'X-API-Key': API_KEY },
		body: commands.map(([method, params], id) =>
		    JSON.stringify({ id: id + 1, method, params })).join('\n') });
	assert.equal(r.status, 200);
	const lines = r.body.trimEnd().split('\n');
	const expected = ['{"offset":1,"epoch":"@"}',
		'{"publications":[{"data":1,"offset":1}],"epoch":"@",' +
		'"offset":1}', 108, 102, '{}',
		'{"publications":[],"epoch":"@","offset":1}',
		'{"presence":{}}', '{"num_clients":0,"num_users":0}',
		'{}', '{}', 104];
	assert.equal(lines.length, expected.length, r.body);
	for (const [i, e] of expected.entries())
		same(lines[i], `{"id":${i + 1},` + (typeof e === 'number' ?
		    problem(e).slice(1) : `"result":${e}}`));
});

/* --- all nodes, all workers --- */

test('api_answers_for_all_workers', async (t) => {
	const s = await t.ownServer(NAMESPACES);
	const all = [];
	const names = [];
	for (let i = 0; i < 12; i++) {
		const channel = `pres:${i}`;
		names.push(channel);
		for (let k = 0; k < 3; k++) {
			const w = await user(s, `user${(i + k) % 4}`);
			await subscribed(w, channel);
			all.push(w);
		}
	}
	for (const channel of names) {
		const { result } = await s.api('presence', { channel });
		assert.equal(Object.keys(result.presence).length, 3);
		await answers(s, 'presence_stats', { channel },
		    '{"result":{"num_clients":3,"num_users":3}}');
	}
	const { channels } = (await s.api('channels', {})).result;
	assert.deepEqual(channels, Object.fromEntries(names.map((n) =>
	    [n, { num_clients: 3 }])));
	for (const [pattern, n] of [['pres:*', 12], ['pres:1*', 3],
	    ['pres:?', 10], ['pres:{1,2}', 2], ['pres:[0-4]', 5],
	    ['pres:[!0-4]', 5], ['*:11', 1], ['none*', 0], ['pres', 0]])
		assert.equal(Object.keys((await s.api('channels',
		    { pattern })).result.channels).length, n, pattern);
	await s.api('subscribe', { user: 'user1', channel: 'hist:all' });
	await eventually(async () => (await s.api('channels', { pattern:
	    'hist:all' })).result.channels['hist:all']?.num_clients === 9,
	    'all nine are subscribed');
	await s.api('unsubscribe', { user: 'user1', channel: 'hist:all' });
	await eventually(async () => Object.keys((await s.api('channels',
	    { pattern: 'hist:*' })).result.channels).length === 0,
	    'all nine are gone');
	await s.api('disconnect', { user: 'user2' });
	await eventually(async () => (await s.api('presence_stats', {
		channel: 'pres:0' })).result.num_clients === 2,
	    'no presence of the disconnected');
	all.forEach((w) => w.close());
});

rows('api_channels_odd_patterns', [
	['channels', { pattern: '[' }, problem(100)],
	['channels', { pattern: '[]' }, problem(100)],
	/* fugu says that these are malformed; the real server finds nothing. */
	['channels', { pattern: '{none,' },
	    IS_FUGU ? problem(100) : '{"result":{"channels":{}}}'],
	['channels', { pattern: 'none\\' },
	    IS_FUGU ? problem(100) : '{"result":{"channels":{}}}'],
]);

test('session_and_client_choose_among_a_users_connections', async (t) => {
	const s = await t.server(NAMESPACES);
	const name = t.channel();
	const channel = `pres:${t.channel()}`;
	const [a, b] = [await user(s, name), await user(s, name)];
	await s.api('subscribe', { user: name, channel, client: b.client });
	await s.api('subscribe', { user: name, channel, session: 'none' });
	assert.ok((await b.reply()).push.subscribe);
	const { result } = await s.api('presence', { channel });
	assert.deepEqual(Object.keys(result.presence), [b.client]);
	await s.api('subscribe', { user: 'other', channel, client: a.client });
	assert.deepEqual(await a.rest(150), []);
	a.close();
	b.close();
});

/* --- memory --- */

test('channels_that_keep_nothing_are_forgotten', async (t) => {
	/* A sanitizer must not keep what was freed. */
	const env = { ASAN_OPTIONS: [process.env.ASAN_OPTIONS,
		'quarantine_size_mb=0:thread_local_quarantine_size_kb=0']
		.filter(Boolean).join(':') };
	const s = await t.ownServer({ channel: { namespaces: [
		{ name: 'brief', ...ALL, ...HISTORY, history_ttl: '1s',
		    history_meta_ttl: '1s' }] } }, { env });
	const rss = () => Number(fs.readFileSync(`/proc/${s.pid}/statm`,
	    'latin1').split(' ')[1]) * 4096;
	const round = async (n) => {
		for (let i = 0; i < 20; i++)
			await s.api('broadcast', { data: 'x'.repeat(500),
				channels: Array.from({ length: 500 }, (_, k) =>
				    `brief:${n}.${i}.${k}`) });
		await sleep(2500);
	};
	await round(0);
	const before = rss();
	for (let n = 1; n <= 3; n++)
		await round(n);
	/* 27 MB would be kept. The thread sanitizer has four bytes of its own
	 * for each of the program's. */
	const slack = process.env.FUGU.includes('tsan') ? 24e6 : 6e6;
	assert.ok(rss() < before + slack, `grew by ${rss() - before}`);
	const { result } = await s.api('history', { channel: 'brief:1.0.0' });
	assert.equal(result.offset, 0);
}, { fugu: true, quiet: true });

await run();
