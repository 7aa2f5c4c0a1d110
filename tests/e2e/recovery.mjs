/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * History on the wire and what is built on it: recovery in both modes,
 * positioning, deltas, tags and their filters, versions and idempotency.
 * A case named spec12_N is about row N of the contract's section 12.
 */
import { assert, eventually, run, sleep, test } from './harness.mjs';
import { ALL, CLOSED, NAMESPACES, answers, applied, ends, error, filled, hears,
	numbers, pub, published, raw, says, silent, subscribed,
	unsubscribed, user } from './talk.mjs';

const kept = (id, publications, offset) => `{"id":${id},"history":{` +
	`"publications":[${publications}],"epoch":"@","offset":${offset}}}`;

/* A reply to a subscription in a namespace that forces recovery. */
const live = (id, more) => `{"id":${id},"subscribe":{"recoverable":true,` +
	`"epoch":"@",${more}}}`;
const recovered = (id, list, offset, more = '') => live(id,
    (list ? `"publications":[${list}],` : '') + '"recovered":true,' +
    (offset ? `"offset":${offset},` : '') +
    `"positioned":true,"was_recovering":true${more}`);
const lost = (id, offset) => live(id, (offset ? `"offset":${offset},` : '') +
    '"positioned":true,"was_recovering":true');

/* So many lines, however long they take, and those that are too many. */
async function first(w, n, ms = 150) {
	const all = [];
	for (let l; all.length < n && (l = await w.line()) !== undefined;)
		all.push(l);
	return all.concat(await w.rest(ms));
}

/* --- history --- */

test('history_limit_since_reverse', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, { id: 2, history: { channel, limit: 5 } },
	    kept(2, '', 0));
	const epoch = await filled(s, channel, 5);
	const n = (a, b) => numbers(a, b);
	const down = (a, b) => n(b, a).replace(/},{/g, '};{').split(';')
	    .reverse().join(',');
	for (const [ask, answer] of [
	    [{}, ''], [{ limit: 0 }, ''], [{ limit: 2 }, n(1, 2)],
	    [{ limit: 5 }, n(1, 5)], [{ limit: 9 }, n(1, 5)],
	    [{ limit: -1 }, n(1, 5)], [{ limit: 301 }, n(1, 5)],
	    [{ limit: 2, reverse: true }, down(5, 4)],
	    [{ limit: 9, reverse: true }, down(5, 1)],
	    [{ limit: 9, since: { offset: 3, epoch } }, n(4, 5)],
	    [{ limit: 1, since: { offset: 3, epoch } }, n(4, 4)],
	    [{ limit: 9, since: { offset: 3 } }, n(4, 5)],
	    [{ limit: 9, since: { offset: 0, epoch } }, n(1, 5)],
	    [{ limit: 9, since: { offset: 5, epoch } }, ''],
	    [{ limit: 9, since: { offset: 50, epoch } }, ''],
	    [{ since: { offset: 3, epoch } }, ''],
	    [{ limit: 9, reverse: true, since: { offset: 3, epoch } },
		down(2, 1)],
	    [{ limit: 1, reverse: true, since: { offset: 3, epoch } },
		down(2, 2)],
	    [{ limit: 9, reverse: true, since: { offset: 1, epoch } }, '']])
		await says(w, { id: 3, history: { channel, ...ask } },
		    kept(3, answer, 5));
	await says(w, { id: 4, history: { channel, limit: 9,
	    since: { offset: 3, epoch: 'other' } } }, error(4, 112));
	await says(w, { id: 4, history: { channel,
	    since: { offset: 3, epoch: 'other' } } }, error(4, 112));
	await says(w, { id: 5, history: { channel, limit: 9, reverse: true,
	    since: { offset: 0, epoch } } }, error(5, 107));
	await ends(w, { id: 6, history: { channel, limit: 'x' } },
	    CLOSED.request);
});

test('history_keeps_the_last_history_size', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	await filled(s, channel, 25);
	const w = await user(s, 'ann');
	await says(w, { id: 2, history: { channel, limit: -1 } },
	    kept(2, numbers(16, 25), 25));
	w.close();
});

test('history_tells_who_published_and_tags', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	const w = await user(s, 'ann', { info: { n: '<' } });
	await says(w, { id: 2, publish: { channel, data: { b: 1, a: '<' } } },
	    '{"id":2,"publish":{}}');
	await published(s, channel, 2, { tags: { k: 'v' } });
	await says(w, { id: 3, history: { channel, limit: 5 } }, kept(3,
	    '{"data":{"b":1,"a":"<"},"info":{"user":"ann","client":' +
	    `"${w.client}","conn_info":{"n":"<"}},"offset":1,"epoch":"@"},` +
	    '{"data":2,"offset":2,"tags":{"k":"v"}}', 2));
	w.close();
});

