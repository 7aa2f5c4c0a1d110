/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Signals and limits of the process as connected clients feel them: drain,
 * reload, running out of descriptors.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { API_KEY, FUGU, SECRET, WORK, assert, eventually, merge, run, sleep,
	test, token } from './harness.mjs';
import { OP, Tcp, closePayload } from './wire.mjs';

const SHUTDOWN = { code: 3001, reason: 'shutdown' };

/* Processor seconds that the process has used. */
function cpu(pid) {
	const f = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
	    .replace(/^.*\) /, '').split(' ');
	return (Number(f[11]) + Number(f[12])) / 100;
}

const fds = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

/* Answer the close so that the server need not wait. */
async function leave(w, ms) {
	const close = await w.closed(ms);
	if (close && close.code !== 1006)
		w.send(OP.CLOSE, closePayload(close.code));
	w.tcp.sock.end();
	return close;
}

for (const signal of ['SIGTERM', 'SIGINT'])
	test(`${signal}_drains_with_3001`, async (t) => {
		const s = await t.ownServer();
		const all = await Promise.all(Array.from({ length: 50 },
		    () => s.connected()));
		const idle = await Tcp.open(s.port);
		s.proc.kill(signal);
		for (const close of await Promise.all(all.map((w) =>
		    leave(w))))
			assert.deepEqual(close, SHUTDOWN);
		assert.ok(await idle.gone(), 'idle HTTP connection');
		assert.equal(await s.exited, 0);
	});

test('drain_is_spread', async (t) => {
	const s = await t.ownServer({ shutdown: { disconnect_spread: '2s' } });
	const all = await Promise.all(Array.from({ length: 40 },
	    () => s.connected()));
	const began = Date.now();
	s.proc.kill('SIGTERM');
	const when = await Promise.all(all.map(async (w) => {
		assert.deepEqual(await leave(w), SHUTDOWN);
		return Date.now() - began;
	}));
	assert.equal(await s.exited, 0);
	/* Each at a moment of its own: with 20 in the first half one may count
	 * on 4. */
	assert.ok(Math.max(...when) > 1000 && Math.max(...when) < 6000, when);
	assert.ok(when.filter((x) => x < 1000).length >= 4, when);
}, { fugu: true });

test('drain_does_not_wait_for_clients_that_do_not_answer', async (t) => {
	const s = await t.ownServer({ shutdown: { timeout: '15s' } });
	const w = await s.connected();
	s.proc.kill('SIGTERM');
	assert.deepEqual(await w.closed(), SHUTDOWN);
	const late = await Promise.race([s.exited, sleep(14000)]);
	assert.equal(late, 0);
	w.close();
}, { fugu: true });

test('nobody_is_accepted_while_draining', async (t) => {
	const s = await t.ownServer({ shutdown: { disconnect_spread: '3s' } });
	const all = await Promise.all(Array.from({ length: 20 },
	    () => s.connected()));
	s.proc.kill('SIGTERM');
	await eventually(() => s.connected().then((w) => w.close(),
	    () => true), 'nobody is accepted');
	assert.equal(s.status, undefined, 'it is still there');
	await Promise.all(all.map((w) => leave(w)));
	assert.equal(await s.exited, 0);
}, { fugu: true });

test('second_signal_exits_at_once', async (t) => {
	const s = await t.ownServer({ shutdown: { disconnect_spread: '20s' } });
	const all = await Promise.all(Array.from({ length: 20 },
	    () => s.connected()));
	s.proc.kill('SIGTERM');
	await eventually(() => s.log.includes('stopping'), 'the first is seen');
	const began = Date.now();
	s.proc.kill('SIGTERM');
	await s.exited;
	assert.ok(Date.now() - began < 5000);
	all.forEach((w) => w.close());
}, { fugu: true });

test('messages_published_before_the_signal_arrive', async (t) => {
	const s = await t.ownServer();
	const w = await s.connected();
	await w.call({ id: 2, subscribe: { channel: 'x' } });
	await Promise.all(Array.from({ length: 50 }, (_, i) =>
	    s.publish('x', i)));
	s.proc.kill('SIGTERM');
	for (let i = 0; i < 50; i++)
		assert.ok((await w.reply()).push.pub);
	assert.deepEqual(await leave(w), SHUTDOWN);
	assert.equal(await s.exited, 0);
});

/* Rewrite the server's configuration. */
function write(s, over) {
	fs.writeFileSync(s.file, typeof over === 'string' ? over :
	    JSON.stringify(merge(merge(s.config, over),
	    { http_server: { port: s.port } })));
}

