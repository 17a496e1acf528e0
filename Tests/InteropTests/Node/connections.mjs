// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Connections over Unix sockets and TLS (PROTOCOL 4, 7). A place is `{ unix }`, or `{ port, cert, key, ca }` with the
// files of certificates.

import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { ChannelClient, ChannelServer, Kind } from './channels.mjs';
import { Emitter } from './events.mjs';
import { FrameReader, ValueReader, encode, frame } from './protocol.mjs';

const applicationProtocols = ['vscode-ipc'];

function credentials({ cert, key, ca }) {
    return {
        ...(cert && { cert: readFileSync(cert), key: readFileSync(key) }),
        ca: readFileSync(ca),
        ALPNProtocols: applicationProtocols,
    };
}

/** Connects; resolves with a socket that can be written to. */
export function connect(place) {
    return new Promise((resolve, reject) => {
        const socket = place.unix
            ? net.connect(place.unix, () => resolve(socket))
            : tls.connect(
                { host: '127.0.0.1', port: place.port, servername: 'localhost', ...credentials(place) },
                () => resolve(socket),
            );
        socket.on('error', reject);
    });
}

/** Listens; resolves with the port, where there is one. */
export function listen(place, accept) {
    return new Promise((resolve) => {
        const server = place.unix
            ? net.createServer(accept)
            : tls.createServer({ ...credentials(place), requestCert: true, rejectUnauthorized: true }, accept);
        server.listen(place.unix ?? { host: '127.0.0.1', port: 0 }, () => resolve(server.address().port));
    });
}

/** One connection, at either end. Whoever throws on receipt ends the process: nobody catches it. */
class Connection {
    onDidClose = new Emitter();
    isClosed = false;

    constructor(socket) {
        this.socket = socket;
        const reader = new FrameReader((body) => this.received(new ValueReader(body)));
        socket.on('data', (chunk) => reader.accept(chunk));
        socket.on('error', () => {});
        socket.on('close', () => this.#closed());
    }

    send = (header, body) => {
        const bytes = frame(encode(header), encode(body));
        if (this.socket.writable) this.socket.write(bytes);
    };

    /** The timeout, in milliseconds, is how long requests wait for a channel that nobody has registered. */
    open(context, timeout) {
        this.context = context;
        this.channelServer = new ChannelServer(this.send, context, timeout);
        this.channelClient = new ChannelClient(this.send);
    }

    passed(reader) {
        const header = reader.next();
        const body = reader.next();
        if (header[0] < Kind.initialize) this.channelServer.receive(header, body);
        else this.channelClient.receive(header, body);
    }

    getChannel(name) {
        return this.channelClient.getChannel(name);
    }

    registerChannel(name, channel) {
        this.channelServer.registerChannel(name, channel);
    }

    dispose() {
        this.channelClient.dispose();
        this.channelServer.dispose();
        this.socket.end();
    }

    #closed() {
        this.isClosed = true;
        this.channelServer?.dispose();
        this.onDidClose.fire();
    }
}

export class IPCClient extends Connection {
    constructor(socket, context, timeout) {
        super(socket);
        // One write, as VS Code makes it.
        socket.cork();
        socket.write(frame(encode(context)));
        this.open(context, timeout);
        socket.uncork();
    }

    received(reader) {
        this.passed(reader);
    }
}

class ServedConnection extends Connection {
    constructor(socket, server) {
        super(socket);
        this.server = server;
    }

    received(reader) {
        if (this.channelServer) return this.passed(reader);
        this.open(reader.next(), this.server.timeout);
        this.server.opened(this);
    }
}

export class IPCServer {
    #channels = new Map();
    connections = new Set();
    onDidAdd = new Emitter();
    onDidRemove = new Emitter();

    constructor(timeout) {
        this.timeout = timeout;
    }

    accept = (socket) => {
        new ServedConnection(socket, this);
    };

    opened(connection) {
        for (const [name, channel] of this.#channels) connection.registerChannel(name, channel);
        this.connections.add(connection);
        this.onDidAdd.fire(connection);
        connection.onDidClose.event(() => {
            this.connections.delete(connection);
            this.onDidRemove.fire(connection);
        });
    }

    registerChannel(name, channel) {
        this.#channels.set(name, channel);
        for (const connection of this.connections) connection.registerChannel(name, channel);
    }
}