test('client_history_gives_at_most_the_limit_of_the_option', async (t) => {
	const s = await t.server({ ...NAMESPACES, client: {
		history_max_publication_limit: 3 } });
	const channel = `hist:${t.channel()}`;
	await filled(s, channel, 5);
	const w = await user(s, 'ann');
	for (const limit of [3, 4, 100, -1])
		await says(w, { id: 2, history: { channel, limit } },
		    kept(2, numbers(1, 3), 5));
	await says(w, { id: 2, history: { channel, limit: 2 } },
	    kept(2, numbers(1, 2), 5));
	w.close();
});

test('spec12_53_api_history_has_no_cap', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `large:${t.channel()}`;
	const commands = Array.from({ length: 310 }, (_, i) =>
	    ({ publish: { channel, data: i + 1 } }));
	await s.api('batch', { commands });
	const { result } = await s.api('history', { channel, limit: -1 });
	assert.equal(result.publications.length, 310);
	assert.equal(result.publications[309].data, 310);
	const w = await user(s, 'ann');
	const r = await w.call({ id: 2, history: { channel, limit: -1 } });
	assert.equal(r.history.publications.length, 300);
	w.close();
});

test('spec12_2_more_than_300_missed_is_not_recovered', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `large:${t.channel()}`;
	const commands = Array.from({ length: 302 }, (_, i) =>
	    ({ publish: { channel, data: i + 1 } }));
	await s.api('batch', { commands });
	for (const [offset, answer] of [[1, lost(2, 302)],
	    [2, recovered(2, numbers(3, 302), 2)]]) {
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel, recover: true,
			offset } }, answer);
		w.close();
	}
});

test('recovery_max_publication_limit_option', async (t) => {
	const s = await t.server({ ...NAMESPACES, client: {
		recovery_max_publication_limit: 3 } });
	const channel = `rec:${t.channel()}`;
	await filled(s, channel, 5);
	for (const [offset, answer] of [[1, lost(2, 5)],
	    [2, recovered(2, numbers(3, 5), 2)]]) {
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel, recover: true,
			offset } }, answer);
		w.close();
	}
});

test('spec12_67_history_ttl_slides_and_the_position_stays', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `short:${t.channel()}`;
	const w = await user(s, 'ann');
	await published(s, channel, 1);
	for (let i = 2; i <= 6; i++) {	/* longer than the ttl altogether */
		await sleep(500);
		await published(s, channel, i);
	}
	await says(w, { id: 2, history: { channel, limit: -1 } },
	    kept(2, numbers(1, 6), 6));
	const { epoch } = (await w.call({ id: 3, history: { channel } }))
	    .history;
	await eventually(async () => (await w.call({ id: 4, history:
	    { channel, limit: -1 } })).history.publications.length === 0,
	    'the publications expire');
	await says(w, { id: 5, history: { channel, limit: -1 } },
	    kept(5, '', 6).replace('@', epoch));
	assert.deepEqual(await published(s, channel, 7),
	    { offset: 7, epoch });
	w.close();
});

test('spec12_6_history_remove_keeps_the_position', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const epoch = await filled(s, channel, 5);
	await answers(s, 'history_remove', { channel }, '{"result":{}}');
	await answers(s, 'history', { channel, limit: -1 }, '{"result":' +
	    `{"publications":[],"epoch":"${epoch}","offset":5}}`);
	const [a, b, c] = [await user(s, 'a'), await user(s, 'b'),
		await user(s, 'c')];
	const from = (offset) => ({ id: 2, subscribe: { channel,
		recover: true, offset, epoch } });
	await says(a, from(4), lost(2, 5));
	await says(b, from(5), recovered(2, '', 5));
	assert.deepEqual(await published(s, channel, 6), { offset: 6, epoch });
	await hears(a, pub(channel, '"data":6,"offset":6'));
	await says(c, from(5), recovered(2, numbers(6, 6), 5));
	[a, b, c].forEach((w) => w.close());
});

/* --- recovery --- */

