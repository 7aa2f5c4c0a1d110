/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * TLS as people live with it: certificates that change under load, the
 * JavaScript SDK over wss when the connection or the server goes, keys of
 * tokens behind https, and a browser on an https page that trusts the
 * authority of this run.
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { WORK, assert, eventually, need, run, sleep, test }
	from './harness.mjs';
import { CLOSED, opened, published, welcome } from './talk.mjs';
import { Tcp } from './wire.mjs';

const { Centrifuge } = need('centrifuge');
const WebSocket = need('ws');
const { PKI } = process.env;
const RELOADS = 200;

const pem = (name) => fs.readFileSync(path.join(PKI, name));

/* What the next handshake shows: the certificate's serial number. */
async function shown(s) {
	const c = await Tcp.open(s.port);
	const { serialNumber } = c.sock.getPeerCertificate();
	c.close();
	return serialNumber;
}

function install(dir, cert, key) {
	for (const [file, data] of [['key', key], ['pem', cert]]) {
		const name = path.join(dir, `live.${file}`);
		fs.writeFileSync(`${name}.new`, data);
		fs.renameSync(`${name}.new`, name);
	}
}

/* A server of its own with files that change. */
async function withFiles(t, over = {}) {
	const dir = fs.mkdtempSync(path.join(WORK, 'live-'));
	const first = [pem('first.pem'), pem('first.key')];
	const second = [pem('second.pem'), pem('second.key')];
	install(dir, ...first);
	const s = await t.ownServer(over, { env: {
		FUGU_HTTP_SERVER_TLS_CERT_PEM: path.join(dir, 'live.pem'),
		FUGU_HTTP_SERVER_TLS_KEY_PEM: path.join(dir, 'live.key'),
	} });
	return { s, dir, both: [first, second] };
}

test('tls_200_reloads_under_load', async (t) => {
	const { s, dir, both } = await withFiles(t);
	const channel = t.channel();
	const clients = await Promise.all(Array.from({ length: 10 },
	    async () => {
		const w = await s.connected();
		await w.call({ id: 2, subscribe: { channel } });
		t.after(() => w.close());
		return w;
	}));
	let over = false;
	let sent = 0;
	let came = 0;
	const publishing = (async () => {
		while (!over) {
			clients[sent % 10].cmd({ id: 3,
				publish: { channel, data: sent++ } });
			await sleep(3);
		}
	})();
	const coming = Promise.all([1, 2].map(async () => {
		while (!over) {
			(await s.connected()).close();
			came++;
		}
	}));
	const heard = clients.map(async (w) => {
		const got = [];
		for (let r; (r = await w.reply(20000)) !== undefined;) {
			if (r.push?.pub)
				got.push(r.push.pub.data);
			if (r.push?.pub.data === 'end')
				return got;
		}
		throw new Error(`lost: ${JSON.stringify(w.close_)}`);
	});
	/* Whose failing is told below, and not before. */
	for (const p of [publishing, coming, ...heard])
		p.catch(() => {});

	const serials = [await shown(s)];
	for (let i = 1; i <= RELOADS; i++) {
		install(dir, ...both[i % 2]);
		s.proc.kill('SIGHUP');
		if (i % 20 === 0) {
			/* What is half written is not taken. */
			await eventually(async () =>
			    await shown(s) === serials[0], 'the first again');
			fs.writeFileSync(path.join(dir, 'live.pem'),
			    both[1][0].subarray(0, 200));
			s.proc.kill('SIGHUP');
			await sleep(50);
			assert.equal(await shown(s), serials[0]);
			continue;
		}
		await eventually(async () => {
			const now = await shown(s);
			serials[i % 2] ??= now;
			if (i === 1 && now === serials[0])
				serials[1] = undefined;
			return now === serials[i % 2];
		}, `reload ${i} is seen`);
	}
	assert.notEqual(serials[0], serials[1]);
	over = true;
	await publishing;
	await coming;
	const end = await s.connected();
	await end.call({ id: 2, publish: { channel, data: 'end' } });
	end.close();
	for (const got of await Promise.all(heard)) {
		assert.equal(got.length, sent + 1, 'all of them');
		assert.equal(new Set(got).size, sent + 1, 'each once');
	}
	assert.ok(came > RELOADS / 4 && sent > RELOADS, `${came} ${sent}`);
}, { quiet: true });

