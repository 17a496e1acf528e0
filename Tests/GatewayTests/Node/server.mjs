// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A local server as careless as many: it believes every byte, and what it cannot read ends the process, since nobody
// catches what its socket handlers throw.
//
// Usage: node server.mjs SOCKET

import { IPCServer, listen } from '../../InteropTests/Node/connections.mjs';
import { CanceledError } from '../../InteropTests/Node/events.mjs';

const sample = {
    call(context, command, argument, token) {
        switch (command) {
            case 'echo': return argument;
            case 'add': return argument.reduce((sum, number) => sum + number, 0);
            case 'whoami': return context;
            case 'never': return new Promise((_, reject) => token.onCancel(() => reject(new CanceledError())));
            default: throw new Error(`there is no sample.${command}`);
        }
    },
    listen(context, event) {
        if (event !== 'onTick') throw new Error(`there is no sample.${event}`);
        return (listener) => {
            let tick = 0;
            const timer = setInterval(() => listener(++tick), 5);
            return () => clearInterval(timer);
        };
    },
};

const server = new IPCServer();
server.registerChannel('sample', sample);
await listen({ unix: process.argv[2] }, server.accept);
console.log('listening');
