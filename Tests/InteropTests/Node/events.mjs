// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Events, which are functions that take a listener and return what detaches it, and cancellation.

export class Emitter {
    #listeners = new Set();

    constructor({ first = () => {}, last = () => {} } = {}) {
        this.event = (listener) => {
            // Each time another object: the same function may listen twice.
            const entry = { listener };
            this.#listeners.add(entry);
            if (this.#listeners.size === 1) first();
            return () => {
                if (this.#listeners.delete(entry) && this.#listeners.size === 0) last();
            };
        };
    }

    fire(payload) {
        for (const { listener } of [...this.#listeners]) listener(payload);
    }
}

/**
 * Keeps what an event fires from now on until a first listener comes; when the last one has left, nothing is kept any more
 * (PROTOCOL 6.2).
 */
export function buffered(event) {
    let waiting = [];
    let detach = event((payload) => waiting ? waiting.push(payload) : emitter.fire(payload));
    const flush = () => {
        const kept = waiting ?? [];
        waiting = undefined;
        for (const payload of kept) emitter.fire(payload);
    };
    const emitter = new Emitter({
        first() {
            detach ??= event((payload) => emitter.fire(payload));
            if (waiting) setTimeout(flush, 0);
        },
        last() {
            detach();
            detach = undefined;
        },
    });
    return emitter.event;
}

export class CanceledError extends Error {
    constructor() {
        super('Canceled');
        this.name = 'Canceled';
    }
}

export class CancellationToken {
    #emitter = new Emitter();
    isCancelled = false;

    onCancel(listener) {
        if (!this.isCancelled) return this.#emitter.event(listener);
        listener();
        return () => {};
    }

    cancel() {
        if (this.isCancelled) return;
        this.isCancelled = true;
        this.#emitter.fire();
    }
}
