/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The streams in headless Chromium, from a page of another origin: its own
 * EventSource and fetch, and the SDK where WebSockets do not come through.
 */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { assert, eventually, need, run, test, token } from './harness.mjs';

const { chromium } = need('playwright-core');
const SDK = path.join(path.dirname(need.resolve('centrifuge')),
    '../dist/centrifuge.js');

const ON = { sse: { enabled: true }, http_stream: { enabled: true },
	uni_sse: { enabled: true }, uni_http_stream: { enabled: true } };

/* An origin with a page that has the SDK and window.got. It hangs up on
 * WebSockets, as some proxies do. */
async function site(t) {
	const s = http.createServer((req, res) => {
		const js = req.url === '/sdk.js';
		res.setHeader('Content-Type', js ? 'text/javascript' :
		    'text/html');
		res.end(js ? fs.readFileSync(SDK) : '<!doctype html><title>' +
		    'page</title><script src=/sdk.js></script>' +
		    '<script>got = []</script>');
	});
	s.on('upgrade', (req, sock) => sock.destroy());
	await new Promise((r) => s.listen(0, '127.0.0.1', r));
	t.after(() => s.close());
	return `http://127.0.0.1:${s.address().port}`;
}

let browser;

async function open(t, origin) {
	browser ||= chromium.launch({ executablePath: '/usr/bin/chromium',
		headless: true, args: ['--no-sandbox', '--disable-gpu',
			'--disable-quic', '--no-first-run',
			'--disable-background-networking',
			'--disable-component-update', '--disable-sync'] });
	const context = await (await browser).newContext();
	t.after(() => context.close());
	const page = await context.newPage();
	await page.goto(origin);
	return page;
}

const got = (page, n, ms) => eventually(async () => {
	const all = await page.evaluate(() => window.got);
	return all.length >= n && all;
}, `${n} messages`, ms);

async function setUp(t, over = {}) {
	const origin = await site(t);
	const s = await t.ownServer({ ...ON, client:
	    { allowed_origins: [origin] }, ...over });
	return { s, origin, page: await open(t, origin),
		base: `http://127.0.0.1:${s.port}` };
}

const one = { quiet: true };

test('eventsource', async (t) => {
	const { s, base, page } = await setUp(t);
	const channel = t.channel();
	const request = JSON.stringify({ token: token({ sub: 'ann',
		channels: [channel] }) });
	await page.evaluate((url) => {
		window.source = new EventSource(url);
		window.source.onmessage = (e) => e.data !== '{}' &&
		    window.got.push(JSON.parse(e.data));
	}, `${base}/connection/uni_sse?cf_connect=` +
	    encodeURIComponent(request));
	assert.ok((await got(page, 1))[0].connect.client);
	await s.publish(channel, { n: 1 });
	assert.deepEqual((await got(page, 2))[1], { channel,
		pub: { data: { n: 1 } } });
	/* It comes back by itself. */
	s.proc.kill('SIGKILL');
	await s.exited;
	s.status = undefined;
	await s.start(s.port);
	assert.ok((await got(page, 3, 20000))[2].connect.client);
	await s.publish(channel, 2);
	assert.equal((await got(page, 4))[3].pub.data, 2);
	await page.evaluate(() => window.source.close());
}, one);

test('eventsource_of_another_site', async (t) => {
	const { base, page } = await setUp(t, { client:
	    { allowed_origins: ['http://b.example'] } });
	await page.evaluate((url) => {
		window.source = new EventSource(url);
		window.source.onerror = () => window.got.push('error');
		window.source.onmessage = () => window.got.push('message');
	}, `${base}/connection/uni_sse`);
	assert.equal((await got(page, 1))[0], 'error');
	assert.equal(await page.evaluate(() => window.source.readyState), 2);
}, one);

/* Each message is there before the next is sent: nothing is held back. */
test('fetch_streaming', async (t) => {
	const { s, base, page } = await setUp(t);
	const channel = t.channel();
	await page.evaluate(async ([url, body]) => {
		const r = await fetch(url, { method: 'POST', body,
			headers: { 'Content-Type': 'application/json' } });
		window.ended = (async () => {
			let text = '';
			for await (const part of r.body.pipeThrough(
			    new TextDecoderStream())) {
				text += part;
				const lines = text.split('\n');
				text = lines.pop();
				window.got.push(...lines.filter((l) => l !== '{}')
				    .map((l) => JSON.parse(l)));
			}
		})();
	}, [`${base}/connection/uni_http_stream`, JSON.stringify({
		token: token({ sub: 'ann', channels: [channel] }) })]);
	assert.ok((await got(page, 1))[0].connect.client);
	for (let i = 0; i < 5; i++) {
		await s.publish(channel, i);
		assert.equal((await got(page, 2 + i))[1 + i].pub.data, i);
	}
	await s.api('disconnect', { user: 'ann' });
	assert.deepEqual((await got(page, 7))[6],
	    { disconnect: { code: 3503, reason: 'force disconnect' } });
	/* The end is a good one. */
	await page.evaluate(() => window.ended);
}, one);

for (const kind of ['http_stream', 'sse'])
	test(`sdk_falls_back_to_${kind}`, async (t) => {
		const { s, base, page, origin } = await setUp(t);
		const channel = t.channel();
		await page.evaluate(([transports, emulationEndpoint, c]) => {
			window.client = new Centrifuge(transports,
			    { emulationEndpoint, minReconnectDelay: 50,
				maxReconnectDelay: 500 });
			window.names = [];
			window.client.on('connected', (x) =>
			    window.names.push(x.transport));
			window.sub = window.client.newSubscription(c);
			window.sub.on('publication', (x) =>
			    window.got.push(x.data));
			window.sub.subscribe();
			window.client.connect();
			return window.sub.ready(15000);
		}, [[{ transport: 'websocket',
			endpoint: `${origin.replace('http', 'ws')}/ws` },
		{ transport: kind, endpoint: `${base}/connection/${kind}` }],
		`${base}/emulation`, channel]);
		assert.deepEqual(await page.evaluate(() => window.names),
		    [kind]);
		await page.evaluate(() => window.sub.publish('from the page'));
		assert.deepEqual(await got(page, 1), ['from the page']);
		await s.publish(channel, 'from the API');
		assert.equal((await got(page, 2))[1], 'from the API');
		s.proc.kill('SIGKILL');
		await s.exited;
		s.status = undefined;
		await s.start(s.port);
		await eventually(() => page.evaluate(() =>
		    window.names.length === 2), 'it is back', 20000);
		await page.evaluate(() => window.sub.ready(15000));
		await s.publish(channel, 'again');
		assert.equal((await got(page, 3))[2], 'again');
		await page.evaluate(() => window.client.disconnect());
	}, one);

await run();
