// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A client that knows nothing of the gateway but its address: calls, events and cancellation over TLS. Prints one JSON
// object with what came of them.
//
// Usage: node client.mjs PORT CERTIFICATE KEY CA

import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { FrameReader, ValueReader, encode, frame } from './protocol.mjs';

const [port, cert, key, ca] = process.argv.slice(2);
const socket = connect({
    host: '127.0.0.1',
    port: Number(port),
    servername: 'localhost',
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca),
    ALPNProtocols: ['vscode-ipc'],
});

let lastId = -1;
let ready;
const waiting = new Map();
const isReady = new Promise((resolve) => { ready = resolve; });

const reader = new FrameReader((body) => {
    const values = new ValueReader(body);
    const [kind, id] = values.next();
    const value = values.next();
    if (kind === 200) ready();
    else waiting.get(id)?.(kind, value);
});
socket.on('data', (chunk) => reader.accept(chunk));
socket.on('error', (error) => { throw error; });

function request(header, argument) {
    const id = ++lastId;
    socket.write(frame(encode([header[0], id, ...header.slice(1)]), encode(argument)));
    return id;
}

function call(channel, command, argument) {
    const id = request([100, channel, command], argument);
    return { id, answer: new Promise((resolve) => {
        waiting.set(id, (kind, value) => resolve(kind === 201 ? value : { kind, name: value.name }));
    }) };
}

function listen(channel, event, count) {
    const payloads = [];
    const id = request([102, channel, event]);
    return new Promise((resolve) => waiting.set(id, (kind, value) => {
        payloads.push(value);
        if (payloads.length < count) return;
        waiting.delete(id);
        socket.write(frame(encode([103, id]), encode(undefined)));
        resolve(payloads);
    }));
}

socket.on('secureConnect', async () => {
    socket.write(Buffer.concat([frame(encode('whatever')), frame(encode([200]), encode(undefined))]));
    await isReady;
    const result = {};
    result.whoami = await call('sample', 'whoami').answer;
    result.sum = await call('sample', 'add', [2, 3, 4]).answer;
    const big = Buffer.alloc(1 << 20, 7);
    const values = ['é', 'a\u0000b', [1, ['x']], { a: { b: null } }, 1.5, -1, big];
    const echoed = await Promise.all(values.map((value) => call('sample', 'echo', value).answer));
    result.echoes = echoed.every((value, index) => encode(value).equals(encode(values[index])));
    const ticks = await listen('sample', 'onTick', 3);
    result.ticks = ticks.every((tick, index) => tick === ticks[0] + index);
    const pending = call('sample', 'never');
    socket.write(frame(encode([101, pending.id]), encode(undefined)));
    result.cancelled = await pending.answer;
    result.denied = await call('secret', 'open').answer;
    result.protocol = socket.alpnProtocol;
    socket.end();
    console.log(JSON.stringify(result));
});
