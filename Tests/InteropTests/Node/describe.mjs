// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Values described in JSON, so that nothing of what they are gets lost on the way to the tests: in the form of the vectors,
// and `uri`, `regexp`, `date` and `instance` for what JavaScript has besides.

import { VSBuffer } from './protocol.mjs';
import { URI } from './proxy.mjs';

const hasLoneSurrogate = (text) => !text.isWellFormed();

export function describe(value) {
    switch (typeof value) {
        case 'undefined': return { t: 'undefined' };
        case 'boolean': return { t: 'bool', v: value };
        case 'number': return { t: 'number', v: Object.is(value, -0) ? '-0' : String(value) };
        case 'string': return hasLoneSurrogate(value)
            ? { t: 'string', utf16: Array.from({ length: value.length }, (_, index) => value.charCodeAt(index)) }
            : { t: 'string', v: value };
        case 'object': return describeObject(value);
        default: throw new TypeError(`cannot describe a ${typeof value}`);
    }
}

function describeObject(value) {
    if (value === null) return { t: 'null' };
    if (Buffer.isBuffer(value)) return { t: 'buffer', hex: value.toString('hex') };
    if (value instanceof VSBuffer) return { t: 'vsbuffer', hex: value.buffer.toString('hex') };
    if (Array.isArray(value)) return { t: 'array', v: Array.from(value, describe) };
    if (value instanceof URI) {
        const { scheme, authority, path, query, fragment } = value;
        return { t: 'uri', v: [scheme, authority, path, query, fragment] };
    }
    if (value instanceof RegExp) return { t: 'regexp', v: String(value) };
    if (value instanceof Date) return { t: 'date', v: value.getTime() };
    if (Object.getPrototypeOf(value) !== Object.prototype) return { t: 'instance', v: value.constructor.name };
    return { t: 'object', v: Object.entries(value).map(([key, member]) => [key, describe(member)]) };
}

/** Makes the value that a description describes. */
export function build({ t, v, hex, utf16 }) {
    switch (t) {
        case 'undefined': return undefined;
        case 'null': return null;
        case 'bool': return v;
        case 'number': return Number(v);
        case 'string': return utf16 ? String.fromCharCode(...utf16) : v;
        case 'buffer': return Buffer.from(hex, 'hex');
        case 'vsbuffer': return new VSBuffer(Buffer.from(hex, 'hex'));
        case 'array': return v.map(build);
        case 'object': return Object.fromEntries(v.map(([key, member]) => [key, build(member)]));
        case 'native': return natives[v]();
        default: throw new TypeError(`unknown description: ${t}`);
    }
}

/** What only JavaScript has. */
const natives = {
    nan: () => NaN,
    infinity: () => -Infinity,
    negativeZero: () => -0,
    negativeZeroInObject: () => ({ a: -0 }),
    holes: () => [1, , 3],
    undefinedMember: () => ({ a: undefined, b: [undefined, () => 1], c: 1 }),
    date: () => new Date(0),
    datesInside: () => ({ at: new Date(1700000000123) }),
    invalidDate: () => new Date(NaN),
    regexp: () => /a/g,
    map: () => new Map([[1, 2]]),
    set: () => new Set([1]),
    error: () => new Error('lost'),
    typedArray: () => Uint8Array.of(1, 2),
    arrayBuffer: () => new ArrayBuffer(2),
    bufferInObject: () => ({ b: Buffer.of(1, 2) }),
    vsBufferInObject: () => ({ b: new VSBuffer(Buffer.of(1, 2)) }),
    loneSurrogate: () => 'a\ud800b',
    loneSurrogateInObject: () => ({ a: '\udc00' }),
    pairAcrossConcatenation: () => '\ud83d' + '\ude00',
    uri: () => URI.file('/tmp/a b.txt'),
    formattedURI: () => {
        const uri = URI.file('/tmp/a b.txt');
        void `${uri}${uri.fsPath}`;
        return uri;
    },
    indexKeys: () => ({ b: 1, 2: 2, 1: 3 }),
    prototypeKey: () => JSON.parse('{"__proto__":{"a":1},"constructor":2}'),
    bigint: () => 1n,
    func: () => () => 1,
};
