/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What the tests about channels share: a configuration with a namespace for
 * each feature, so that most cases need no server of their own, and short
 * ways to say a command and to require the lines that follow, to the byte.
 *
 * In a line required, `@' stands for any epoch: 8 letters in the real
 * server, anything without a quote here; and `*' for any client id.
 */
import { API_KEY, assert, token } from './harness.mjs';

const ERRORS = {
	100: 'internal server error', 102: 'unknown channel',
	103: 'permission denied', 104: 'not found', 105: 'already subscribed',
	106: 'limit exceeded', 107: 'bad request', 108: 'not available',
	109: 'token expired', 110: 'expired', 112: 'unrecoverable position',
};

export const CLOSED = {
	expired: { code: 3005, reason: 'connection expired' },
	subExpired: { code: 3006, reason: 'subscription expired' },
	state: { code: 3010, reason: 'insufficient state' },
	token: { code: 3500, reason: 'invalid token' },
	request: { code: 3501, reason: 'bad request' },
	limit: { code: 3504, reason: 'connection limit' },
	channels: { code: 3505, reason: 'channel limit' },
};

/* The error as the server API tells it, and as a reply. */
export const problem = (code) =>
	`{"error":{"code":${code},"message":"${ERRORS[code]}"}}`;
export const error = (id, code) => `{"id":${id},${problem(code).slice(1)}`;

export const push = (channel, body) =>
	`{"push":{"channel":"${channel}",${body}}}`;
export const pub = (channel, body) => push(channel, `"pub":{${body}}`);
export const unsubscribed = (channel, code, reason) => push(channel,
    `"unsubscribe":{"code":${code},"reason":"${reason}"}`);

/* A quotation of text in a pattern where @ and * are wild. */
const pattern = (text) => new RegExp('^' + text
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/@/g, '[^"]+').replace(/\\\*/g, '[0-9a-f-]{36}') + '$');

export function same(line, expected) {
	if (line === undefined || !pattern(expected).test(line))
		assert.equal(line, expected);
}

/* Require these lines next. */
export async function hears(w, ...expected) {
	for (const e of expected) {
		const line = await w.line();
		if (line === undefined)
			assert.equal(w.close_ && JSON.stringify(w.close_), e);
		same(line, e);
	}
}

/* Require that nothing comes and that it stays open. */
export async function silent(w, ms = 150) {
	assert.deepEqual(await w.rest(ms), []);
	assert.equal(w.close_, undefined);
}

/* Say a command and require these lines. */
export async function says(w, command, ...expected) {
	w.cmd(command);
	await hears(w, ...expected);
}

/* Say a command and require the close. */
export async function ends(w, command, close) {
	w.cmd(command);
	assert.equal(await w.line(), undefined);
	assert.deepEqual(w.close_, close);
	w.close();
}

export const user = (s, name, claims, connect) =>
	s.connected({ token: token({ sub: name, ...claims }), ...connect });

/* A client that says connect and has heard nothing. */
export async function opened(s, connect, opt) {
	const w = await s.open(opt);
	w.cmd({ id: 1, connect });
	return w;
}

/* The reply to connect, taken apart. */
export async function welcome(w) {
	const r = await w.reply();
	assert.ok(r?.connect, JSON.stringify(r) + JSON.stringify(w.close_));
	w.client = r.connect.client;
	return r.connect;
}

/* Subscribed, whatever the reply was. */
export async function subscribed(w, channel, more = {}) {
	const r = await w.call({ id: 2, subscribe: { channel, ...more } });
	assert.ok(r?.subscribe, JSON.stringify(r));
	return r.subscribe;
}

/* The bytes with which the server API answers. */
export async function raw(s, method, params, status = 200, headers = {}) {
	const r = await s.http('POST', `/api/${method}`, {
		body: JSON.stringify(params),
		headers: { 'X-API-Key': API_KEY, ...headers } });
	assert.equal(r.status, status, r.body);
	return r.body;
}

/* Require that answer. */
export async function answers(s, method, params, expected) {
	same(await raw(s, method, params), expected);
}

export async function published(s, channel, data, more = {}) {
	const r = await s.api('publish', { channel, data, ...more });
	assert.ok(r.result, JSON.stringify(r));
	return r.result;
}

/* Publish 1, 2, ... n; the epoch. */
export async function filled(s, channel, n) {
	let r;
	for (let i = 1; i <= n; i++)
		r = await published(s, channel, i);
	assert.equal(r.offset, n);
	return r.epoch;
}

/* Publications first to last as a client reads them. */
export function numbers(first, last) {
	const all = [];
	for (let i = first; i <= last; i++)
		all.push(`{"data":${i},"offset":${i}` +
		    `${i === 1 ? ',"epoch":"@"' : ''}}`);
	return all.join(',');
}

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_' +
	'abcdefghijklmnopqrstuvwxyz~';

/* What delta makes of source: `size NL', then `n@at,' copies, `n:text'
 * inserts, and `sum;' ends it; numbers in base 64, the sum over big-endian
 * words of 4 bytes. */
