/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JSON client protocol on the wire: exact replies, error codes, close
 * codes.  Each row of the contract's section 12 ("behaviours a naive
 * reimplementation gets wrong") that can be seen from here has a case with
 * its number in the name.
 */
import { API_KEY, assert, eventually, now, run, sleep, test, token }
	from './harness.mjs';
import { OP, closePayload, frame } from './wire.mjs';

const CONNECT = '{"id":1,"connect":{}}';
const BAD_REQUEST = { code: 3501, reason: 'bad request' };
const INVALID_TOKEN = { code: 3500, reason: 'invalid token' };

const ERRORS = {
	102: 'unknown channel', 103: 'permission denied',
	105: 'already subscribed', 106: 'limit exceeded', 107: 'bad request',
	108: 'not available', 109: 'token expired', 110: 'expired',
};

const error = (id, code) =>
	`{"id":${id},"error":{"code":${code},"message":"${ERRORS[code]}"}}`;

/* Namespaces for what depends on permissions. */
const NS = { channel: { namespaces: [
	{ name: 'closed' },
	{ name: 'users', allow_subscribe_for_client: true,
	    allow_publish_for_subscriber: true },
	{ name: 'talk', allow_subscribe_for_client: true,
	    allow_subscribe_for_anonymous: true,
	    allow_publish_for_subscriber: true,
	    allow_publish_for_anonymous: true },
] } };

/* Connect, then send texts (each one frame) and require these lines. */
function lines(name, texts, expected) {
	test(name, async (t) => {
		const s = await t.server(NS);
		const w = await s.connected();
		for (const text of [].concat(texts))
			w.text(text);
		for (const e of [].concat(expected))
			assert.equal(await w.line(), e);
		assert.deepEqual(await w.rest(150), []);
		assert.equal(w.close_, undefined);
		w.close();
	});
}

/* Connect, send texts, and require the close (after these lines). */
function closes(name, texts, close, expected = []) {
	test(name, async (t) => {
		const s = await t.server(NS);
		const w = await s.connected();
		for (const text of [].concat(texts))
			w.text(text);
		for (const e of expected)
			assert.equal(await w.line(), e);
		assert.deepEqual(await w.closed(), close);
		w.close();
	});
}

/* The first frame is this text; require the close. */
function refused(name, text, close = BAD_REQUEST) {
	test(name, async (t) => {
		const s = await t.server();
		const w = await s.open();
		w.text(text);
		assert.deepEqual(await w.closed(), close);
		w.close();
	});
}

const connectWith = (claims, opt) =>
	JSON.stringify({ id: 1, connect: { token: token(claims, opt) } });

/* --- connect --- */

test('connect_anonymous_reply', async (t) => {
	const s = await t.server();
	const w = await s.open();
	w.text(CONNECT);
	assert.match(await w.line(), new RegExp('^\\{"id":1,"connect":\\{' +
	    '"client":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}' +
	    '-[0-9a-f]{12}","version":"[^"]+","ping":25,"pong":true\\}\\}$'));
	w.close();
});

test('connect_client_ids_differ', async (t) => {
	const s = await t.server();
	const all = await Promise.all(Array.from({ length: 20 },
	    () => s.connected()));
	assert.equal(new Set(all.map((w) => w.client)).size, 20);
	all.forEach((w) => w.close());
});

test('connect_token_expires_and_ttl', async (t) => {
	const s = await t.server();
	const w = await s.open();
	w.text(connectWith({ sub: 'u1', exp: now() + 3600 }));
	const r = await w.reply();
	assert.equal(r.connect.expires, true);
	assert.ok(r.connect.ttl >= 3595 && r.connect.ttl <= 3600);
	w.close();
});

for (const alg of ['HS256', 'HS384', 'HS512'])
	test(`connect_token_${alg}`, async (t) => {
		const s = await t.server();
		const w = await s.connected({ token: token({ sub: 'u' },
		    { alg }) });
		w.close();
	});

test('connect_previous_secret', async (t) => {
	const s = await t.server({ client: { token: {
		hmac_previous_secret_key: 'the old one',
		hmac_previous_secret_key_valid_until: now() + 3600 } } });
	const w = await s.connected({ token: token({ sub: 'u' },
	    { secret: 'the old one' }) });
	w.close();
});

test('connect_previous_secret_over', async (t) => {
	const s = await t.server({ client: { token: {
		hmac_previous_secret_key: 'the old one',
		hmac_previous_secret_key_valid_until: now() - 5 } } });
	const w = await s.open();
	w.text(connectWith({ sub: 'u' }, { secret: 'the old one' }));
	assert.deepEqual(await w.closed(), INVALID_TOKEN);
	w.close();
});

test('connect_audience_and_issuer', async (t) => {
	const s = await t.server({ client: { token: { audience: 'chat',
		issuer: 'site' } } });
	for (const good of [{ aud: 'chat', iss: 'site' },
	    { aud: ['x', 'chat'], iss: 'site' }]) {
		const w = await s.connected({ token: token({ sub: 'u',
		    ...good }) });
		w.close();
	}
	for (const bad of [{ iss: 'site' }, { aud: 'chat' },
	    { aud: 'cha', iss: 'site' }, { aud: 'chat', iss: 'sit' },
	    { aud: [], iss: 'site' }]) {
		const w = await s.open();
		w.text(connectWith({ sub: 'u', ...bad }));
		assert.deepEqual(await w.closed(), INVALID_TOKEN,
		    JSON.stringify(bad));
		w.close();
	}
});

test('connect_user_id_claim', async (t) => {
	const s = await t.server({ client: { token: {
		user_id_claim: 'uid' } } });
	const w = await s.connected({ token: token({ sub: 'no',
	    uid: 'yes' }) });
	const channel = t.channel();
	w.cmd({ id: 2, subscribe: { channel } },
	    { id: 3, publish: { channel, data: 1 } });
	await w.reply();
	assert.equal((await w.reply()).push.pub.info.user, 'yes');
	w.close();
});

