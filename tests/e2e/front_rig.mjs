/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Proxies in front of fugu, as the examples in contrib/ have them: exactly
 * those files, where only addresses, ports and paths are put elsewhere, by
 * changes each of which must find its place. fugu's configuration is the one
 * in the head of the file. Proxies are started on free ports, in a directory
 * of their own, and ended by their ids.
 *
 * A front is
 *	base	the URL that /connection/ and /emulation are below
 *	fugu	the Server behind it
 *	reload	tell the proxy to read its configuration again (not Caddy)
 *	log	what the proxy has logged
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BASE, Server, WORK, assert, eventually, freePort, merge }
	from './harness.mjs';

const CONTRIB = new URL('../../contrib/', import.meta.url).pathname;
export const CERT = path.join(WORK, 'cert.pem');
export const KEY = path.join(WORK, 'key.pem');

let serial = 0;

export const example = (name) =>
    fs.readFileSync(path.join(CONTRIB, name), 'utf8');

/* The text with these changes; a change without a place is an error. */
export function change(text, changes) {
	for (const [from, to] of changes) {
		assert.ok(text.includes(from), `no "${from}" to change`);
		text = text.replaceAll(from, to);
	}
	return text;
}

/* The configuration that the head of an example gives to fugu. */
export function configIn(name) {
	const m = example(name).match(/^#\t\{\n(?:#\t.*\n)+?#\t\}\n/m);
	assert.ok(m, `no configuration in ${name}`);
	return JSON.parse(m[0].replace(/^#\t/gm, ''));
}

/* fugu, with its internal endpoints on a port of their own. */
class Behind extends Server {
	http(method, target, opt = {}) {
		return super.http(method, target,
		    { port: this.internal, ...opt });
	}
	async health() {
		try {
			const r = await this.http('GET', '/health');
			return r.status === 200;
		} catch {
			return false;
		}
	}
	publish(channel, data) {
		return this.api('publish', { channel, data });
	}
	async kill() {
		this.proc.kill('SIGKILL');
		await this.exited;
		this.status = undefined;
	}
	/* Where it was. */
	again() {
		return this.start(this.port);
	}
}

const HISTORY = { history_size: 1000, history_ttl: '300s',
	force_recovery: true, presence: true, allow_presence_for_client: true,
	allow_presence_for_anonymous: true };

/* Start fugu as the example says; place(http_server, s) moves what it says
 * about places. */
async function behind(t, name, place, over = {}) {
	const config = configIn(name);
	const s = new Behind({}, t.workers);
	s.internal = await freePort();
	s.port = await freePort();
	place(config.http_server, s);
	s.config = merge(merge(merge(BASE, { log: { level: 'debug' },
		channel: { without_namespace: HISTORY } }), config), over);
	await s.start(s.port);
	t.after(() => s.status === undefined ? s.stop() : undefined);
	return s;
}

function onSocket(http, s) {
	s.socket = path.join(WORK, `${process.pid}-${++serial}.sock`);
	assert.equal(http.unix_socket.path, '/run/fugu/fugu.sock');
	http.unix_socket.path = s.socket;
	http.unix_socket.group = String(process.getgid());
	assert.equal(http.listeners[0].port, 9000);
	http.listeners[0].port = s.internal;
}

/* A program in the foreground. */
class Program {
	constructor(t, file, args, env = {}) {
		this.log = '';
		this.proc = spawn(file, args, { env: { ...process.env, ...env },
			stdio: ['ignore', 'pipe', 'pipe'] });
		this.proc.stdout.on('data', (d) => { this.log += d; });
		this.proc.stderr.on('data', (d) => { this.log += d; });
		this.exited = new Promise((r) => this.proc.once('close',
		    (code, signal) => r(this.status = signal ?? code)));
		this.proc.once('error', (e) => { this.log += e; });
		t.after(() => this.end());
	}
	get pid() {
		return this.proc.pid;
	}
	async end() {
		if (this.status !== undefined)
			return;
		this.proc.kill('SIGTERM');
		const timer = setTimeout(() => this.proc.kill('SIGKILL'), 3000);
		await this.exited;
		clearTimeout(timer);
	}
	async answers(url) {
		await eventually(async () => {
			assert.equal(this.status, undefined, this.log);
			return fetch(url, { redirect: 'manual' })
			    .then(() => true, () => false);
		}, `${url} answers; ${this.log}`);
	}
}

function directory() {
	const dir = path.join(WORK, `front${process.pid}-${++serial}`);
	fs.mkdirSync(dir);
	return dir;
}

/* ---- nginx ---- */

const SNIPPETS = ['fugu.conf', 'fugu-location.conf', 'fugu-upstream.conf',
	'fugu-proxy.conf'];

/* What Debian's nginx.conf has, and nothing about fugu but the http block's
 * text. */
const nginxConf = (dir, http) => `
daemon off;
pid ${dir}/pid;
error_log stderr notice;
worker_processes 1;
worker_shutdown_timeout 1s;
${process.getuid() === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path ${dir}/body;
	proxy_temp_path ${dir}/proxy;
	fastcgi_temp_path ${dir}/fastcgi;
	uwsgi_temp_path ${dir}/uwsgi;
	scgi_temp_path ${dir}/scgi;
	default_type text/plain;
	tcp_nopush on;
	sendfile on;
	gzip on;
	gzip_types text/plain text/event-stream application/octet-stream;
	${http}
}`;

/* changes: { file: [[from, to], ...] } of the files in contrib/nginx/. */
export async function startNginx(t, http, changes = {}) {
	const dir = directory();
	fs.mkdirSync(path.join(dir, 'snippets'));
	for (const name of SNIPPETS)
		fs.writeFileSync(path.join(dir, 'snippets', name),
		    change(example(`nginx/${name}`), changes[name] ?? []));
	fs.writeFileSync(path.join(dir, 'nginx.conf'), nginxConf(dir, http));
	const p = new Program(t, 'nginx', ['-p', dir, '-c',
		path.join(dir, 'nginx.conf'), '-e', 'stderr']);
	return { program: p, log: () => p.log,
		reload: async () => { p.proc.kill('SIGHUP'); } };
}

const timeouts = (seconds) => seconds ? [['75s', `${seconds}s`]] : [];

const upstream = (s) => [['unix:/run/fugu/fugu.sock', `unix:${s.socket}`]];

export async function nginxDomain(t, { over, seconds, more = [] } = {}) {
	const s = await behind(t, 'nginx/fugu.conf', onSocket, over);
	const [port, plain] = [await freePort(), await freePort()];
	const f = await startNginx(t, 'include snippets/fugu.conf;', {
		'fugu-upstream.conf': upstream(s),
		'fugu-proxy.conf': timeouts(seconds),
		'fugu.conf': [
			...more,
			['listen 443', `listen 127.0.0.1:${port}`],
			['listen [::]:443', `listen 127.0.0.2:${port}`],
			['listen 80', `listen 127.0.0.1:${plain}`],
			['listen [::]:80', `listen 127.0.0.2:${plain}`],
			['/etc/letsencrypt/live/fugu.example.org/fullchain.pem',
				CERT],
			['/etc/letsencrypt/live/fugu.example.org/privkey.pem',
				KEY],
		] });
	await f.program.answers(`http://127.0.0.1:${plain}`);
	return { ...f, fugu: s, base: `https://127.0.0.1:${port}`, port,
		plain };
}

/* The other line of fugu-upstream.conf: over TCP. */
export async function nginxLocation(t, { over, seconds } = {}) {
	const s = await behind(t, 'nginx/fugu-location.conf', (http, s) => {
		onSocket(http, s);
		delete http.tcp_disabled;
		http.trusted_proxies = ['127.0.0.1'];
	}, over);
	const port = await freePort();
	const f = await startNginx(t, `
	include snippets/fugu-upstream.conf;
	server {
		listen 127.0.0.1:${port};
		location / {
			return 200 "the web site";
		}
		location ~ (connection|emulation) {
			return 500;
		}
		include snippets/fugu-location.conf;
	}`, {
		'fugu-proxy.conf': timeouts(seconds),
		'fugu-upstream.conf': [
			['\tserver unix', '\t#server unix'],
			['\t#server 127.0.0.1:8000',
				`\tserver 127.0.0.1:${s.port}`] ] });
	const base = `http://127.0.0.1:${port}/fugu`;
	await f.program.answers(`http://127.0.0.1:${port}/`);
	return { ...f, fugu: s, base, port };
}

/* A proxy_pass and nothing else (but more), as it is written in a hurry; to
 * another front, or to a fugu of its own. */
export async function nginxNaive(t, { to, more = '' } = {}) {
	const s = to ? undefined :
	    await behind(t, 'nginx/fugu.conf', onSocket);
	const port = await freePort();
	const target = to ? `${to}/` : `http://unix:${s.socket}:`;
	const f = await startNginx(t, `server {
		listen 127.0.0.1:${port};
		location / {
			${more}
			proxy_pass ${target};
		}
	}`);
	const base = `http://127.0.0.1:${port}`;
	await f.program.answers(base);
	return { ...f, fugu: s, base, port };
}

/* ---- HAProxy ---- */

export async function startHaproxy(t, name, changes, seconds) {
	const file = path.join(directory(), 'haproxy.cfg');
	fs.writeFileSync(file, change(example(name), [
		['\tuser haproxy\n\tgroup haproxy\n', ''],
		['hard-stop-after 30s', 'hard-stop-after 1s'],
		...timeouts(seconds), ...changes]));
	const start = (...more) =>
	    new Program(t, 'haproxy', ['-db', '-f', file, ...more]);
	const f = { file, program: start(), log: () => f.program.log };
	/* As its service does it: a new process that ends the old one. */
	f.reload = async () => {
		const old = f.program;
		f.program = start('-sf', String(old.pid));
		await old.exited;
	};
	return f;
}

const checked = (f) => eventually(() => fetch(`${f.base}/connection/sse`)
    .then((r) => r.status === 400, () => false),
    `HAProxy has a server; ${f.log()}`);

/* unix: the other line of the server. */
export async function haproxy(t, { over, seconds, unix, version = 2 } = {}) {
	const s = await behind(t, 'haproxy/haproxy.cfg', (http, s) => {
		assert.equal(http.port, 8000);
		http.port = s.port;
		assert.equal(http.internal_port, 9000);
		http.internal_port = s.internal;
		if (unix) {
			s.socket = path.join(WORK,
			    `${process.pid}-${++serial}.sock`);
			http.unix_socket = { group: String(process.getgid()) };
			http.listeners = [{ name: 'haproxy',
				unix_socket: s.socket, proxy_protocol: true }];
			http.trusted_proxies = ['unix'];
			http.proxy_protocol = false;
		}
	}, over);
	const [port, plain] = [await freePort(), await freePort()];
	const pem = path.join(WORK, 'both.pem');
	fs.writeFileSync(pem, fs.readFileSync(CERT, 'utf8') +
	    fs.readFileSync(KEY, 'utf8'));
	const f = await startHaproxy(t, 'haproxy/haproxy.cfg', [
		['bind :443', `bind 127.0.0.1:${port}`],
		['bind :80', `bind 127.0.0.1:${plain}`],
		['/etc/haproxy/fugu.pem', pem],
		...(unix ? [['\tserver fugu1 127', '\t#server fugu1 127'],
			['\t#server fugu1 unix', '\tserver fugu1 unix']] : []),
		['/run/fugu/haproxy.sock', s.socket || '/none'],
		['127.0.0.1:8000', `127.0.0.1:${s.port}`],
		['check port 9000', `check inter 100ms port ${s.internal}`],
		['127.0.0.1 port 9000', `127.0.0.1 inter 100ms port ` +
			s.internal],
		['send-proxy-v2', version === 2 ? 'send-proxy-v2' :
			'send-proxy'],
	], seconds);
	Object.assign(f, { fugu: s, port, plain,
		base: `https://127.0.0.1:${port}` });
	await checked(f);
	return f;
}

export async function haproxyTcp(t, { over, seconds, version = 2 } = {}) {
	const lb = await freePort();
	const s = await behind(t, 'haproxy/haproxy-tcp.cfg', (http, s) => {
		assert.equal(http.port, 8000);
		http.port = s.port;
		assert.equal(http.internal_port, 9000);
		http.internal_port = s.internal;
		assert.equal(http.listeners[0].port, 8443);
		http.listeners[0].port = lb;
		http.tls.cert_pem = CERT;
		http.tls.key_pem = KEY;
	}, over);
	const port = await freePort();
	const f = await startHaproxy(t, 'haproxy/haproxy-tcp.cfg', [
		['bind :443', `bind 127.0.0.1:${port}`],
		['127.0.0.1:8443', `127.0.0.1:${lb}`],
		['check port 9000', `check inter 100ms port ${s.internal}`],
		['send-proxy-v2', version === 2 ? 'send-proxy-v2' :
			'send-proxy'],
	], seconds);
	Object.assign(f, { fugu: s, port, base: `https://127.0.0.1:${port}` });
	await checked(f);
	return f;
}

/* ---- Caddy ---- */

export async function caddy(t, { over } = {}) {
	const s = await behind(t, 'caddy/Caddyfile', onSocket, over);
	const dir = directory();
	const port = await freePort();
	const file = path.join(dir, 'Caddyfile');
	fs.writeFileSync(file, '{\n\tadmin off\n\tauto_https off\n' +
	    '\tskip_install_trust\n}\n' +
	    change(example('caddy/Caddyfile'), [
		['\nfugu.example.org {', `\nhttps://127.0.0.1:${port} {\n` +
			`\ttls ${CERT} ${KEY}`],
		['/run/fugu/fugu.sock', s.socket] ]));
	const p = new Program(t, 'caddy', ['run', '--config', file, '--adapter',
		'caddyfile'], { HOME: dir, XDG_DATA_HOME: dir,
		XDG_CONFIG_HOME: dir });
	const base = `https://127.0.0.1:${port}`;
	await p.answers(base);
	return { program: p, log: () => p.log, fugu: s, base, port };
}
