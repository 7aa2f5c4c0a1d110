/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the server API does to clients that are there: who hears, who is
 * disconnected or unsubscribed, what is counted.
 */
import { API_KEY, assert, eventually, freePort, run, test, token }
	from './harness.mjs';
import { Wire } from './wire.mjs';

const push = (channel, pub) =>
	`{"push":{"channel":"${channel}","pub":{${pub}}}}`;

const user = (s, name, opt) =>
	s.connected({ token: token({ sub: name }) }, opt);

async function subscribed(s, channel, name) {
	const w = await (name === undefined ? s.connected() : user(s, name));
	const r = await w.call({ id: 2, subscribe: { channel } });
	assert.deepEqual(r, { id: 2, subscribe: {} });
	return w;
}

test('api_publish_reaches_subscribers_of_that_channel', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const yes = await Promise.all(Array.from({ length: 8 },
	    () => subscribed(s, channel)));
	const no = await subscribed(s, t.channel());
	await s.publish(channel, { a: 1 });
	for (const w of yes) {
		assert.equal(await w.line(), push(channel, '"data":{"a":1}'));
		w.close();
	}
	assert.deepEqual(await no.rest(200), []);
	no.close();
});

test('api_publish_b64data', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	await s.api('publish', { channel, b64data:
	    Buffer.from('{"b": [1, 2]}').toString('base64') });
	assert.equal(await w.line(), push(channel, '"data":{"b": [1, 2]}'));
	w.close();
});

test('api_publish_b64data_wins_over_data', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	await s.api('publish', { channel, data: 1, b64data: 'Mg==' });
	assert.equal(await w.line(), push(channel, '"data":2'));
	w.close();
});

test('spec12_20_data_that_is_not_json_disconnects_json_clients_3506',
    async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	await s.api('publish', { channel, b64data:
	    Buffer.from('not JSON').toString('base64') });
	assert.deepEqual(await w.closed(), { code: 3506,
		reason: 'inappropriate protocol' });
	w.close();
});

test('api_publish_tags', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	await s.api('publish', { channel, data: 1, tags: { a: '<b>' } });
	assert.equal(await w.line(),
	    push(channel, '"data":1,"tags":{"a":"\\u003cb\\u003e"}'));
	w.close();
});

test('spec12_51_idempotency_key', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	for (const [idempotency_key, data] of [['k', 1], ['k', 2], ['l', 3],
	    ['k', 4]])
		assert.deepEqual(await s.api('publish', { channel, data,
			idempotency_key }), { result: {} });
	const other = await subscribed(s, t.channel());
	other.close();
	assert.equal(await w.line(), push(channel, '"data":1'));
	assert.equal(await w.line(), push(channel, '"data":3'));
	assert.deepEqual(await w.rest(200), []);
	w.close();
});

test('idempotency_key_belongs_to_the_channel', async (t) => {
	const s = await t.server();
	const [a, b] = [t.channel(), t.channel()];
	const w = await subscribed(s, a);
	const v = await subscribed(s, b);
	const r = await s.api('broadcast', { channels: [a, b], data: 1,
		idempotency_key: 'k' });
	assert.deepEqual(r, { result: { responses: [{ result: {} },
		{ result: {} }] } });
	assert.equal(await w.line(), push(a, '"data":1'));
	assert.equal(await v.line(), push(b, '"data":1'));
	w.close();
	v.close();
});

test('spec12_50_version_suppresses_only_with_history', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	for (const version of [5, 4])
		assert.deepEqual(await s.api('publish', { channel,
			data: version, version }), { result: {} });
	assert.deepEqual((await w.reply()).push.pub.data, 5);
	assert.deepEqual((await w.reply()).push.pub.data, 4);
	w.close();
});

test('spec12_24_version_is_told_time_and_epochs_are_not', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	await s.api('publish', { channel, data: 1, version: 5,
		version_epoch: 'e', delta: true, skip_history: true });
	assert.equal(await w.line(), push(channel, '"data":1,"version":5'));
	w.close();
});

test('api_broadcast', async (t) => {
	const s = await t.server();
	const channels = [t.channel(), t.channel(), t.channel()];
	const all = await Promise.all(channels.map((c) => subscribed(s, c)));
	for (let i = 0; i < 20; i++)
		await s.api('broadcast', { channels, data: i });
	for (const [k, w] of all.entries()) {
		for (let i = 0; i < 20; i++)
			assert.equal(await w.line(),
			    push(channels[k], `"data":${i}`));
		w.close();
	}
});

test('api_batch_publishes_in_order', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	await s.api('batch', { commands: Array.from({ length: 50 },
	    (_, i) => ({ publish: { channel, data: i } })) });
	for (let i = 0; i < 50; i++)
		assert.equal(await w.line(), push(channel, `"data":${i}`));
	w.close();
});