for (const [name, text] of Object.entries({
	wrong_secret: connectWith({ sub: 'u' }, { secret: 'wrong' }),
	not_a_token: '{"id":1,"connect":{"token":"abc"}}',
	alg_none: JSON.stringify({ id: 1, connect: { token: token(
	    { sub: 'u' }, { header: { alg: 'none', typ: 'JWT' } })
	    .replace(/[^.]*$/, '') } }),
	alg_none_signed: connectWith({ sub: 'u' },
	    { header: { alg: 'none' } }),
	alg_confusion: connectWith({ sub: 'u' }, { header: { alg: 'RS256' } }),
	alg_other_hash: connectWith({ sub: 'u' }, { header: { alg: 'HS512' } }),
	alg_missing: connectWith({ sub: 'u' }, { header: { typ: 'JWT' } }),
	channel_claim: connectWith({ sub: 'u', channel: 'x' }),
	sub_is_number: connectWith({ sub: 12 }),
	fourth_part: connectWith({ sub: 'u' }).replace(/"\}\}$/, '.x"}}'),
}))
	refused(`connect_token_${name}_3500`, text, INVALID_TOKEN);

refused('connect_without_id', '{"connect":{}}');
refused('connect_null', '{"id":5,"connect":null}');
refused('connect_not_an_object', '{"id":1,"connect":"x"}');
refused('connect_token_not_a_string', '{"id":1,"connect":{"token":5}}');
refused('before_connect_subscribe', '{"id":1,"subscribe":{"channel":"x"}}');
refused('before_connect_publish',
    '{"id":1,"publish":{"channel":"x","data":1}}');
refused('before_connect_rpc', '{"id":1,"rpc":{"method":"x"}}');
refused('before_connect_pong', '{}');

closes('second_connect_3501', CONNECT, BAD_REQUEST);

test('connect_disallow_anonymous_tokens_3507', async (t) => {
	const s = await t.server({ client: {
		disallow_anonymous_connection_tokens: true } });
	const w = await s.open();
	w.text(connectWith({ sub: '' }));
	assert.deepEqual(await w.closed(),
	    { code: 3507, reason: 'permission denied' });
	w.close();
});

test('connect_without_token_3501', async (t) => {
	const s = await t.server({ client: {
		allow_anonymous_connect_without_token: false } });
	const w = await s.open();
	w.text(CONNECT);
	assert.deepEqual(await w.closed(), BAD_REQUEST);
	w.close();
});

test('connect_server_time', async (t) => {
	const s = await t.server({ client: {
		connect_include_server_time: true } });
	const w = await s.open();
	w.text(CONNECT);
	const r = await w.reply();
	assert.ok(Math.abs(r.connect.time - Date.now()) < 10000);
	w.close();
});

test('connect_expired_token_109', async (t) => {
	const s = await t.server();
	const w = await s.open();
	w.text(connectWith({ sub: 'u', exp: now() - 10 }));
	assert.equal(await w.line(), error(1, 109));
	w.close();
});

test('connect_expire_at_past_110', async (t) => {
	const s = await t.server();
	const w = await s.open();
	w.text(connectWith({ sub: 'u', exp: now() + 100,
	    expire_at: now() - 100 }));
	assert.equal(await w.line(), error(1, 110));
	w.close();
});

test('spec12_15_connect_error_leaves_it_unusable', async (t) => {
	const s = await t.server({ client: { stale_close_delay: '3s' } });
	const w = await s.open();
	w.text(connectWith({ sub: 'u', exp: now() - 10 }));
	assert.equal(await w.line(), error(1, 109));
	assert.equal(await w.line(300), undefined);
	assert.equal(w.close_, undefined);
	w.text('{"id":2,"subscribe":{"channel":"x"}}');
	assert.equal(await w.line(), undefined);
	assert.ok(w.close_ || w.tcp.ended, 'still open');
	w.close();
});

test('spec12_28_nbf_in_the_future_is_109', async (t) => {
	const s = await t.server();
	const w = await s.open();
	w.text(connectWith({ sub: 'u', nbf: now() + 1000 }));
	assert.equal(await w.line(), error(1, 109));
	w.close();
});

test('spec12_29_expire_at_not_positive_is_never', async (t) => {
	const s = await t.server();
	for (const expire_at of [0, -1]) {
		const w = await s.open();
		w.text(connectWith({ sub: 'u', exp: now() + 1000, expire_at }));
		const r = await w.reply();
		assert.equal(r.connect.expires, undefined);
		w.close();
	}
	const w = await s.open();
	w.text(connectWith({ sub: 'u', exp: now() - 10,
	    expire_at: now() + 1000 }));
	assert.equal(await w.line(), error(1, 109));
	w.close();
});

test('spec12_30_insecure_keeps_private_channels', async (t) => {
	const s = await t.server({ client: { insecure: true,
		allow_anonymous_connect_without_token: false },
		channel: { without_namespace: {
			allow_subscribe_for_client: false,
			allow_subscribe_for_anonymous: false,
			allow_publish_for_client: false,
			allow_publish_for_anonymous: false } } });
	const w = await s.connected();
	w.cmd({ id: 2, subscribe: { channel: 'open' } },
	    { id: 3, subscribe: { channel: '$private' } });
	assert.equal(await w.line(), '{"id":2,"subscribe":{}}');
	assert.equal(await w.line(), error(3, 103));
	w.text(`{"id":4,"publish":{"channel":"open","data":1}}`);
	assert.ok((await w.reply()).push);
	assert.equal(await w.line(), '{"id":4,"publish":{}}');
	w.close();
});