test('spec12_1_recovered_reply_has_the_requested_offset', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel } },
	    live(2, '"positioned":true'));
	const epoch = await filled(s, channel, 3);
	await hears(w, pub(channel, '"data":1,"offset":1,"epoch":"@"'),
	    pub(channel, '"data":2,"offset":2'),
	    pub(channel, '"data":3,"offset":3'));
	w.close();
	const more = { recover: true, epoch };
	for (const [ask, answer] of [
	    [{ ...more, offset: 1 }, recovered(2, numbers(2, 3), 1)],
	    [{ ...more, offset: 3 }, recovered(2, '', 3)],
	    [{ ...more }, recovered(2, numbers(1, 3), 0)],
	    [{ ...more, offset: 4 }, lost(2, 3)],
	    [{ recover: true, offset: 1, epoch: 'x' }, lost(2, 3)],
	    [{ offset: 1, epoch }, live(2, '"offset":3,"positioned":true')],
	    [{ ...more, offset: 1, epoch: 'x', flag: 2 }, error(2, 112)],
	    [{ ...more, offset: 1, flag: 2 },
		recovered(2, numbers(2, 3), 1)]]) {
		const v = await user(s, 'ann');
		await says(v, { id: 2, subscribe: { channel, ...ask } },
		    answer.replace('@', epoch));
		v.close();
	}
});

test('spec12_3_empty_epoch_is_any_in_stream_recovery', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	await filled(s, channel, 3);
	for (const [ask, answer] of [
	    [{ offset: 1, epoch: '' }, recovered(2, numbers(2, 3), 1)],
	    [{ offset: 3 }, recovered(2, '', 3)],
	    [{}, recovered(2, numbers(1, 3), 0)]]) {
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel, recover: true,
			...ask } }, answer);
		w.close();
	}
});

test('recovery_fails_when_history_has_not_enough', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const epoch = await filled(s, channel, 20);
	for (const [offset, answer] of [[9, lost(2, 20)],
	    [10, recovered(2, numbers(11, 20), 10)]]) {
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel, recover: true,
			offset, epoch } }, answer);
		w.close();
	}
});

test('spec12_5_epoch_is_there_before_the_first_publication', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const w = await user(s, 'ann');
	const { epoch } = await subscribed(w, channel);
	assert.ok(epoch);
	assert.deepEqual(await published(s, channel, 1), { offset: 1, epoch });
	const other = `hist:${t.channel()}`;
	const r = await s.api('history', { channel: other });
	assert.ok(r.result.epoch);
	assert.equal((await published(s, other, 1)).epoch, r.result.epoch);
	w.close();
});

test('recovery_is_asked_by_those_who_may', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	const tail = t.channel();
	const positioned = '{"id":2,"subscribe":{"epoch":"@",' +
	    '"positioned":true}}';
	let n = 0;
	for (const [ns, ask, answer] of [
	    ['hist', {}, '{"id":2,"subscribe":{}}'],
	    ['hist', { positioned: true }, positioned],
	    ['hist', { recoverable: true }, live(2, '"positioned":true')],
	    ['hist', { recover: true },
		'{"id":2,"subscribe":{"was_recovering":true}}'],
	    ['askpos', { positioned: true }, positioned],
	    ['askpos', { recoverable: true }, '{"id":2,"subscribe":{}}'],
	    ['askrec', { recoverable: true }, live(2, '"positioned":true')],
	    ['askrec', { positioned: true }, '{"id":2,"subscribe":{}}'],
	    ['asknot', { positioned: true, recoverable: true },
		'{"id":2,"subscribe":{}}'],
	    ['pos', {}, positioned],
	    ['nopres', { positioned: true, recoverable: true },
		'{"id":2,"subscribe":{}}'],
	    /* who may read history may recover, if there is some or not */
	    ['plain', { positioned: true }, positioned],
	    ['plain', { recoverable: true }, live(2, '"positioned":true')]])
		await says(w, { id: 2, subscribe: {
			channel: `${ns}:${tail}${++n}`, ...ask } }, answer);
	w.close();
});

test('recovered_publications_are_not_heard_again', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const epoch = await filled(s, channel, 3);
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel, recover: true, offset: 1,
	    epoch } }, recovered(2, numbers(2, 3), 1));
	await published(s, channel, 4);
	await hears(w, pub(channel, '"data":4,"offset":4'));
	await silent(w);
	w.close();
});

test('spec12_8_publications_while_subscribing_are_merged', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `large:${t.channel()}`;
	const TOP = 200;
	const publisher = await user(s, 'pub');
	const epoch = await filled(s, channel, 1);
	const work = (async () => {
		for (let i = 2; i <= TOP; i++)
			await publisher.call({ id: i,
				publish: { channel, data: i } });
	})();
	const follow = async () => {
		const w = await user(s, 'ann');
		const r = await w.call({ id: 2, subscribe: { channel,
			recover: true, offset: 1, epoch } });
		assert.equal(r.subscribe.recovered, true);
		const got = (r.subscribe.publications || [])
		    .map((p) => p.offset);
		while (got.length < TOP - 1) {
			const m = await w.reply();
			assert.ok(m?.push, JSON.stringify([m, w.close_]));
			got.push(m.push.pub.offset);
		}
		assert.deepEqual(got, Array.from({ length: TOP - 1 },
		    (_, i) => i + 2));
		w.close();
	};
	for (let round = 0; round < 4; round++)
		await Promise.all(Array.from({ length: 5 }, follow));
	await work;
	publisher.close();
});

