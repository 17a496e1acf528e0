// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
public import GatewayCore
internal import Glibc
public import Logging
internal import Synchronization

/// What a gateway's process has taken away from itself.
///
/// Landlock holds for the thread that asks for it and those that it starts. So this is entered on the main thread, when
/// sockets below 1024 are bound, and before any thread is started.
public final class Confinement: Sendable {
    /// What the command line says.
    public struct Options: Sendable {
        /// Whether there is no sandbox, whatever the configuration says.
        public var isOff = false
        /// The user to become, in place of the configuration's.
        public var user: String?
        /// The group to become, likewise.
        public var group: String?

        /// Nothing.
        public init() {}
    }

    private let allowed: [FileID: LandlockRights]?
    /// The ports that can be connected to; nil where all can.
    private let connectPorts: Set<UInt16>?

    private init(allowed: [FileID: LandlockRights]?, connectPorts: Set<UInt16>? = nil) {
        self.allowed = allowed
        self.connectPorts = connectPorts
    }

    /// Takes away what is not needed.
    ///
    /// - Parameters:
    ///   - configuration: What is needed, and what is wanted.
    ///   - plan: What is needed, made of the configuration and of what the process does beside.
    ///   - options: What the command line says.
    ///   - helper: Who looks at other processes from outside; nil where nobody asks.
    ///   - logger: Is told what is in force, and what an operator should know.
    /// - Throws: When the user cannot be had, when the sandbox is not in force although it seemed so, and with
    ///   `sandbox: required` when the kernel has none.
    public static func enter(
        _ configuration: GatewayConfiguration,
        plan: SandboxPlan,
        options: Options,
        helper: ProgramHelper?,
        logger: Logger
    ) throws(GatewayStartError) -> Confinement {
        let mode = options.isOff ? .off : configuration.sandbox.mode
        if options.isOff, configuration.sandbox.mode == .required {
            throw GatewayStartError("--no-sandbox contradicts 'sandbox: required'", isConfiguration: true)
        }
        let isUserGiven = options.user != nil
        let privileges = try Privileges.find(
            user: options.user ?? configuration.user,
            group: options.group ?? (isUserGiven ? nil : configuration.group)
        )
        // Its first use reads the time zone, which is not there any more later.
        tzset()
        // Before the user is another, who may not be able to reach all folders.
        let rules = mode == .off ? Rules.none("") : Rules(plan)
        if case .none(let reason) = rules, mode == .required {
            throw GatewayStartError("sandbox: required, and \(reason)", isConfiguration: true)
        }
        try privileges?.take()
        warn(configuration, privileges, logger)
        let user = privileges.map { ", user \($0.name)" } ?? ""
        guard mode != .off else {
            logger.notice("sandbox: off\(user)")
            return Confinement(allowed: nil)
        }
        guard clinux_refuse_privileges() == 0 else { throw failure("no_new_privs") }
        guard clinux_refuse_dumps() == 0 else { throw failure("no core dumps") }
        let others = "no_new_privs, no core dumps\(user)"
        guard case .landlock(let landlock) = rules else {
            if case .none(let reason) = rules { logger.warning("sandbox: no landlock: \(reason); \(others)") }
            return Confinement(allowed: nil)
        }
        try restrict(landlock, plan, logger)
        dieOfCrashes()
        if let helper {
            do throws(SystemError) { if let privileges { try helper.become(privileges) } } catch {
                throw GatewayStartError("sandbox: the helper cannot become the gateway's user: \(error)")
            }
            ProgramHelper.current.withLock { $0 = helper }
        }
        logger.info("sandbox: landlock ABI \(landlock.abi) (\(landlock.scope)), \(others)")
        return Confinement(
            allowed: landlock.allowed,
            connectPorts: landlock.restrictsPorts ? plan.connectPorts : nil
        )
    }

