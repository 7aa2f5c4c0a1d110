/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What operators put in front: nginx, HAProxy and Caddy with the files in
 * contrib/. The JavaScript SDK over every transport, in Node and in Chromium;
 * messages that arrive at once; silence; reloads; ends; who the client is.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { FUGU, assert, eventually, freePort, need, run, sleep, test }
	from './harness.mjs';
import { EventSourceLike } from './stream.mjs';
import { caddy, example, haproxy, haproxyTcp, nginxDomain,
	nginxLocation, nginxNaive, startHaproxy } from './front_rig.mjs';

const { chromium } = need('playwright-core');
const { WebSocket } = need('ws');
const SDK = {
	json: need('centrifuge').Centrifuge,
	protobuf: need('centrifuge/build/protobuf').Centrifuge,
};
const PAGE_SDK = path.join(path.dirname(need.resolve('centrifuge')),
    '../dist/centrifuge.js');

const FRONTS = { nginx_domain: nginxDomain, nginx_location: nginxLocation,
	haproxy, haproxy_tcp: haproxyTcp };
if (spawnSync('caddy', ['version']).status === 0)
	FRONTS.caddy = caddy;
else
	console.log('SKIP caddy: it is not installed');

const WAYS = [['websocket', 'json'], ['websocket', 'protobuf'],
	['http_stream', 'json'], ['http_stream', 'protobuf'], ['sse', 'json']];

/* Every front with what it is called. */
function each(name, f, opt, fronts = FRONTS) {
	for (const [front, start] of Object.entries(fronts))
		test(`${front}_${name}`, (t) => f(t, start, front), opt);
}

/* Data of the protobuf SDK are bytes; here they are JSON. */
const value = (x) => x instanceof Uint8Array ?
    JSON.parse(new TextDecoder().decode(x)) : x;
const data = (x, encoding) => encoding === 'json' ? x :
    new TextEncoder().encode(JSON.stringify(x));

const endpoint = (f, kind) => kind === 'websocket' ?
    `${f.base.replace('http', 'ws')}/connection/websocket` :
    `${f.base}/connection/${kind}`;

/* A client of the SDK; c.connects is how it was connected each time. */
function client(t, f, [...ways], { socket = {}, ...opt } = {}) {
	class Socket extends WebSocket {
		constructor(url, protocols) {
			super(url, protocols, socket);
		}
	}
	const encoding = ways[0][1];
	const c = new SDK[encoding](ways.map(([transport]) =>
	    ({ transport, endpoint: endpoint(f, transport) })), {
		websocket: Socket, eventsource: EventSourceLike, fetch,
		readableStream: ReadableStream,
		emulationEndpoint: `${f.base}/emulation`,
		minReconnectDelay: 50, maxReconnectDelay: 300, timeout: 10000,
		...opt });
	c.encoding = encoding;
	c.connects = [];
	c.on('connected', (ctx) => c.connects.push(ctx.transport));
	c.on('connecting', (ctx) => { c.why = ctx.reason; });
	t.after(() => c.disconnect());
	return c;
}

/* What the SDK rejects with is no Error. */
const said = (p) => p.catch((e) => {
	throw e instanceof Error ? e : new Error(JSON.stringify(e));
});

async function subscribed(c, channel) {
	const sub = c.newSubscription(channel);
	sub.got = [];
	sub.on('publication', (ctx) => sub.got.push(value(ctx.data)));
	sub.subscribe();
	c.connect();
	await said(sub.ready(20000));
	return sub;
}

const heard = (sub, n, ms = 20000) => eventually(() => sub.got.length >= n,
    `${n} publications, and not ${sub.got.length}`, ms);

/* One client each way, all subscribed to a channel. */
async function all(t, f, ways = WAYS, opt = {}) {
	const channel = t.channel();
	const subs = await Promise.all(ways.map(async (way) => {
		const c = client(t, f, [way], opt);
		const sub = await subscribed(c, channel);
		assert.deepEqual(c.connects, [way[0]]);
		return Object.assign(sub, { c, way: way.join(' ') });
	}));
	return { channel, subs };
}

/* How long messages take that are sent one by one: the median of them, and
 * no one of them long. Buffers would hold them until the next, or for
 * seconds, each time; a machine that is not idle is asked again. */
async function prompt(f, channel, sub, rounds = 5) {
	const took = [];
	for (let i = 0; i < 15; i++) {
		await sleep(20);
		const had = sub.got.length;
		const began = performance.now();
		await f.fugu.publish(channel, i);
		await new Promise((r, no) => {
			const timer = setTimeout(() => no(new Error(
			    `${sub.way}: held back`)), 5000);
			sub.once('publication', () => {
				clearTimeout(timer);
				r();
			});
			if (sub.got.length > had)
				sub.emit('publication', { data: null });
		});
		took.push(performance.now() - began);
	}
	const median = took.sort((a, b) => a - b)[7];
	if (median >= 50 && rounds > 1)
		return prompt(f, channel, sub, rounds - 1);
	assert.ok(median < 50, `${sub.way}: median ${median} ms`);
	return median;
}