/* --- recovery in cache mode --- */

test('spec12_4_cache_recovery_gives_the_newest', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `cache:${t.channel()}`;
	const first = await user(s, 'ann');
	await says(first, { id: 2, subscribe: { channel, recover: true } },
	    lost(2, 0));
	first.close();
	const epoch = await filled(s, channel, 3);
	const three = '{"data":3,"offset":3}';
	const rows = (list) => list.reduce((p, [ask, answer]) => p.then(
	    async () => {
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel, ...ask } },
		    answer.replace('@', epoch));
		w.close();
	    }), Promise.resolve());
	await rows([
	    [{}, live(2, '"offset":3,"positioned":true')],
	    [{ recover: true }, recovered(2, three, 0)],
	    [{ recover: true, offset: 3, epoch }, recovered(2, '', 3)],
	    [{ recover: true, offset: 1, epoch }, recovered(2, three, 1)],
	    [{ recover: true, offset: 3, epoch: 'x' },
		recovered(2, three, 3)],
	    /* spec12_3: here the empty epoch is no wildcard */
	    [{ recover: true, offset: 3 }, recovered(2, three, 3)]]);
	await s.api('history_remove', { channel });
	await rows([
	    [{ recover: true }, lost(2, 3)],
	    [{ recover: true, offset: 3, epoch }, recovered(2, '', 3)],
	    [{ recover: true, offset: 2, epoch }, lost(2, 3)]]);
});