test('spec12_31_skip_signature_still_checks_claims', async (t) => {
	const s = await t.server({ client: {
		insecure_skip_token_signature_verify: true,
		token: { audience: 'chat' } } });
	const w = await s.connected({ token: token({ sub: 'u', aud: 'chat' },
	    { secret: 'whatever' }) });
	w.close();
	for (const [claims, line, close] of [
	    [{ sub: 'u', aud: 'chat', exp: now() - 10 }, error(1, 109)],
	    [{ sub: 'u', aud: 'tea' }, undefined, INVALID_TOKEN]]) {
		const v = await s.open();
		v.text(connectWith(claims, { secret: 'whatever' }));
		assert.equal(await v.line(), line);
		assert.deepEqual(v.close_, close);
		v.close();
	}
});

/* --- ping and pong --- */

test('spec12_12_extra_pong_is_3501', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.text('{}');
	assert.deepEqual(await w.closed(), BAD_REQUEST);
	w.close();
});

const PING = { client: { ping_interval: '2s', pong_timeout: '1900ms' } };

test('spec12_12_second_pong_to_one_ping_is_3501', async (t) => {
	const s = await t.server(PING);
	const w = await s.connected({}, { autoPong: false });
	assert.equal(await w.message(), '{}');
	w.text('{}\n{}');
	assert.deepEqual(await w.closed(), BAD_REQUEST);
	w.close();
});

test('ping_answered_keeps_the_connection', async (t) => {
	const s = await t.server(PING);
	const began = Date.now();
	const w = await s.open();
	w.text(CONNECT);
	const r = await w.reply();
	assert.equal(r.connect.ping, 2);
	assert.equal(r.connect.pong, true);
	assert.equal(await w.closed(7200), undefined);
	const ms = Date.now() - began;
	assert.ok(w.pings >= 2 && w.pings <= Math.ceil(ms / 2000),
	    `${w.pings} pings in ${ms} ms`);
	w.close();
});

test('first_ping_comes_in_the_second_half_of_the_interval', async (t) => {
	const s = await t.server({ client: { ping_interval: '2s',
		pong_timeout: '900ms' } });
	const first = await Promise.all(Array.from({ length: 8 }, async () => {
		const before = Date.now();
		const w = await s.connected({}, { autoPong: false });
		const began = Date.now();
		assert.equal(await w.message(), '{}');
		const now = Date.now();
		w.close();
		assert.ok(now - before >= 900, `after ${now - before} ms`);
		return now - began;
	}));
	assert.ok(Math.min(...first) < 2000 && Math.max(...first) < 3000,
	    `${first}`);
	assert.ok(Math.max(...first) - Math.min(...first) > 50, `${first}`);
});

test('no_pong_3012', async (t) => {
	const s = await t.server(PING);
	const w = await s.connected({}, { autoPong: false });
	const began = Date.now();
	assert.deepEqual(await w.closed(), { code: 3012,
		reason: 'no pong' });
	assert.ok(Date.now() - began < 10000);
	w.close();
});

test('spec12_14_native_pong_does_not_count', async (t) => {
	const s = await t.server(PING);
	const w = await s.connected({}, { autoPong: false });
	const timer = setInterval(() => {
		w.send(OP.PING, 'x');
		w.send(OP.PONG, '');
	}, 100);
	const close = await w.closed();
	clearInterval(timer);
	assert.deepEqual(close, { code: 3012, reason: 'no pong' });
	w.close();
});

test('spec12_14_ping_and_pong_are_empty_objects', async (t) => {
	const s = await t.server(PING);
	const w = await s.connected({}, { autoPong: false });
	for (let i = 0; i < 3; i++) {
		assert.equal(await w.message(), '{}');
		w.text('{}');
	}
	w.close();
});

const FRAME_PING = { path: '/connection/websocket?a=b' +
	'&cf_ws_frame_ping_pong=true', autoPong: false };

test('frame_pings_replace_those_of_the_protocol', async (t) => {
	const s = await t.server(PING);
	const w = await s.open(FRAME_PING);
	w.text(CONNECT);
	const r = await w.reply();
	assert.deepEqual(Object.keys(r.connect), ['client', 'version']);
	for (let i = 0; i < 3; i++) {
		const f = await w.frame();
		assert.equal(f?.op, OP.PING);
		w.send(OP.PONG, f.data);
	}
	w.text('{}');
	assert.deepEqual(await w.closed(), BAD_REQUEST);
	w.close();
});

test('frame_ping_without_pong_ends_the_connection', async (t) => {
	const s = await t.server(PING);
	const w = await s.open(FRAME_PING);
	w.text(CONNECT);
	await w.reply();
	assert.equal((await w.frame())?.op, OP.PING);
	assert.ok(await w.tcp.gone(), 'still open');
	w.close();
});

closes('spec12_13_ping_command_is_3501', '{"id":2,"ping":{}}', BAD_REQUEST);
closes('spec12_13_send_is_3508', '{"send":{"data":{}}}',
    { code: 3508, reason: 'not available' });
closes('spec12_13_send_with_id_is_3508', '{"id":2,"send":{"data":{}}}',
    { code: 3508, reason: 'not available' });

/* --- frames and commands --- */

lines('spec12_18_trailing_newline_is_fine',
    '{"id":2,"subscribe":{"channel":"nl"}}\n', '{"id":2,"subscribe":{}}');
lines('spec12_18_commands_in_one_frame',
    '{"id":2,"subscribe":{"channel":"many"}}\n' +
    '{"id":3,"unsubscribe":{"channel":"many"}}\n{"id":4,"rpc":{}}',
    ['{"id":2,"subscribe":{}}', '{"id":3,"unsubscribe":{}}',
    error(4, 108)]);
