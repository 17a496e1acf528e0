// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A client that knows nothing of the gateway but its address: calls, events and cancellation. Prints one JSON
// object with what came of them.
//
// Usage: node client.mjs PORT CERTIFICATE KEY CA, or for a Unix socket: node client.mjs PATH

import { Kind } from '../../InteropTests/Node/channels.mjs';
import { IPCClient, connect } from '../../InteropTests/Node/connections.mjs';
import { encode } from '../../InteropTests/Node/protocol.mjs';

const [port, cert, key, ca] = process.argv.slice(2);
const socket = await connect(cert ? { port: Number(port), cert, key, ca } : { unix: port });
const client = new IPCClient(socket, 'whatever');
const sample = client.getChannel('sample');

function ticks(count) {
    const payloads = [];
    return new Promise((resolve) => {
        const detach = sample.listen('onTick')((payload) => {
            payloads.push(payload);
            if (payloads.length < count) return;
            detach();
            resolve(payloads);
        });
    });
}

/** Calls and cancels in one go, and waits for the answer, which a client normally ignores. */
function cancelled() {
    const id = 1_000_000;
    const { channelClient } = client;
    const answer = new Promise((resolve) => {
        const receive = channelClient.receive.bind(channelClient);
        channelClient.receive = (header, body) => {
            if (header[1] === id) resolve({ kind: header[0], name: body.name });
            else receive(header, body);
        };
    });
    client.send([Kind.call, id, 'sample', 'never'], undefined);
    client.send([Kind.cancel, id], undefined);
    return answer;
}

const result = {};
result.whoami = await sample.call('whoami');
result.sum = await sample.call('add', [2, 3, 4]);
const values = ['é', 'a\u0000b', [1, ['x']], { a: { b: null } }, 1.5, -1, Buffer.alloc(1 << 20, 7)];
const echoed = await Promise.all(values.map((value) => sample.call('echo', value)));
result.echoes = echoed.every((value, index) => encode(value).equals(encode(values[index])));
const [first, ...others] = await ticks(3);
result.ticks = others.every((tick, index) => tick === first + index + 1);
result.cancelled = await cancelled();
result.denied = await client.getChannel('secret').call('open').catch(({ name }) => ({ kind: Kind.failure, name }));
result.protocol = socket.alpnProtocol;
client.dispose();
console.log(JSON.stringify(result));