test('auto_cache_recover_recovers_unasked', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `auto:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel } }, lost(2, 0));
	await filled(s, channel, 2);
	await hears(w, pub(channel, '"data":1,"offset":1,"epoch":"@"'),
	    pub(channel, '"data":2,"offset":2'));
	const v = await user(s, 'ann');
	await says(v, { id: 2, subscribe: { channel } },
	    recovered(2, '{"data":2,"offset":2}', 0));
	w.close();
	v.close();
});

test('cache_recovery_gives_the_newest_that_matches', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `cachetags:${t.channel()}`;
	for (const a of ['1', '2', '1', '3'])
		await published(s, channel, a, { tags: { a } });
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel, recover: true,
	    tf: { key: 'a', cmp: 'eq', val: '1' } } }, recovered(2,
	    '{"data":"1","offset":3,"tags":{"a":"1"}}', 0));
	w.close();
});

/* --- positions --- */

const FORGET = (client) => ({ client, channel: { namespaces: [
	{ name: 'mm', ...ALL, history_size: 10, history_ttl: '1s',
	    history_meta_ttl: '2s', force_positioning: true },
	{ name: 'rr', ...ALL, history_size: 10, history_ttl: '1s',
	    history_meta_ttl: '2s', force_recovery: true },
] } });

test('spec12_9_gap_is_2500_or_3010', async (t) => {
	const s = await t.server(FORGET({}));
	const channel = `mm:${t.channel()}`;
	const w = await user(s, 'ann');
	const v = await user(s, 'bob', { channels: [channel] });
	const { epoch } = await subscribed(w, channel);
	await published(s, channel, 1);
	const one = pub(channel, `"data":1,"offset":1,"epoch":"${epoch}"`);
	await hears(w, one);
	await hears(v, one);
	await sleep(4500);	/* the epoch is forgotten by now */
	const r = await published(s, channel, 2);
	assert.equal(r.offset, 1);
	assert.notEqual(r.epoch, epoch);
	await hears(w, unsubscribed(channel, 2500, 'insufficient state'));
	assert.deepEqual(await v.closed(), CLOSED.state);
	await says(w, { id: 3, subscribe: { channel } },
	    '{"id":3,"subscribe":{"epoch":"@","offset":1,' +
	    '"positioned":true}}'.replace('@', r.epoch));
	w.close();
	v.close();
});

test('position_is_checked_now_and_then', async (t) => {
	const s = await t.server(FORGET({ presence_update_interval: '3s',
		channel_position_check_delay: '1s' }));
	const [a, b] = [`mm:${t.channel()}`, `rr:${t.channel()}`];
	const w = await user(s, 'ann');
	const v = await user(s, 'bob', { channels: [a] });
	const u = await user(s, 'eve');
	await subscribed(w, a);
	await subscribed(u, b);
	for (const [x, channel] of [[w, a], [u, b]])
		assert.equal(await x.line(), unsubscribed(channel, 2500,
		    'insufficient state'));
	assert.deepEqual(await v.closed(), CLOSED.state);
	[w, v, u].forEach((x) => x.close());
});

test('a_position_that_is_right_survives_the_checks', async (t) => {
	const s = await t.server({ ...NAMESPACES, client: {
		presence_update_interval: '1s',
		channel_position_check_delay: '1s' } });
	const channel = `rec:${t.channel()}`;
	const v = await user(s, 'bob', { channels: [channel] });
	const w = await user(s, 'ann');
	await subscribed(w, channel);
	for (let i = 1; i <= 5; i++) {
		await sleep(600);
		await published(s, channel, i);
	}
	for (const x of [w, v]) {
		assert.equal((await first(x, 5, 300)).length, 5);
		assert.equal(x.close_, undefined);
		x.close();
	}
});

test('spec12_7_unkept_publications_are_no_gap', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const w = await user(s, 'ann');
	await subscribed(w, channel);
	await published(s, channel, 1);
	assert.deepEqual(await published(s, channel, 'x',
	    { skip_history: true }), {});
	await published(s, channel, 2);
	await hears(w, pub(channel, '"data":1,"offset":1,"epoch":"@"'),
	    pub(channel, '"data":"x"'), pub(channel, '"data":2,"offset":2'));
	await says(w, { id: 3, history: { channel, limit: 9 } },
	    kept(3, numbers(1, 2), 2));
	w.close();
});

/* --- deltas --- */

const doc = (i, more) => ({ text: 'x'.repeat(60), n: i, ...more });
const string = (v) => JSON.stringify(JSON.stringify(v));
/* What fossil makes of doc(a) and doc(b), one digit each. */
const full = (i, offset) => `"data":${string(doc(i))},"offset":${offset}`;

/* Require a delta that makes text b of text a, and give its line's parts. */
function patched(line, channel, a, b, offset) {
	const p = JSON.parse(line).push;
	assert.equal(p.channel, channel);
	assert.deepEqual(Object.keys(p.pub).filter((k) => k !== 'tags'),
	    ['data', 'offset', 'delta']);
	assert.equal(p.pub.delta, true);
	assert.equal(p.pub.offset, offset);
	assert.equal(typeof p.pub.data, 'string');
	assert.ok(p.pub.data.length < b.length);
	assert.equal(applied(a, p.pub.data), b);
	return p.pub;
}

const text = (i) => JSON.stringify(doc(i));
const deltaLive = (more) => live(2, `${more}"positioned":true,"delta":true`);

test('spec12_21_delta_data_is_always_a_string', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	const w = await user(s, 'ann');
	const v = await user(s, 'bob');
	await says(w, { id: 2, subscribe: { channel, delta: 'fossil' } },
	    deltaLive(''));
	await says(v, { id: 2, subscribe: { channel } },
	    live(2, '"positioned":true'));
	await published(s, channel, doc(1));
	await published(s, channel, doc(2));
	await published(s, channel, 7, { version: 5 });
	await published(s, channel, '<&>\n"');
	await hears(w, pub(channel, full(1, 1)));
	patched(await w.line(), channel, text(1), text(2), 2);
	await hears(w, pub(channel, '"data":"7","offset":3'), pub(channel,
	    String.raw`"data":"\"\u003c\u0026\u003e\\n\\\"\"","offset":4`));
	await hears(v, pub(channel, `"data":${text(1)},"offset":1,` +
	    '"epoch":"@"'), pub(channel, `"data":${text(2)},"offset":2`),
	    pub(channel, '"data":7,"offset":3,"version":5'));
	assert.equal(JSON.parse(await v.line()).push.pub.data, '<&>\n"');
	w.close();
	v.close();
});

test('spec12_22_first_live_publication_is_full', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	await published(s, channel, doc(1));
	await published(s, channel, doc(2));
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel, delta: 'fossil' } },
	    deltaLive('"offset":2,'));
	await published(s, channel, doc(3));
	await published(s, channel, doc(4));
	await hears(w, pub(channel, full(3, 3)));
	patched(await w.line(), channel, text(3), text(4), 4);
	w.close();
});

/* Centrifugo sends a delta, also to who has its position from elsewhere. */
test('delta_needs_a_publication_recovered', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	await published(s, channel, doc(1));
	const { epoch } = (await s.api('history', { channel })).result;
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel, delta: 'fossil',
	    recover: true, offset: 1, epoch } },
	    recovered(2, '', 1, ',"delta":true'));
	await published(s, channel, doc(2));
	await published(s, channel, doc(3));
	await hears(w, pub(channel, full(2, 2)));
	patched(await w.line(), channel, text(2), text(3), 3);
	w.close();
}, { fugu: true });

test('spec12_21_recovered_publications_are_deltas_too', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	for (let i = 1; i <= 3; i++)
		await published(s, channel, doc(i));
	await published(s, channel, 7);
	const w = await user(s, 'ann');
	const r = await subscribed(w, channel, { delta: 'fossil',
		recover: true, offset: 1 });
	assert.equal(r.delta, true);
	const [two, three, seven] = r.publications;
	assert.deepEqual(two, { data: text(2), offset: 2 });
	patched(JSON.stringify({ push: { channel, pub: three } }), channel,
	    text(2), text(3), 3);
	assert.deepEqual(seven, { data: '7', offset: 4 });
	await says(w, { id: 3, history: { channel, limit: 1 } }, kept(3,
	    `{"data":${text(1)},"offset":1,"epoch":"@"}`, 4));
	w.close();
});

test('spec12_23_delta_without_position_is_full', async (t) => {
	const s = await t.server(NAMESPACES);
	for (const ns of ['deltanothing', 'deltaloose']) {
		const channel = `${ns}:${t.channel()}`;
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel,
		    delta: 'fossil' } },
		    '{"id":2,"subscribe":{"delta":true}}');
		for (let i = 1; i <= 3; i++) {
			await published(s, channel, doc(i));
			const { pub: p } = (await w.reply()).push;
			assert.equal(p.data, text(i));
			assert.equal(p.delta, undefined);
		}
		w.close();
	}
});

test('spec12_23_delta_with_filter_hears_everything_live', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `deltatags:${t.channel()}`;
	const w = await user(s, 'ann');
	const tf = { key: 'a', cmp: 'neq', val: '2' };
	await says(w, { id: 2, subscribe: { channel, delta: 'fossil', tf } },
	    deltaLive(''));
	for (let i = 1; i <= 3; i++)
		await published(s, channel, doc(i), { tags: { a: `${i}` } });
	await hears(w, pub(channel, full(1, 1) + ',"tags":{"a":"1"}'));
	for (const i of [2, 3])
		assert.deepEqual(patched(await w.line(), channel, text(i - 1),
		    text(i), i).tags, { a: `${i}` });
	const v = await user(s, 'bob');
	const r = await subscribed(v, channel, { delta: 'fossil', tf,
		recover: true });
	assert.deepEqual(r.publications.map((p) => p.offset), [1, 3]);
	w.close();
	v.close();
});

test('delta_is_made_when_the_publisher_asks', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `deltaasked:${t.channel()}`;
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel, delta: 'fossil' } },
	    '{"id":2,"subscribe":{"epoch":"@","positioned":true,' +
	    '"delta":true}}');
	for (const [i, delta] of [[1, true], [2, false], [3, true]])
		await published(s, channel, doc(i), { delta });
	await hears(w, pub(channel, full(1, 1)), pub(channel, full(2, 2)));
	patched(await w.line(), channel, text(2), text(3), 3);
	await says(w, { id: 3, publish: { channel, data: doc(4) } },
	    pub(channel, `"data":${string(doc(4))},"info":{"user":"ann",` +
	    '"client":"*"},"offset":4'), '{"id":3,"publish":{}}');
	await s.api('broadcast', { channels: [channel], data: doc(5),
		delta: true });
	patched(await w.line(), channel, text(4), text(5), 5);
	w.close();
});

/* What is not kept is what the client has then; Centrifugo sends a delta of
 * what was kept before, which does not fit. */
test('delta_after_skip_history_and_history_remove', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `delta:${t.channel()}`;
	const w = await user(s, 'ann');
	await subscribed(w, channel, { delta: 'fossil' });
	await published(s, channel, doc(1));
	await published(s, channel, doc(2), { skip_history: true });
	await published(s, channel, doc(3));
	await published(s, channel, doc(4));
	await hears(w, pub(channel, full(1, 1)),
	    pub(channel, `"data":${string(doc(2))}`),
	    pub(channel, full(3, 2)));
	patched(await w.line(), channel, text(3), text(4), 3);
	await s.api('history_remove', { channel });
	await published(s, channel, doc(5));
	await hears(w, pub(channel, full(5, 4)));
	w.close();
}, { fugu: true });

test('delta_of_an_unknown_type_3501_and_not_allowed_is_off', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	await says(w, { id: 2, subscribe: { channel: `rec:${t.channel()}`,
	    delta: 'fossil' } }, live(2, '"positioned":true'));
	await ends(w, { id: 3, subscribe: { channel: 'delta:x',
	    delta: 'other' } }, CLOSED.request);
});

/* --- tags and filters --- */

const OPERATORS = [
	['eq', '1', ['1']],
	['neq', '1', ['2', '10', '1.5', '-3', 'abc', '', 'ab', '01', ' 1',
	    '1e1', '.5', 'none']],
	['ex', undefined, ['1', '2', '10', '1.5', '-3', 'abc', '', 'ab',
	    '01', ' 1', '1e1', '.5']],
	['nex', undefined, ['none']],
	['sw', 'a', ['abc', 'ab']],
	['ew', 'c', ['abc']],
	['ct', 'b', ['abc', 'ab']],
	['lt', '2', ['1', '1.5', '-3', '01']],
	['lte', '2', ['1', '2', '1.5', '-3', '01']],
	['gt', '2', ['10']],
	['gte', '2', ['2', '10']],
	['gt', '1.25', ['2', '10', '1.5']],
	['gt', 'x', []],
	['gt', '99999999999999999999', []],
	['in', ['1', 'abc'], ['1', 'abc']],
	['nin', ['1', 'abc'], ['2', '10', '1.5', '-3', '', 'ab', '01', ' 1',
	    '1e1', '.5', 'none']],
];

const leaf = (cmp, v, key = 'k') => ({ key, cmp,
	...(Array.isArray(v) ? { vals: v } : v === undefined ? {} :
	    { val: v }) });
const and = (...nodes) => ({ op: 'and', nodes });
const or = (...nodes) => ({ op: 'or', nodes });
const not = (node) => ({ op: 'not', nodes: [node] });

test('tags_filter_operators', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tags:${t.channel()}`;
	const filters = OPERATORS.map(([cmp, v, want]) => [leaf(cmp, v), want]);
	filters.push([and(leaf('gte', '1'), leaf('lt', '10')),
	    ['1', '2', '1.5', '01']], [or(leaf('eq', '1'), leaf('nex')),
	    ['1', 'none']], [not(leaf('ex')), ['none']],
	    [and(not(leaf('eq', '1')), or(leaf('sw', '1'), leaf('eq', 'ab'))),
	    ['10', '1.5', 'ab', '1e1']],
	    [and(leaf('ex', undefined, 'other')), []]);
	const all = [];
	for (const [tf, want] of filters) {
		const w = await user(s, 'ann');
		await says(w, { id: 2, subscribe: { channel, tf } },
		    live(2, '"positioned":true'));
		all.push([w, tf, want]);
	}
	for (const v of OPERATORS[2][2])
		await published(s, channel, v, { tags: { k: v } });
	await published(s, channel, 'none');
	for (const [w, tf, want] of all) {
		const got = (await first(w, want.length, 100)).map((l) =>
		    JSON.parse(l).push.pub.data);
		assert.deepEqual(got, want, JSON.stringify(tf));
		w.close();
	}
});