closes('spec12_18_empty_frame_is_3501', '', BAD_REQUEST);
closes('frame_of_a_newline_is_3501', '\n', BAD_REQUEST);
closes('frame_of_a_space_is_3501', ' ', BAD_REQUEST);
closes('leading_empty_line_is_3501', '\n{"id":2,"rpc":{}}', BAD_REQUEST);
closes('empty_line_between_is_3501', '{"id":2,"rpc":{}}\n\n{"id":3,"rpc":{}}',
    BAD_REQUEST, [error(2, 108)]);
lines('spaces_around_are_fine', ' {"id":2,"rpc":{}}\r\n\t{"id":3,"rpc":{}} ',
    [error(2, 108), error(3, 108)]);

test('spec12_18_replies_share_a_frame', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	const channel = t.channel();
	const many = Array.from({ length: 40 }, (_, i) =>
	    `{"id":${i + 2},"unsubscribe":{"channel":"${channel}"}}`);
	w.text(many.join('\n'));
	let frames = 0;
	for (let got = 0; got < 40; frames++) {
		const m = await w.message();
		assert.ok(m !== undefined, `${got} of 40 replies`);
		for (const l of m.split('\n').filter((x) => x))
			assert.equal(l, `{"id":${++got + 1},"unsubscribe":{}}`);
	}
	assert.ok(frames < 40, 'every reply in a frame of its own');
	w.close();
});

test('connect_and_more_in_the_first_frame', async (t) => {
	const s = await t.server();
	const w = await s.open();
	const channel = t.channel();
	w.cmd({ id: 1, connect: {} }, { id: 2, subscribe: { channel } },
	    { id: 3, unsubscribe: { channel } });
	assert.ok((await w.reply()).connect);
	assert.equal(await w.line(), '{"id":2,"subscribe":{}}');
	assert.equal(await w.line(), '{"id":3,"unsubscribe":{}}');
	w.close();
});

for (const [name, text] of Object.entries({
	command_with_id_only: '{"id":5}',
	command_unknown: '{"id":5,"nothing":{}}',
	command_null: '{"id":5,"subscribe":null}',
	command_array: '[]',
	command_number: '5',
	command_garbage: 'garbage',
	command_unfinished: '{"id":2,"rpc":{}',
	command_over_two_lines: '{"id":2,\n"rpc":{}}',
	id_is_string: '{"id":"5","rpc":{}}',
	id_is_negative: '{"id":-5,"rpc":{}}',
	id_is_fraction: '{"id":1.5,"rpc":{}}',
	id_over_32_bits: '{"id":4294967296,"rpc":{}}',
	id_missing: '{"rpc":{}}',
	subscribe_without_channel: '{"id":5,"subscribe":{}}',
	subscribe_unknown_delta:
	    '{"id":5,"subscribe":{"channel":"x","delta":"foo"}}',
	unsubscribe_without_channel: '{"id":5,"unsubscribe":{}}',
	publish_without_channel: '{"id":5,"publish":{"data":1}}',
	history_without_channel: '{"id":5,"history":{}}',
	presence_without_channel: '{"id":5,"presence":{}}',
	presence_stats_without_channel: '{"id":5,"presence_stats":{}}',
	refresh_without_token: '{"id":5,"refresh":{}}',
	sub_refresh_without_channel: '{"id":5,"sub_refresh":{}}',
	control_byte_in_string: '{"id":5,"rpc":{"method":"\x01"}}',
}))
	closes(`${name}_3501`, text, BAD_REQUEST);

lines('id_of_32_bits', '{"id":4294967295,"rpc":{}}', error(4294967295, 108));
lines('unknown_fields_are_ignored',
    '{"id":5,"subscribe":{"channel":"uf","zz":[1,{"a":2}]},"method":3}',
    '{"id":5,"subscribe":{}}');
lines('subscribe_comes_before_publish',
    '{"id":2,"publish":{"channel":"ord","data":1},' +
    '"subscribe":{"channel":"ord"}}', '{"id":2,"subscribe":{}}');
lines('history_not_enabled_108', '{"id":2,"history":{"channel":"x"}}',
    error(2, 108));
lines('presence_not_enabled_108', '{"id":2,"presence":{"channel":"x"}}',
    error(2, 108));
lines('presence_stats_not_enabled_108',
    '{"id":2,"presence_stats":{"channel":"x"}}', error(2, 108));
lines('rpc_without_proxy_108', '{"id":2,"rpc":{"method":"x","data":{}}}',
    error(2, 108));
test('binary_frame_is_read_like_text', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.send(OP.BIN, '{"id":2,"rpc":{}}');
	assert.equal(await w.line(), error(2, 108));
	w.close();
});

/* --- subscribe, unsubscribe --- */

lines('subscribe_reply', '{"id":2,"subscribe":{"channel":"sr"}}',
    '{"id":2,"subscribe":{}}');
lines('spec12_25_subscribed_twice_105',
    '{"id":2,"subscribe":{"channel":"twice"}}\n' +
    '{"id":3,"subscribe":{"channel":"twice"}}',
    ['{"id":2,"subscribe":{}}', error(3, 105)]);
lines('subscribe_unknown_namespace_102',
    '{"id":2,"subscribe":{"channel":"nope:x"}}', error(2, 102));
lines('subscribe_private_without_token_103',
    '{"id":2,"subscribe":{"channel":"$x"}}', error(2, 103));
lines('spec12_36_private_prefix_of_known_and_unknown_namespace',
    '{"id":2,"subscribe":{"channel":"$talk:x"}}\n' +
    '{"id":3,"subscribe":{"channel":"$nope:x"}}',
    [error(2, 103), error(3, 102)]);
lines('subscribe_not_allowed_103',
    '{"id":2,"subscribe":{"channel":"closed:x"}}', error(2, 103));
