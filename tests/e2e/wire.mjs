/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The wire, seen from the client's side: raw TCP, raw WebSocket frames
 * (RFC 6455), and on top of them a class with the browser's WebSocket
 * interface for the SDK.  It never repairs what the server sends: masked or
 * reserved-bit frames from the server, and a wrong handshake, are errors.
 * Needs nothing but Node.
 *
 *	E2E_TLS		1: the TCP connection carries TLS
 */
import net from 'node:net';
import tls from 'node:tls';
import crypto from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export const OP = { CONT: 0, TEXT: 1, BIN: 2, CLOSE: 8, PING: 9, PONG: 10 };

/* How long what must come is waited for, in ms. */
export const WAIT = 15000;

export const TLS = Boolean(Number(process.env.E2E_TLS || 0));

/* A TCP connection, or TLS on one, whose bytes are taken by predicate. */
export class Tcp {
	static open(port, { host = '127.0.0.1', family, secure = TLS,
	    ...options } = {}) {
		return new Promise((resolve, reject) => {
			const t = new Tcp();
			t.buf = Buffer.alloc(0);
			t.ended = false;
			t.waiters = new Set();
			t.raw = net.connect({ port, host, family });
			t.raw.setNoDelay(true);
			t.raw.on('error', reject);
			t.sock = secure ? tls.connect({ socket: t.raw, host,
				...options }) : t.raw;
			t.sock.once(secure ? 'secureConnect' : 'connect',
			    () => resolve(t));
			t.sock.once('error', reject);
			t.sock.on('error', (e) => { t.error = e; });
			t.sock.on('data', (d) => {
				t.buf = t.buf.length ? Buffer.concat([t.buf, d]) : d;
				t.wake();
			});
			t.sock.on('close', () => { t.ended = true; t.wake(); });
			t.sock.on('end', () => { t.ended = true; t.wake(); });
		});
	}
	wake() {
		for (const w of [...this.waiters])
			w();
	}
	send(data) {
		this.sock.write(data);
	}
	/* Resolve with what take() returns, once that is not undefined;
	 * undefined after ms, or when the peer closed without it. */
	until(take, ms) {
		return new Promise((resolve) => {
			const finish = (v) => {
				clearTimeout(timer);
				this.waiters.delete(check);
				resolve(v);
			};
			const check = () => {
				const v = take();
				if (v !== undefined || this.ended)
					finish(v);
			};
			const timer = setTimeout(() => finish(undefined), ms);
			this.waiters.add(check);
			check();
		});
	}
	take(n) {
		const out = this.buf.subarray(0, n);
		this.buf = this.buf.subarray(n);
		return out;
	}
	/* Everything until the peer closes, or what came within ms. */
	async all(ms = WAIT) {
		await this.until(() => undefined, ms);
		return this.take(this.buf.length).toString('latin1');
	}
	/* True when the peer has closed within ms. */
	async gone(ms = WAIT) {
		await this.until(() => undefined, ms);
		return this.ended;
	}
	/* One HTTP response: {status, headers, body}. */
	async response(ms = WAIT, { head = false } = {}) {
		const h = await this.until(() => {
			const i = this.buf.indexOf('\r\n\r\n');
			return i < 0 ? undefined :
			    this.take(i + 4).toString('latin1');
		}, ms);
		if (h === undefined)
			return undefined;
		const lines = h.trimEnd().split('\r\n');
		const headers = {};
		for (const l of lines.slice(1)) {
			const i = l.indexOf(':');
			headers[l.slice(0, i).toLowerCase()] =
			    l.slice(i + 1).trim();
		}
		const r = { status: Number(lines[0].split(' ')[1]), headers,
			head: h, body: '' };
		if (head || r.status === 101 || r.status === 204 || r.status < 200)
			return r;
		if (headers['transfer-encoding'] === 'chunked') {
			r.body = await this.chunks(ms);
		} else if (headers['content-length'] !== undefined) {
			const n = Number(headers['content-length']);
			const b = await this.until(() =>
			    this.buf.length >= n ? this.take(n) : undefined, ms);
			r.body = b === undefined ? undefined : b.toString();
		} else {
			r.body = await this.all(ms);
		}
		return r;
	}
	async chunks(ms) {
		let body = '';
		for (;;) {
			const n = await this.until(() => {
				const i = this.buf.indexOf('\r\n');
				return i < 0 ? undefined :
				    parseInt(this.take(i + 2).toString(), 16);
			}, ms);
			if (n === undefined)
				return undefined;
			const b = await this.until(() => this.buf.length >= n + 2 ?
			    this.take(n + 2).subarray(0, n) : undefined, ms);
			if (b === undefined)
				return undefined;
			if (n === 0)
				return body;
			body += b.toString();
		}
	}
	close() {
		this.sock.destroy();
		this.raw.destroy();
	}
	reset() {
		this.raw.resetAndDestroy();
	}
}

