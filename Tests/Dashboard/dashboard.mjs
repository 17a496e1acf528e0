// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// The dashboard in a real browser. Usage: node dashboard.mjs PROGRAM CHROMIUM [FOLDER]
//
// With a folder it makes pictures of the page under load instead: light.png, dark.png, phone.png.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from './browser.mjs';
import { Stage, eventually, hostile } from './stage.mjs';

const [program, chromium, folder] = process.argv.slice(2);
const stage = new Stage(program, folder ? '+90d' : '+3d');
const browser = new Browser(chromium);

const text = (id) => `document.getElementById('${id}').textContent`;
const cells = (id) => `[...document.querySelectorAll('#${id} tbody td')].map(c => c.textContent)`;
const step = (what) => console.log(`  ${what}`);

async function test() {
    const head = await fetch(stage.page);
    const policy = head.headers.get('content-security-policy');
    assert.match(policy, /^default-src 'none'; style-src 'nonce-\w+'; script-src 'nonce-\w+';/);
    assert.equal((await head.text()).includes('{{'), false);
    assert.notEqual((await fetch(stage.page)).headers.get('content-security-policy'), policy);
    step('the page has a policy of its own');

    const client = await stage.client('mallory', hostile.context);
    const page = await browser.open(stage.page);
    await eventually('the page has loaded', async () => (await page.value(text('live'))) === '1');
    await eventually('it lists the session', async () =>
        (await page.value(cells('sessions'))).includes(hostile.identity));
    step('it loads, and shows the session');

    const before = Date.now();
    const denied = await client.getChannel('sample').call('secret').catch((error) => error.name);
    assert.equal(denied, 'AccessDenied');
    await eventually('the refusal is shown', async () => (await page.value(cells('refusals'))).includes('no-secrets'));
    const delay = Date.now() - before;
    // On a machine that has nothing else to do it takes a second at most, the time between two questions.
    assert.ok(delay < 2000 * Number(process.env.TEST_PATIENCE ?? 1), `the refusal was shown after ${delay} ms`);
    step(`it shows a refused call, after ${delay} ms`);

    await client.getChannel(hostile.channel).call(hostile.command).catch(() => {});
    const shown = await eventually('the hostile call is shown', async () =>
        (await page.value(cells('refusals'))).find((cell) => cell.startsWith('call <svg')));
    assert.equal(shown, 'call <svg onload=window.hacked=3>.bi\\u{202e}di\\u{7}\\u{2028}');
    assert.ok((await page.value(cells('sessions'))).includes(hostile.context));
    assert.equal(await page.value('typeof window.hacked'), 'undefined');
    assert.equal(await page.value('document.images.length + document.querySelectorAll("td script, td svg").length'), 0);
    assert.equal(/[\u202a-\u202e\u2066-\u2069]/.test(await page.value('document.body.textContent')), false);
    step('it shows hostile names as text');

    for (let round = 0; round < 3; round++) await client.getChannel('sample').call('add', [1, 2]);
    await eventually('the calls are counted', async () => (await page.value(text('open'))).includes(' 5 in all'));
    await eventually('they are plotted', async () =>
        (await page.value("document.querySelectorAll('#plot-calls path').length")) === 2);
    const labels = await page.value("[...document.querySelectorAll('#plot-calls text')].map(t => t.textContent)");
    assert.ok(labels.includes('calls/s') && labels.includes('minutes') && labels.includes('now'), `${labels}`);
    step('it counts and plots');

    assert.match(await page.value(text('trouble')), /Expires within a week: CN=server/);
    step('it warns of what expires');

    await page.press('Tab');
    assert.equal(await page.value('document.activeElement.className'), 'skip');
    await page.value("document.getElementById('plot-sessions').focus()");
    await page.press('ArrowLeft');
    await page.press('ArrowLeft');
    assert.match(await page.value(text('v-sessions')), /\d s ago$/);
    await page.press('Escape');
    await page.press('p', 'KeyP', 'p');
    assert.equal(await page.value(text('pause')), 'Go on');
    await page.press('p', 'KeyP', 'p');
    assert.equal(await page.value(text('pause')), 'Pause');
    step('it can be used with a keyboard');

    await page.resize(360, 740, true);
    await eventually('it fits a phone', async () => (await page.value('document.scrollingElement.scrollWidth')) <= 360);
    const color = 'getComputedStyle(document.body).backgroundColor';
    await page.scheme('light');
    const light = await page.value(color);
    await page.scheme('dark');
    assert.notEqual(await page.value(color), light);
    step('it fits a phone, and the dark');

    assert.deepEqual(page.complaints, []);
    const origin = new URL(stage.page).origin;
    assert.deepEqual(page.requests.filter((url) => !url.startsWith(`${origin}/`) && url !== 'data:,'), []);
    step('it asks nobody but its gateway, and complains of nothing');

    stage.gateway.kill('SIGKILL');
    await eventually('it says that nobody answers', async () => (await page.value(text('state'))) === 'no answer');
    step('it says when its gateway is gone');
}

/** Pictures of the page while clients are busy. */
async function pictures() {
    let isOver = false;
    const busy = async (index) => {
        const client = await stage.client(['alice', 'bob', 'carol'][index % 3], `window:${index}`);
        const sample = client.getChannel('sample');
        if (index % 3 === 0) sample.listen('onTick')(() => {});
        for (let round = 0; !isOver; round++) {
            const pace = 6 + 5 * Math.sin(Date.now() / 9000 + index);
            await (round % 40 === 7 ? sample.call('sleep', 20 + 10 * index) : sample.call('add', [round, index]));
            if (round % (90 + 10 * index) === 5) await sample.call('secret').catch(() => {});
            if (round % 400 === 100) await client.getChannel('files').call('readFile').catch(() => {});
            await pause(pace * 4);
        }
        client.dispose();
    };
    const page = await browser.open(stage.page);
    await page.resize(1280, 1000);
    const clients = [];
    for (let index = 0; index < 9; index++) {
        clients.push(busy(index));
        await pause(12_000);
    }
    await pause(60_000);
    for (const scheme of ['light', 'dark']) {
        await page.scheme(scheme);
        await pause(1500);
        writeFileSync(join(folder, `${scheme}.png`), await page.picture());
    }
    await page.scheme('light');
    await page.resize(390, 1500, true);
    await pause(1500);
    writeFileSync(join(folder, 'phone.png'), await page.picture());
    isOver = true;
    await Promise.all(clients);
}

try {
    await stage.start();
    await (folder ? pictures() : test());
    console.log(folder ? 'pictures made' : 'the dashboard: good');
} finally {
    await browser.close();
    await stage.stop();
}
process.exit(0);
