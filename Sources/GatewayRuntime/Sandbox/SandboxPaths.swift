// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Which folders have to be allowed for a path, now and after what it names has been replaced.
enum SandboxPaths {
    /// As many links as the kernel follows.
    private static let mostLinks = 40

    /// The folders: that of the path itself, and where it is a link, those on the way to what it means; the last is the
    /// folder of the file itself.
    ///
    /// Where a link on the way leads to something in or below its own folder, it may lead to a neighbour of that tomorrow
    /// (`..data` of Kubernetes, `current`), so its folder is among them. Links such as `/var/run` are followed, and no more.
    static func folders(of path: String) -> [String] {
        var rest = components(of: absolute(path))
        var current = ""
        var found: [String] = []
        var links = 0
        while let name = rest.first {
            rest.removeFirst()
            if name == ".." {
                current = parent(of: current)
                continue
            }
            if rest.isEmpty { found.append(current.isEmpty ? "/" : current) }
            guard links < mostLinks, let target = link("\(current)/\(name)") else {
                current += "/\(name)"
                continue
            }
            links += 1
            let parts = components(of: target)
            let isAbsolute = target.utf8.first == UInt8(ascii: "/")
            let staysBelow = isAbsolute ? target.utf8.starts(with: "\(current)/".utf8) : true
            if staysBelow, !parts.contains(".."), !rest.isEmpty, !current.isEmpty { found.append(current) }
            if isAbsolute { current = "" }
            rest = parts + rest
        }
        return found
    }

    /// A path without links, as far as there is something.
    static func absolute(_ path: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return path }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard getcwd(&buffer, buffer.count) != nil else { return "/\(path)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) + "/\(path)"
    }

    /// The folder that holds something; that of the root is the root, which is written as nothing here.
    static func parent(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
    }

    private static func components(of path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String($0) ?? "" }.filter { $0 != "." }
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
