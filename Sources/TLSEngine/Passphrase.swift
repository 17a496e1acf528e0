// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The passphrase of a key, in memory that is wiped when it goes.
final class Passphrase {
    /// What OpenSSL has room for (PEM_BUFSIZE).
    private static let largestByteCount = 1024

    let source: PassphraseSource
    /// With room for a newline, and for one byte more than is allowed, so that it is seen.
    private static let capacity = Passphrase.largestByteCount + 2
    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Passphrase.capacity, alignment: 1)
    private var count = 0

    init(_ source: PassphraseSource) throws(TLSConfigurationError) {
        self.source = source
        switch source {
        case .file(let path): try self.read(file: path)
        case .environment(let name): try self.read(variable: name)
        }
        let file: String? = if case .file(let path) = source { path } else { nil }
        guard self.count > 0 else {
            throw TLSConfigurationError(file: file, message: "\(source) holds no passphrase; it is empty")
        }
        guard self.count <= Self.largestByteCount else {
            let message = "\(source) holds more than the \(Self.largestByteCount) bytes a passphrase may have"
            throw TLSConfigurationError(file: file, message: message)
        }
    }

    deinit {
        OPENSSL_cleanse(self.memory.baseAddress, self.memory.count)
        self.memory.deallocate()
    }

    /// - Returns: How many bytes were copied; -1 when there is no room for all.
    func copy(into buffer: UnsafeMutableRawBufferPointer) -> Int32 {
        guard self.count <= buffer.count else {
            return -1
        }
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: self.memory[..<self.count]))
        return Int32(self.count)
    }

    private func read(file path: String) throws(TLSConfigurationError) {
        // Without a buffer of the C library, which would keep a copy.
        let descriptor = path.utf8.contains(0) ? -1 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let message = "the file with the key's passphrase cannot be opened: \(String(cString: strerror(errno)))"
            throw TLSConfigurationError(file: path, message: message)
        }
        defer { close(descriptor) }
        while self.count < self.memory.count {
            let room = UnsafeMutableRawBufferPointer(rebasing: self.memory[self.count...])
            #if canImport(Darwin)
            let result = Darwin.read(descriptor, room.baseAddress, room.count)
            #else
            let result = Glibc.read(descriptor, room.baseAddress, room.count)
            #endif
            if result < 0, errno == EINTR {
                continue
            }
            guard result >= 0 else {
                let message = "the file with the key's passphrase cannot be read: \(String(cString: strerror(errno)))"
                throw TLSConfigurationError(file: path, message: message)
            }
            guard result > 0 else { break }
            self.count += result
        }
        if self.count > 0, self.memory[self.count - 1] == UInt8(ascii: "\n") {
            self.count -= 1
        }
    }

    private func read(variable name: String) throws(TLSConfigurationError) {
        guard let value = getenv(name) else {
            let message = "\(self.source), which should hold the key's passphrase, is not set"
            throw TLSConfigurationError(message: message)
        }
        self.count = min(strlen(value), self.memory.count)
        self.memory.copyMemory(from: UnsafeRawBufferPointer(start: value, count: self.count))
    }
}

/// What OpenSSL gets when it finds something encrypted: the passphrase, if there is one, and never a prompt.
final class PassphraseRequest {
    /// OpenSSL's `pem_password_cb *`.
    typealias Callback = @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32

    private let passphrase: Passphrase?
    /// Something was encrypted.
    private(set) var wasMade = false

    init(_ passphrase: Passphrase?) {
        self.passphrase = passphrase
    }

    /// Lends the callback and its argument while `body` runs.
    func lend<R>(_ body: (Callback, _ argument: UnsafeMutableRawPointer) -> R) -> R {
        withExtendedLifetime(self) {
            body(answerPassphraseRequest, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    /// Why something encrypted could not be read; nil when nothing was.
    ///
    /// - Parameter errors: What OpenSSL left behind.
    func failure(_ errors: OpenSSLErrors) -> String? {
        guard self.wasMade else {
            return nil
        }
        guard let passphrase = self.passphrase else {
            return "the key is encrypted and no passphrase is configured; say where it is, "
                + "or store the key without one: openssl pkey -in KEY -out PLAIN-KEY"
        }
        return "the key cannot be decrypted with the passphrase from \(passphrase.source); "
            + "is it the right one? (\(errors.text))"
    }

    fileprivate func answer(into buffer: UnsafeMutableRawBufferPointer) -> Int32 {
        self.wasMade = true
        return self.passphrase?.copy(into: buffer) ?? -1
    }
}

/// `context` is a `PassphraseRequest` that is borrowed.
private func answerPassphraseRequest(
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int32,
    isWriting: Int32,
    context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else {
        return -1
    }
    let request = Unmanaged<PassphraseRequest>.fromOpaque(context).takeUnretainedValue()
    return request.answer(into: UnsafeMutableRawBufferPointer(start: buffer, count: max(0, Int(size))))
}