each('every_transport', async (t, start, front) => {
	const f = await start(t);
	const { channel, subs } = await all(t, f);
	for (const [i, { c, way }] of subs.entries()) {
		await subs[i].publish(data({ from: way }, c.encoding));
		await c.publish(channel, data(`\u{1f421}${i}`, c.encoding));
	}
	await f.fugu.publish(channel, 'x'.repeat(50000));
	for (const sub of subs) {
		await heard(sub, 11);
		assert.deepEqual(sub.got, [...WAYS.flatMap((way, i) =>
		    [{ from: way.join(' ') }, `\u{1f421}${i}`]),
			'x'.repeat(50000)]);
		assert.equal((await sub.presenceStats()).numClients, 5);
	}
	for (const { c } of subs)
		c.disconnect();
	for (const way of WAYS) {
		const quiet = await all(t, f, [way]);
		const ms = await prompt(f, quiet.channel, quiet.subs[0]);
		console.log(`# ${front} ${way.join(' ')}: a message takes ` +
		    `${ms.toFixed(1)} ms`);
		quiet.subs[0].c.disconnect();
	}
}, { quiet: true });

/* ---- silence ---- */

const FAST = { client: { ping_interval: '4s', pong_timeout: '3900ms' } };
/* Those whose time-outs are in their files, and that can be reloaded. */
const { caddy: _, ...TIMED } = FRONTS;

each('pings_are_in_time', async (t, start) => {
	const f = await start(t, { seconds: 9, over: FAST });
	const { subs } = await all(t, f);
	await sleep(20000);
	for (const { c, way } of subs)
		assert.equal(c.connects.length, 1, `${way} ${c.why}`);
}, {}, TIMED);

each('would_not_survive_without', async (t, start) => {
	const f = await start(t, { seconds: 2 });
	const { subs } = await all(t, f);
	for (const { c, way } of subs)
		await eventually(() => c.connects.length > 1,
		    `${way} is cut`);
}, {}, TIMED);

const seconds = (text) => {
	const m = text.match(/^(\d+)(ms|s|m)$/);
	return Number(m[1]) * { ms: 0.001, s: 1, m: 60 }[m[2]];
};

for (const [name, wanted, pattern] of [
	['nginx/fugu-proxy.conf', 2, /^proxy_(?:read|send)_timeout (\w+);/gm],
	['haproxy/haproxy.cfg', 3,
		/^\ttimeout (?:client|server|tunnel) (\w+)/gm],
	['haproxy/haproxy-tcp.cfg', 2, /^\ttimeout (?:client|server) (\w+)/gm],
])
	test(`${name}_leaves_time_for_pings`, async () => {
		const { stdout } = spawnSync(FUGU, ['defaultconfig', '-d']);
		const config = JSON.parse(stdout);
		const ping = seconds(config.client.ping_interval) +
		    seconds(config.client.pong_timeout);
		const all = [...example(name).matchAll(pattern)];
		assert.equal(all.length, wanted);
		for (const [line, time] of all)
			assert.ok(seconds(time) >= 2 * ping, line);
	});

test('all_survive_a_minute_of_silence', async (t) => {
	const fronts = await Promise.all(Object.values(FRONTS)
	    .map((start) => start(t)));
	const everybody = await Promise.all(fronts.map((f) => all(t, f)));
	await sleep(65000);
	for (const [i, { channel, subs }] of everybody.entries()) {
		await fronts[i].fugu.publish(channel, 'still there');
		for (const sub of subs) {
			await heard(sub, 1);
			assert.equal(sub.c.connects.length, 1,
			    `${Object.keys(FRONTS)[i]} ${sub.way}`);
		}
	}
});

/* ---- reloads and ends ---- */

each('reload', async (t, start) => {
	const f = await start(t);
	const { channel, subs } = await all(t, f);
	let n = 0;
	for (; n < 20; n++)
		await f.fugu.publish(channel, n);
	const done = f.reload();
	const back = () => subs.every(({ c }) => c.connects.length > 1);
	for (const end = Date.now() + 20000; !back() && Date.now() < end; n++) {
		await f.fugu.publish(channel, n);
		await sleep(20);
	}
	await done;
	for (const { c, way } of subs)
		assert.equal(c.connects.length, 2, way);
	await f.fugu.publish(channel, n++);
	for (const sub of subs) {
		await heard(sub, n);
		assert.deepEqual(sub.got, Array.from({ length: n },
		    (_, i) => i), sub.way);
	}
}, {}, TIMED);

