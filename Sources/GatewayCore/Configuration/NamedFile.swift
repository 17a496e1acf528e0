// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import TLSEngine

/// A file that a configuration names.
public struct NamedFile: Sendable, Hashable {
    /// What the gateway does with it.
    public enum Use: Sendable, Hashable {
        /// It is read, at the start and at each reload.
        case read
        /// It is appended to, and made when it is not there.
        case append
        /// It is a socket that is listened at.
        case socket
    }

    /// The path of the key that names it; empty for the configuration itself.
    public var place: String
    /// The line of the key, as far as it is known.
    public var line: Int?
    /// The path as the process must open it.
    public var path: String
    /// What it is for.
    public var use: Use
}

extension GatewayConfiguration {
    /// All files that it names, itself included, but for the sockets of local servers.
    public var namedFiles: [NamedFile] {
        var files = [NamedFile(place: "", path: file, use: .read)]
        for (index, listener) in listeners.enumerated() {
            func add(_ key: String, _ path: String?, _ use: NamedFile.Use = .read) {
                // Stores other than files have no path.
                guard let path = path.map(resolve).flatMap(CredentialPath.file) else { return }
                files.append(NamedFile(place: "listeners[\(index)].\(key)", line: listener.line, path: path, use: use))
            }
            switch listener.place {
            case .unix(let socket):
                // One that is handed over is no file of the gateway's.
                if listener.inherited == nil { add("unix", socket.path, .socket) }
            case .tcp(_, let tls):
                add("tls.certificate", tls.certificate)
                add("tls.key", tls.key)
                if case .file(let path) = tls.keyPassphrase { add("tls.keyPassphrase.file", path) }
                add("tls.clientCA", tls.clientCA)
                add("tls.crl", tls.crl)
                add("tls.keyLog", tls.keyLog, .append)
            }
        }
        if let peers {
            func add(_ key: String, _ path: String) {
                guard let path = CredentialPath.file(resolve(path)) else { return }
                files.append(NamedFile(place: "peers.tls.\(key)", line: peers.line, path: path, use: .read))
            }
            add("certificate", peers.tls.certificate)
            add("key", peers.tls.key)
            if case .file(let path) = peers.tls.keyPassphrase { add("keyPassphrase.file", path) }
            add("ca", peers.tls.ca)
        }
        if let path = audit?.path(in: self) {
            files.append(NamedFile(place: "audit.file", path: path, use: .append))
        }
        return files
    }

    /// The paths of those that are read, each once.
    public var readFiles: [String] {
        var seen: Set<[UInt8]> = []
        return namedFiles.filter { $0.use == .read && seen.insert(Array($0.path.utf8)).inserted }.map(\.path)
    }

    /// Keys that are in stores of which it is not known what they open.
    public var foreignStores: [NamedFile] {
        listeners.enumerated().flatMap { index, listener -> [NamedFile] in
            guard case .tcp(_, let tls) = listener.place else { return [] }
            return [("certificate", tls.certificate), ("key", tls.key)].compactMap { key, text in
                CredentialPath.file(resolve(text)) == nil
                    ? NamedFile(place: "listeners[\(index)].tls.\(key)", line: listener.line, path: text, use: .read)
                    : nil
            }
        }
    }
}