    /// Swift's runtime would start a program that prints where a crash was. In the sandbox it cannot, and waits for it.
    private static func dieOfCrashes() {
        for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] { signal(number, SIG_DFL) }
    }

    /// A ruleset, or why there is none.
    private enum Rules {
        case landlock(Landlock)
        case none(String)

        init(_ plan: SandboxPlan) {
            do throws(SystemError) {
                self = .landlock(try Landlock(plan))
            } catch {
                self =
                    switch error.code {
                    case ENOSYS: .none("the kernel has none (Linux 5.13 and later can)")
                    case EOPNOTSUPP: .none("it is switched off in the kernel (lsm=)")
                    default: .none("\(error)")
                    }
            }
        }
    }

    private static func failure(_ what: String) -> GatewayStartError {
        GatewayStartError("sandbox: \(what): \(SystemError("prctl"))")
    }

    /// Puts the rules in force, and tries that they are.
    private static func restrict(
        _ landlock: Landlock,
        _ plan: SandboxPlan,
        _ logger: Logger
    ) throws(GatewayStartError) {
        for note in plan.notes { logger.warning("sandbox: \(note)") }
        for failure in landlock.failures { logger.warning("sandbox: cannot be allowed: \(failure)") }
        for line in plan.lines { logger.debug("sandbox: allows \(line)") }
        // They would go on without it.
        if let count = SandboxCheck.threadCount, count > 1 {
            throw GatewayStartError(
                "sandbox: the process has \(count) threads already; this is a defect of the gateway"
            )
        }
        let folder = SandboxCheck.forbiddenFolder { path in
            isCovered(path, for: .readFolder, by: landlock.allowed)
        }
        guard let folder else {
            throw GatewayStartError(
                "sandbox: sandbox.read and sandbox.write allow everything, so nothing would be denied; name less",
                isConfiguration: true
            )
        }
        let leaks: [String]
        do throws(SystemError) {
            try landlock.restrict()
            leaks = try SandboxCheck.leaks(folder, deniesTCP: landlock.abi >= 4, connectPorts: plan.connectPorts)
        } catch {
            throw GatewayStartError("sandbox: \(error)")
        }
        guard leaks.isEmpty else {
            let what = leaks.joined(separator: ", ")
            throw GatewayStartError("sandbox: it is in force, and still allows \(what); --no-sandbox goes without it")
        }
    }

    /// Whether a folder, or one that it is in, is allowed.
    private static func isCovered(
        _ folder: String,
        for rights: LandlockRights,
        by allowed: [FileID: LandlockRights]
    ) -> Bool {
        var path = folder
        while true {
            if let id = FileID(path: path.isEmpty ? "/" : path), allowed[id]?.isSuperset(of: rights) == true {
                return true
            }
            if path.isEmpty || path == "/" { return false }
            path = SandboxPaths.parent(of: path)
        }
    }

    /// What the user, who may have changed, will not be able to do.
    private static func warn(_ configuration: GatewayConfiguration, _ privileges: Privileges?, _ logger: Logger) {
        if geteuid() == 0 {
            logger.warning("the gateway runs as root; name a user that it becomes: 'user:', or --user")
        }
        guard privileges != nil else { return }
        for file in configuration.namedFiles where file.use == .read && access(file.path, R_OK) != 0 {
            let place = file.place.isEmpty ? "the configuration" : file.place
            logger.warning(
                "a reload will fail: \(file.path) (\(place)) cannot be read any more: \(SystemError("").reason)"
            )
        }
    }

    // MARK: Reload

    private func portProblems(_ configuration: GatewayConfiguration) -> [ConfigurationProblem] {
        guard let connectPorts, let peers = configuration.peers else { return [] }
        return peers.gateways.compactMap { gateway in
            guard let port = gateway.address.port, !connectPorts.contains(port) else { return nil }
            return ConfigurationProblem(
                file: configuration.file,
                line: peers.line,
                path: "peers.gateways.\(gateway.name)",
                message: "port \(port) is outside of the sandbox, which was made at the start for the ports that the "
                    + "configuration named then; restart the gateway to use it"
            )
        }
    }

    /// What a configuration names that the sandbox keeps the process from.
    public func problems(with configuration: GatewayConfiguration) -> [ConfigurationProblem] {
        guard let allowed else { return [] }
        return portProblems(configuration)
            + configuration.namedFiles.compactMap { file in
                // What is made once, at the start, is not reopened by a reload.
                guard file.use == .read || file.place.hasSuffix("tls.keyLog"),
                    let folder = SandboxPaths.folders(of: file.path).last,
                    let rights = Optional(file.use == .read ? LandlockRights.readFile : [.writeFile, .makeFile]),
                    !Self.isCovered(folder, for: rights, by: allowed),
                    FileID(path: file.path).map({ allowed[$0]?.contains(.readFile) == true }) != true
                else { return nil }
                let message =
                    "'\(file.path)' is outside of the sandbox, which was made at the start for the folders that the "
                    + "configuration named then; restart the gateway to use it, or name its folder in sandbox.read beforehand"
                return ConfigurationProblem(
                    file: configuration.file,
                    line: file.line,
                    path: file.place,
                    message: message
                )
            }
    }
}
