// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc

/// Makes certificates with certs/dev-ca.sh.
struct DevelopmentAuthority {
    let script: String
    let folder: String

    /// Finds the script: where it is said to be, or in this folder, or in the source tree that the program is built in.
    static func findScript(_ given: String?) throws -> String {
        if let given { return given }
        var places = ["certs/dev-ca.sh"]
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        if length > 0 {
            var folder = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
            while let slash = folder.lastIndex(of: "/") {
                folder = String(folder[..<slash])
                places.append("\(folder)/certs/dev-ca.sh")
            }
        }
        guard let found = places.first(where: { access($0, R_OK) == 0 }) else {
            throw CommandFailure("certs/dev-ca.sh is not here; go to the source folder or give --ca-script", .failure)
        }
        return found
    }

    /// Makes a certificate unless it is there already.
    func make(_ name: String, _ arguments: [String]) throws {
        guard access("\(folder)/\(name).pem", F_OK) != 0 else { return }
        var words = ["bash", script] + arguments
        words.insert(folder, at: 3)
        try Self.run(words)
    }

    private static func run(_ words: [String]) throws {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawnp(&process, words[0], nil, nil, arguments, environ)
        guard code == 0 else {
            throw CommandFailure("cannot start \(words[0]): \(String(cString: strerror(code)))", .failure)
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw CommandFailure("'\(words.joined(separator: " "))' failed", .failure) }
    }
}
