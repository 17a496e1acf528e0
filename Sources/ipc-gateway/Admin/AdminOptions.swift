// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayAdmin
internal import GatewayCore

/// Where the gateway is that a command asks.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The Unix socket of the gateway's endpoint for operators (admin.unix).", valueName: "path")
    )
    var admin: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The gateway's configuration, which says where that is.", valueName: "file")
    )
    var config: String?

    mutating func validate() throws {
        guard (admin == nil) != (config == nil) else {
            throw ValidationError("Say where the gateway is, with either --admin or --config.")
        }
    }

    /// A client for it; exits with the problems of the configuration.
    func client() throws -> AdminClient {
        if let admin { return AdminClient(path: admin) }
        let config = config ?? ""
        let configuration = try ConfigurationFile.loadText(config)
        guard let settings = configuration.admin else {
            Console.complain("error: \(config): there is no 'admin' section, so nobody can be asked; docs/admin.md")
            throw ExitCode.configuration
        }
        return AdminClient(path: configuration.resolve(settings.unix))
    }
}
