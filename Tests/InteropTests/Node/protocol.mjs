// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Frames and values of the plain protocol, written from its description (PROTOCOL 1, 2 and 7) and as careless as that says
// VS Code is: what is broken is guessed at, and what cannot be guessed throws.

const HEADER = 13;
export const FrameType = { regular: 1, control: 2 };

/** VS Code's own buffer, which travels as something else than a Node Buffer. */
export class VSBuffer {
    constructor(buffer) {
        this.buffer = buffer;
        this.byteLength = buffer.length;
    }
}

/** Cuts a stream into the bodies of Regular frames; those of Control frames are given to `control`. */
export class FrameReader {
    #chunks = [];
    #size = 0;
    #type;
    #needed = HEADER;

    constructor(message, control = () => {}) {
        this.message = message;
        this.control = control;
    }

    accept(chunk) {
        this.#chunks.push(chunk);
        this.#size += chunk.length;
        while (this.#size >= this.#needed) {
            const bytes = this.#take(this.#needed);
            if (this.#type === undefined) {
                this.#type = bytes[0];
                this.#needed = bytes.readUInt32BE(9);
                continue;
            }
            const type = this.#type;
            this.#type = undefined;
            this.#needed = HEADER;
            if (type === FrameType.regular) this.message(bytes);
            if (type === FrameType.control) this.control(bytes);
        }
    }

    #take(count) {
        const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks, this.#size);
        // What is left over of one chunk is at most one chunk: nothing is copied again and again.
        const rest = all.subarray(count);
        this.#chunks = rest.length > 0 ? [rest] : [];
        this.#size = rest.length;
        return all.subarray(0, count);
    }
}

export function frame(...parts) {
    const header = Buffer.alloc(HEADER);
    header[0] = FrameType.regular;
    header.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0), 9);
    return Buffer.concat([header, ...parts]);
}

function vql(value) {
    const bytes = [];
    let rest = value >>> 0;
    do {
        const hasMore = rest > 0x7f;
        bytes.push((rest & 0x7f) | (hasMore ? 0x80 : 0));
        rest >>>= 7;
    } while (rest !== 0);
    return bytes;
}

function append(value, parts) {
    const sized = (tag, bytes) => parts.push(Buffer.from([tag, ...vql(bytes.length)]), bytes);
    if (value === undefined) {
        parts.push(Buffer.from([0]));
    } else if (typeof value === 'string') {
        sized(1, Buffer.from(value, 'utf8'));
    } else if (Buffer.isBuffer(value)) {
        sized(2, value);
    } else if (value instanceof VSBuffer) {
        sized(3, value.buffer);
    } else if (Array.isArray(value)) {
        parts.push(Buffer.from([4, ...vql(value.length)]));
        // Not forEach, which leaves holes out.
        for (let index = 0; index < value.length; index++) append(value[index], parts);
    } else if (typeof value === 'number' && (value | 0) === value) {
        parts.push(Buffer.from([6, ...vql(value)]));
    } else {
        const text = JSON.stringify(value);
        if (text === undefined) throw new TypeError(`a ${typeof value} cannot travel`);
        sized(5, Buffer.from(text, 'utf8'));
    }
}

export function encode(value) {
    const parts = [];
    append(value, parts);
    return Buffer.concat(parts);
}

/** Reads values one after the other; behind the end there is nothing, as often as one asks. */
export class ValueReader {
    #position = 0;

    constructor(bytes) {
        this.bytes = bytes;
    }

    #take(count) {
        const taken = this.bytes.subarray(this.#position, this.#position + count);
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
            case 2: return this.#take(this.#vql());
            case 3: return new VSBuffer(this.#take(this.#vql()));
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