each('fugu_is_killed', async (t, start) => {
	const f = await start(t);
	const { channel, subs } = await all(t, f);
	await f.fugu.kill();
	await eventually(() => subs.every(({ c }) => c.state === 'connecting'),
	    'all have noticed');
	await sleep(500);
	await f.fugu.again();
	for (const { c } of subs)
		await said(c.ready(20000));
	await Promise.all(subs.map((sub) => said(sub.ready(20000))));
	await f.fugu.publish(channel, 'here again');
	for (const sub of subs) {
		await heard(sub, 1);
		assert.deepEqual(sub.got, ['here again']);
		assert.ok(sub.c.connects.length > 1, sub.way);
	}
});

/* ---- who the client is ---- */

const SPOOFED = { 'X-Forwarded-For': '6.6.6.6', 'X-Real-IP': '6.6.6.7',
	Forwarded: 'for=6.6.6.8' };

/* One from its own address, that claims to be others. */
async function isSeen(t, f, localAddress = '127.0.0.77') {
	const { subs } = await all(t, f, [WAYS[0]], { socket:
	    { localAddress, headers: SPOOFED } });
	subs[0].c.disconnect();
	await eventually(() => f.fugu.log.includes(`peer=${localAddress}`),
	    `its address is logged: ${f.fugu.log}`);
	assert.doesNotMatch(f.fugu.log, /6\.6\.6\./);
}

each('client_address', async (t, start) => isSeen(t, await start(t)));

/* Where even the client is one whose headers fugu would believe. */
for (const front of ['nginx_domain', 'haproxy'])
	test(`${front}_takes_headers_away`, async (t) =>
	    isSeen(t, await FRONTS[front](t), '127.0.0.1'));

test('haproxy_proxy_protocol_v1', async (t) =>
    isSeen(t, await haproxy(t, { version: 1 })));

test('haproxy_tcp_proxy_protocol_v1', async (t) =>
    isSeen(t, await haproxyTcp(t, { version: 1 })));

test('haproxy_over_a_unix_socket', async (t) => {
	const f = await haproxy(t, { unix: true });
	const { channel, subs } = await all(t, f);
	await f.fugu.publish(channel, 1);
	for (const sub of subs)
		await heard(sub, 1);
	await isSeen(t, f);
});

/* HAProxy passes TLS on to nginx, with the lines of fugu.conf that are
 * comments. */
test('nginx_behind_the_proxy_protocol', async (t) => {
	const f = await nginxDomain(t, { more: [
		['\tlisten 443 ssl http2;\n', ''],
		['\tlisten [::]:443 ssl http2;\n',
			'\tlisten [::]:443 ssl http2 proxy_protocol;\n'],
		['#listen 443', 'listen 443'],
		['#set_real_ip_from 10.0.0.0/8', 'set_real_ip_from 127.0.0.1'],
		['#real_ip_header', 'real_ip_header'] ] });
	const port = await freePort();
	await startHaproxy(t, 'haproxy/haproxy-tcp.cfg', [
		['bind :443', `bind 127.0.0.1:${port}`],
		['127.0.0.1:8443', `127.0.0.1:${f.port}`],
		[' check port 9000', ''] ]);
	f.base = `https://127.0.0.1:${port}`;
	await eventually(() => fetch(f.base).then((r) => r.status === 404,
	    () => false), 'there is a way through');
	await isSeen(t, f);
});

/* ---- what comes through ---- */

/* Even of a fugu that has its API on all ports; but HAProxy can't see what
 * is inside TLS. */
each('only_what_clients_need', async (t, start) => {
	const f = await start(t, { over: { http_api:
	    { external: start !== haproxyTcp } } });
	const ask = (target, opt) => fetch(f.base + target, opt)
	    .then((r) => r.status);
	/* The web site around /fugu/ answers all the rest itself. */
	const nothing = f.base.endsWith('/fugu') ? 200 : 404;
	for (const target of ['/api/publish', '/api', '/metrics', '/health',
		'/', '/debug/pprof/']) {
		assert.equal(await ask(target), nothing, target);
		assert.equal(await ask(target, { method: 'POST', body: '{}' }),
		    nothing, target);
	}
	assert.equal(await ask('/connection/sse'), 400);
	assert.equal(await ask('/emulation', { method: 'POST', body: 'x' }),
	    400);
	assert.equal(await ask('/emulation', { method: 'POST',
		body: 'x'.repeat(70000) }), 413);
	if (f.plain) {
		const r = await fetch(`http://127.0.0.1:${f.plain}/a?b`,
		    { redirect: 'manual' });
		assert.equal(r.status, 301);
		assert.match(r.headers.get('location'), /^https:.*\/a\?b$/);
	}
});

/* nginx as it is by itself: HTTP/1.0, no Upgrade, buffers. fugu's log says
 * what is missing, and the SDK has another way, on which nothing is held
 * back. */