export function applied(source, delta) {
	const [from, d] = [Buffer.from(source), Buffer.from(delta)];
	let at = 0;
	const number = () => {
		let n = 0;
		for (let v; (v = DIGITS.indexOf(String.fromCharCode(d[at])))
		    >= 0; at++)
			n = n * 64 + v;
		return n;
	};
	const size = number();
	assert.equal(d[at++], 10);
	const parts = [];
	for (;;) {
		const n = number();
		const op = String.fromCharCode(d[at++]);
		if (op === '@') {
			const start = number();
			assert.equal(d[at++], 44);
			assert.ok(start + n <= from.length);
			parts.push(from.subarray(start, start + n));
		} else if (op === ':') {
			parts.push(d.subarray(at, at + n));
			at += n;
		} else {
			assert.equal(op, ';');
			const out = Buffer.concat(parts);
			assert.equal(out.length, size);
			assert.equal(at, d.length);
			let sum = 0;
			for (const [i, c] of out.entries())
				sum = (sum + c * 2 ** (24 - i % 4 * 8)) >>> 0;
			assert.equal(n, sum);
			return out.toString();
		}
	}
}

const ALL = {};
for (const what of ['subscribe', 'publish', 'history', 'presence'])
	for (const who of ['client', 'anonymous'])
		ALL[`allow_${what}_for_${who}`] = true;

const SUB = { allow_subscribe_for_client: true,
	allow_subscribe_for_anonymous: true };
const HISTORY = { history_size: 10, history_ttl: '60s' };
const FOSSIL = { allowed_delta_types: ['fossil'] };
const RECOVER = { ...ALL, ...HISTORY, force_recovery: true };
const CACHE = { ...RECOVER, force_recovery_mode: 'cache' };
const BOTH = { presence: true, join_leave: true };

export { ALL, HISTORY };

export const NAMESPACES = { channel: { namespaces: [
	{ name: 'plain', ...ALL },
	{ name: 'hist', ...ALL, ...HISTORY },
	{ name: 'rec', ...RECOVER },
	{ name: 'pos', ...ALL, ...HISTORY, force_positioning: true },
	{ name: 'askpos', ...SUB, ...HISTORY, allow_positioning: true },
	{ name: 'askrec', ...SUB, ...HISTORY, allow_recovery: true },
	{ name: 'asknot', ...SUB, ...HISTORY },
	{ name: 'auto', ...CACHE, auto_cache_recover: true },
	{ name: 'cache', ...CACHE },
	{ name: 'cachetags', ...CACHE, allow_tags_filter: true },
	{ name: 'short', ...ALL, force_recovery: true, history_size: 10,
	    history_ttl: '2s' },
	{ name: 'large', ...ALL, force_recovery: true, history_size: 1000,
	    history_ttl: '60s' },
	{ name: 'pres', ...ALL, ...BOTH },
	{ name: 'presonly', ...ALL, presence: true },
	{ name: 'join', ...ALL, join_leave: true,
	    force_push_join_leave: true },
	{ name: 'pushed', ...ALL, ...BOTH, force_push_join_leave: true },
	{ name: 'nopres', ...SUB, ...BOTH },
	{ name: 'delta', ...RECOVER, ...FOSSIL, delta_publish: true },
	{ name: 'deltaasked', ...ALL, ...HISTORY, ...FOSSIL,
	    force_positioning: true },
	{ name: 'deltanothing', ...ALL, ...FOSSIL, delta_publish: true },
	{ name: 'deltaloose', ...ALL, ...HISTORY, ...FOSSIL,
	    delta_publish: true },
	{ name: 'deltatags', ...RECOVER, ...FOSSIL, delta_publish: true,
	    allow_tags_filter: true },
	{ name: 'tags', ...RECOVER, allow_tags_filter: true },
	{ name: 'listed', ...ALL, allow_user_limited_channels: true,
	    allow_subscribe_for_client: false },
	{ name: 'tok', ...HISTORY, ...BOTH },
	{ name: 'json', ...ALL, publication_data_format: 'json' },
	{ name: 'object', ...ALL, publication_data_format: 'json_object' },
	{ name: 'binary', ...ALL, publication_data_format: 'binary' },
	{ name: 'regex', ...ALL, channel_regex: '^[a-z]+[0-9]?$' },
	{ name: 'accent', ...ALL, channel_regex: '^\u00e9+$' },
	{ name: 'forsubs', ...SUB, ...HISTORY, ...BOTH,
	    allow_publish_for_subscriber: true,
	    allow_history_for_subscriber: true,
	    allow_presence_for_subscriber: true },
	{ name: 'forclients', ...HISTORY, ...BOTH,
	    allow_subscribe_for_client: true,
	    allow_publish_for_client: true,
	    allow_history_for_client: true,
	    allow_presence_for_client: true },
	{ name: 'foranon', ...HISTORY, ...BOTH,
	    allow_subscribe_for_anonymous: true,
	    allow_publish_for_anonymous: true,
	    allow_history_for_anonymous: true,
	    allow_presence_for_anonymous: true },
	{ name: 'anonsubs', ...SUB, ...HISTORY, ...BOTH,
	    allow_publish_for_subscriber: true,
	    allow_history_for_subscriber: true,
	    allow_presence_for_subscriber: true,
	    allow_publish_for_anonymous: true,
	    allow_history_for_anonymous: true,
	    allow_presence_for_anonymous: true },
] } };
