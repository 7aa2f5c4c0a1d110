/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * What every Node test shares: servers on free ports, tokens, HTTP calls,
 * and a runner that prints `PASS name' or `FAIL name: why' and exits with
 * nonzero when a case failed.
 *
 *	FUGU		the server's binary
 *	WORK		scratch directory
 *	PORTS		directory where each port that is taken leaves its
 *			number (see lib.sh)
 *	WORKERS		numbers of workers to test with, e.g. "1 2 4"
 *	ONLY		regular expression: run the cases whose name matches
 *	SERVER_KIND	anything but "fugu": FUGU is another server of the
 *			same protocol; cases about fugu alone are skipped
 *
 * Cases of one suite run side by side and share servers that have the same
 * configuration, so each takes channel names of its own (t.channel()).
 * After each case the servers it used must still be alive; when they are
 * stopped they must exit with 0, on time.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createRequire } from 'node:module';
import { TLS, Tcp, Wire } from './wire.mjs';

export { assert };

export const FUGU = process.env.FUGU;
export const WORK = process.env.WORK || fs.mkdtempSync('/tmp/fugu-e2e-');
const PORTS = process.env.PORTS || path.join(WORK, 'ports');
export const IS_FUGU = (process.env.SERVER_KIND || 'fugu') === 'fugu';
export const SECRET = 'e2e-secret';
export const API_KEY = 'e2e-key';

const WORKERS = IS_FUGU ?
	(process.env.WORKERS || '1 2 4').split(/\s+/).map(Number) : [1];
const SIDE_BY_SIDE = Number(process.env.SIDE_BY_SIDE || 6);
const CASE_MS = Number(process.env.CASE_MS || 180000);

/* Packages of npm; require() knows NODE_PATH, import does not. */
export const need = createRequire(import.meta.url);

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/* Call f until it gives something true; that, or an error after ms. */
export async function eventually(f, what, ms = 20000) {
	const end = Date.now() + ms;
	for (;;) {
		const v = await f();
		if (v)
			return v;
		if (Date.now() > end)
			throw new Error(`never happened: ${what}`);
		await sleep(20);
	}
}

/* A generator of choices (xorshift): the same for the same seed. */
export function chooser(seed) {
	let x = seed * 2654435761 >>> 0 || 1;
	const next = () => {
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		return x >>> 0;
	};
	return { below: (n) => next() % n, of: (a) => a[next() % a.length] };
}

/* A port nobody listens on or has been given before, below those the system
 * hands out. */
export function freePort() {
	return new Promise((resolve) => {
		const port = 10000 + crypto.randomInt(22000);
		fs.mkdirSync(PORTS, { recursive: true });
		try {
			fs.mkdirSync(path.join(PORTS, String(port)));
		} catch {
			resolve(freePort());
			return;
		}
		const s = net.createServer();
		s.once('error', () => resolve(freePort()));
		s.listen(port, '127.0.0.1', () => s.close(() => resolve(port)));
	});
}

/* Objects merged deep; arrays and scalars of b win. */
export function merge(a, b) {
	const out = { ...a };
	for (const [k, v] of Object.entries(b))
		out[k] = v && typeof v === 'object' && !Array.isArray(v) ?
		    merge(out[k] || {}, v) : v;
	return out;
}

/* Everybody may do everything; short enough to be read in one go. */
export const BASE = {
	http_server: { address: '127.0.0.1' },
	health: { enabled: true },
	prometheus: { enabled: true },
	client: {
		token: { hmac_secret_key: SECRET },
		allow_anonymous_connect_without_token: true,
		allowed_origins: ['*'],
	},
	http_api: { key: API_KEY },
	channel: { without_namespace: {
		allow_subscribe_for_client: true,
		allow_subscribe_for_anonymous: true,
		allow_publish_for_client: true,
		allow_publish_for_anonymous: true,
	} },
	...(IS_FUGU ? {} : { usage_stats: { disabled: true } }),
};

let serial = 0;

