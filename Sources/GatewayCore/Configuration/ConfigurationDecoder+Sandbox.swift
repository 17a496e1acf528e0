// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `sandbox:`, a mode alone or a mapping.
extension ConfigurationDecoder {
    mutating func decodeSandbox(_ document: ConfigurationReader.Section) -> SandboxSettings {
        var settings = SandboxSettings()
        guard let node = document.members["sandbox"] else { return settings }
        if case .scalar = node {
            settings.mode = decodeMode(node, "sandbox")
            return settings
        }
        guard let section = reader.section(node, "sandbox", known: ["mode", "read", "write"]) else { return settings }
        if let node = section.members["mode"] { settings.mode = decodeMode(node, section.path(of: "mode")) }
        settings.read = optionalTexts(section, "read", "folders and files that may be read") ?? []
        settings.write = optionalTexts(section, "write", "folders and files that may be written") ?? []
        if settings.mode == .off, !settings.read.isEmpty || !settings.write.isEmpty {
            reader.report(section.node, "sandbox", "has paths, and is off; leave one of them out")
        }
        return settings
    }

    private mutating func decodeMode(_ node: Node, _ path: String) -> SandboxSettings.Mode {
        reader.choice(node, path, of: SandboxSettings.Mode.allCases.map(\.rawValue))
            .flatMap(SandboxSettings.Mode.init) ?? .on
    }
}