lines('subscribe_not_for_anonymous_103',
    '{"id":2,"subscribe":{"channel":"users:x"}}', error(2, 103));
lines('spec12_37_non_ascii_channel_107',
    '{"id":2,"subscribe":{"channel":"\u00e9"}}', error(2, 107));
lines('user_boundary_means_nothing_without_the_option',
    '{"id":2,"subscribe":{"channel":"ub#42"}}', '{"id":2,"subscribe":{}}');
lines('subscribe_recovery_flags_without_history',
    '{"id":2,"subscribe":{"channel":"rf","recoverable":true,' +
    '"positioned":true,"join_leave":true}}', '{"id":2,"subscribe":{}}');
lines('subscribe_tags_filter_107', '{"id":2,"subscribe":{"channel":"x",' +
    '"tf":{"key":"a","cmp":"eq","val":"b"}}}', error(2, 107));
lines('subscribe_other_type_103',
    '{"id":2,"subscribe":{"channel":"x","type":1}}', error(2, 103));
lines('subscribe_delta_not_allowed_is_off',
    '{"id":2,"subscribe":{"channel":"df","delta":"fossil"}}',
    '{"id":2,"subscribe":{}}');
lines('subscribe_255_bytes',
    `{"id":2,"subscribe":{"channel":"${'a'.repeat(255)}"}}`,
    '{"id":2,"subscribe":{}}');
lines('subscribe_256_bytes_107',
    `{"id":2,"subscribe":{"channel":"${'a'.repeat(256)}"}}`, error(2, 107));
lines('unsubscribe_unknown_succeeds',
    '{"id":2,"unsubscribe":{"channel":"never"}}', '{"id":2,"unsubscribe":{}}');

test('subscribe_max_length_option_107', async (t) => {
	const s = await t.server({ channel: { max_length: 10 } });
	const w = await s.connected();
	w.cmd({ id: 2, subscribe: { channel: 'a'.repeat(10) } },
	    { id: 3, subscribe: { channel: 'a'.repeat(11) } });
	assert.equal(await w.line(), '{"id":2,"subscribe":{}}');
	assert.equal(await w.line(), error(3, 107));
	w.close();
});

test('subscribe_for_users_allowed_with_token', async (t) => {
	const s = await t.server(NS);
	const w = await s.connected({ token: token({ sub: 'u' }) });
	w.cmd({ id: 2, subscribe: { channel: 'users:x' } });
	assert.equal(await w.line(), '{"id":2,"subscribe":{}}');
	w.close();
});

for (const [limit, config] of [[3, { client: { channel_limit: 3 } }],
    [128, {}]])
	test(`spec12_39_channel_limit_${limit}_106`, async (t) => {
		const s = await t.server(config);
		const w = await s.connected();
		const c = t.channel();
		for (let i = 0; i <= limit; i++)
			w.cmd({ id: i + 2, subscribe: { channel: `${c}.${i}` } });
		for (let i = 0; i < limit; i++)
			assert.equal(await w.line(),
			    `{"id":${i + 2},"subscribe":{}}`);
		assert.equal(await w.line(), error(limit + 2, 106));
		w.cmd({ id: 900, unsubscribe: { channel: `${c}.0` } },
		    { id: 901, subscribe: { channel: `${c}.new` } });
		assert.equal(await w.line(), '{"id":900,"unsubscribe":{}}');
		assert.equal(await w.line(), '{"id":901,"subscribe":{}}');
		w.close();
	});

test('spec12_40_quick_resubscribe_keeps_the_subscription', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	const channel = t.channel();
	for (let i = 0; i < 50; i++)
		w.cmd({ id: 2, subscribe: { channel } },
		    { id: 3, unsubscribe: { channel } });
	w.cmd({ id: 4, subscribe: { channel } });
	for (let r; (r = await w.reply()).id !== 4;)
		assert.equal(r.error, undefined);
	await s.publish(channel, 1);
	assert.equal(await w.line(),
	    `{"push":{"channel":"${channel}","pub":{"data":1}}}`);
	await sleep(1500);
	await s.publish(channel, 2);
	assert.equal(await w.line(),
	    `{"push":{"channel":"${channel}","pub":{"data":2}}}`);
	w.close();
});

test('after_unsubscribe_nothing_arrives', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	const channel = t.channel();
	await w.call({ id: 2, subscribe: { channel } });
	await s.publish(channel, 1);
	assert.ok((await w.reply()).push);
	await w.call({ id: 3, unsubscribe: { channel } });
	await s.publish(channel, 2);
	assert.deepEqual(await w.rest(200), []);
	w.close();
});

test('spec12_11_reply_comes_before_publications', async (t) => {
	const s = await t.server();
	const p = await s.connected();
	const channel = t.channel();
	let stop = false;
	const flood = (async () => {
		for (let id = 2; !stop; id++)
			await p.call({ id, publish: { channel, data: id } });
	})();
	for (let i = 0; i < 20; i++) {
		const w = await s.connected();
		w.cmd({ id: 2, subscribe: { channel } });
		assert.equal(await w.line(), '{"id":2,"subscribe":{}}');
		const first = (await w.reply()).push.pub.data;
		assert.equal((await w.reply()).push.pub.data, first + 1);
		w.close();
	}
	stop = true;
	await flood;
	p.close();
});

/* --- publish --- */

test('publish_reply_and_push', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	const channel = t.channel();
	w.cmd({ id: 2, subscribe: { channel } },
	    { id: 3, publish: { channel, data: { a: 1 } } });
	assert.equal(await w.line(), '{"id":2,"subscribe":{}}');
	assert.equal(await w.line(), `{"push":{"channel":"${channel}","pub":` +
	    `{"data":{"a":1},"info":{"user":"","client":"${w.client}"}}}}`);
	assert.equal(await w.line(), '{"id":3,"publish":{}}');
	w.close();
});