/* ---- the SDK ---- */

const HISTORY = { channel: { without_namespace: { history_size: 100,
	history_ttl: '60s', force_recovery: true } } };

function sdk(t, s) {
	const c = new Centrifuge(s.ws(), { websocket: WebSocket,
		minReconnectDelay: 20, maxReconnectDelay: 100 });
	t.after(() => c.disconnect());
	c.connect();
	return c;
}

async function subscribed(c, channel) {
	const sub = c.newSubscription(channel);
	sub.got = [];
	sub.came = [];
	sub.on('publication', (ctx) => sub.got.push(ctx.data));
	sub.on('subscribed', (ctx) => sub.came.push(ctx));
	sub.subscribe();
	await sub.ready(10000);
	return sub;
}

test('tls_sdk_recovers_what_was_missed', async (t) => {
	const s = await t.server(HISTORY);
	const channel = t.channel();
	const c = sdk(t, s);
	const sub = await subscribed(c, channel);
	await published(s, channel, 0);
	await eventually(() => sub.got.length === 1, 'the first');
	assert.match(c._transport._transport.url, /^wss:/);
	c._transport._transport._socket.destroy();
	for (let i = 1; i <= 5; i++)
		await published(s, channel, i);
	await eventually(() => sub.got.length === 6, 'the others');
	assert.deepEqual(sub.got, [0, 1, 2, 3, 4, 5]);
	assert.equal(sub.came[1].recovered, true);
});

test('tls_sdk_comes_back_to_a_new_server', async (t) => {
	const s = await t.ownServer(HISTORY);
	const channel = t.channel();
	const sub = await subscribed(sdk(t, s), channel);
	await published(s, channel, 'before');
	await eventually(() => sub.got.length === 1, 'the first');
	await s.stop();
	s.status = undefined;
	await s.start(s.port);
	await eventually(() => sub.came.length === 2, 'it is back', 20000);
	assert.equal(sub.came[1].wasRecovering, true);
	assert.equal(sub.came[1].recovered, false, 'another epoch');
	await published(s, channel, 'after');
	await eventually(() => sub.got.length === 2, 'the second');
	assert.deepEqual(sub.got, ['before', 'after']);
});

test('tls_sdk_does_not_trust_strangers', async (t) => {
	const s = await t.server();
	const bad = https.createServer({ cert: pem('strange.pem'),
		key: pem('strange.key') });
	await new Promise((r) => bad.listen(0, '127.0.0.1', r));
	t.after(() => bad.close());
	const e = await Tcp.open(bad.address().port)
	    .then(() => undefined, (x) => x);
	assert.match(String(e), /verif|issuer|self.signed/);
	assert.ok(await s.health());
});

/* ---- keys of tokens ---- */

/* An https endpoint with the key set: URLs that were asked for. */
async function keySet(t, name, key) {
	const asked = [];
	const s = https.createServer({ cert: pem(`${name}.pem`),
		key: pem(`${name}.key`) }, (req, res) => {
		asked.push(req.url);
		res.setHeader('Content-Type', 'application/json');
		res.end(JSON.stringify({ keys: [{ kid: 'one', use: 'sig',
			...key.export({ format: 'jwk' }) }] }));
	});
	await new Promise((r) => s.listen(0, r));
	t.after(() => {
		s.closeAllConnections();
		return new Promise((r) => s.close(r));
	});
	return { port: s.address().port, asked };
}

const b64 = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');

