// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import TLSEngine
import Testing

@Suite("Entries for local clients")
struct LocalClientTests {
    private static let listeners =
        "[{ unix: local.sock }, { address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]"

    private static func read(
        _ entries: String,
        listeners: String = listeners,
        from fields: String = "[uri, dns, commonName]"
    ) throws(ConfigurationError) -> GatewayConfiguration {
        let text = """
            listeners: \(listeners)
            upstreams: { main: { unix: up.sock } }
            identity: { from: \(fields) }
            clients:
            \(entries)
            """
        return try GatewayConfiguration(yaml: text, file: "gateway.yaml")
    }

    private static func map(_ entries: String) throws -> IdentityMap {
        let configuration = try read(entries)
        return IdentityMap(
            fields: configuration.identityFields,
            entries: configuration.clients.map { IdentityMap.Entry(match: $0.match, context: $0.context) }
        )
    }

    private static func peer(
        _ uid: UInt32,
        _ groups: [UInt32] = [100],
        _ executable: LocalPeer.Executable = .unchecked("/usr/bin/other")
    ) -> PeerIdentity {
        .local(
            LocalPeer(
                processID: 7,
                userID: uid,
                groupID: groups[0],
                supplementaryGroupIDs: groups,
                executable: executable
            )
        )
    }

    private static func context(_ map: IdentityMap, _ peer: PeerIdentity) throws(CloseReason) -> String? {
        guard case .assigned(let context) = try map.resolve(peer).grant else { return nil }
        return context.string.map { "\($0)" }
    }

    private static func refusal(_ map: IdentityMap, _ peer: PeerIdentity) -> CloseReason? {
        #expect(throws: CloseReason.self) { try map.resolve(peer) }
    }

    // MARK: Matching

    @Test("match by user, group and program")
    func matching() throws {
        let map = try Self.map(
            """
            - { match: { uid: "1000" }, context: "user:{uid}" }
            - { match: { gid: ["50", "51"] }, context: "group:{gid}" }
            - { match: { executable: "/usr/lib/app/*", uid: "1001" }, context: "{executable}" }
            """
        )
        #expect(try Self.context(map, Self.peer(1000)) == "user:1000")
        #expect(try Self.context(map, Self.peer(1002, [7, 51])) == "group:51")
        #expect(try Self.context(map, Self.peer(1001, [7], .path("/usr/lib/app/x"))) == "/usr/lib/app/x")
        for peer in [
            Self.peer(100), Self.peer(10_000), Self.peer(0, [5, 500]), Self.peer(1001, [7], .path("/usr/lib/app/x/y")),
            Self.peer(1001, [7], .unchecked("/usr/lib/app/x")), Self.peer(1001, [7], .unknown("/usr/lib/app/x")),
            Self.peer(1003, [7], .path("/usr/lib/app/x")), Self.peer(1001, [7], .path("/usr/lib/app/x (deleted)/y")),
        ] {
            #expect(Self.refusal(map, peer)?.code == .identityNotMapped)
        }
    }

    @Test("are judged by program, then user, then group, whatever identity.from says")
    func order() throws {
        let map = try Self.map(
            """
            - { match: { gid: "100" }, context: group }
            - { match: { uid: "1000" }, context: user }
            - { match: { uid: "1000", executable: "/usr/bin/app" }, context: app }
            """
        )
        #expect(try Self.context(map, Self.peer(1000, [100], .path("/usr/bin/app"))) == "app")
        #expect(try Self.context(map, Self.peer(1000, [100], .path("/usr/bin/other"))) == "user")
        #expect(try Self.context(map, Self.peer(1001, [100], .path("/usr/bin/app"))) == "group")
    }

