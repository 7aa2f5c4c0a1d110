/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Clients of the HTTP streams, for tests: a raw one that takes an answer
 * apart as it comes, and the browser's EventSource for Node.
 */
import { IS_FUGU, assert, eventually } from './harness.mjs';
import { Tcp, WAIT } from './wire.mjs';

/* Another server may send chunks, but not to HTTP/1.0. */
const VERSION = IS_FUGU ? '1.1' : '1.0';

/* One stream over a connection of its own: its head, then messages. */
export class Stream {
	static async open(port, method, target, { body, headers = {},
	    version = VERSION } = {}) {
		const t = await Tcp.open(port);
		const h = { Host: `127.0.0.1:${port}`, ...headers };
		if (body !== undefined)
			h['Content-Length'] = Buffer.byteLength(body);
		t.send(`${method} ${target} HTTP/${version}\r\n` +
		    Object.entries(h).map(([k, v]) => `${k}: ${v}\r\n`)
			.join('') + '\r\n' + (body ?? ''));
		const s = new Stream();
		s.tcp = t;
		const r = await t.response(WAIT, { head: true });
		Object.assign(s, { status: r.status, headers: r.headers });
		s.sse = /event-stream/.test(r.headers['content-type']);
		s.start = s.sse ? (await t.until(() => t.buf.length >= 2 ?
		    t.take(2) : undefined, WAIT)).toString() : '';
		return s;
	}
	/* The next message as text; undefined: none within ms, or the end. */
	async text(ms = WAIT) {
		const end = this.sse ? '\n\n' : '\n';
		const t = await this.tcp.until(() => {
			const i = this.tcp.buf.indexOf(end);
			return i < 0 ? undefined :
			    this.tcp.take(i + end.length).toString();
		}, ms);
		if (t === undefined)
			return undefined;
		if (!this.sse)
			return t.slice(0, -1);
		assert.match(t, /^data: [^\r\n]*\n\n$/);
		return t.slice(6, -2);
	}
	/* The same, parsed, pings left out. */
	async next(ms) {
		for (;;) {
			const t = await this.text(ms);
			if (t === undefined)
				return undefined;
			if (t !== '{}')
				return JSON.parse(t);
		}
	}
	/* The answer to the command with that id; pushes before it are lost. */
	async reply(id) {
		for (;;) {
			const m = await this.next();
			assert.ok(m, `no reply to ${id}`);
			if (m.id === id)
				return m;
		}
	}
	async push() {
		const m = await this.next();
		assert.ok(m?.push, `no push: ${JSON.stringify(m)}`);
		return m.push;
	}
	async ended(ms = WAIT) {
		return await this.text(ms) === undefined && this.tcp.ended;
	}
	close() {
		this.tcp.close();
	}
}

export const lines = (...commands) =>
    commands.map((c) => JSON.stringify(c)).join('\n');

export const query = (v) => `?cf_connect=${encodeURIComponent(
    typeof v === 'string' ? v : JSON.stringify(v))}`;

/* A client with commands by way of /emulation. */
export class Emulated {
	static async open(s, kind, connect = {}, more = []) {
		const e = new Emulated();
		const text = lines({ id: 1, connect }, ...more);
		e.server = s;
		e.stream = kind === 'sse' ?
		    await Stream.open(s.port, 'GET',
			`/connection/sse${query(text)}`) :
		    await Stream.open(s.port, 'POST', '/connection/http_stream',
			{ body: text });
		assert.equal(e.stream.status, 200);
		e.connect = (await e.stream.reply(1)).connect;
		return e;
	}
	/* Send commands on a connection of their own. */
	async send(...commands) {
		const r = await this.server.http('POST', '/emulation', { body:
		    JSON.stringify({ session: this.connect.session,
			node: this.connect.node, data: lines(...commands) }) });
		assert.equal(r.status, 204);
	}
	async call(command) {
		await this.send(command);
		return this.stream.reply(command.id);
	}
	close() {
		this.stream.close();
	}
}

/* What an SDK needs of the browser's class. */
export class EventSourceLike {
	constructor(url) {
		this.stop = new AbortController();
		this.run(url).catch(() => {});
	}
	async run(url) {
		try {
			const r = await fetch(url, { signal: this.stop.signal });
			if (r.status !== 200)
				throw new Error(`status ${r.status}`);
			this.onopen?.({});
			let text = '';
			for await (const part of r.body.pipeThrough(
			    new TextDecoderStream())) {
				text += part;
				let i;
				while ((i = text.indexOf('\n\n')) >= 0) {
					const m = text.slice(0, i).trimStart();
					text = text.slice(i + 2);
					assert.match(m, /^data: .*$/);
					this.onmessage?.({ data: m.slice(6) });
				}
			}
			throw new Error('the end');
		} catch (e) {
			if (!this.stop.signal.aborted)
				this.onerror?.(e);
		}
	}
	close() {
		this.stop.abort();
	}
}

/* Wait until the server counts that many open transports. */
export const open = (s, n) => eventually(async () =>
    await s.metric('centrifugo_client_connections_inflight') === n,
    `${n} connections are open`);