/* The handshake's request as text; headers given replace the usual ones
 * (null removes one). */
export function handshake(port, { path = '/connection/websocket', key,
    headers = {}, method = 'GET' } = {}) {
	const h = {
		Host: `127.0.0.1:${port}`,
		Upgrade: 'websocket',
		Connection: 'Upgrade',
		'Sec-WebSocket-Version': '13',
		'Sec-WebSocket-Key': key,
		...headers,
	};
	return `${method} ${path} HTTP/1.1\r\n` + Object.entries(h)
	    .filter(([, v]) => v !== null && v !== undefined)
	    .map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n';
}

/* One client frame, masked as clients must. */
export function frame(op, payload = '', { fin = true, mask = true,
    rsv = 0, len } = {}) {
	const p = Buffer.from(payload);
	const n = len ?? p.length;
	let head;
	if (n < 126) {
		head = Buffer.from([0, n]);
	} else if (n < 65536) {
		head = Buffer.from([0, 126, n >> 8, n & 255]);
	} else {
		head = Buffer.alloc(10);
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(n), 2);
	}
	head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
	if (!mask)
		return Buffer.concat([head, p]);
	head[1] |= 0x80;
	const m = crypto.randomBytes(4);
	const out = Buffer.allocUnsafe(p.length);
	for (let i = 0; i < p.length; i++)
		out[i] = p[i] ^ m[i & 3];
	return Buffer.concat([head, m, out]);
}

export function closePayload(code, reason = '') {
	const b = Buffer.alloc(2 + Buffer.byteLength(reason));
	b.writeUInt16BE(code, 0);
	b.write(reason, 2);
	return b;
}