test('sighup_takes_new_options', async (t) => {
	const s = await t.ownServer();
	const old = await s.connected();
	await old.call({ id: 2, subscribe: { channel: 'x' } });
	write(s, { client: { token: { hmac_secret_key: 'new secret' } },
		channel: { namespaces: [{ name: 'fresh',
		    allow_subscribe_for_client: true,
		    allow_subscribe_for_anonymous: true }] } });
	s.proc.kill('SIGHUP');
	await eventually(() => s.log.includes('reloaded'), 'log line');
	const w = await s.connected({ token: token({ sub: 'u' },
	    { secret: 'new secret' }) });
	assert.deepEqual(await w.call({ id: 2, subscribe: {
		channel: 'fresh:x' } }), { id: 2, subscribe: {} });
	const v = await s.open();
	v.cmd({ id: 1, connect: { token: token({ sub: 'u' }) } });
	assert.equal((await v.closed()).code, 3500);
	await s.publish('x', 1);
	assert.ok((await old.reply()).push, 'the old connection lives on');
	[old, w, v].forEach((x) => x.close());
}, { fugu: true });

test('sighup_with_a_bad_file_changes_nothing', async (t) => {
	const s = await t.ownServer();
	for (const [bad, says] of [['{"nonsense": 1}', 'nonsense'],
	    ['{', '.json:1'], [{ client: { channel_limit: 'many' } },
	    'client.channel_limit']]) {
		write(s, bad);
		const before = s.log.length;
		s.proc.kill('SIGHUP');
		await eventually(() => s.log.slice(before).includes(says),
		    `${says} in the log`);
		await eventually(() => s.log.slice(before)
		    .includes('the old one stays'), 'that it is kept');
		const w = await s.connected({ token: token({ sub: 'u' }) });
		w.close();
	}
	fs.unlinkSync(s.file);
	const before = s.log.length;
	s.proc.kill('SIGHUP');
	await eventually(() => s.log.slice(before)
	    .includes('the old one stays'), 'without a file');
	assert.ok(await s.health());
}, { fugu: true });

/* As long as it differs from what is in force, and not when it is as it was
 * again. */
test('sighup_names_what_needs_a_restart', async (t) => {
	const s = await t.ownServer();
	const other = { http_server: { trusted_proxies: ['10.0.0.0/8'] } };
	for (const [over, told] of [[other, true],
	    [{ ...other, client: { channel_limit: 9 } }, true],
	    [{}, false]]) {
		const before = s.log.length;
		write(s, over);
		s.proc.kill('SIGHUP');
		await eventually(() => s.log.slice(before)
		    .includes('configuration reloaded'), 'log line');
		assert.equal(s.log.slice(before)
		    .includes('http_server.trusted_proxies'), told);
	}
	assert.ok(await s.health());
}, { fugu: true });

test('many_reloads_under_traffic', async (t) => {
	const s = await t.ownServer();
	const w = await s.connected();
	await w.call({ id: 2, subscribe: { channel: 'x' } });
	for (let i = 0; i < 30; i++) {
		s.proc.kill('SIGHUP');
		await s.publish('x', i);
		assert.equal((await w.reply()).push.pub.data, i);
	}
	w.close();
}, { fugu: true });

test('sigusr2_sums_up', async (t) => {
	const s = await t.ownServer();
	const all = await Promise.all(Array.from({ length: 7 },
	    () => s.connected()));
	for (const w of all)
		await w.call({ id: 2, subscribe: { channel: 'x' } });
	s.proc.kill('SIGUSR2');
	const line = await eventually(() => s.log.split('\n').find((l) =>
	    l.includes('summary')), 'summary line');
	for (const part of ['clients=7', 'channels=1', 'subscriptions=7'])
		assert.ok(line.includes(part), line);
	all.forEach((w) => w.close());
}, { fugu: true });

test('connections_leave_no_descriptors_behind', async (t) => {
	const s = await t.ownServer();
	const before = fds(s.pid);
	for (let round = 0; round < 5; round++) {
		const all = await Promise.all(Array.from({ length: 60 },
		    (_, i) => i % 3 ? s.connected() : Tcp.open(s.port)));
		all.forEach((w) => w.close());
	}
	await eventually(() => fds(s.pid) <= before + 2,
	    `descriptors are given back: ${before} before`, 15000);
});

test('out_of_descriptors', async (t) => {
	const s = await t.ownServer();
	const keep = await s.connected();
	const limit = fds(s.pid) + 100;
	execFileSync('prlimit', ['--pid', String(s.pid),
		`--nofile=${limit}:${limit}`]);
	const many = [];
	for (let i = 0; i < limit + 150; i++) {
		const c = await Tcp.open(s.port).catch(() => undefined);
		if (c)
			many.push(c);
	}
	await sleep(500);
	const before = cpu(s.pid);
	await sleep(1500);
	const used = cpu(s.pid) - before;
	assert.ok(used < 0.5, `${used} s of 1.5 s: it spins`);
	await keep.call({ id: 2, subscribe: { channel: 'x' } });
	keep.cmd({ id: 3, publish: { channel: 'x', data: 1 } });
	assert.ok((await keep.reply()).push, 'connections go on');
	many.forEach((c) => c.close());
	await eventually(async () => {
		const w = await s.connected().catch(() => undefined);
		w?.close();
		return w;
	}, 'it recovers', 10000);
	keep.close();
}, { fugu: true, quiet: true });

