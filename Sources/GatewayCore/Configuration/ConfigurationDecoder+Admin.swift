// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `admin:` and `reload:`.
extension ConfigurationDecoder {
    private static let intervals: ClosedRange<UInt64> = 1_000_000_000...86_400_000_000_000
    private static let deadlines: ClosedRange<UInt64> = 10_000_000...60_000_000_000
    private static let longestContext = 1024

    mutating func decodeAdmin(_ document: ConfigurationReader.Section) -> AdminSettings? {
        guard let node = document.members["admin"],
            let section = reader.section(node, "admin", known: ["unix", "address", "control", "health"])
        else { return nil }
        let unix = requiredText(section, "unix", "the path of a Unix socket for operators")
        if let unix, unix.utf8.count > 107, let node = section.members["unix"] {
            let message = "a socket's path has at most 107 bytes; this has \(unix.utf8.count)"
            reader.report(node, section.path(of: "unix"), message)
        }
        var settings = AdminSettings(unix: unix ?? "")
        if let node = section.members["address"] {
            settings.address = decodeLoopback(node, section.path(of: "address"))
        }
        if let node = section.members["control"] {
            settings.isControlledByAddress = reader.boolean(node, section.path(of: "control")) ?? false
            if section.members["address"] == nil {
                reader.report(node, section.path(of: "control"), "is about 'address', which is not there")
            }
        }
        if settings.isControlledByAddress, let node = section.members["control"] {
            let address = settings.address.map { "\($0)" } ?? "the address"
            let message = "everybody with an account on this machine can end sessions, reload and drain at \(address)"
            reader.warn(node, section.path(of: "control"), message)
        }
        decodeHealth(section, &settings)
        return unix == nil ? nil : settings
    }

    /// An address that only this machine reaches.
    private mutating func decodeLoopback(_ node: Node, _ path: String) -> ListenerAddress? {
        guard let address = decodeAddress(node, path) else { return nil }
        guard address.isLoopback else {
            let message =
                "'\(address.host)' is not a loopback address (127.0.0.1, ::1); nobody proves who he is here, so nobody "
                + "else's machine may connect"
            reader.report(node, path, message)
            return nil
        }
        return address
    }

    private mutating func decodeHealth(_ admin: ConfigurationReader.Section, _ settings: inout AdminSettings) {
        guard let node = admin.members["health"],
            let section = reader.section(node, admin.path(of: "health"), known: ["context", "deadline"])
        else { return }
        if let context = optionalText(section, "context", "a text that local servers are given as the context") {
            settings.healthContext = context
            if context.utf8.count > Self.longestContext, let node = section.members["context"] {
                let message = "has \(context.utf8.count) bytes; at most \(Self.longestContext) are possible"
                reader.report(node, section.path(of: "context"), message)
            }
        }
        if let node = section.members["deadline"] {
            let path = section.path(of: "deadline")
            guard let deadline = reader.duration(node, path) else { return }
            if Self.deadlines.contains(deadline) {
                settings.healthDeadline = deadline
            } else {
                reader.report(node, path, "is out of range; expected a duration from 10ms to 1m")
            }
        }
    }

    mutating func decodeReload(_ document: ConfigurationReader.Section) -> ReloadSettings {
        guard let node = document.members["reload"],
            let section = reader.section(node, "reload", known: ["interval"])
        else { return ReloadSettings() }
        guard let node = section.members["interval"] else { return ReloadSettings() }
        let path = section.path(of: "interval")
        guard let interval = reader.duration(node, path) else { return ReloadSettings() }
        if !Self.intervals.contains(interval) {
            reader.report(node, path, "is out of range; expected a duration from 1s to 24h")
        }
        return ReloadSettings(interval: interval)
    }
}

extension ListenerAddress {
    /// Whether only this machine can connect to it: 127.0.0.0/8 or ::1.
    public var isLoopback: Bool { Self.isLoopback(literal: host) }

    /// Whether a text is an IP address that leads to this machine, and no name.
    public static func isLoopback(literal text: String) -> Bool {
        guard IPAddressSyntax.isAddress(text) else { return false }
        guard text.utf8.contains(UInt8(ascii: ":")) else { return text.utf8.starts(with: "127.".utf8) }
        let groups = text.split(separator: ":").map { UInt16($0, radix: 16) }
        return !text.hasSuffix(":") && groups.last == 1 && groups.dropLast().allSatisfy { $0 == 0 }
    }
}
