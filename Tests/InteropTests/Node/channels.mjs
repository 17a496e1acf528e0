// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// The two halves of a connection: who answers and who asks (PROTOCOL 3).

import { CanceledError, CancellationToken, Emitter } from './events.mjs';

export const Kind = {
    call: 100, cancel: 101, listen: 102, unlisten: 103,
    initialize: 200, success: 201, failure: 202, failureValue: 203, event: 204,
};

/** Answers requests. A channel has `call(context, command, argument, token)` and `listen(context, event, argument)`. */
export class ChannelServer {
    #channels = new Map();
    /** What ends a call or a subscription, by its id. */
    #active = new Map();
    #parked = new Map();

    constructor(send, context, timeout = 1000) {
        this.send = send;
        this.context = context;
        this.timeout = timeout;
        send([Kind.initialize], undefined);
    }

    registerChannel(name, channel) {
        this.#channels.set(name, channel);
        const parked = this.#parked.get(name) ?? [];
        this.#parked.delete(name);
        if (parked.length === 0) return;
        setTimeout(() => {
            for (const { timer, serve } of parked) {
                clearTimeout(timer);
                serve();
            }
        }, 0);
    }

    receive(header, argument) {
        const [kind, id, channel, name] = header;
        switch (kind) {
            case Kind.call: return this.#call(id, channel, name, argument);
            case Kind.listen: return this.#listen(id, channel, name, argument);
            case Kind.cancel:
            case Kind.unlisten: {
                const end = this.#active.get(id);
                this.#active.delete(id);
                end?.();
            }
        }
    }

    /** The connection is gone. */
    dispose() {
        const active = [...this.#active.values()];
        this.#active.clear();
        this.send = () => {};
        for (const end of active) end();
    }

    #call(id, name, command, argument) {
        const channel = this.#channels.get(name);
        if (!channel) {
            this.#park(name, () => this.#call(id, name, command, argument), () => {
                const message = `Channel name '${name}' timed out after ${this.timeout}ms`;
                this.send([Kind.failure, id], { name: 'Unknown channel', message });
            });
            return;
        }
        const token = new CancellationToken();
        const end = () => token.cancel();
        this.#active.set(id, end);
        let result;
        try {
            result = Promise.resolve(channel.call(this.context, command, argument, token));
        } catch (error) {
            result = Promise.reject(error);
        }
        const answer = (kind, body) => {
            try {
                this.send([kind, id], body);
            } catch {
                // What cannot travel: who asked waits for ever.
            }
            if (this.#active.get(id) === end) this.#active.delete(id);
            token.cancel();
        };
        result.then((value) => answer(Kind.success, value), (error) => {
            if (!(error instanceof Error)) return answer(Kind.failureValue, error);
            const stack = error.stack ? error.stack.split('\n') : undefined;
            answer(Kind.failure, { message: error.message, name: error.name, stack });
        });
    }

    #listen(id, name, eventName, argument) {
        const channel = this.#channels.get(name);
        if (!channel) return this.#park(name, () => this.#listen(id, name, eventName, argument), () => {});
        let event;
        try {
            event = channel.listen(this.context, eventName, argument);
        } catch {
            return;  // There is no answer for that.
        }
        const detach = event((payload) => this.send([Kind.event, id], payload));
        this.#active.set(id, detach);
    }

    /** As with VS Code, what has timed out stays: if the channel comes after all, it is served, and answered again. */
    #park(name, serve, expire) {
        const timer = setTimeout(expire, this.timeout);
        if (!this.#parked.has(name)) this.#parked.set(name, []);
        this.#parked.get(name).push({ timer, serve });
    }
}

/** Asks. A channel has `call(command, argument, token)` and `listen(event, argument)`. */
export class ChannelClient {
    #nextId = 0;
    #isReady = false;
    #isDisposed = false;
    /** What was asked before the peer was ready, in order: by id. */
    #held = new Map();
    #handlers = new Map();
    #pending = new Map();

    constructor(send) {
        this.send = send;
    }

    getChannel(name) {
        return {
            call: (command, argument, token) => this.#call(name, command, argument, token),
            listen: (event, argument) => this.#listen(name, event, argument),
        };
    }

    receive(header, body) {
        const [kind, id] = header;
        if (kind === Kind.initialize) {
            this.#isReady = true;
            for (const send of this.#held.values()) send();
            this.#held.clear();
        } else if (kind > Kind.initialize && kind <= Kind.event) {
            this.#handlers.get(id)?.(kind, body);
        }
    }

    dispose() {
        this.#isDisposed = true;
        for (const end of [...this.#pending.values()]) end();
        this.#pending.clear();
    }

    #request(id, send) {
        if (this.#isReady) send();
        else this.#held.set(id, send);
    }

    /** Takes a request back that was sent, or keeps it from being sent. */
    #withdraw(kind, id) {
        if (!this.#held.delete(id)) this.send([kind, id], undefined);
    }

    #call(channel, command, argument, token) {
        const id = this.#nextId++;
        if (this.#isDisposed || token?.isCancelled) return Promise.reject(new CanceledError());
        return new Promise((resolve, reject) => {
            let ignoreCancel = () => {};
            const settle = (kind, body) => {
                if (kind === Kind.event) return;
                this.#handlers.delete(id);
                this.#pending.delete(id);
                ignoreCancel();
                switch (kind) {
                    case Kind.success: return resolve(body);
                    case Kind.failureValue: return reject(body);
                    case Kind.failure: {
                        const error = new Error(body.message);
                        error.name = body.name;
                        error.stack = Array.isArray(body.stack) ? body.stack.join('\n') : body.stack;
                        reject(error);
                    }
                }
            };
            const cancel = () => {
                this.#withdraw(Kind.cancel, id);
                reject(new CanceledError());
            };
            this.#handlers.set(id, settle);
            this.#pending.set(id, cancel);
            this.#request(id, () => this.send([Kind.call, id, channel, command], argument));
            ignoreCancel = token?.onCancel(cancel) ?? ignoreCancel;
        });
    }

    #listen(channel, name, argument) {
        const id = this.#nextId++;
        const emitter = new Emitter({
            first: () => {
                if (this.#isDisposed) return;
                this.#pending.set(id, () => this.#withdraw(Kind.unlisten, id));
                this.#request(id, () => this.send([Kind.listen, id, channel, name], argument));
            },
            last: () => {
                const end = this.#pending.get(id);
                this.#pending.delete(id);
                end?.();
            },
        });
        this.#handlers.set(id, (kind, payload) => emitter.fire(payload));
        return emitter.event;
    }
}
