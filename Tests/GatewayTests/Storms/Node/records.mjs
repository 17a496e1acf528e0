// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A TLS 1.3 client that makes its own records once the handshake is over, so that it can send what no TLS library sends.
//
//   node records.mjs HOST:PORT CA CERTIFICATE KEY OPENING WHAT COUNT DATA
//
// It sends the bytes OPENING (hex) as any client does, then COUNT times WHAT: `updates` (KeyUpdate that asks for one in
// return), `updates-data` (the same, each followed by a record with the next byte of DATA), `empty` (records of
// application data without any), `single` (DATA, each byte in a record of its own). `deaf-updates` reads nothing meanwhile.
// It prints `connected`, `sent BYTES`, `received BYTES` for plaintext, and `closed` with the reason; it stays until then.

import { createCipheriv, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { Duplex } from 'node:stream'
import tls from 'node:tls'

const [address, ca, certificate, key, opening, what, count, hex] = process.argv.slice(2)
const [handshake, applicationData] = [22, 23]

function expand(secret, label, length) {
	const name = Buffer.from('tls13 ' + label)
	const info = Buffer.concat([Buffer.from([length >> 8, length & 255, name.length]), name, Buffer.from([0, 1])])
	return createHmac('sha256', secret).update(info).digest().subarray(0, length)
}

/** The client's direction: RFC 8446, 5.2, 5.3 and 7.2. */
class Records {
	constructor(secret, number) {
		this.start(secret)
		this.number = number
	}

	start(secret) {
		this.secret = secret
		this.key = expand(secret, 'key', 16)
		this.iv = expand(secret, 'iv', 12)
		this.number = 0n
	}

	make(type, content) {
		const inner = Buffer.concat([content, Buffer.from([type])])
		const header = Buffer.from([applicationData, 3, 3, (inner.length + 16) >> 8, (inner.length + 16) & 255])
		const nonce = Buffer.from(this.iv)
		nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.number++, 4)
		const cipher = createCipheriv('aes-128-gcm', this.key, nonce)
		cipher.setAAD(header)
		return Buffer.concat([header, cipher.update(inner), cipher.final(), cipher.getAuthTag()])
	}

	update() {
		const record = this.make(handshake, Buffer.from([24, 0, 0, 1, 1]))
		this.start(expand(this.secret, 'traffic upd', 32))
		return record
	}
}

function flood(records) {
	const parts = []
	const data = Buffer.from(hex ?? '', 'hex')
	const byte = index => records.make(applicationData, data.subarray(index, index + 1))
	for (let index = 0; index < Number(count); index++) {
		switch (what) {
			case 'empty': parts.push(records.make(applicationData, Buffer.alloc(0))); break
			case 'single': data.forEach((_, place) => parts.push(byte(place))); break
			case 'updates-data': parts.push(records.update(), byte(index % data.length)); break
			default: parts.push(records.update())
		}
	}
	return Buffer.concat(parts)
}

let secret
const [host, port] = address.split(':')
const socket = net.connect(Number(port), host)
socket.setNoDelay(true)
// TLS is given what comes, and what it says is passed on, until the handshake is over.
const wire = new Duplex({
	read() {},
	write(chunk, encoding, done) { socket.write(chunk, done) },
})
function close(reason) {
	console.log('closed ' + reason)
	process.exit(0)
}
socket.on('data', chunk => wire.push(chunk))
socket.on('error', error => close(error.code))
socket.on('end', () => close('by the gateway'))
const session = tls.connect({
	socket: wire, servername: 'localhost', minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256',
	ca: readFileSync(ca), cert: readFileSync(certificate), key: readFileSync(key),
})
session.on('keylog', line => {
	const [label, , value] = line.toString().trim().split(' ')
	if (label === 'CLIENT_TRAFFIC_SECRET_0') secret = Buffer.from(value, 'hex')
})
session.on('error', error => close(error.code))
let received = 0
session.on('data', data => console.log('received ' + (received += data.length)))
session.on('secureConnect', () => {
	console.log('connected')
	// The one record of TLS's own; the next one has the number 1.
	session.write(Buffer.from(opening, 'hex'), () => {
		if (what === 'deaf-updates') socket.pause()
		const bytes = flood(new Records(secret, 1n))
		socket.write(bytes, () => console.log('sent ' + bytes.length))
	})
})