/* A running server. */
export class Server {
	constructor(config, workers, { args = [], env = {}, binary = FUGU } =
	    {}) {
		this.config = config;
		this.workers = workers;
		this.args = args;
		this.env = env;
		this.binary = binary;
	}
	/* On a free port, or on this one. */
	async start(port) {
		this.port = port || await freePort();
		this.file = path.join(WORK, `c${process.pid}-${++serial}.json`);
		const whole = merge(this.config,
		    { http_server: { port: this.port } });
		fs.writeFileSync(this.file, JSON.stringify(whole));
		const args = ['-c', this.file, ...this.args];
		if (IS_FUGU)
			args.push(`--workers=${this.workers}`);
		this.log = '';
		this.out = '';
		this.proc = spawn(this.binary, args, { cwd: WORK,
			env: { ...process.env, ...this.env },
			stdio: ['ignore', 'pipe', 'pipe'] });
		this.pid = this.proc.pid;
		this.proc.stdout.on('data', (d) => { this.out += d; });
		this.proc.stderr.on('data', (d) => { this.log += d; });
		this.exited = new Promise((r) => this.proc.once('exit',
		    (code, signal) => {
			this.status = signal || code;
			r(this.status);
		}));
		await eventually(async () => {
			if (this.status !== undefined)
				throw new Error(`server exited with ` +
				    `${this.status}: ${this.log}`);
			return this.health();
		}, 'the server answers', 20000);
		return this;
	}
	async health() {
		try {
			return (await this.http('GET', '/health', { port:
			    Number(this.config.http_server.internal_port ||
			    this.port) })).status === 200;
		} catch {
			return false;
		}
	}
	/* One request on a connection of its own. */
	async http(method, target, { body, headers = {},
	    port = this.port } = {}) {
		const t = await Tcp.open(port);
		const h = { Host: `127.0.0.1:${port}`, ...headers };
		if (body !== undefined)
			h['Content-Length'] = Buffer.byteLength(body);
		t.send(`${method} ${target} HTTP/1.1\r\n` + Object.entries(h)
		    .map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n' +
		    (body ?? ''));
		const r = await t.response(15000, { head: method === 'HEAD' });
		t.close();
		if (r === undefined)
			throw new Error(`no answer to ${method} ${target}`);
		return r;
	}
	/* Call of the server API; gives the answer's JSON. */
	async api(method, params) {
		const r = await this.http('POST', `/api/${method}`, {
			body: JSON.stringify(params),
			headers: { 'X-API-Key': API_KEY,
				'Content-Type': 'application/json' },
		});
		assert.equal(r.status, 200, `${method}: ${r.head}${r.body}`);
		return JSON.parse(r.body);
	}
	async publish(channel, data) {
		const r = await this.api('publish', { channel, data });
		assert.deepEqual(r, { result: {} });
	}
	/* The sum over the lines of /metrics with that name and (at least)
	 * these labels, in whatever order they are; undefined: no line. */
	async metric(name, labels = {}) {
		const r = await this.http('GET', '/metrics');
		let sum;
		for (const line of r.body.split('\n')) {
			const m = line.match(/^(\w+)(?:\{(.*)\})? (\S+)$/);
			if (!m || m[1] !== name)
				continue;
			const has = new Set(m[2]?.match(/\w+="[^"]*"/g));
			if (Object.entries(labels).every(([k, v]) =>
			    has.has(`${k}="${v}"`)))
				sum = (sum ?? 0) + Number(m[3]);
		}
		return sum;
	}
	ws() {
		return `ws${TLS ? 's' : ''}://127.0.0.1:${this.port}` +
		    '/connection/websocket';
	}
	open(opt) {
		return Wire.open(this.port, opt);
	}
	connected(connect, opt) {
		return Wire.connected(this.port, connect, opt);
	}
	async stop() {
		if (this.status === undefined)
			this.proc.kill('SIGTERM');
		const late = sleep(30000).then(() => 'too late');
		const status = await Promise.race([this.exited, late]);
		if (status === 'too late')
			this.proc.kill('SIGKILL');
		assert.equal(status, 0, `exit status; log: ${this.log}`);
	}
}

const b64 = (v) => Buffer.from(typeof v === 'string' ? v :
    JSON.stringify(v)).toString('base64url');

/* A signed token. */
export function token(claims, { secret = SECRET, alg = 'HS256', header } = {}) {
	const text = `${b64(header || { alg, typ: 'JWT' })}.${b64(claims)}`;
	const mac = crypto.createHmac(`sha${alg.slice(2)}`, secret)
	    .update(text).digest('base64url');
	return `${text}.${mac}`;
}

export const now = () => Math.floor(Date.now() / 1000);

/* What a case is given. */
class Case {
	constructor(name, workers, servers) {
		this.name = name;
		this.workers = workers;
		this.servers = servers;
		this.used = new Set();
		this.undo = [];
	}
	/* The shared server whose configuration is BASE with this on top. */
	async server(over = {}) {
		const key = JSON.stringify(over);
		if (!this.servers.has(key))
			this.servers.set(key, new Server(merge(BASE, over),
			    this.workers).start());
		const s = await this.servers.get(key);
		this.used.add(s);
		return s;
	}
	/* A server of this case's own: for figures, signals, ends. */
	async ownServer(over = {}, opt = {}) {
		const s = await new Server(merge(BASE, over), this.workers,
		    opt).start();
		this.after(() => s.status === undefined ? s.stop() : undefined);
		return s;
	}
	channel(tail = '') {
		return `${this.name.replace(/[^a-z0-9]+/gi, '_')}` +
		    `${++serial}${tail}`;
	}
	after(f) {
		this.undo.push(f);
	}
	async finish() {
		for (const f of this.undo.reverse())
			await f();
		for (const s of this.used)
			assert.ok(await s.health(),
			    `the server is not well after it: ${s.log}`);
	}
}

const cases = [];

/* Register a case; fugu: it is about fugu alone; quiet: nothing else runs
 * beside it. */
export function test(name, f, { fugu = false, quiet = false } = {}) {
	cases.push({ name, f, fugu, quiet });
}

const within = (ms, what, p) => {
	let timer;
	return Promise.race([p, new Promise((_, no) => {
		timer = setTimeout(() => no(new Error(what)), ms);
	})]).finally(() => clearTimeout(timer));
};

async function runCase(c, workers, servers) {
	const t = new Case(c.name, workers, servers);
	let why;
	try {
		await within(CASE_MS, 'took too long', c.f(t));
	} catch (e) {
		why = e;
	}
	try {
		await t.finish();
	} catch (e) {
		why = why || e;
	}
	const label = `${c.name} [${workers}]`;
	if (why === undefined)
		console.log(`PASS ${label}`);
	else
		console.log(`FAIL ${label}: ` + String(why.stack || why)
		    .replace(/\n\s*/g, ' | '));
	return why === undefined ? 0 : 1;
}

async function runWith(workers, chosen) {
	const servers = new Map();
	const queue = chosen.filter((c) => !c.quiet);
	/* Counted after the await: `n += await f()' would read n before. */
	let failed = 0;
	const one = async (c) => {
		const bad = await runCase(c, workers, servers);
		failed += bad;
	};
	await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
		for (let c; (c = queue.shift()) !== undefined;)
			await one(c);
	}));
	for (const c of chosen.filter((c) => c.quiet))
		await one(c);
	for (const s of servers.values()) {
		try {
			await (await s).stop();
		} catch (e) {
			failed++;
			console.log(`FAIL server stops [${workers}]: ` +
			    String(e.message).replace(/\n\s*/g, ' | '));
		}
	}
	return failed;
}

/* Run what was registered, once for each number of workers. */
export async function run() {
	const only = new RegExp(process.env.ONLY || '');
	const chosen = cases.filter((c) => only.test(c.name) &&
	    (IS_FUGU || !c.fugu));
	let failed = 0;
	for (const n of WORKERS)
		failed += await runWith(n, chosen);
	process.exit(failed ? 1 : 0);
}
