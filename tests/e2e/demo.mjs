/*
 * SPDX-License-Identifier: ISC
 * Copyright (c) 2026 The fugu authors
 *
 * `fugu demo' as its visitor sees it: two windows of Chromium hear each
 * other, the curl line that the page shows reaches both, and both come back
 * after the server was away. Leaves $WORK/demo.png behind.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { FUGU, WORK, assert, eventually, freePort, need, run, test }
	from './harness.mjs';
import { Tcp } from './wire.mjs';

const { chromium } = need('playwright-core');
const sh = promisify(execFile);

async function get(port, target) {
	const t = await Tcp.open(port);
	t.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
	const r = await t.response();
	t.close();
	return r;
}

async function demo(t, port, workers) {
	const proc = spawn(FUGU, ['demo', '--http_server.address=127.0.0.1',
		`--http_server.port=${port}`, `--workers=${workers}`],
	    { cwd: WORK, stdio: ['ignore', 'pipe', 'pipe'] });
	const s = { proc, out: '' };
	proc.stdout.on('data', (d) => { s.out += d; });
	proc.stderr.on('data', (d) => { s.out += d; });
	s.exited = new Promise((r) => proc.once('exit', (code, signal) => {
		s.status = signal || code;
		r(s.status);
	}));
	t.after(() => s.status === undefined && proc.kill('SIGKILL'));
	await eventually(async () => {
		assert.equal(s.status, undefined, s.out);
		return (await get(port, '/').catch(() => ({}))).status === 200;
	}, 'the demo page', 20000);
	return s;
}

async function stop(s) {
	s.proc.kill('SIGTERM');
	assert.equal(await s.exited, 0, s.out);
}

test('demo_page_is_self_contained', async (t) => {
	const port = await freePort();
	const s = await demo(t, port, t.workers);
	const r = await get(port, '/');
	assert.match(r.headers['content-type'], /^text\/html/);
	assert.doesNotMatch(r.body, /@(TOKEN|API_KEY)@/);
	assert.doesNotMatch(r.body, /(src|href)\s*=|url\(|@import/);
	assert.ok(r.body.length < 16384, `${r.body.length} bytes`);
	await eventually(() => s.out.includes(`:${port}/`),
	    'the address is printed');
	await stop(s);
});

test('demo_two_windows_and_curl', async (t) => {
	const port = await freePort();
	let s = await demo(t, port, t.workers);
	const browser = await chromium.launch({
		executablePath: '/usr/bin/chromium', headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
			'--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync'] });
	t.after(() => browser.close());
	const complaints = [];
	const open = async (colorScheme) => {
		const context = await browser.newContext({ colorScheme,
			viewport: { width: 1100, height: 700 } });
		const page = await context.newPage();
		page.on('pageerror', (e) => complaints.push(String(e)));
		await page.goto(`http://127.0.0.1:${port}/`);
		await page.waitForSelector('#state.on', { timeout: 10000 });
		return page;
	};
	const one = await open('light');
	const two = await open('dark');
	const say = async (page, text) => {
		await page.fill('#text', text);
		await page.press('#text', 'Enter');
	};
	const hears = (page, text) =>
	    page.waitForSelector(`#log li:has-text("${text}")`,
		{ timeout: 10000 });

	for (const [from, to, text] of [
		[one, two, 'Anybody out there?'],
		[two, one, 'Loud and clear. Which window are you?'],
		[one, two, 'The bright one. Now curl:'],
	]) {
		await say(from, text);
		await hears(to, text);
		await hears(from, text);
	}
	await hears(one, ' ms');
	assert.match(await one.textContent('#rtt'), /^\d+\.\d ms$/);

	const line = await one.textContent('#curl');
	assert.match(line, new RegExp(`^curl http://127.0.0.1:${port}/`));
	const { stdout } = await sh('sh', ['-c', line]);
	assert.deepEqual(JSON.parse(stdout), { result: {} });
	for (const page of [one, two])
		await hears(page, 'hello');

	await say(two, 'Both of us heard it.');
	await hears(one, 'Both of us heard it.');
	const shot = { path: path.join(WORK, 'demo.png') };
	await one.screenshot(shot);
	await two.screenshot({ path: path.join(WORK, 'demo-dark.png') });
	assert.ok(fs.statSync(shot.path).size > 10000);

	await say(two, '<b>bold & "quoted"</b> \u{1f421}');
	await hears(one, '\u{1f421}');
	assert.equal(await one.evaluate(() =>
	    document.querySelectorAll('#log li > span > b').length), 0);

	await stop(s);
	await one.waitForSelector('#state:has-text("reconnecting")',
	    { timeout: 10000 });
	s = await demo(t, port, t.workers);
	for (const page of [one, two])
		await page.waitForSelector(
		    '#state:has-text("connected"), #state.off',
		    { timeout: 30000 });
	assert.deepEqual(complaints, []);
	await browser.close();
	await stop(s);
});

await run();
