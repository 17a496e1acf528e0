// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// What the tests call and listen to in Node: a channel with something of everything, and a service.

import { CanceledError, Emitter } from './events.mjs';
import { build, describe } from './describe.mjs';
import { URI } from './proxy.mjs';

/** The channel `node`, of either end. */
export class SubjectChannel {
    seen = { contexts: [], started: 0, cancelled: 0, first: 0, last: 0, listened: [] };
    ticks = new Emitter({ first: () => this.seen.first++, last: () => this.seen.last++ });

    constructor(reverse) {
        this.reverse = reverse;
    }

    call(context, command, argument, token) {
        this.seen.contexts.push(describe(context));
        switch (command) {
            case 'echo': return argument;
            case 'describe': return JSON.stringify(describe(argument));
            case 'make': return build(argument);
            case 'whoami': return context;
            case 'fail': return this.#fail(argument);
            case 'failPlain': throw build(argument);
            case 'rejectPlain': return Promise.reject(build(argument));
            case 'tick':
                for (let index = 0; index < argument; index++) this.ticks.fire(index);
                return Promise.resolve('ticked');
            case 'never': return this.#never(token);
            case 'stubborn': return this.#stubborn(token);
            case 'reverse': return this.reverse(context, argument);
            default: throw Object.assign(new Error(`Method not found: ${command}`), { name: 'CodeExpectedError' });
        }
    }

    listen(context, event, argument) {
        this.seen.contexts.push(describe(context));
        this.seen.listened.push([event, describe(argument)]);
        switch (event) {
            case 'onTick': return this.ticks.event;
            case 'onArgument': return (listener) => {
                listener(argument);
                return () => {};
            };
            default: throw new Error(`Event not found: ${event}`);
        }
    }

    #fail({ name, message, stack }) {
        const error = new RangeError(message);
        if (name !== undefined) error.name = name;
        // Absent leaves the true one, `null` takes it away.
        if (stack !== undefined) error.stack = stack ?? undefined;
        throw error;
    }

    #never(token) {
        this.seen.started++;
        return new Promise((_, reject) => token.onCancel(() => {
            this.seen.cancelled++;
            reject(new CanceledError());
        }));
    }

    /** Finishes with a result although it was cancelled. */
    #stubborn(token) {
        this.seen.started++;
        return new Promise((resolve) => token.onCancel(() => {
            this.seen.cancelled++;
            resolve('late');
        }));
    }
}

/** The service `nodeService`. */
export class SubjectService {
    #changes = new Emitter();
    onDidChange = this.#changes.event;
    seen = [];

    constructor() {
        this.seen = [];
    }

    add(...numbers) {
        return numbers.reduce((sum, number) => sum + number, 0);
    }

    async describe(...parameters) {
        return JSON.stringify(parameters.map(describe));
    }

    async parent(uri) {
        return new URI({ ...uri, path: uri.path.replace(/\/[^/]*$/, '') });
    }

    change(value) {
        this.#changes.fire(value);
    }

    onDynamicCount(count) {
        return (listener) => {
            for (let index = 0; index < count; index++) listener(index);
            return () => {};
        };
    }
}
