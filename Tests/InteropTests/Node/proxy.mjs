// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Services as channels, and what travels marked with `$mid` (PROTOCOL 6).

import { buffered } from './events.mjs';
import { VSBuffer } from './protocol.mjs';

const isEvent = (name) => /^on[A-Z]/.test(name);
const isDynamicEvent = (name) => /^onDynamic[A-Z]/.test(name);

/** The five components, and what was computed of them and travels along. Its rules for escapes are not VS Code's. */
export class URI {
    constructor({ scheme = '', authority = '', path = '', query = '', fragment = '' }) {
        Object.assign(this, { scheme, authority, path, query, fragment });
    }

    static file(path) {
        return new URI({ scheme: 'file', path });
    }

    get fsPath() {
        this.cachedPath = this.path;
        return this.cachedPath;
    }

    toString() {
        const query = this.query && `?${encodeURIComponent(this.query)}`;
        const fragment = this.fragment && `#${encodeURIComponent(this.fragment)}`;
        const path = this.path.split('/').map(encodeURIComponent).join('/');
        this.cachedText = `${this.scheme}://${this.authority}${path}${query}${fragment}`;
        return this.cachedText;
    }

    toJSON() {
        const members = {
            fsPath: this.cachedPath, external: this.cachedText, path: this.path, scheme: this.scheme,
            authority: this.authority, query: this.query, fragment: this.fragment,
        };
        return { $mid: 1, ...Object.fromEntries(Object.entries(members).filter(([, value]) => value)) };
    }
}

export function revive(value, depth = 0) {
    if (!value || typeof value !== 'object' || depth > 200) return value;
    if (Buffer.isBuffer(value) || value instanceof VSBuffer) return value;
    switch (value.$mid) {
        case 1: return new URI(value);
        case 2: return new RegExp(value.source, value.flags);
        case 17: return new Date(value.source);
    }
    for (const key of Object.keys(value)) value[key] = revive(value[key], depth + 1);
    return value;
}

function expectedError(message) {
    return Object.assign(new Error(message), { name: 'CodeExpectedError' });
}

/** The channel that offers a service. */
export function fromService(service) {
    const events = new Map();
    for (const name in service) {
        if (isEvent(name) && !isDynamicEvent(name)) events.set(name, buffered(service[name]));
    }
    return {
        call(context, command, parameters) {
            if (typeof service[command] !== 'function') throw expectedError(`Method not found: ${command}`);
            return service[command](...(Array.isArray(parameters) ? parameters.map((value) => revive(value)) : []));
        },
        listen(context, event, argument) {
            if (isDynamicEvent(event) && typeof service[event] === 'function') return service[event](argument);
            if (events.has(event)) return events.get(event);
            throw expectedError(`Event not found: ${event}`);
        },
    };
}

/** The service that a channel offers. */
export function toService(channel, { context } = {}) {
    return new Proxy({}, {
        get(_, name) {
            if (isDynamicEvent(name)) return (argument) => channel.listen(name, argument);
            if (isEvent(name)) return channel.listen(name);
            return async (...parameters) => {
                const all = context === undefined || context === null ? parameters : [context, ...parameters];
                return revive(await channel.call(name, all));
            };
        },
    });
}
