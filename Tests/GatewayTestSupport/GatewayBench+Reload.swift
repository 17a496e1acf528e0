// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

extension GatewayBench {
    /// Puts another configuration in the place of the first, by rename, and lets the gateway read it; returns at once.
    ///
    /// - Parameter change: What differs from the first configuration.
    public func signalReload(_ change: (inout GatewayConfigurationText) throws -> Void = { _ in }) throws {
        var text = self.configuration
        try change(&text)
        try self.replaceConfiguration(text.yaml)
        self.gateway.child.signal(SIGHUP)
    }

    /// Puts a file in the place of the configuration, by rename.
    public func replaceConfiguration(_ text: String) throws {
        let new = try self.directory.write(text, to: "gateway.yaml.new")
        guard rename(new, self.configurationFile) == 0 else { throw TestSupportError.system("rename") }
    }

    /// The same, and waits until everybody has been judged.
    ///
    /// - Parameter generation: The number that the configuration gets.
    /// - Returns: The line of the log that says so.
    @discardableResult
    public func reload(
        generation: Int = 2,
        _ change: (inout GatewayConfigurationText) throws -> Void = { _ in }
    ) throws -> GatewayProcess.LogLine {
        try self.signalReload(change)
        return try self.gateway.waitForLog("generation \(generation)") {
            $0["message"] == "configuration reloaded" && $0["generation"] == "\(generation)"
        }
    }
}
