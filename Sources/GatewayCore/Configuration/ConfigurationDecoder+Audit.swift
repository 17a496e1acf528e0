// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `audit:`.
extension ConfigurationDecoder {
    private static let destinations = ["file", "stdout", "syslog"]
    /// What rsyslog takes in one message, as long as nobody tells it to take more; the rest of a line needs some of it.
    private static let syslogArgumentBytes = 4096

    mutating func decodeAudit(_ document: ConfigurationReader.Section) -> AuditSettings? {
        let known = Self.destinations + ["calls", "sample", "arguments", "queue"]
        guard let node = document.members["audit"], let section = reader.section(node, "audit", known: known) else {
            return nil
        }
        let destination = decodeDestination(section)
        var settings = AuditSettings(destination: destination ?? .standardOutput)
        if let node = section.members["calls"] {
            settings.calls =
                reader.choice(node, section.path(of: "calls"), of: AuditSettings.Calls.allCases.map(\.rawValue))
                .flatMap(AuditSettings.Calls.init) ?? .all
        }
        if let node = section.members["sample"] {
            settings.sample = decodeShare(node, section.path(of: "sample")) ?? 1
        }
        if let node = section.members["arguments"] {
            decodeArguments(node, section.path(of: "arguments"), into: &settings)
        }
        if let node = section.members["queue"] {
            settings.queueLines = reader.integer(node, section.path(of: "queue"), in: 16...1 << 24) ?? 0
        }
        reportContradictions(section, settings)
        return destination == nil ? nil : settings
    }

    private mutating func decodeDestination(_ section: ConfigurationReader.Section) -> AuditSettings.Destination? {
        let given = Self.destinations.filter { section.members[$0] != nil }
        guard given.count == 1, let key = given.first, let node = section.members[key] else {
            let said = given.isEmpty ? "says nothing of where lines go" : "has \(given.joined(separator: " and "))"
            reader.report(
                section.node,
                section.path,
                "\(said); expected one of  file: PATH,  stdout: true  and  syslog: true"
            )
            return nil
        }
        let path = section.path(of: key)
        if key == "file" { return reader.text(node, path, "the path of a file for audit lines").map { .file($0) } }
        guard let isOn = reader.boolean(node, path) else { return nil }
        guard isOn else {
            reader.report(node, path, "false says nothing of where lines go; leave out audit: for none")
            return nil
        }
        return key == "stdout" ? .standardOutput : .syslog
    }

    /// A number from 0 to 1.
    private mutating func decodeShare(_ node: Node, _ path: String) -> Double? {
        let what = "a share from 0 to 1, such as 0.1 for one in ten"
        guard let text = reader.text(node, path, what) else { return nil }
        let isPlain = text.utf8.allSatisfy { "0123456789.".utf8.contains($0) }
        guard isPlain, let share = Double(text), (0...1).contains(share) else {
            reader.report(node, path, "expected \(what), not '\(text)'")
            return nil
        }
        return share
    }

    private mutating func decodeArguments(_ node: Node, _ path: String, into settings: inout AuditSettings) {
        guard let section = reader.section(node, path, known: ["bytes", "redact"]) else { return }
        let what = "bytes of an argument's JSON at most, such as 1KiB"
        if let node = reader.required(section, "bytes", what) {
            settings.arguments = reader.size(node, section.path(of: "bytes"), in: 16...1 << 20)
        }
        guard let node = section.members["redact"] else { return }
        let example = "places in arguments, such as \"[0].password\""
        guard let items = reader.list(node, section.path(of: "redact"), of: example) else { return }
        if items.isEmpty { reader.report(node, section.path(of: "redact"), "is empty; leave it out") }
        for item in items {
            guard let text = reader.text(item.node, item.path, "a place in arguments, such as [0].password") else {
                continue
            }
            do throws(ArgumentPath.Failure) {
                let place = try ArgumentPath(text)
                if settings.redact.contains(place) { reader.report(item.node, item.path, "'\(text)' is listed twice") }
                settings.redact.append(place)
            } catch {
                reader.report(item.node, item.path, error.description)
            }
        }
    }

    /// What would be without effect is a mistake about what the log holds.
    private mutating func reportContradictions(_ section: ConfigurationReader.Section, _ settings: AuditSettings) {
        if settings.calls == .none {
            for key in ["sample", "arguments"] {
                guard let node = section.members[key] else { continue }
                reader.report(node, section.path(of: key), "has no effect: with  calls: none  no call has a line")
            }
        }
        if settings.calls == .denied, let node = section.members["sample"] {
            let message = "has no effect: it is about allowed requests, and  calls: denied  writes none of them"
            reader.report(node, section.path(of: "sample"), message)
        }
        if settings.destination == .syslog, let bytes = settings.arguments, bytes > Self.syslogArgumentBytes {
            let message = "the system's log may cut such long lines; \(Self.syslogArgumentBytes) bytes are safe"
            reader.warn(section.node, section.path(of: "arguments"), message)
        }
    }
}