test('api_legacy_publishes_in_order', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	const w = await subscribed(s, channel);
	const r = await s.http('POST', '/api', {
		headers: { 'X-API-Key': API_KEY },
		body: Array.from({ length: 50 }, (_, i) => JSON.stringify({
			id: i, method: 'publish',
			params: { channel, data: i } })).join('\n') });
	assert.equal(r.status, 200);
	assert.equal(r.body.split('\n').length, 50);
	for (let i = 0; i < 50; i++)
		assert.equal(await w.line(), push(channel, `"data":${i}`));
	w.close();
});

test('api_disconnect_user', async (t) => {
	const s = await t.server();
	const [a, b] = [t.channel(), t.channel()];
	const mine = [await user(s, a), await user(s, a), await user(s, a)];
	const other = await user(s, b);
	await s.api('disconnect', { user: a });
	for (const w of mine)
		assert.deepEqual(await w.closed(), { code: 3503,
			reason: 'force disconnect' });
	assert.equal(await other.closed(200), undefined);
	other.close();
});

test('api_disconnect_code_and_reason', async (t) => {
	const s = await t.server();
	for (const [code, reason] of [[4321, 'because \u{1f421}'], [3000 + 11, ''],
	    [4000, 'r'.repeat(123)]]) {
		const name = t.channel();
		const w = await user(s, name);
		await s.api('disconnect', { user: name,
			disconnect: { code, reason } });
		assert.deepEqual(await w.closed(), { code, reason });
		w.close();
	}
});

test('api_disconnect_whitelist', async (t) => {
	const s = await t.server();
	const name = t.channel();
	const all = [await user(s, name), await user(s, name),
		await user(s, name)];
	await s.api('disconnect', { user: name,
		whitelist: [all[1].client, 'unknown'] });
	assert.equal((await all[0].closed()).code, 3503);
	assert.equal((await all[2].closed()).code, 3503);
	assert.equal(await all[1].closed(200), undefined);
	all[1].close();
});

test('api_disconnect_client', async (t) => {
	const s = await t.server();
	const name = t.channel();
	const a = await user(s, name);
	const b = await user(s, name);
	await s.api('disconnect', { user: name, client: a.client });
	assert.equal((await a.closed()).code, 3503);
	assert.equal(await b.closed(200), undefined);
	b.close();
});

test('spec12_49_client_filter_searches_the_users_connections', async (t) => {
	const s = await t.ownServer();
	const named = await user(s, 'u');
	const anonymous = await s.connected();
	const bystander = await s.connected();
	for (const w of [named, anonymous])
		await s.api('disconnect', { client: w.client });
	assert.equal((await anonymous.closed()).code, 3503);
	assert.equal(await named.closed(200), undefined);
	assert.equal(await bystander.closed(100), undefined);
	await s.api('disconnect', { user: '' });
	assert.equal((await bystander.closed()).code, 3503);
	assert.equal(await named.closed(200), undefined);
	named.close();
});

test('api_unsubscribe', async (t) => {
	const s = await t.server();
	const name = t.channel();
	const channel = t.channel();
	const w = await subscribed(s, channel, name);
	const other = await subscribed(s, channel, t.channel());
	await s.api('unsubscribe', { user: name, channel });
	assert.equal(await w.line(), `{"push":{"channel":"${channel}",` +
	    '"unsubscribe":{"code":2000,"reason":"server unsubscribe"}}}');
	await s.publish(channel, 1);
	assert.equal(await other.line(), push(channel, '"data":1'));
	assert.deepEqual(await w.rest(200), []);
	const r = await w.call({ id: 3, subscribe: { channel } });
	assert.deepEqual(r, { id: 3, subscribe: {} });
	w.close();
	other.close();
});

test('api_unsubscribe_client', async (t) => {
	const s = await t.server();
	const name = t.channel();
	const channel = t.channel();
	const a = await subscribed(s, channel, name);
	const b = await subscribed(s, channel, name);
	await s.api('unsubscribe', { user: name, channel, client: a.client });
	assert.ok((await a.reply()).push.unsubscribe);
	await s.publish(channel, 1);
	assert.equal(await b.line(), push(channel, '"data":1'));
	a.close();
	b.close();
});

test('spec12_48_unsubscribe_pushes_even_when_not_subscribed', async (t) => {
	const s = await t.server();
	const name = t.channel();
	const channel = t.channel();
	const w = await user(s, name);
	const reason = '"unsubscribe":{"code":2000,"reason":' +
	    '"server unsubscribe"}';
	await s.api('unsubscribe', { user: name, channel });
	assert.equal(await w.line(),
	    `{"push":{"channel":"${channel}",${reason}}}`);
	await s.api('unsubscribe', { user: name });
	assert.equal(await w.line(), `{"push":{${reason}}}`);
	w.close();
});

