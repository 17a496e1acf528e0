// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Rules about arguments, and contexts that are objects, in the running gateway", .blocking)
struct ConditionTests {
    private static func json(_ text: String) -> [UInt8] {
        var output: [UInt8] = [5]
        VQL.append(Int32(text.utf8.count), to: &output)
        return output + text.utf8
    }

    /// A call of files.readFile with one parameter, written as it stands here.
    private static func read(_ id: UInt64, _ parameter: [UInt8]) -> [UInt8] {
        let call = IPCMessage.call(id: id, channel: "files", command: "readFile", argument: .undefined)
        return Frame.regular(call.dropLast() + [4, 1] + parameter).encoded()
    }

    private static func refusedID(_ frame: Frame) throws -> UInt64? {
        guard case .failure(let id, let error) = try IPCMessage.decode(frame.body), error["name"] == "AccessDenied"
        else {
            return nil
        }
        return id
    }

    @Test("Not a byte of a call that evades a condition reaches the server, and the context does as an object")
    func evasion() throws {
        let bench = try GatewayBench { configuration in
            configuration.clients = [
                #"{ match: { uri: ["spiffe://other.org/*", "spiffe://example.org/dev/*"] }, "#
                    + #"context: { assign: { remoteAuthority: "{uri.trustDomain}", clientId: "{uri.lastComponent}" } }, "#
                    + #"allow: [{ channel: files, call: [readFile], when: { "[0]": { below: /srv/work } } }], "#
                    + #"deny: [{ channel: files, call: ["*"], when: { "[0]": { below: /srv/work/.git } } }] }"#
            ]
        }
        let client = try bench.open()
        let bad = [
            #"{"$mid":1,"scheme":"file","path":"/etc/passwd"}"#,
            #"{"$mid":1,"scheme":"file","path":"/srv/work/../../etc/passwd"}"#,
            #"{"$mid":1,"scheme":"file","path":"/srv/work/a","path":"/etc/passwd"}"#,
            #"{"$mid":1,"scheme":"file","path":"/srv/work/a","fsPath":"/etc/passwd"}"#,
            #"{"$mid":1,"scheme":"file","path":"/srv/work/\u002egit/config"}"#,
            #"{"$mid":1,"scheme":"file","path":"/srv/work/a","p\u0061th":"/etc/passwd"}"#,
        ]
        let good = [
            #"{"$mid":1,"scheme":"file","path":"/srv/work/a","fsPath":"/srv/work/a","external":"file:///srv/work/a"}"#,
            #"{ "$mid": 1, "scheme": "file", "p\u0061th": "/srv//work/./\u0061" }"#,
        ]
        var write: [UInt8] = []
        for (index, text) in bad.enumerated() { write += Self.read(UInt64(index), Self.json(text)) }
        let passing = good.enumerated().flatMap { Self.read(UInt64(100 + $0.offset), Self.json($0.element)) }
        client.send(write + passing)
        for index in bad.indices {
            #expect(try Self.refusedID(client.frame(index + 1)) == UInt64(index))
        }
        let context = Self.json(#"{"remoteAuthority":"example.org","clientId":"alice"}"#)
        let expected = Frame.regular(context).encoded() + RecordingUpstream.initialize + passing
        let server = try bench.recording().connection()
        client.finishSending()
        #expect(try server.receiveToEnd() == expected)
        server.close()
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["denied"] == "6")
        #expect(closing["context"] == #"{"remoteAuthority":"example.org","clientId":"alice"}"#)
    }
}
