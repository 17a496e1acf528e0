// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A client that does what the tests say; see driver.mjs.
//
// Usage: node client.mjs PLACE CONTEXT [TIMEOUT], all in JSON: see connections.mjs and describe.mjs

import { IPCClient, connect } from './connections.mjs';
import { build } from './describe.mjs';
import { asking, obey, offering, say } from './driver.mjs';
import { fromService } from './proxy.mjs';
import { SubjectChannel, SubjectService } from './subject.mjs';

const [place, context, timeout] = process.argv.slice(2).map((argument) => JSON.parse(argument));

const client = new IPCClient(await connect(place), build(context), timeout);
const subject = new SubjectChannel((_, [channel, command, argument]) => client.getChannel(channel).call(command, argument));
const service = new SubjectService();
client.registerChannel('node', subject);
client.registerChannel('nodeService', fromService(service));
const closed = new Promise((resolve) => client.onDidClose.event(resolve));

obey({
    ...asking((name) => client.getChannel(name), () => client.socket),
    ...offering(client, subject, service),
    dispose: () => client.dispose(),
    closed: () => closed,
});
say({ ready: true, protocol: client.socket.alpnProtocol ?? null });
