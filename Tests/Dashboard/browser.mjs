// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A headless Chromium, driven over its DevTools protocol through a pipe: NUL-terminated JSON on descriptors 3 and 4.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Browser {
    #process;
    #folder;
    #pending = new Map();
    #listeners = [];
    #next = 1;
    #rest = '';

    constructor(program) {
        this.#folder = mkdtempSync(join(tmpdir(), 'ipcg-browser-'));
        const options = [
            '--headless=new', '--remote-debugging-pipe', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
            '--no-first-run', '--disable-background-networking', '--disable-extensions', '--hide-scrollbars',
            `--user-data-dir=${this.#folder}`,
        ];
        this.#process = spawn(program, options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
        this.#process.on('exit', (code) => this.#fail(new Error(`the browser has ended (${code})`)));
        this.#process.on('error', (error) => this.#fail(error));
        this.#process.stdio[4].on('data', (data) => this.#receive(data));
    }

    #fail(error) {
        for (const { reject } of this.#pending.values()) reject(error);
        this.#pending.clear();
    }

    #receive(data) {
        this.#rest += data.toString('utf8');
        const messages = this.#rest.split('\0');
        this.#rest = messages.pop();
        for (const text of messages) {
            const message = JSON.parse(text);
            const waiting = this.#pending.get(message.id);
            if (!waiting) {
                for (const listener of this.#listeners) listener(message);
                continue;
            }
            this.#pending.delete(message.id);
            if (message.error) waiting.reject(new Error(message.error.message));
            else waiting.resolve(message.result);
        }
    }

    /** Sends a command, and waits for its result. */
    send(method, params = {}, sessionId = undefined) {
        const id = this.#next++;
        this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    }

    onEvent(listener) {
        this.#listeners.push(listener);
    }

    async open(url) {
        const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
        const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
        const page = new Page(this, sessionId);
        for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
        await page.send('Page.navigate', { url });
        return page;
    }

    async close() {
        this.#process.removeAllListeners('exit');
        const ended = new Promise((resolve) => this.#process.on('exit', resolve));
        const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
        this.send('Browser.close').catch(() => {});
        await ended;
        clearTimeout(timer);
        // Its helpers outlive it for a moment, and write into the folder until they notice.
        for (let attempt = 0; attempt < 100; attempt += 1) {
            try {
                rmSync(this.#folder, { recursive: true, force: true });
                return;
            } catch {
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
        }
    }
}

export class Page {
    /** What the page has complained of: exceptions, violations of its policy, failed requests. */
    complaints = [];
    /** The addresses that it has asked for. */
    requests = [];

    constructor(browser, session) {
        this.browser = browser;
        this.session = session;
        browser.onEvent(({ sessionId, method, params }) => {
            if (sessionId !== session) return;
            if (method === 'Runtime.exceptionThrown') this.complaints.push(params.exceptionDetails.exception?.description);
            if (method === 'Log.entryAdded' && params.entry.level === 'error') this.complaints.push(params.entry.text);
            if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
        });
    }

    send(method, params) {
        return this.browser.send(method, params, this.session);
    }

    /** The value of an expression in the page. */
    async value(expression) {
        const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    }

    /** Presses a key. */
    async press(key, code = key, text = undefined) {
        const virtual = { Tab: 9, ArrowLeft: 37, Escape: 27, p: 80 }[key];
        const event = { key, code, text, windowsVirtualKeyCode: virtual };
        await this.send('Input.dispatchKeyEvent', { ...event, type: 'keyDown' });
        await this.send('Input.dispatchKeyEvent', { ...event, type: 'keyUp' });
    }

    async resize(width, height, isPhone = false) {
        const metrics = { width, height, deviceScaleFactor: 1, mobile: isPhone };
        await this.send('Emulation.setDeviceMetricsOverride', metrics);
    }

    async scheme(value) {
        const features = [{ name: 'prefers-color-scheme', value }];
        await this.send('Emulation.setEmulatedMedia', { features });
    }

    /** A picture of the window, PNG. */
    async picture() {
        const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
        return Buffer.from(data, 'base64');
    }
}