test('publish_carries_user_and_connection_info', async (t) => {
	const s = await t.server();
	const w = await s.connected({ token: token({ sub: 'u1',
	    info: { n: '<x>' } }) });
	const channel = t.channel();
	w.cmd({ id: 2, subscribe: { channel } },
	    { id: 3, publish: { channel, data: 5 } });
	await w.line();
	assert.equal(await w.line(), `{"push":{"channel":"${channel}","pub":` +
	    `{"data":5,"info":{"user":"u1","client":"${w.client}",` +
	    '"conn_info":{"n":"<x>"}}}}}');
	w.close();
});

lines('publish_unknown_namespace_102',
    '{"id":2,"publish":{"channel":"nope:x","data":1}}', error(2, 102));
lines('publish_without_data_107', '{"id":2,"publish":{"channel":"x"}}',
    error(2, 107));
lines('publish_not_allowed_103',
    '{"id":2,"publish":{"channel":"closed:x","data":1}}', error(2, 103));
lines('publish_for_subscriber_only_103',
    '{"id":2,"publish":{"channel":"talk:none","data":1}}', error(2, 103));
test('publish_for_subscriber_after_subscribe', async (t) => {
	const s = await t.server(NS);
	const w = await s.connected();
	const channel = `talk:${t.channel()}`;
	w.cmd({ id: 2, subscribe: { channel } },
	    { id: 3, publish: { channel, data: 1 } });
	await w.line();
	assert.ok((await w.reply()).push);
	assert.equal(await w.line(), '{"id":3,"publish":{}}');
	w.close();
});

/* Data bytes as given and as they must come out. */
for (const [name, data] of Object.entries({
	spaces_and_numbers: '{ "b" : 1.0e5, "a":\t-0.10 , "b":2 }',
	escapes: '"<&>\\u2028\\/\u00e9\\ud83d\\ude00\u{1f600}"',
	big_number: '123456789012345678901234567890.5E+400',
	null: 'null', string: '"s"', true: 'true', zero: '0', empty: '{}',
	nested: '['.repeat(100) + ']'.repeat(100),
}))
	test(`spec12_19_data_bytes_survive_${name}`, async (t) => {
		const s = await t.server();
		const w = await s.connected();
		const channel = t.channel();
		await w.call({ id: 2, subscribe: { channel } });
		w.text(`{"id":3,"publish":{"channel":"${channel}",` +
		    `"data":${data}}}`);
		assert.equal(await w.line(), `{"push":{"channel":"${channel}"` +
		    `,"pub":{"data":${data},"info":{"user":"","client":"` +
		    `${w.client}"}}}}`);
		assert.equal(await w.line(), '{"id":3,"publish":{}}');
		const r = await s.http('POST', '/api/publish', {
			body: `{"channel":"${channel}","data":${data}}`,
			headers: { 'X-API-Key': API_KEY } });
		assert.equal(r.body, '{"result":{}}');
		assert.equal(await w.line(), `{"push":{"channel":"${channel}"` +
		    `,"pub":{"data":${data}}}}`);
		w.close();
	});

test('spec12_19_raw_newlines_are_removed', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	const channel = t.channel();
	await w.call({ id: 2, subscribe: { channel } });
	await s.http('POST', '/api/publish', {
		body: `{"channel":"${channel}",\n"data":{\n  "a": 1,\n "b":2}}`,
		headers: { 'X-API-Key': API_KEY } });
	assert.equal(await w.line(), `{"push":{"channel":"${channel}","pub":` +
	    '{"data":{  "a": 1, "b":2}}}}');
	w.close();
});

test('channel_name_is_escaped', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	const channel = 'a<>&"\\/\u0001';
	await w.call({ id: 2, subscribe: { channel } });
	await s.publish(channel, 1);
	assert.equal(await w.line(), '{"push":{"channel":"a\\u003c\\u003e' +
	    '\\u0026\\"\\\\/\\u0001","pub":{"data":1}}}');
	w.close();
});

/* --- refresh --- */

test('refresh_reply', async (t) => {
	const s = await t.server();
	const w = await s.connected({ token: token({ sub: 'u',
	    exp: now() + 60 }) });
	const r = await w.call({ id: 2, refresh: { token: token({ sub: 'u',
	    exp: now() + 3600 }) } });
	assert.equal(r.refresh.expires, true);
	assert.ok(r.refresh.ttl > 3500 && r.refresh.ttl <= 3600);
	w.close();
});

test('refresh_invalid_token_3500', async (t) => {
	const s = await t.server();
	const w = await s.connected({ token: token({ sub: 'u',
	    exp: now() + 60 }) });
	w.cmd({ id: 2, refresh: { token: 'abc' } });
	assert.deepEqual(await w.closed(), INVALID_TOKEN);
	w.close();
});

test('refresh_other_user_3500', async (t) => {
	const s = await t.server();
	const w = await s.connected({ token: token({ sub: 'u',
	    exp: now() + 60 }) });
	w.cmd({ id: 2, refresh: { token: token({ sub: 'v',
	    exp: now() + 60 }) } });
	assert.deepEqual(await w.closed(), INVALID_TOKEN);
	w.close();
});

test('not_refreshed_3005', async (t) => {
	const s = await t.server({ client: { expired_close_delay: '1s' } });
	const began = Date.now();
	const w = await s.connected({ token: token({ sub: 'u',
	    exp: now() + 3 }) });
	assert.deepEqual(await w.closed(),
	    { code: 3005, reason: 'connection expired' });
	assert.ok(Date.now() - began > 2500);
	w.close();
});

/* --- limits --- */

test('stale_without_connect_3502', async (t) => {
	const s = await t.server({ client: { stale_close_delay: '1s' } });
	const began = Date.now();
	const w = await s.open();
	assert.deepEqual(await w.closed(), { code: 3502,
		reason: 'stale' });
	const took = Date.now() - began;
	assert.ok(took > 900 && took < 5000, `after ${took} ms`);
	w.close();
});

