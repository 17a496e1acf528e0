// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Buffers")
struct BufferTests {
    private struct Holder: Codable, Equatable {
        var data: IPCBuffer
    }

    private enum Message: Encodable {
        case data(VSBuffer)
    }

    @Test("Buffers pass at the top level and in arrays of arrays, and reach the wire as such")
    func arrays() throws {
        #expect(try encoded(IPCBuffer([1, 2])) == .buffer([1, 2]))
        #expect(try encoded([[VSBuffer([3])], []]) == [[.vsBuffer([3])], []])
        #expect(ValueEncoder.encode(try encoded([[IPCBuffer([9])]])).hex == "04010401020109")
        #expect(try encoded([nil, [4]] as [VSBuffer?]) == [.undefined, .vsBuffer([4])])
        // Bytes that nobody called a buffer are numbers.
        #expect(try encoded([1, 2] as [UInt8]) == [1, 2])
    }

    @Test("A buffer in an object is refused with its path, however deep")
    func objects() {
        #expect(encodingFailure(Holder(data: [1])) == "invalidValue at .data")
        #expect(encodingFailure([["a": [IPCBuffer([1])]]]) == "invalidValue at [0].a[0]")
        #expect(encodingFailure(Message.data([1])) == "invalidValue at .data._0")
        #expect(encodingFailure(["a": VSBuffer([1]) as VSBuffer?]) == "invalidValue at .a")
    }

    @Test(
        "Either wrapper is decoded from either kind of buffer",
        arguments: [IPCValue.buffer([1, 2]), .vsBuffer([1, 2])]
    )
    func kinds(value: IPCValue) throws {
        #expect(try decoded(IPCBuffer.self, value).bytes == [1, 2])
        #expect(try decoded([VSBuffer].self, [value]) == [[1, 2]])
    }

    @Test("What becomes of a buffer in an object is still decoded")
    func remains() throws {
        for buffer in [IPCValue.buffer([1, 255]), .vsBuffer([1, 255])] {
            // Through the wire and back, where the object appears.
            let bytes = ValueEncoder.encode(["data": buffer])
            let value = try ValueDecoder().decode(bytes.span)
            #expect(try decoded(Holder.self, value) == Holder(data: [1, 255]))
        }
    }

    @Test(
        "What only resembles a buffer is refused",
        arguments: [
            ["type": "Buffer", "data": [256]], ["type": "Buffer", "data": [0.5]], ["type": "Buffer"],
            ["type": "buffer", "data": []], ["data": [1]], [:],
            ["buffer": ["type": "Buffer", "data": [1]], "byteLength": 2],
            ["buffer": ["type": "Buffer", "data": [1]]],
        ] as [IPCValue]
    )
    func imitations(value: IPCValue) {
        #expect(decodingFailure([IPCBuffer].self, [value]) == "dataCorrupted at [0]")
    }

    @Test("What is no buffer is refused", arguments: [1, "x", [1, 2]] as [IPCValue])
    func others(value: IPCValue) {
        #expect(decodingFailure(VSBuffer.self, value) == "typeMismatch at the top")
    }

    @Test("Other coders write buffers as JSON.stringify does, and read them back")
    func otherCoders() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let data = try encoder.encode([VSBuffer([7])])
        #expect(String(decoding: data, as: UTF8.self) == #"[{"buffer":{"data":[7],"type":"Buffer"},"byteLength":1}]"#)
        #expect(try JSONDecoder().decode([IPCBuffer].self, from: data) == [[7]])
        let holder = Holder(data: [1, 2])
        #expect(try JSONDecoder().decode(Holder.self, from: encoder.encode(holder)) == holder)
    }
}
