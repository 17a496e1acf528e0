// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A local server as careless as many: it believes every byte, and what it cannot read ends the process, since nobody
// catches what its socket handlers throw.
//
// Usage: node server.mjs SOCKET

import { createServer } from 'node:net';
import { FrameReader, ValueReader, encode, frame } from './protocol.mjs';

class Connection {
    #hasContext = false;
    #context;
    #active = new Map();

    constructor(socket) {
        this.socket = socket;
        const reader = new FrameReader((body) => this.#received(body));
        socket.on('data', (chunk) => reader.accept(chunk));
        socket.on('close', () => this.#active.forEach((stop) => stop()));
        socket.on('error', () => {});
    }

    #send(header, body) {
        if (this.socket.writable) this.socket.write(frame(encode(header), encode(body)));
    }

    #received(body) {
        const reader = new ValueReader(body);
        const header = reader.next();
        if (!this.#hasContext) {
            this.#hasContext = true;
            this.#context = header;
            this.#send([200]);
            return;
        }
        const argument = reader.next();
        const [kind, id, channel, name] = [header[0], header[1], header[2], header[3]];
        switch (kind) {
            case 100: return this.#call(id, channel, name, argument);
            case 102: return this.#listen(id, name);
            case 101:
            case 103:
                this.#active.get(id)?.();
                this.#active.delete(id);
        }
    }

    #call(id, channel, command, argument) {
        switch (`${channel}.${command}`) {
            case 'sample.echo': return this.#send([201, id], argument);
            case 'sample.add': return this.#send([201, id], argument.reduce((sum, number) => sum + number, 0));
            case 'sample.whoami': return this.#send([201, id], this.#context);
            case 'sample.never':
                this.#active.set(id, () => this.#send([202, id], { message: 'Canceled', name: 'Canceled' }));
                return;
            default:
                this.#send([202, id], { message: `there is no ${channel}.${command}`, name: 'Error' });
        }
    }

    #listen(id, event) {
        if (event !== 'onTick') return;
        let tick = 0;
        const timer = setInterval(() => this.#send([204, id], ++tick), 5);
        this.#active.set(id, () => clearInterval(timer));
    }
}

createServer((socket) => new Connection(socket)).listen(process.argv[2], () => console.log('listening'));
