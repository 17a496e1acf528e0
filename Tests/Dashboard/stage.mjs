// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A gateway with its dashboard, a server behind it, and clients whose names are hostile.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { IPCClient, connect } from '../InteropTests/Node/connections.mjs';

const patience = 30_000 * Number(process.env.TEST_PATIENCE ?? 4);

/** Waits until something holds. */
export async function eventually(what, holds, limit = patience) {
    const end = Date.now() + limit;
    let last;
    for (;;) {
        try {
            last = await holds();
            if (last) return last;
        } catch (error) {
            last = error;
        }
        if (Date.now() > end) throw new Error(`not in time: ${what} (${last})`);
        await pause(20);
    }
}

export const hostile = {
    identity: '<img src=x onerror="window.hacked=1">',
    context: '</td><script>window.hacked=2</script>',
    channel: '<svg onload=window.hacked=3>',
    command: 'bi\u202edi\u0007\u2028',
};

export class Stage {
    #children = [];

    /** Makes certificates; the gateway's is good for a time such as `+3d`. */
    constructor(program, lifetime = '+3d') {
        this.program = resolve(program);
        this.folder = mkdtempSync(join(tmpdir(), 'ipcg-dash-'));
        const authority = (...words) =>
            execFileSync(new URL('../../certs/dev-ca.sh', import.meta.url).pathname, words, { stdio: 'ignore' });
        authority('init', this.file('ca'));
        authority('server', this.file('ca'), 'server', '--dns', 'localhost', '--ip', '127.0.0.1', '--not-after', lifetime);
        authority('client', this.file('ca'), 'mallory', '--cn', hostile.identity);
        for (const name of ['alice', 'bob', 'carol']) authority('client', this.file('ca'), name);
        writeFileSync(this.file('gateway.yaml'), this.configuration);
    }

    file(name) {
        return join(this.folder, name);
    }

    get configuration() {
        return `
listeners:
  - { address: "127.0.0.1:0", tls: { certificate: ca/server.pem, key: ca/server-key.pem, clientCA: ca/ca.pem } }
upstreams: { main: { unix: main.sock } }
clients:
  - match: { commonName: "*" }
    context: { announced: ["*", "**"] }
    allow: [{ name: sampling, channel: sample, call: [add, echo, sleep, whoami], listen: [onTick] }]
    deny: [{ name: no-secrets, channel: sample, call: [secret] }]
admin: { unix: admin.sock, address: "127.0.0.1:0", control: true }
`;
    }

    #start(...words) {
        const child = spawn(this.program, words, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
        child.log = '';
        child.stderr.on('data', (data) => (child.log += data));
        this.#children.push(child);
        return child;
    }

    async start() {
        this.server = this.#start('demo', 'server', '--unix', 'main.sock');
        this.gateway = this.#start('run', '--config', 'gateway.yaml', '--log-format', 'json');
        const address = (message) => {
            const lines = this.gateway.log.split('\n').filter((line) => line.includes(`"${message}"`) && !line.includes('unix:'));
            return lines.length ? JSON.parse(lines[0]).address : undefined;
        };
        try {
            this.port = Number((await eventually('the gateway listens', () => address('listening'))).split(':').pop());
            this.page = `http://${await eventually('operators are served', () => address('operators are served'))}/`;
        } catch (error) {
            throw new Error(`${error.message}\n${this.gateway.log}`);
        }
    }

    /** A client of the gateway. */
    async client(name = 'alice', context = name) {
        const [cert, key] = [this.file(`ca/${name}.pem`), this.file(`ca/${name}-key.pem`)];
        const socket = await connect({ port: this.port, cert, key, ca: this.file('ca/ca.pem') });
        return new IPCClient(socket, context);
    }

    async stop() {
        for (const child of this.#children) {
            if (child.exitCode !== null || child.signalCode !== null) continue;
            const ended = new Promise((resolve) => child.on('exit', resolve));
            child.kill('SIGKILL');
            await ended;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}