function signed(privateKey) {
	const text = `${b64({ alg: 'ES256', kid: 'one' })}.` +
	    b64({ sub: 'ann' });
	return `${text}.${crypto.sign('sha256', text, { key: privateKey,
		dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/* A server that trusts that authority and gets its keys from there. */
const keyed = (t, authority, url) => t.ownServer({ client: { token: {
	jwks_public_endpoint: url } } }, { env: {
	SSL_CERT_FILE: path.join(PKI, `${authority}.pem`) } });

test('tls_jwks_over_https', async (t) => {
	const { publicKey, privateKey } = crypto.generateKeyPairSync('ec',
	    { namedCurve: 'P-256' });
	const e = await keySet(t, 'first', publicKey);
	const other = crypto.generateKeyPairSync('ec',
	    { namedCurve: 'P-256' });
	for (const host of ['localhost', '127.0.0.1']) {
		const s = await keyed(t, 'test CA',
		    `https://${host}:${e.port}/${host}`);
		const w = await opened(s, { token: signed(privateKey) });
		await welcome(w);
		w.close();
		const bad = await opened(s, { token:
			signed(other.privateKey) });
		assert.deepEqual(await bad.closed(), CLOSED.token);
		bad.close();
		assert.ok(e.asked.includes(`/${host}`));
	}
});

test('tls_jwks_of_strangers', async (t) => {
	const { publicKey, privateKey } = crypto.generateKeyPairSync('ec',
	    { namedCurve: 'P-256' });
	const e = await keySet(t, 'first', publicKey);
	/* Of another authority, and with another name. */
	for (const [authority, host, why] of [
	    ['stranger', '127.0.0.1', 'trusted CA'],
	    ['test CA', '127.0.0.2', 'not 127.0.0.2']]) {
		const s = await keyed(t, authority,
		    `https://${host}:${e.port}/keys`);
		const w = await opened(s, { token: signed(privateKey) });
		assert.deepEqual(await w.closed(), CLOSED.token);
		w.close();
		await eventually(() => s.log.includes(why), why);
	}
	assert.deepEqual(e.asked, []);
});

/* ---- a browser ---- */

/* A page over https. */
async function page(t, name) {
	const s = https.createServer({ cert: pem(`${name}.pem`),
		key: pem(`${name}.key`) }, (req, res) => {
		res.setHeader('Content-Type', 'text/html');
		res.end('<!doctype html><title>page</title>');
	});
	await new Promise((r) => s.listen(0, '127.0.0.1', r));
	t.after(() => s.close());
	return `https://localhost:${s.address().port}`;
}

const talk = ([url, channel]) => new Promise((resolve) => {
	const ws = new WebSocket(url);
	const heard = [];
	const say = (o) => ws.send(JSON.stringify(o));
	ws.onopen = () => say({ id: 1, connect: {} });
	ws.onclose = (e) => resolve({ heard, code: e.code });
	ws.onmessage = (e) => {
		for (const l of e.data.split('\n')) {
			const m = JSON.parse(l);
			if (m.id === 1)
				say({ id: 2, subscribe: { channel } });
			else if (m.id === 2)
				say({ id: 3, publish: { channel, data:
					'x'.repeat(50000) } });
			else if (m.push)
				heard.push(m.push.pub.data.length);
			if (heard.length)
				ws.close(1000);
		}
	};
});

test('tls_chromium_on_an_https_page', async (t) => {
	const { chromium } = need('playwright-core');
	const origin = await page(t, 'first');
	const strange = await page(t, 'strange');
	const s = await t.ownServer({ client: { allowed_origins: [origin] } });
	const browser = await chromium.launch({
		executablePath: '/usr/bin/chromium', headless: true,
		env: { ...process.env, HOME: path.join(WORK, 'home') },
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
			'--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync'] });
	t.after(() => browser.close());
	const warned = await browser.newPage();
	const e = await warned.goto(strange).then(() => undefined, (x) => x);
	const tab = await browser.newPage();
	assert.match(String(e), /ERR_CERT_AUTHORITY_INVALID/);
	await tab.goto(origin);
	const r = await tab.evaluate(talk, [`wss://localhost:${s.port}` +
		'/connection/websocket', t.channel()]);
	assert.deepEqual(r, { heard: [50000], code: 1000 });
	const bad = await tab.evaluate(talk, [strange.replace('https', 'wss'),
		'x']);
	assert.equal(bad.code, 1006);
}, { quiet: true });

await run();