    @Test("refuse a client that two of them match")
    func ambiguous() throws {
        let map = try Self.map(
            """
            - { match: { gid: "50" }, context: a }
            - { match: { gid: "51" }, context: b }
            """
        )
        let reason = Self.refusal(map, Self.peer(1, [50, 51]))
        #expect(reason?.code == .identityAmbiguous)
        #expect(reason?.message.contains("the local client's gid leads to 2") == true)
        let template = try Self.map("- { match: { uid: \"*\" }, context: \"{gid}\" }")
        #expect(Self.refusal(template, Self.peer(1, [50, 51]))?.code == .identityRefused)
        #expect(try Self.context(template, Self.peer(1, [50, 50])) == "50")
    }

    @Test("are for nobody with a certificate, and entries for certificates for no local client")
    func apart() throws {
        let map = try Self.map(
            """
            - { match: { uid: "*" }, context: uid }
            - { match: { commonName: "**" }, context: name }
            - { match: { uri: "**" }, context: uri }
            """
        )
        let local = try map.resolve(Self.peer(1000, [1], .path("/x")))
        #expect(local.field == .uid)
        let numbers = CertificateIdentity(commonNames: ["1000"], fingerprint: "1000")
        #expect(try map.resolve(numbers).field == .commonName)
        #expect(Self.refusal(map, .certificate(CertificateIdentity(dnsNames: ["1000"])))?.code == .identityNotMapped)
        for field in IdentityField.ofLocalClients {
            #expect(field.values(in: numbers).isEmpty)
        }
        for field in IdentityField.ofCertificates {
            #expect(field.values(in: Self.peer(1000)).isEmpty)
        }
    }

    @Test("say what a client offers that nothing matches")
    func names() throws {
        let map = try Self.map("- { match: { uid: \"1\" }, context: x }")
        let known = Self.refusal(map, Self.peer(7, [8, 9], .path("/a\nb")))
        #expect(known?.message.contains("(uid '7', gid '8', '9', executable '/a\\u{a}b')") == true)
        let unknown = Self.refusal(map, Self.peer(7, [8], .unknown("because")))
        #expect(unknown?.message.contains("executable unknown: because") == true)
    }

    @Test("refuse a program's path that could pass for something else in a context")
    func substitution() throws {
        let map = try Self.map("- { match: { uid: \"1\", executable: \"/**\" }, context: \"{executable}\" }")
        for path in ["/a*", "/a\nb", "/{uid}"] {
            #expect(Self.refusal(map, Self.peer(1, [1], .path(path)))?.code == .identityRefused)
        }
    }

    // MARK: Configuration

    @Test("are read with the listeners they are for")
    func listeners() throws {
        let configuration = try Self.read(
            "- { match: { uid: 1000 }, context: x, allow: [] }",
            listeners: "[{ unix: /run/a.sock }, { unix: b.sock, mode: \"0660\" }, { unix: c.sock, mode: 0666 }]"
        )
        let sockets = configuration.listeners.compactMap { listener in
            if case .unix(let socket) = listener.place { socket } else { nil }
        }
        #expect(sockets.map(\.path) == ["/run/a.sock", "b.sock", "c.sock"])
        #expect(sockets.map(\.mode) == [0o600, 0o660, 0o666])
        let snapshot = try GatewaySnapshot(configuration)
        guard case .unix(let socket) = snapshot.listeners[1] else { throw CloseReason(.gatewayFailure, "no socket") }
        #expect(socket.path == "b.sock")
        #expect(configuration.warnings.isEmpty)
    }

    private static let good = "- { match: { uid: \"1\" }, context: x, allow: [] }"
    private static let tls = "tls: { certificate: c, key: k, clientCA: a }"

