/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Tokens signed with public keys: RSA and elliptic curves, with the key in
 * the configuration or behind a JWKS endpoint, for connections and for
 * subscriptions.  Keys are made anew in each run.
 */
import crypto from 'node:crypto';
import http from 'node:http';
import { assert, now, run, test, token } from './harness.mjs';
import { CLOSED, NAMESPACES, error, opened, says, user, welcome }
	from './talk.mjs';

const CURVES = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
/* All are made here: it can take seconds, in which nothing else is done, and
 * what is connected by then waits too long. */
const made = () => {
	const all = { RSA: crypto.generateKeyPairSync('rsa',
	    { modulusLength: 2048 }) };
	for (const [alg, namedCurve] of Object.entries(CURVES))
		all[alg] = crypto.generateKeyPairSync('ec', { namedCurve });
	return all;
};
const OURS = made();
const OTHERS = made();
const pair = (alg, all = OURS) => all[alg] || all.RSA;
const pem = (alg) => pair(alg).publicKey.export({ type: 'spki',
	format: 'pem' });

const b64 = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');

/* A token signed with that pair's private key. */
function signed(alg, claims, { kid, keys = pair(alg) } = {}) {
	const text = `${b64({ alg, typ: 'JWT', kid })}.${b64(claims)}`;
	const mac = crypto.sign(`sha${alg.slice(2)}`, Buffer.from(text), {
		key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
	return `${text}.${mac.toString('base64url')}`;
}

async function accepted(s, text) {
	const w = await opened(s, { token: text });
	await welcome(w);
	w.close();
}

async function refused(s, text) {
	const w = await opened(s, { token: text });
	assert.deepEqual(await w.closed(), CLOSED.token);
	w.close();
}

/* Some bit of the signature turned. */
function turned(text) {
	const i = text.lastIndexOf('.') + 20;
	return text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') +
	    text.slice(i + 1);
}

const ALGS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

for (const alg of ALGS)
	test(`token_${alg}`, async (t) => {
		const s = await t.server({ client: { token: {
			[alg[0] === 'R' ? 'rsa_public_key' :
			    'ecdsa_public_key']: pem(alg) } } });
		await accepted(s, signed(alg, { sub: 'u' }));
		await accepted(s, token({ sub: 'u' }));
		await refused(s, turned(signed(alg, { sub: 'u' })));
		await refused(s, signed(alg, { sub: 'u' },
		    { keys: pair(alg, OTHERS) }));
		/* The public key is no secret. */
		await refused(s, token({ sub: 'u' }, { secret: pem(alg) }));
		await refused(s, token({ sub: 'u' }, { secret: pem(alg),
			header: { alg } }));
	});

test('curve_of_another_size_is_refused', async (t) => {
	const s = await t.server({ client: { token: {
		ecdsa_public_key: pem('ES256') } } });
	await accepted(s, signed('ES256', { sub: 'u' }));
	for (const alg of ['ES384', 'ES512'])
		await refused(s, signed(alg, { sub: 'u' },
		    { keys: OURS.ES256 }));
	await refused(s, signed('RS256', { sub: 'u' }));
});

/* An endpoint that counts how often it was asked. */
async function endpoint(t, keys) {
	const server = http.createServer((req, res) => {
		server.asked++;
		res.setHeader('Content-Type', 'application/json');
		res.end(JSON.stringify({ keys: keys(req.url) }));
	});
	server.asked = 0;
	await new Promise((r) => server.listen(0, '127.0.0.1', r));
	t.after(() => {
		server.closeAllConnections();
		return new Promise((r) => server.close(r));
	});
	server.url = `http://127.0.0.1:${server.address().port}`;
	return server;
}

const jwk = (alg, more) => ({ ...pair(alg).publicKey.export({
	format: 'jwk' }), use: 'sig', alg, kid: alg, ...more });

test('jwks_keys_by_kid', async (t) => {
	const e = await endpoint(t, () => [...ALGS.map((alg) => jwk(alg)),
		jwk('RS256', { kid: 'enc', use: 'enc' })]);
	const s = await t.ownServer({ client: { token: {
		jwks_public_endpoint: `${e.url}/jwks` } } });
	for (const kid of ALGS)
		await accepted(s, signed(kid, { sub: 'u' }, { kid }));
	const { asked } = e;
	assert.ok(asked >= 1);
	for (let i = 0; i < 5; i++)
		await accepted(s, signed('RS256', { sub: 'u' },
		    { kid: 'RS256' }));
	if (t.workers === 1)
		assert.equal(e.asked, asked, 'the key was kept');
	await refused(s, turned(signed('ES256', { sub: 'u' },
	    { kid: 'ES256' })));
	await refused(s, signed('RS256', { sub: 'u' }, { kid: 'other' }));
	await refused(s, signed('RS256', { sub: 'u' }, { kid: 'enc' }));
	await refused(s, signed('RS256', { sub: 'u' }));
	/* Keys of the configuration count for nothing now. */
	await refused(s, token({ sub: 'u' }));
});

test('jwks_endpoint_that_fails_is_3500', async (t) => {
	const s = await t.ownServer({ client: { token: {
		jwks_public_endpoint: 'http://127.0.0.1:1/jwks' } } });
	await refused(s, signed('RS256', { sub: 'u' }, { kid: 'RS256' }));
	const w = await s.connected();	/* others are served meanwhile */
	w.close();
});

test('jwks_endpoint_named_by_the_issuer', async (t) => {
	const e = await endpoint(t, (url) => url === '/one/jwks' ?
	    [jwk('RS256')] : url === '/two/jwks' ? [jwk('ES256')] : []);
	const s = await t.ownServer({ client: { token: {
		issuer_regex: '^https://(?P<realm>one|two)$',
		jwks_public_endpoint: `${e.url}/{{realm}}/jwks` } } });
	const from = (alg, iss) => signed(alg, { sub: 'u', iss },
	    { kid: alg });
	await accepted(s, from('RS256', 'https://one'));
	await accepted(s, from('ES256', 'https://two'));
	await refused(s, from('ES256', 'https://one'));
	await refused(s, from('RS256', 'https://three'));
	await refused(s, from('RS256', undefined));
});

test('audience_and_issuer_by_expression', async (t) => {
	const s = await t.server({ client: { token: {
		audience_regex: '^app-[0-9]+$', issuer_regex: '^(a|b)$' } } });
	for (const good of [{ aud: 'app-1', iss: 'a' },
	    { aud: ['x', 'app-22'], iss: 'b' }])
		await accepted(s, token({ sub: 'u', ...good }));
	for (const bad of [{ aud: 'app-', iss: 'a' }, { aud: 'app-1' },
	    { iss: 'a' }, { aud: 'app-1', iss: 'ab' },
	    { aud: [], iss: 'a' }])
		await refused(s, token({ sub: 'u', ...bad }));
});

test('subscription_tokens_with_public_keys', async (t) => {
	const s = await t.server({ ...NAMESPACES, client: {
		subscription_token: { enabled: true,
			rsa_public_key: pem('RS256') } } });
	const w = await user(s, 'ann');
	const claims = { sub: 'ann', channel: 'tok:a', exp: now() + 100 };
	const ask = (text) => ({ id: 2, subscribe: { channel: 'tok:a',
		token: text } });
	await says(w, ask(turned(signed('RS256', claims))), error(2, 103));
	await says(w, ask(token(claims)), error(2, 103));
	w.cmd(ask(signed('RS384', claims)));
	assert.equal((await w.reply()).subscribe.expires, true);
	w.close();
});

await run();