test('api_channels', async (t) => {
	const s = await t.ownServer();
	const all = [];
	for (const [channel, n] of [['a1', 3], ['a2', 1], ['b<1', 2]])
		for (let i = 0; i < n; i++)
			all.push(await subscribed(s, channel));
	const channels = async (pattern) =>
	    (await s.api('channels', { pattern })).result.channels;
	assert.deepEqual(await channels(undefined), { a1: { num_clients: 3 },
		a2: { num_clients: 1 }, 'b<1': { num_clients: 2 } });
	assert.deepEqual(await channels('a*'), { a1: { num_clients: 3 },
		a2: { num_clients: 1 } });
	assert.deepEqual(await channels('?2'), { a2: { num_clients: 1 } });
	assert.deepEqual(await channels('c*'), {});
	all.forEach((w) => w.close());
	await eventually(async () =>
	    Object.keys(await channels('*')).length === 0, 'no channels left');
});

test('info_and_metrics_count_clients', async (t) => {
	const s = await t.ownServer({ node: { name: 'me' } });
	const all = [await user(s, 'a'), await user(s, 'a'),
		await user(s, 'b'), await s.connected()];
	const extra = await s.open();	/* not connected: not counted */
	let id = 2;
	for (const w of all)
		await w.call({ id: id++, subscribe: { channel: 'x' } });
	await all[0].call({ id: id++, subscribe: { channel: 'y' } });
	const names = ['clients', 'users', 'subscriptions', 'channels'];
	const figures = () => Promise.all(names.map((n) =>
	    s.metric(`centrifugo_node_num_${n}`)));
	await eventually(async () => String(await figures()) === '4,3,5,2',
	    `figures ${await figures()}`, 15000);
	const [node] = await eventually(async () => {
		const { nodes } = (await s.api('info', {})).result;
		return nodes[0].num_clients === 4 && nodes;
	}, 'info counts', 15000);
	assert.equal(node.name, 'me');
	assert.equal(node.num_users, 3);
	assert.equal(node.num_channels, 2);
	assert.equal(node.num_subs, 5);
	extra.close();
	all.forEach((w) => w.close());
	await eventually(async () => String(await figures()) === '0,0,0,0',
	    'everybody left', 15000);
});

test('metrics_count_messages_and_errors', async (t) => {
	const s = await t.ownServer();
	const w = await s.connected({ name: 'js', version: '1.2' });
	await w.call({ id: 2, subscribe: { channel: 'x' } });
	for (let i = 0; i < 5; i++)
		await s.publish('x', i);
	await s.api('publish', { channel: 'nope:x', data: 1 });
	for (let i = 0; i < 5; i++)
		await w.reply();
	await w.call({ id: 3, subscribe: { channel: 'nope:x' } });
	w.text('{}');
	await w.closed();
	for (const [name, labels, value] of [
		['node_messages_sent_count', { type: 'publication' }, 5],
		['node_messages_received_count', { type: 'publication' }, 5],
		['client_num_reply_errors', { code: 102,
		    method: 'subscribe' }, 1],
		['client_num_server_disconnects', { code: 3501 }, 1],
		['api_command_duration_seconds_count', { method: 'publish',
		    protocol: 'http' }, 6],
		['api_command_errors_total', { method: 'publish',
		    protocol: 'http', error: 102 }, 1],
		['client_command_duration_seconds_count',
		    { method: 'connect' }, 1],
		['client_command_duration_seconds_count',
		    { method: 'subscribe' }, 2],
		['client_connections_accepted', { transport: 'websocket' }, 1],
		['client_connections_inflight', {}, 0],
	])
		await eventually(async () => await s.metric(
		    `centrifugo_${name}`, labels) === value,
		    `${name} ${JSON.stringify(labels)} = ${value}`, 5000);
	assert.ok(await s.metric('centrifugo_transport_messages_sent') >= 7);
	assert.ok(await s.metric(
	    'centrifugo_transport_messages_received') >= 3);
	w.close();
});

test('internal_port_serves_api_health_and_metrics_only_there', async (t) => {
	const internal = await freePort();
	const s = await t.ownServer({ http_server: {
		internal_port: String(internal) } });
	const headers = { 'X-API-Key': API_KEY };
	for (const [method, path] of [['GET', '/health'], ['GET', '/metrics'],
	    ['POST', '/api/info']])
		for (const [port, status] of [[s.port, 404], [internal, 200]]) {
			const r = await s.http(method, path, { port, headers,
				body: method === 'POST' ? '{}' : undefined });
			assert.equal(r.status, status, `${port}${path}`);
		}
	const w = await s.connected();
	w.close();
	const e = await Wire.open(internal).then(() => undefined, (x) => x);
	assert.equal(e?.response?.status, 404);
});

await run();
