// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore

/// What a gateway may still do when the sandbox is in force: what its configuration names, and what the process adds.
///
/// Whoever opens files or sockets later than at the start adds them here, in `ipc-gateway run`.
public struct SandboxPlan: Sendable {
    /// Folders that hold much of a system: a configuration in one of them opens all of it.
    private static let wide: Set<String> = [
        "/boot", "/dev", "/etc", "/home", "/opt", "/proc", "/root", "/run", "/srv", "/sys", "/tmp", "/usr", "/var",
    ]

    /// What is allowed, by the path of a folder or file.
    private(set) var rights: [String: LandlockRights] = [:]
    /// TCP ports that may be bound later. Those of listeners are bound before, so there are none of them.
    public var bindPorts: Set<UInt16> = []
    /// TCP ports that may be connected to.
    public var connectPorts: Set<UInt16> = []
    /// What an operator should know.
    private(set) var notes: [String] = []

    /// What a configuration names.
    public init(_ configuration: GatewayConfiguration) {
        for file in configuration.namedFiles {
            switch file.use {
            case .read: allowReading(file.path)
            case .append: allowAppending(file.path)
            case .socket: allowListening(at: file.path)
            }
        }
        for path in configuration.sandbox.read.map(configuration.resolve) { allow(.reading, path) }
        for path in configuration.sandbox.write.map(configuration.resolve) { allow(.writing, path) }
        for store in configuration.foreignStores where configuration.sandbox.read.isEmpty {
            notes.append(
                "\(store.place) is in a store that is no file; what it opens at a reload has to be in sandbox.read"
            )
        }
        if let peers = configuration.peers { allowReaching(peers) }
        // What a process can know of itself.
        allow(.reading, "/proc/self")
    }

    /// What the system reads to look a host's name up.
    private static let resolverFiles = [
        "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/resolv.conf",
        "/run/systemd/resolve", "/run/resolvconf",
    ]
    /// Of name servers, for answers that are too long for a datagram; those are not restricted.
    private static let resolverPort: UInt16 = 53

    /// Allows connecting to other gateways, and looking their names up.
    private mutating func allowReaching(_ peers: PeerSettings) {
        connectPorts.formUnion(peers.gateways.compactMap(\.address.port))
        let hasNames = peers.gateways.contains { gateway in
            gateway.address.port.map { SocketAddress(ListenerAddress(host: gateway.address.host, port: $0)) == nil }
                ?? true
        }
        guard hasNames else { return }
        connectPorts.insert(Self.resolverPort)
        for path in Self.resolverFiles where FileID(path: path) != nil { allow(.reading, path) }
    }

    /// Allows what tasks and queues need: the library below them (libdispatch) looks at the state of its own threads at
    /// `/proc/TID/stat`, and ends the process where it cannot.
    public mutating func allowTasks() { allow(.reading, "/proc") }

    /// Allows reading a file, whatever takes its place.
    public mutating func allowReading(_ file: String) { allow(.reading, foldersOf: file) }

    /// Allows making a file and appending to it.
    public mutating func allowAppending(_ file: String) { allow(.appending, foldersOf: file) }

    /// Allows listening at a Unix socket, and removing it.
    public mutating func allowListening(at path: String) { allow(.listening, foldersOf: path) }

    private mutating func allow(_ new: LandlockRights, _ path: String) {
        rights[path, default: []].formUnion(new)
    }

    private mutating func allow(_ new: LandlockRights, foldersOf file: String) {
        // A device or a pipe of the process is allowed by itself: its neighbours have nothing to do with it.
        if ["/dev/", "/proc/"].contains(where: { file.utf8.starts(with: $0.utf8) }) {
            return allow(new.intersection(.ofFiles), file)
        }
        for folder in SandboxPaths.folders(of: file) {
            if folder == "/" {
                notes.append("\(file) is in the root folder: when it is replaced by rename, a reload cannot read it")
                allow(new.intersection(.ofFiles), file)
                continue
            }
            if Self.wide.contains(folder), rights[folder] == nil {
                notes.append("\(file) opens all of \(folder) to the gateway; give it a folder of its own")
            }
            allow(new, folder)
        }
    }

    /// What is allowed, for people.
    var lines: [String] {
        rights.sorted { $0.key < $1.key }.map { path, rights in
            "\(path): \(rights.contains(.writeFile) || rights.contains(.makeSocket) ? "read, write" : "read")"
        }
    }
}
