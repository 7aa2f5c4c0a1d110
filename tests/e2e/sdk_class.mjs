/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * The JavaScript SDK in the encoding that ENCODING names ("json" or
 * "protobuf"), so that the same cases run in both. The SDK's protobuf build
 * takes and gives data as bytes; here they are JSON, and values on the
 * outside.
 */
import { need } from './harness.mjs';

export const PROTOBUF = process.env.ENCODING === 'protobuf';

const sdk = need(PROTOBUF ? 'centrifuge/build/protobuf' : 'centrifuge');

const toBytes = (v) => v === undefined ? v :
	new TextEncoder().encode(JSON.stringify(v));

/* v with all bytes in it parsed. Absent data are empty bytes. */
function fromBytes(v) {
	if (v instanceof Uint8Array)
		return v.length === 0 ? undefined :
		    JSON.parse(new TextDecoder().decode(v));
	if (Array.isArray(v))
		return v.map(fromBytes);
	if (v === null || typeof v !== 'object' || v instanceof Error)
		return v;
	return Object.fromEntries(Object.entries(v)
	    .map(([k, x]) => [k, fromBytes(x)]));
}

/* Let x, a client or a subscription, say values. */
function inValues(x) {
	const { on } = x;
	x.on = (name, f) => on.call(x, name, (ctx) => f(fromBytes(ctx)));
	for (const name of ['history', 'presence', 'presenceStats']) {
		const f = x[name];
		x[name] = async (...args) => fromBytes(await f.apply(x, args));
	}
	return x;
}

class Protobuf extends sdk.Centrifuge {
	constructor(endpoint, opt = {}) {
		super(endpoint, { ...opt, data: toBytes(opt.data) ?? null });
		inValues(this);
	}
	newSubscription(channel, opt = {}) {
		return inValues(super.newSubscription(channel, { ...opt,
			data: toBytes(opt.data) ?? null }));
	}
	/* Subscriptions publish by this, too. */
	publish(channel, data) {
		return super.publish(channel, toBytes(data));
	}
	async rpc(method, data) {
		return fromBytes(await super.rpc(method, toBytes(data)));
	}
}

export const Centrifuge = PROTOBUF ? Protobuf : sdk.Centrifuge;
export const { UnauthorizedError } = sdk;