test('connected_in_time_is_not_stale', async (t) => {
	const s = await t.server({ client: { stale_close_delay: '3s' } });
	const w = await s.connected();
	assert.equal(await w.closed(4000), undefined);
	w.close();
});

test('spec12_17_oversize_1009', async (t) => {
	const s = await t.server();
	for (const [size, close] of [[65536, undefined], [65537, 1009]]) {
		const w = await s.connected();
		const head = '{"id":2,"publish":{"channel":"over","data":"';
		w.text(head + 'a'.repeat(size - head.length - 3) + '"}}');
		if (close === undefined)
			assert.equal(await w.line(), '{"id":2,"publish":{}}');
		else
			assert.equal((await w.closed()).code, close);
		w.close();
	}
});

test('spec12_17_oversize_in_fragments_1009', async (t) => {
	const s = await t.server({ websocket: { message_size_limit: 1000 } });
	const w = await s.connected();
	w.send(OP.TEXT, 'a'.repeat(600), { fin: false });
	w.send(OP.CONT, 'a'.repeat(600));
	assert.equal((await w.closed()).code, 1009);
	w.close();
});

test('oversize_is_seen_in_the_header_1009', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.send(OP.TEXT, 'abc', { len: 2 ** 33 });
	assert.equal((await w.closed()).code, 1009);
	w.close();
});

test('slow_consumer_3008', async (t) => {
	const s = await t.server({ client: { queue_max_size: 65536 } });
	const w = await s.connected();
	const channel = t.channel();
	await w.call({ id: 2, subscribe: { channel } });
	w.tcp.sock.pause();
	const data = 'x'.repeat(30000);
	for (let i = 0; i < 600; i++)
		await s.publish(channel, data);
	w.tcp.sock.resume();
	const close = await w.closed(15000);
	/* Whether the close frame still gets through is up to the kernel's
	 * buffers; that it ends is not. */
	assert.ok(close.code === 3008 || close.code === 1006,
	    JSON.stringify(close));
	const n = await s.metric('centrifugo_client_num_server_disconnects',
	    { code: 3008 });
	assert.ok(n >= 1, 'not counted as 3008');
	w.close();
});

test('slow_consumer_leaves_others_alone', async (t) => {
	const s = await t.server({ client: { queue_max_size: 65536 } });
	const slow = await s.connected();
	const fast = await s.connected();
	const channel = t.channel();
	await slow.call({ id: 2, subscribe: { channel } });
	await fast.call({ id: 2, subscribe: { channel } });
	slow.tcp.sock.pause();
	const data = 'x'.repeat(30000);
	for (let i = 0; i < 400; i++) {
		await s.publish(channel, { i, data });
		assert.equal((await fast.reply()).push.pub.data.i, i);
	}
	slow.close();
	fast.close();
});

test('connection_limit_503', async (t) => {
	const s = await t.ownServer({ client: { connection_limit: 3 } });
	const all = [];
	for (let i = 0; i < 3; i++)
		all.push(await s.connected());
	const e = await s.open().then(() => undefined, (x) => x);
	assert.equal(e?.response?.status, 503);
	all.pop().close();
	all.push(await eventually(() => s.connected().catch(() => undefined),
	    'the freed place is given away'));
	all.forEach((w) => w.close());
});

/* --- handshake --- */

for (const [origins, origin, status] of [
	[['*'], 'https://any.where', 101],
	[['https://a.example.com'], 'https://a.example.com', 101],
	[['https://a.example.com'], 'https://A.Example.com', 101],
	[['https://a.example.com'], 'https://b.example.com', 403],
	[['https://a.example.com'], 'http://a.example.com', 403],
	[['https://a.example.com'], 'https://a.example.com.evil.org', 403],
	[['https://*.example.com'], 'https://a.example.com', 101],
	[['https://*.example.com'], 'https://example.com', 403],
	[['*.example.com'], 'https://a.example.com', 101],
	[['*.example.com'], 'https://a.example.com:8443', 403],
	[['https://a.example.com'], null, 101],
	[['https://a.example.com'], 'null', 403],
])
	test(`origin_${origins}_${origin}_${status}`, async (t) => {
		const s = await t.server({ client: {
			allowed_origins: origins } });
		const got = await s.open({ headers: { Origin: origin } })
		    .then((w) => { w.close(); return 101; },
		    (e) => e.response?.status);
		assert.equal(got, status);
	});

test('spec12_44_empty_allowed_origins_refuses_browsers', async (t) => {
	const s = await t.server({ client: { allowed_origins: [] } });
	const e = await s.open({ headers: {
		Origin: `http://127.0.0.1:${s.port}` } })
	    .then(() => undefined, (x) => x);
	assert.equal(e?.response?.status, 403);
	const w = await s.connected();
	w.close();
});

for (const [name, opt, status] of [
	['without_key', { headers: { 'Sec-WebSocket-Key': null } }, 400],
	['bad_key', { headers: { 'Sec-WebSocket-Key': 'abc' } }, 400],
	['without_upgrade', { headers: { Upgrade: null } }, 400],
	['other_upgrade', { headers: { Upgrade: 'h2c' } }, 400],
	['without_connection', { headers: { Connection: null } }, 400],
	['without_host', { headers: { Host: null } }, 400],
	['post', { method: 'POST', headers: { 'Content-Length': '0' } }, 405],
	['unknown_path', { path: '/nope' }, 404],
	['trailing_slash', { path: '/connection/websocket/' }, 404],
])
	test(`handshake_${name}_${status}`, async (t) => {
		const s = await t.server();
		const e = await s.open(opt).then(() => undefined, (x) => x);
		assert.equal(e?.response?.status, status);
	});