    @Test(
        "are refused where they could never match, or would be a guess",
        arguments: [
            ("- { match: { uid: root }, context: x }", "5:19: clients[0].match.uid: expected a number", "id -u NAME"),
            ("- { match: { uid: \"01000\" }, context: x }", "expected a number", "not '01000'"),
            ("- { match: { uid: \"-1\" }, context: x }", "expected a number", ""),
            ("- { match: { uid: \"+1\" }, context: x }", "expected a number", ""),
            ("- { match: { uid: \"4294967295\" }, context: x }", "expected a number", ""),
            ("- { match: { gid: [\"1\", \"2*\"] }, context: x }", "clients[0].match.gid[1]: expected", "id -G NAME"),
            ("- { match: { uid: \"1\", executable: node }, context: x }", "expected an absolute path", "readlink -f"),
            (
                "- { match: { uid: \"1\", commonName: ops }, context: x }",
                "5:12: clients[0].match: asks for fields of certificates (commonName) and of local clients (uid)",
                "make two entries"
            ),
            (
                "- { match: { uid: \"1\" }, context: \"{commonName}\" }", "{commonName} cannot be filled",
                "clients[0].context"
            ),
            ("- { match: { commonName: a }, context: { assign: { id: \"{uid}\" } } }", "{uid} cannot be filled", ""),
        ]
    )
    func refusedEntries(entry: String, message: String, other: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.read(entry) }
        let found = error?.problems.map(\.description).contains { $0.contains(message) && $0.contains(other) }
        #expect(found == true, "\(String(describing: error))")
    }

    @Test(
        "need listeners that are one thing or the other",
        arguments: [
            ("[{ unix: s, address: \"[::1]:0\" }]", "1:33: listeners[0].address: a listener has either"),
            ("[{ unix: s, \(tls) }]", "listeners[0].tls: a Unix socket has no TLS"),
            ("[{ address: \"[::1]:0\", mode: \"0600\", \(tls) }]", "listeners[0].mode: is for a Unix socket"),
            ("[{ mode: \"0600\" }]", "'address' is missing"), ("[{ unix: ~ }]", "is empty"),
            ("[{ unix: s, mode: \"660\" }]", "a file's mode in octal digits"),
            ("[{ unix: s, mode: \"0888\" }]", "a file's mode"), ("[{ unix: s, mode: \"01777\" }]", "a file's mode"),
            ("[{ unix: s, mode: rw }]", "a file's mode"), ("[{ unix: s, group: x }]", "unknown key"),
        ]
    )
    func refusedListeners(listeners: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.read(Self.good, listeners: listeners) }
        let found = error?.problems.map(\.description).contains { $0.contains(message) }
        #expect(found == true, "\(String(describing: error))")
    }

    @Test(
        "need sockets whose paths are short enough and their own",
        arguments: [
            ("[{ unix: /\(String(repeating: "x", count: 107)) }]", "108 bytes; the system takes 107"),
            ("[{ unix: a }, { unix: a }]", "is the socket of listeners[0] already"),
            ("[{ unix: up.sock }]", "is the socket of the local server 'main' already"),
        ]
    )
    func refusedPaths(listeners: String, message: String) throws {
        let configuration = try Self.read(Self.good, listeners: listeners)
        let error = #expect(throws: ConfigurationError.self) { try GatewaySnapshot(configuration) }
        let found = error?.problems.map(\.description).contains { $0.contains(message) }
        #expect(found == true, "\(String(describing: error))")
    }

    @Test("leave their fields out of identity.from")
    func from() {
        let error = #expect(throws: ConfigurationError.self) { try Self.read(Self.good, from: "[uri, uid]") }
        #expect(
            error?.problems.contains { $0.message.contains("always judged, in the order executable, uid, gid") } == true
        )
    }

    @Test(
        "come with a warning where they say more, or less, than they seem to",
        arguments: [
            ("- { match: { executable: \"/usr/bin/app\" }, context: x, allow: [] }", "names a program and no user"),
            ("- { match: { uid: \"65534\" }, context: x, allow: [] }", "another user namespace"),
            ("- { match: { commonName: a }, context: x, allow: [] }", "no listener has an 'address'"),
        ]
    )
    func warnings(entry: String, message: String) throws {
        let warnings = try Self.read(entry, listeners: "[{ unix: s }]").warnings
        #expect(warnings.contains { $0.message.contains(message) }, "\(warnings)")
        let local = try Self.read(Self.good, listeners: "[{ address: \"[::1]:0\", \(Self.tls) }]").warnings
        #expect(local.map(\.description).contains { $0.contains("no listener has a 'unix' socket") }, "\(local)")
    }
}
