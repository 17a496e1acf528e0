// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Does what the tests say: one JSON object a line in, `{ id, verb, … }`, and one out, `{ id, result }` or `{ id, problem }`.

import { createInterface } from 'node:readline';
import { CancellationToken } from './events.mjs';
import { build, describe } from './describe.mjs';
import { toService } from './proxy.mjs';

export function say(message) {
    process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Obeys until the input ends, and ends the process then. */
export function obey(verbs) {
    const lines = createInterface({ input: process.stdin });
    lines.on('close', () => process.exit(0));
    lines.on('line', async (line) => {
        const { id, verb, ...order } = JSON.parse(line);
        try {
            say({ id, result: (await verbs[verb](order)) ?? null });
        } catch (error) {
            say({ id, problem: error?.stack ?? String(error) });
        }
    });
}

/** How a call ends, in the words of the tests. */
async function outcome(promise) {
    try {
        return { kind: 'success', value: describe(await promise) };
    } catch (error) {
        if (!(error instanceof Error)) return { kind: 'value', value: describe(error) };
        return { kind: 'error', name: error.name, message: error.message, stack: error.stack };
    }
}

/** The verbs that ask the peer. `channel` finds a channel of the peer by its name, `socketOf` the socket. */
export function asking(channel, socketOf) {
    const calls = new Map();
    const listeners = new Map();
    const glut = [];

    async function until(condition) {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
    }

    return {
        call: (order) => outcome(channel(order.channel).call(order.command, build(order.argument))),

        /** Starts a call and goes on. */
        start({ name, channel: channelName, command, argument, isCancelled }) {
            const token = new CancellationToken();
            if (isCancelled) token.cancel();
            calls.set(name, { token, ended: outcome(channel(channelName).call(command, build(argument), token)) });
        },
        cancel: ({ name }) => calls.get(name).token.cancel(),
        finish: ({ name }) => calls.get(name).ended,

        /** Makes an event object and attaches a listener to it; attaches another one when there is an event object. */
        listen({ name, channel: channelName, event, argument }) {
            if (!listeners.has(name)) {
                const source = channel(channelName).listen(event, build(argument));
                listeners.set(name, { source, payloads: [], detachers: [] });
            }
            const { source, payloads, detachers } = listeners.get(name);
            detachers.push(source((payload) => payloads.push(payload)));
        },
        unlisten: ({ name }) => listeners.get(name).detachers.pop()(),
        async payloads({ name, count }) {
            const { payloads } = listeners.get(name);
            await until(() => payloads.length >= count);
            return payloads.map(describe);
        },

        /** Many calls at once, each with another argument; tells how many got theirs back. */
        async burst({ channel: channelName, command, count }) {
            const subject = channel(channelName);
            const arguments_ = Array.from({ length: count }, (_, index) => [index, `text ${index}`]);
            const results = await Promise.all(arguments_.map((argument) => subject.call(command, argument)));
            return results.filter((result, index) => result[0] === index && result[1] === `text ${index}`).length;
        },

        /** A large buffer there and back; tells whether it is the same. */
        async transfer({ channel: channelName, command, count }) {
            const bytes = Buffer.alloc(count, 'the quick brown fox');
            const result = await channel(channelName).call(command, bytes);
            return Buffer.isBuffer(result) && bytes.equals(result);
        },

        /** Waits until an event has fired so often; tells whether the first elements of the payloads count from 0. */
        async sequence({ name, count }) {
            const { payloads } = listeners.get(name);
            await until(() => payloads.length >= count);
            return payloads.length === count && payloads.every((payload, index) => payload[0] === index);
        },

        /** Many large calls at once, and no look at anything that comes from now on. */
        async glut({ channel: channelName, command, count, bytes }) {
            const subject = channel(channelName);
            socketOf().pause();
            for (let index = 0; index < count; index += 1) {
                const argument = Buffer.alloc(bytes, `${index} `);
                glut.push(subject.call(command, argument).then((result) => result.equals(argument)));
            }
            return true;
        },

        /** Waits until the peer takes no more of the calls; then reads, and tells how many came back right. */
        async digest() {
            const socket = socketOf();
            let before;
            do {
                before = socket.bytesWritten - socket.writableLength;
                await new Promise((resolve) => setTimeout(resolve, 300));
            } while (socket.bytesWritten - socket.writableLength !== before);
            const isStuck = socket.writableLength > 0;
            socket.resume();
            return { right: (await Promise.all(glut)).filter(Boolean).length, isStuck };
        },

        /** What comes of a call and of an event, in the order in which it comes. */
        async order({ channel: channelName, event, command, argument }) {
            const log = [];
            const subject = channel(channelName);
            const detach = subject.listen(event, undefined)((payload) => log.push(payload));
            log.push(await subject.call(command, build(argument)));
            detach();
            return log.map(describe);
        },

        /** Calls a method of a service, the way proxies do. */
        method({ channel: channelName, context, method, parameters }) {
            const service = toService(channel(channelName), { context: context && build(context) });
            return outcome(service[method](...parameters.map(build)));
        },
        /** Listens to an event of a service, the way proxies do. */
        serviceEvent({ name, channel: channelName, event, argument }) {
            const service = toService(channel(channelName));
            const source = argument ? service[event](build(argument)) : service[event];
            const payloads = [];
            listeners.set(name, { source, payloads, detachers: [source((payload) => payloads.push(payload))] });
        },
    };
}

/** The verbs about what is offered to the peer. `target` is a client or a server. */
export function offering(target, subject, service) {
    return {
        register: ({ channel: channelName }) => target.registerChannel(channelName, subject),
        seen: () => subject.seen,
        fire: ({ payload }) => subject.ticks.fire(build(payload)),
        change: ({ payload }) => service.change(build(payload)),
    };
}