test('handshake_old_version', async (t) => {
	const s = await t.server();
	const e = await s.open({ headers: { 'Sec-WebSocket-Version': '12' } })
	    .then(() => undefined, (x) => x);
	assert.ok([400, 426].includes(e?.response?.status), e);
	assert.equal(e.response.headers['sec-websocket-version'], '13');
});

for (const [asked, given] of [['centrifuge-json', 'centrifuge-json'],
    ['foo, centrifuge-json', 'centrifuge-json'], ['foo', undefined]])
	test(`subprotocol_${asked}`, async (t) => {
		const s = await t.server();
		const w = await s.connected({}, { headers: {
			'Sec-WebSocket-Protocol': asked } });
		assert.equal(w.response.headers['sec-websocket-protocol'],
		    given);
		w.close();
	});

test('header_names_and_tokens_in_any_case', async (t) => {
	const s = await t.server();
	const w = await s.connected({}, { headers: { Upgrade: 'WebSocket',
		Connection: 'keep-alive, UPGRADE' } });
	w.close();
});

test('client_handler_prefix_option', async (t) => {
	const s = await t.server({ websocket: { handler_prefix: '/ws' } });
	const w = await s.connected({}, { path: '/ws' });
	w.close();
	const e = await s.open().then(() => undefined, (x) => x);
	assert.equal(e?.response?.status, 404);
});

/* --- frames --- */

test('ws_ping_is_answered', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.send(OP.PING, 'payload');
	const f = await w.frame();
	assert.equal(f.op, OP.PONG);
	assert.equal(f.data.toString(), 'payload');
	w.close();
});

test('ws_fragments_with_a_ping_between', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.send(OP.TEXT, '{"id":2,', { fin: false });
	w.send(OP.PING, 'z');
	w.send(OP.CONT, '"rpc"', { fin: false });
	w.send(OP.CONT, ':{}}');
	assert.equal((await w.frame()).op, OP.PONG);
	assert.equal(await w.line(), error(2, 108));
	w.close();
});

test('ws_frame_byte_by_byte', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	for (const b of frame(OP.TEXT, '{"id":2,"rpc":{}}')) {
		w.tcp.send(Buffer.from([b]));
		await sleep(1);
	}
	assert.equal(await w.line(), error(2, 108));
	w.close();
});

for (const [name, op, payload, opt, code] of [
	['unmasked', OP.TEXT, CONNECT, { mask: false }, 1002],
	['rsv1', OP.TEXT, CONNECT, { rsv: 4 }, 1002],
	['rsv2', OP.TEXT, CONNECT, { rsv: 2 }, 1002],
	['rsv3', OP.TEXT, CONNECT, { rsv: 1 }, 1002],
	['opcode_3', 3, CONNECT, {}, 1002],
	['opcode_11', 11, '', {}, 1002],
	['continuation_first', OP.CONT, CONNECT, {}, 1002],
	['fragmented_ping', OP.PING, '', { fin: false }, 1002],
	['ping_of_126_bytes', OP.PING, 'a'.repeat(126), {}, 1002],
	['close_code_1005', OP.CLOSE, closePayload(1005), {}, 1002],
	['close_code_999', OP.CLOSE, closePayload(999), {}, 1002],
	['close_reason_not_utf8', OP.CLOSE,
	    Buffer.concat([closePayload(1000), Buffer.from([255])]), {},
	    undefined],
	['close_1000', OP.CLOSE, closePayload(1000, 'bye'), {}, 1000],
	['close_4321', OP.CLOSE, closePayload(4321), {}, 4321],
	['close_empty', OP.CLOSE, '', {}, 1005],
])
	test(`ws_${name}`, async (t) => {
		const s = await t.server();
		const w = await s.connected();
		w.send(op, payload, opt);
		const close = await w.closed();
		if (code === undefined)
			assert.ok([1002, 1007].includes(close.code), close.code);
		else
			assert.equal(close.code, code);
		w.close();
	});

test('ws_text_before_the_fragments_end_1002', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.send(OP.TEXT, '{"id"', { fin: false });
	w.text(CONNECT);
	assert.equal((await w.closed()).code, 1002);
	w.close();
});

test('ws_text_not_utf8_1007', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.send(OP.TEXT, Buffer.concat([Buffer.from('{"id":2,"rpc":{"method":"'),
	    Buffer.from([0xc0, 0x80]), Buffer.from('"}}')]));
	assert.equal((await w.closed()).code, 1007);
	w.close();
}, { fugu: true });

test('spec12_16_disconnect_is_a_close_frame_only', async (t) => {
	const s = await t.server();
	const user = t.channel();
	const w = await s.connected({ token: token({ sub: user }) });
	await s.api('disconnect', { user });
	const f = await w.frame();
	assert.equal(f.op, OP.CLOSE);
	assert.equal(f.data.readUInt16BE(0), 3503);
	assert.equal(f.data.subarray(2).toString(), 'force disconnect');
	w.close();
});

test('the_socket_ends_when_the_client_does_not_answer_the_close', async (t) => {
	const s = await t.server();
	const w = await s.connected();
	w.text('{}');
	assert.deepEqual(await w.closed(), BAD_REQUEST);
	assert.ok(await w.tcp.gone(), 'still open long after the close');
	w.close();
});

test('a_connection_reset_at_any_moment_harms_nobody', async (t) => {
	const s = await t.server();
	const channel = t.channel();
	for (let i = 0; i < 40; i++) {
		const w = await s.open();
		if (i & 1)
			w.text(CONNECT);
		if (i & 2)
			w.cmd({ id: 2, subscribe: { channel } });
		if (i & 4)
			await w.line(20);
		w.tcp.reset();
	}
	await s.publish(channel, 1);
});

await run();