for (const [way, more, hint] of [
	[WAYS[2], '', 'does a proxy speak HTTP/1.0'],
	[WAYS[3], 'proxy_http_version 1.1;',
		'does a proxy not forward the header'],
	[WAYS[4], 'proxy_http_version 1.1; proxy_set_header Upgrade ' +
		'$http_upgrade;', 'does a proxy not forward it'],
])
	test(`nginx_naive_${way.join('_')}`, async (t) => {
		const f = await nginxNaive(t, { more });
		const c = client(t, f, [['websocket', way[1]], way]);
		const channel = t.channel();
		const sub = Object.assign(await subscribed(c, channel),
		    { way: way.join(' ') });
		assert.deepEqual(c.connects, [way[0]]);
		assert.ok(f.fugu.log.includes(hint), f.fugu.log);
		await prompt(f, channel, sub);
	}, { quiet: true });

/* Behind another nginx that knows nothing, streams still are not held back:
 * the inner one passes on who asks for that. */
test('nginx_behind_a_naive_one', async (t) => {
	const f = await nginxLocation(t);
	const outer = await nginxNaive(t, { to: f.base });
	f.base = outer.base;
	for (const way of WAYS.slice(2)) {
		const { channel, subs } = await all(t, f, [way]);
		await prompt(f, channel, subs[0]);
		subs[0].c.disconnect();
	}
}, { quiet: true });

/* ---- Chromium ---- */

const BLOCKED = [['\tlocation / {', '\tlocation = /connection/websocket {\n' +
	'\t\treturn 403;\n\t}\n\n\tlocation / {']];

/* A page of another origin with the SDK. */
async function page(t, f) {
	const s = http.createServer((req, res) => {
		const js = req.url === '/sdk.js';
		res.setHeader('Content-Type', js ? 'text/javascript' :
		    'text/html');
		res.end(js ? fs.readFileSync(PAGE_SDK) : '<!doctype html>' +
		    '<title>page</title><script src=/sdk.js></script>' +
		    '<script>got = []; names = []</script>');
	});
	await new Promise((r) => s.listen(0, '127.0.0.1', r));
	t.after(() => s.close());
	const origin = `http://127.0.0.1:${s.address().port}`;
	const browser = await chromium.launch({ headless: true,
		executablePath: '/usr/bin/chromium', args: ['--no-sandbox',
			'--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking',
			'--disable-component-update', '--disable-sync'] });
	t.after(() => browser.close());
	const context = await browser.newContext({ ignoreHTTPSErrors: true });
	const p = await context.newPage();
	await p.goto(origin);
	return p;
}

const inPage = (p, what, n) => eventually(async () => {
	const a = await p.evaluate((x) => window[x], what);
	return a.length >= n && a;
}, `${n} ${what} in the page`, 20000);

async function browse(t, f, kinds) {
	const channel = t.channel();
	const p = await page(t, f);
	await p.evaluate(([transports, emulationEndpoint, c]) => {
		window.client = new Centrifuge(transports, {
			emulationEndpoint, minReconnectDelay: 50,
			maxReconnectDelay: 500 });
		window.client.on('connected', (x) =>
		    window.names.push(x.transport));
		window.sub = window.client.newSubscription(c);
		window.sub.on('publication', (x) => window.got.push(x.data));
		window.sub.subscribe();
		window.client.connect();
		return window.sub.ready(15000);
	}, [kinds.map((transport) => ({ transport,
		endpoint: endpoint(f, transport) })), `${f.base}/emulation`,
	channel]);
	await p.evaluate(() => window.sub.publish('from the page'));
	await inPage(p, 'got', 1);
	for (let i = 1; i < 6; i++) {
		await f.fugu.publish(channel, i);
		assert.equal((await inPage(p, 'got', i + 1))[i], i);
	}
	await f.fugu.kill();
	await f.fugu.again();
	await inPage(p, 'names', 2);
	await p.evaluate(() => window.sub.ready(15000));
	await f.fugu.publish(channel, 'again');
	assert.equal((await inPage(p, 'got', 7))[6], 'again');
	return p.evaluate(() => window.names);
}

const ANY = { over: { client: { allowed_origins: ['*'] } } };

for (const kind of ['http_stream', 'sse'])
	test(`chromium_falls_back_to_${kind}`, async (t) => {
		const f = await nginxDomain(t, { ...ANY, more: BLOCKED });
		assert.deepEqual(await browse(t, f, ['websocket', kind]),
		    [kind, kind]);
	}, { quiet: true });

each('chromium', async (t, start) => {
	const f = await start(t, ANY);
	assert.deepEqual(await browse(t, f, ['websocket', 'sse']),
	    ['websocket', 'websocket']);
}, { quiet: true });

await run();
