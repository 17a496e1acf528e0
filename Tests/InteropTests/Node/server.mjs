// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A server that does what the tests say; see driver.mjs. What it asks it asks the first client.
//
// Usage: node server.mjs PLACE [TIMEOUT], in JSON: see connections.mjs

import { IPCServer, listen } from './connections.mjs';
import { describe } from './describe.mjs';
import { asking, obey, offering, say } from './driver.mjs';
import { fromService } from './proxy.mjs';
import { SubjectChannel, SubjectService } from './subject.mjs';

const [place, timeout] = process.argv.slice(2).map((argument) => JSON.parse(argument));

const server = new IPCServer(timeout);
const first = () => [...server.connections][0];
const subject = new SubjectChannel((context, [channel, command, argument]) => {
    const connection = [...server.connections].find((one) => one.context === context);
    return connection.getChannel(channel).call(command, argument);
});
const service = new SubjectService();
server.registerChannel('node', subject);
server.registerChannel('nodeService', fromService(service));
const port = await listen(place, server.accept);

obey({
    ...asking((name) => first().getChannel(name), () => first().socket),
    ...offering(server, subject, service),
    contexts: () => [...server.connections].map(({ context }) => describe(context)),
    /** Hangs up in order. */
    dispose: () => first().dispose(),
    async closed() {
        const connection = first();
        if (connection) await new Promise((resolve) => connection.onDidClose.event(resolve));
    },
});
say({ ready: true, port: port ?? null });