test('started_with_few_descriptors_health_still_answers', async (t) => {
	const binary = path.join(WORK, 'few');
	fs.writeFileSync(binary, '#!/bin/sh\nulimit -n 256\n' +
	    `exec "${fs.realpathSync(FUGU)}" "$@"\n`, { mode: 0o755 });
	const s = await t.ownServer({}, { binary });
	const many = [];
	let e;
	while (e === undefined && many.length < 256)
		e = await s.connected().then((w) => { many.push(w); }, (x) => x);
	assert.equal(e?.response?.status, 503, `after ${many.length}`);
	assert.ok(many.length > 100, `only ${many.length}`);
	assert.ok(await s.health(), 'health answers when full');
	await many[0].call({ id: 2, subscribe: { channel: 'x' } });
	const before = cpu(s.pid);
	await sleep(1500);
	assert.ok(cpu(s.pid) - before < 0.5, 'it spins');
	many.forEach((c) => c.close());
	await eventually(() => s.health(), 'it recovers');
	const w = await s.connected();
	w.close();
}, { fugu: true, quiet: true });

/* --- what a configuration means --- */

/* How many channels one connection may have. */
async function channelLimit(s) {
	const w = await s.connected();
	for (let i = 0; i < 140; i++)
		w.cmd({ id: i + 2, subscribe: { channel: `c${i}` } });
	let n = 0;
	for (let i = 0; i < 140; i++)
		n += (await w.reply()).subscribe ? 1 : 0;
	w.close();
	return n;
}

test('spec12_56_zero_in_the_file_is_the_default', async (t) => {
	const s = await t.ownServer({ client: { channel_limit: 0,
		ping_interval: '0s', stale_close_delay: 0 },
		channel: { private_prefix: '', max_length: 0 } });
	assert.equal(await channelLimit(s), 128);
	const w = await s.open();
	w.cmd({ id: 1, connect: {} }, { id: 2, subscribe: { channel: '$x' } },
	    { id: 3, subscribe: { channel: 'a'.repeat(256) } });
	assert.equal((await w.reply()).connect.ping, 25);
	assert.equal((await w.reply()).error.code, 103);
	assert.equal((await w.reply()).error.code, 107);
	w.close();
});

test('spec12_60_numbers_of_the_environment_in_hex', async (t) => {
	const s = await t.ownServer({}, { env: {
		CENTRIFUGO_CLIENT_CHANNEL_LIMIT: '0x3' } });
	assert.equal(await channelLimit(s), 3);
});

test('spec12_60_durations_as_numbers_are_nanoseconds', async (t) => {
	const s = await t.ownServer({ client: { ping_interval: 7000000000,
		pong_timeout: 2000000000 } });
	const w = await s.open();
	w.cmd({ id: 1, connect: {} });
	assert.equal((await w.reply()).connect.ping, 7);
	w.close();
});

test('spec12_58_logs_go_to_stderr', async (t) => {
	const s = await t.ownServer();
	await s.stop();
	assert.equal(s.out, '');
	assert.notEqual(s.log, '');
});

test('unknown_variables_only_warn', async (t) => {
	const s = await t.ownServer({}, { env: {
		CENTRIFUGO_NO_SUCH_OPTION: 'x' } });
	assert.match(s.log, /CENTRIFUGO_NO_SUCH_OPTION/);
});

test('secrets_are_not_logged', async (t) => {
	const s = await t.ownServer({ log: { level: 'trace' } });
	const w = await s.connected({ token: token({ sub: 'u' }) });
	w.close();
	await s.publish('x', 1);
	const bad = token({ sub: 'u' }, { secret: 'wrong' });
	const v = await s.open();
	v.cmd({ id: 1, connect: { token: bad } });
	await v.closed();
	await s.stop();
	for (const secret of [SECRET, API_KEY, bad])
		assert.ok(!s.log.includes(secret), 'a secret in the log');
}, { fugu: true });

test('what_peers_send_is_escaped_in_the_log', async (t) => {
	const s = await t.ownServer({ log: { level: 'trace' } });
	const w = await s.open();
	w.text('\u001b[31mred\nlevel=fatal msg="forged"');
	await w.closed();
	await s.http('GET', '/\u007f', {}).catch(() => {});
	await s.stop();
	assert.doesNotMatch(s.log, /[\u0000-\u0009\u000b-\u001f\u007f]/);
	assert.doesNotMatch(s.log, /^level=fatal/m);
}, { fugu: true });

await run();
