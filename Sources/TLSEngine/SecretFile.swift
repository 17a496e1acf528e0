// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The contents of a file with a key, in memory that is wiped when it goes.
final class SecretFile {
    private var memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 1)
    private var count = 0

    /// Reads a file, without a buffer of the C library, which would keep a copy.
    init(_ path: String, largest: Int) throws(TLSConfigurationError) {
        let descriptor = path.utf8.contains(0) ? -1 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TLSConfigurationError(file: path, message: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        while true {
            if count == memory.count { grow() }
            let room = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
            #if canImport(Darwin)
            let result = Darwin.read(descriptor, room.baseAddress, room.count)
            #else
            let result = Glibc.read(descriptor, room.baseAddress, room.count)
            #endif
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else {
                throw TLSConfigurationError(file: path, message: "cannot be read; is it a file?")
            }
            guard result > 0 else { return }
            count += result
            guard count <= largest else {
                throw TLSConfigurationError(file: path, message: "is larger than 16 MiB, which no PEM file needs")
            }
        }
    }

    deinit {
        wipe(memory)
    }

    /// What the file holds, as long as this object lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    private func grow() {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * memory.count, alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(memory))
        wipe(memory)
        memory = larger
    }

    private func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        OPENSSL_cleanse(buffer.baseAddress, buffer.count)
        buffer.deallocate()
    }
}
