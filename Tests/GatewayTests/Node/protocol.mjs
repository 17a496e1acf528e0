// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// The IPC channel protocol as a careless peer reads it: what is broken is guessed at, and what cannot be guessed throws.

const HEADER = 13;
export const undefinedValue = Buffer.from([0]);

/** Cuts a stream into the bodies of Regular frames; Control frames are given to `control`. */
export class FrameReader {
    #buffered = Buffer.alloc(0);

    constructor(message, control = () => {}) {
        this.message = message;
        this.control = control;
    }

    accept(chunk) {
        this.#buffered = Buffer.concat([this.#buffered, chunk]);
        while (this.#buffered.length >= HEADER) {
            const end = HEADER + this.#buffered.readUInt32BE(9);
            if (this.#buffered.length < end) return;
            const type = this.#buffered[0];
            const body = this.#buffered.subarray(HEADER, end);
            this.#buffered = this.#buffered.subarray(end);
            if (type === 1) this.message(body);
            if (type === 2) this.control(body);
        }
    }
}

export function frame(...parts) {
    const body = Buffer.concat(parts);
    const header = Buffer.alloc(HEADER);
    header[0] = 1;
    header.writeUInt32BE(body.length, 9);
    return Buffer.concat([header, body]);
}

function vql(value) {
    const bytes = [];
    let rest = value >>> 0;
    do {
        const more = rest > 0x7f;
        bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
        rest >>>= 7;
    } while (rest !== 0);
    return Buffer.from(bytes);
}

export function encode(value) {
    if (value === undefined) return undefinedValue;
    if (typeof value === 'string') {
        const text = Buffer.from(value, 'utf8');
        return Buffer.concat([Buffer.from([1]), vql(text.length), text]);
    }
    if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from([2]), vql(value.length), value]);
    if (Array.isArray(value)) return Buffer.concat([Buffer.from([4]), vql(value.length), ...value.map(encode)]);
    if (typeof value === 'number' && (value | 0) === value) return Buffer.concat([Buffer.from([6]), vql(value)]);
    const json = Buffer.from(JSON.stringify(value), 'utf8');
    return Buffer.concat([Buffer.from([5]), vql(json.length), json]);
}

/** Reads values one after the other; behind the end there is nothing, as often as one asks. */
export class ValueReader {
    #position = 0;

    constructor(bytes) {
        this.bytes = bytes;
    }

    #take(count) {
        const start = this.#position;
        const taken = this.bytes.subarray(start, start + count);
        this.#position += taken.length;
        return taken;
    }

    #vql() {
        let value = 0;
        for (let shift = 0; ; shift += 7) {
            const byte = this.#take(1);
            if (byte.length === 0) return value;
            value |= (byte[0] & 0x7f) << shift;
            if (!(byte[0] & 0x80)) return value;
        }
    }

    next() {
        const tag = this.#take(1);
        if (tag.length === 0) return undefined;
        switch (tag[0]) {
            case 1: return this.#take(this.#vql()).toString('utf8');
            case 2:
            case 3: return this.#take(this.#vql());
            case 4: {
                const count = this.#vql();
                const array = [];
                for (let index = 0; index < count; index++) array.push(this.next());
                return array;
            }
            case 5: return JSON.parse(this.#take(this.#vql()).toString('utf8'));
            case 6: return this.#vql();
            default: return undefined;
        }
    }
}
