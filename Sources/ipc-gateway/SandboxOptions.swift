// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import GatewayRuntime
internal import Logging

/// What `ipc-gateway run` takes away from itself.
struct SandboxOptions: ParsableArguments {
    @Flag(name: .customLong("no-sandbox"), help: "Go without the sandbox, and with core dumps; for debugging.")
    var isOff = false

    @Option(help: "The user to become, by name or number, when started by root; instead of 'user:'.")
    var user: String?

    @Option(help: "The group to become, instead of the user's own, or 'group:'.")
    var group: String?

    /// Whether somebody has to look from outside which programs local clients run.
    func needsHelper(_ configuration: GatewayConfiguration) -> Bool {
        !isOff && configuration.sandbox.mode != .off
            && configuration.listeners.contains { if case .unix = $0.place { true } else { false } }
    }

    /// Gives up what a gateway with this configuration does not need.
    func enter(
        _ configuration: GatewayConfiguration,
        _ helper: ProgramHelper?,
        _ logger: Logger
    ) throws(GatewayStartError) -> Confinement {
        // What else opens files or sockets after the start is added here.
        var plan = SandboxPlan(configuration)
        if let admin = configuration.admin {
            plan.allowListening(at: configuration.resolve(admin.unix))
            plan.allowTasks()
            if let address = admin.address { plan.bindPorts.insert(address.port) }
        }
        var options = Confinement.Options()
        options.isOff = isOff
        options.user = user
        options.group = group
        return try Confinement.enter(configuration, plan: plan, options: options, helper: helper, logger: logger)
    }
}