/* A WebSocket client that speaks frames, and JSON lines on top. */
export class Wire {
	/* Opens, or throws an Error with .response for a refused handshake. */
	static async open(port, opt = {}) {
		const w = new Wire();
		const key = crypto.randomBytes(16).toString('base64');
		w.tcp = await Tcp.open(port);
		w.tcp.send(handshake(port, { key, ...opt }));
		const r = await w.tcp.response();
		const want = crypto.createHash('sha1').update(key + GUID)
		    .digest('base64');
		if (r === undefined || r.status !== 101 ||
		    r.headers['sec-websocket-accept'] !== want) {
			w.tcp.close();
			const e = new Error(`handshake: ${r && r.head}`);
			e.response = r;
			throw e;
		}
		w.response = r;
		w.autoPong = opt.autoPong ?? true;
		w.lines = [];
		w.pings = 0;
		return w;
	}
	send(op, payload, opt) {
		this.tcp.send(frame(op, payload, opt));
	}
	text(s) {
		this.send(OP.TEXT, s);
	}
	/* Commands, in one frame. */
	cmd(...commands) {
		this.text(commands.map((c) => JSON.stringify(c)).join('\n'));
	}
	/* Next frame as it came: {fin, op, data}, or undefined. */
	frame(ms = WAIT) {
		return this.tcp.until(() => {
			const b = this.tcp.buf;
			if (b.length < 2)
				return undefined;
			if (b[0] & 0x70 || b[1] & 0x80)
				throw new Error('masked or reserved bits');
			let n = b[1] & 0x7f;
			let at = 2;
			if (n === 126) {
				if (b.length < 4)
					return undefined;
				n = b.readUInt16BE(2);
				at = 4;
			} else if (n === 127) {
				if (b.length < 10)
					return undefined;
				n = Number(b.readBigUInt64BE(2));
				at = 10;
			}
			if (b.length < at + n)
				return undefined;
			const whole = this.tcp.take(at + n);
			return { fin: !!(whole[0] & 0x80), op: whole[0] & 15,
				data: whole.subarray(at) };
		}, ms);
	}
	/* Next data message, text or (a binary one) a Buffer; a close frame
	 * ends it: see closed(). */
	async message(ms = WAIT) {
		const end = Date.now() + ms;
		let whole = [];
		let binary = false;
		for (;;) {
			const f = await this.frame(end - Date.now());
			if (f === undefined)
				return undefined;
			if (f.op === OP.CLOSE) {
				this.close_ = f.data.length < 2 ? { code: 1005,
					reason: '' } : {
					code: f.data.readUInt16BE(0),
					reason: f.data.subarray(2).toString() };
				return undefined;
			}
			if (f.op === OP.PING) {
				this.send(OP.PONG, f.data);
				continue;
			}
			if (f.op === OP.PONG)
				continue;
			binary ||= f.op === OP.BIN;
			whole.push(f.data);
			if (!f.fin)
				continue;
			whole = Buffer.concat(whole);
			return binary ? whole : whole.toString();
		}
	}
	/* Next line of the protocol as text.  Server pings are counted,
	 * answered (unless autoPong is off) and skipped. */
	async line(ms = WAIT) {
		const end = Date.now() + ms;
		for (;;) {
			if (this.lines.length === 0) {
				const m = await this.message(end - Date.now());
				if (m === undefined)
					return undefined;
				this.lines = m.split('\n').filter((l) => l);
				continue;
			}
			const l = this.lines.shift();
			if (l !== '{}')
				return l;
			this.pings++;
			if (this.autoPong)
				this.text('{}');
		}
	}
	async reply(ms) {
		const l = await this.line(ms);
		return l === undefined ? undefined : JSON.parse(l);
	}
	/* The lines that come until ms passed without a further one. */
	async rest(ms = 300) {
		const out = [];
		for (let l; (l = await this.line(ms)) !== undefined;)
			out.push(l);
		return out;
	}
	/* The server's close {code, reason}, skipping messages before it;
	 * code 1006 when the connection ended without one; undefined when
	 * it is still open after ms. */
	async closed(ms = WAIT) {
		const end = Date.now() + ms;
		while (!this.close_ && Date.now() < end) {
			const l = await this.line(end - Date.now());
			if (l === undefined && !this.close_ && this.tcp.ended)
				this.close_ = { code: 1006, reason: '' };
		}
		return this.close_;
	}
	/* Ask, and give the reply with that id (others are dropped). */
	async call(command, ms = WAIT) {
		const end = Date.now() + ms;
		this.cmd(command);
		for (;;) {
			const r = await this.reply(end - Date.now());
			if (r === undefined || r.id === command.id)
				return r;
		}
	}
	/* Open and connect in one go. */
	static async connected(port, connect = {}, opt = {}) {
		const w = await Wire.open(port, opt);
		const r = await w.call({ id: 1, connect });
		if (!r || !r.connect)
			throw new Error(`connect: ${JSON.stringify(r)} ` +
			    JSON.stringify(w.close_));
		w.client = r.connect.client;
		return w;
	}
	close() {
		this.tcp.close();
	}
}

/* What a browser calls WebSocket, as far as the SDK uses it. */
export class BrowserSocket {
	constructor(url, protocols) {
		const u = new URL(url);
		const p = protocols && [].concat(protocols).join(', ');
		this.readyState = 0;
		this.binaryType = 'arraybuffer';
		const headers = p ? { 'Sec-WebSocket-Protocol': p } : {};
		Wire.open(Number(u.port), { path: u.pathname + u.search,
			headers }).then((w) => this.run(w), (e) => {
			this.readyState = 3;
			this.onerror?.(e);
			this.onclose?.({ code: 1006, reason: '',
				wasClean: false });
		});
	}
	async run(w) {
		this.wire = w;
		if (this.readyState !== 0) {
			w.close();
			return;
		}
		this.readyState = 1;
		this.onopen?.({});
		for (let m; (m = await w.message(2 ** 31 - 1)) !== undefined;)
			this.onmessage?.({ data: typeof m === 'string' ? m :
				Uint8Array.from(m).buffer });
		this.readyState = 3;
		if (w.close_ && w.close_.code >= 1000 && w.close_.code !== 1005)
			w.send(OP.CLOSE, closePayload(w.close_.code));
		w.tcp.sock.end();
		this.onclose?.({ wasClean: !!w.close_,
			...(w.close_ || { code: 1006, reason: '' }) });
	}
	send(data) {
		this.wire.send(typeof data === 'string' ? OP.TEXT : OP.BIN, data);
	}
	close(code = 1000, reason = '') {
		if (this.readyState === 1)
			this.wire.send(OP.CLOSE, closePayload(code, reason));
		if (this.readyState === 0)
			this.readyState = 3;
	}
}
