/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * Everything at once: clients that come, subscribe, publish, leave politely
 * or not, while the API publishes, unsubscribes, disconnects, counts, and the
 * configuration is reloaded. Whoever stays hears every channel in one order;
 * when all have left nothing is left of them. STORM_MS is how long, SEED
 * repeats a run's choices.
 */
import { assert, chooser, eventually, run, test, token }
	from './harness.mjs';

const MS = Number(process.env.STORM_MS || 4000);
const SEED = Number(process.env.SEED || Date.now() % 1000000);
const CHANNELS = Array.from({ length: 6 }, (_, i) => `storm${i}`);
const USERS = Array.from({ length: 5 }, (_, i) => `user${i}`);

/* Hears all channels to the end; what it heard, by channel. */
async function witness(s) {
	const w = await s.connected({ token: token({ sub: 'witness' }) });
	const heard = new Map(CHANNELS.map((c) => [c, []]));
	for (const channel of CHANNELS)
		assert.deepEqual(await w.call({ id: 2, subscribe: { channel } }),
		    { id: 2, subscribe: {} });
	const done = (async () => {
		let ends = 0;
		for (let r; (r = await w.reply(20000)) !== undefined;) {
			if (r.push?.pub)
				heard.get(r.push.channel).push(r.push.pub.data);
			if (r.push?.pub?.data === 'end' &&
			    ++ends === CHANNELS.length)
				return;
		}
		throw new Error(`lost: ${JSON.stringify(w.close_)}`);
	})();
	done.catch(() => {});
	return { w, heard, done };
}

/* One client after another until it is over. */
async function comeAndGo(s, pick, over, name) {
	let n = 0;
	while (!over()) {
		const w = await s.connected({ token: token(
		    { sub: pick.of(USERS) }) }).catch(() => undefined);
		if (!w)
			continue;
		const mine = new Set();
		let id = 2;
		for (let k = pick.below(30); k && !over(); k--) {
			const channel = pick.of(CHANNELS);
			const what = pick.below(5);
			if (what === 0 && mine.delete(channel))
				w.cmd({ id: id++, unsubscribe: { channel } });
			else if (what === 1 && !mine.has(channel) &&
			    mine.add(channel))
				w.cmd({ id: id++, subscribe: { channel } });
			else
				w.cmd({ id: id++, publish: { channel,
					data: `${name}.${n++}` } });
			if (pick.below(3) === 0)
				await w.rest(pick.below(4));
		}
		if (pick.below(2))
			w.tcp.sock.resetAndDestroy();
		else
			w.close();
	}
}

/* The API's calls. */
async function backend(s, pick, over) {
	for (let n = 0; !over(); n++) {
		const [user, channel] = [pick.of(USERS), pick.of(CHANNELS)];
		switch (pick.below(8)) {
		case 0:
			await s.api('disconnect', { user });
			break;
		case 1:
			await s.api('unsubscribe', { user, channel });
			break;
		case 2:
			await s.api('channels', {});
			break;
		case 3:
			await s.api('info', {});
			break;
		case 4:
			await s.http('GET', '/metrics');
			break;
		case 5:
			await s.api('broadcast', { channels: CHANNELS,
				data: `b${n}` });
			break;
		case 6:
			s.proc.kill('SIGHUP');
			break;
		default:
			await s.publish(channel, `a${n}`);
		}
	}
}

test(`storm_of_seed_${SEED}`, async (t) => {
	const s = await t.ownServer();
	const end = Date.now() + MS;
	const over = () => Date.now() > end;
	const witnesses = await Promise.all(Array.from({ length: 5 },
	    () => witness(s)));
	await Promise.all([
		...Array.from({ length: 12 }, (_, i) => comeAndGo(s,
		    chooser(SEED + i), over, `c${i}`)),
		...Array.from({ length: 3 }, (_, i) => backend(s,
		    chooser(SEED + 100 + i), over)),
	]);
	/* Nobody else is there; what they have said is on its way, ahead of
	 * the end. */
	await eventually(async () => await s.metric(
	    'centrifugo_node_num_clients') === witnesses.length,
	    'the others are gone');
	for (const c of CHANNELS)
		await s.publish(c, 'end');
	await Promise.all(witnesses.map((w) => w.done));
	const [first, ...others] = witnesses;
	let total = 0;
	for (const c of CHANNELS) {
		total += first.heard.get(c).length;
		for (const o of others)
			assert.deepEqual(o.heard.get(c), first.heard.get(c));
	}
	assert.ok(total > 100, `${total} messages only`);
	witnesses.forEach((x) => x.w.close());
	for (const n of ['num_clients', 'num_users', 'num_subscriptions',
	    'num_channels'])
		await eventually(async () =>
		    await s.metric(`centrifugo_node_${n}`) === 0,
		    `${n} back to 0`, 15000);
	assert.deepEqual(await s.api('channels', {}),
	    { result: { channels: {} } });
});

await run();