test('spec12_10_filtered_publications_advance_the_position', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tags:${t.channel()}`;
	const w = await user(s, 'ann');
	const tf = leaf('eq', '1', 'a');
	await says(w, { id: 2, subscribe: { channel, tf } },
	    live(2, '"positioned":true'));
	for (const a of ['1', '2', '1', '2', '1'])
		await published(s, channel, a, { tags: { a } });
	const item = (n) => `"data":"1","offset":${n},"tags":{"a":"1"}`;
	await hears(w, pub(channel, item(1) + ',"epoch":"@"'),
	    pub(channel, item(3)), pub(channel, item(5)));
	await silent(w);
	for (const [offset, filter, list] of [[1, tf,
	    `{${item(3)}},{${item(5)}}`], [2, leaf('eq', '7', 'a'), ''],
	    [5, tf, '']]) {
		const v = await user(s, 'bob');
		await says(v, { id: 2, subscribe: { channel, tf: filter,
		    recover: true, offset } }, recovered(2, list, offset));
		v.close();
	}
	w.close();
});

test('tags_filter_refused_107', async (t) => {
	const s = await t.server(NAMESPACES);
	const w = await user(s, 'ann');
	const channel = `tags:${t.channel()}`;
	for (const tf of [{}, { op: 'xor', nodes: [leaf('ex')] }, and(), or(),
	    { op: 'not', nodes: [leaf('ex'), leaf('ex')] },
	    { op: 'not', nodes: [] }, { op: 'not' },
	    { cmp: 'eq', val: '1' }, { key: 'k', val: '1' },
	    leaf('zz', '1'), leaf('eq'), leaf('sw'), leaf('in'),
	    leaf('in', []), leaf('ex', '1'), and(leaf('zz', '1')),
	    { ...leaf('eq', '1'), vals: ['2'] },
	    { ...leaf('in', ['1']), val: 'x' }])
		await says(w, { id: 2, subscribe: { channel, tf } },
		    error(2, 107));
	await says(w, { id: 3, subscribe: { channel: 'rec:x',
	    tf: leaf('ex') } }, error(3, 107));
	await says(w, { id: 4, subscribe: { channel: `rec:${t.channel()}`,
	    tf: null } }, live(4, '"positioned":true'));
	await ends(w, { id: 5, subscribe: { channel, tf: 5 } },
	    CLOSED.request);
});

test('tags_filter_nested', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `tags:${t.channel()}`;
	const w = await user(s, 'ann');
	let tf = leaf('eq', '1');
	for (let i = 0; i < 15; i++)
		tf = not(tf);
	await says(w, { id: 2, subscribe: { channel, tf } },
	    live(2, '"positioned":true'));
	await published(s, channel, 1, { tags: { k: '1' } });
	await published(s, channel, 2, { tags: { k: '2' } });
	await hears(w, pub(channel, '"data":2,"offset":2,"tags":{"k":"2"}'));
	w.close();
});

/* --- versions and idempotency --- */

test('spec12_50_versions', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	const w = await user(s, 'ann');
	await subscribed(w, channel);
	const heard = [];
	for (const [version, version_epoch, offset, anew] of [
	    [5, '', 1, true], [4, '', 1, false], [5, '', 1, false],
	    [6, '', 2, true], [1, 'e', 3, true], [1, 'e', 3, false],
	    [1, '', 3, false], [2, 'f', 4, true], [1, '', 4, false],
	    [9, '', 5, true]]) {
		const r = await published(s, channel, offset,
		    { version, version_epoch });
		assert.equal(r.offset, offset, `${version} ${version_epoch}`);
		if (anew)
			heard.push([offset, version]);
	}
	const got = (await first(w, heard.length)).map((l) =>
	    JSON.parse(l).push.pub).map((p) => [p.offset, p.version]);
	assert.deepEqual(got, heard);
	await answers(s, 'history', { channel, limit: 1 }, '{"result":' +
	    '{"publications":[{"data":1,"offset":1}],"epoch":"@",' +
	    '"offset":5}}');
	w.close();
});

test('spec12_50_unversioned_publication_forgets_the_version', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `rec:${t.channel()}`;
	for (const [more, offset] of [[{ version: 6 }, 1], [{}, 2],
	    [{ version: 6 }, 3], [{ version: 3 }, 3]])
		assert.equal((await published(s, channel, 1, more)).offset,
		    offset);
});

test('spec12_51_idempotency_answers_with_the_old_position', async (t) => {
	const s = await t.server(NAMESPACES);
	const [channel, other] = [`rec:${t.channel()}`, `hist:${t.channel()}`];
	const w = await user(s, 'ann');
	await subscribed(w, channel);
	const first = await published(s, channel, 1, { idempotency_key: 'k' });
	assert.equal(first.offset, 1);
	await published(s, channel, 2);
	assert.deepEqual(await published(s, channel, 3,
	    { idempotency_key: 'k' }), first);
	assert.deepEqual(await published(s, channel, 4,
	    { idempotency_key: 'l', skip_history: true }), {});
	assert.deepEqual(await published(s, channel, 5,
	    { idempotency_key: 'l' }), {});
	const cast = { channels: [channel, other], data: 6,
		idempotency_key: 'm' };
	const once = await raw(s, 'broadcast', cast);
	assert.equal(await raw(s, 'broadcast', cast), once);
	assert.deepEqual(JSON.parse(once).result.responses.map((r) =>
	    r.result.offset), [3, 1]);
	await hears(w, pub(channel, '"data":1,"offset":1,"epoch":"@"'),
	    pub(channel, '"data":2,"offset":2'), pub(channel, '"data":4'),
	    pub(channel, '"data":6,"offset":3'));
	await silent(w, 100);
	w.close();
});

test('spec12_24_time_is_never_told', async (t) => {
	const s = await t.server(NAMESPACES);
	const channel = `hist:${t.channel()}`;
	const w = await user(s, 'ann');
	await subscribed(w, channel);
	await published(s, channel, 1);
	await published(s, channel, 2, { version: 3, version_epoch: 'e',
		tags: { b: '2', a: '1' } });
	await hears(w, pub(channel, '"data":1,"offset":1,"epoch":"@"'));
	const { pub: p } = (await w.reply()).push;
	assert.deepEqual(p, { data: 2, offset: 2, tags: { a: '1', b: '2' },
		version: 3 });
	await says(w, { id: 3, history: { channel, limit: 1 } },
	    kept(3, numbers(1, 1), 2));
	w.close();
});

await run();
