// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSSession {
    /// The secrets of a connection's data, as OpenSSL tells them in the middle of the handshake.
    struct DataSecrets: ~Copyable {
        var client: TrafficSecret?
        var server: TrafficSecret?
    }

    /// For a callback of OpenSSL: a line of the key log, which is the only way to be told of secrets.
    func noteSecret(_ line: UnsafePointer<CChar>) {
        guard self.context.ownsRecords else { return }
        let bytes = UnsafeRawBufferPointer(start: line, count: strlen(line))
        if let secret = Self.secret(in: bytes, behind: "CLIENT_TRAFFIC_SECRET_0 ") {
            self.dataSecrets.client = consume secret
        } else if let secret = Self.secret(in: bytes, behind: "SERVER_TRAFFIC_SECRET_0 ") {
            self.dataSecrets.server = consume secret
            // What was written with the keys of the handshake has been flushed: the server's first flight ends here.
            self.transport.sentRecords = RecordCounter()
        }
    }

    /// The secret in a line, which is behind a label and the client's random number.
    private static func secret(in line: UnsafeRawBufferPointer, behind label: StaticString) -> TrafficSecret? {
        guard line.count > label.utf8CodeUnitCount,
            label.withUTF8Buffer({ line.starts(with: $0) }),
            let space = line.lastIndex(of: UInt8(ascii: " "))
        else {
            return nil
        }
        return TrafficSecret.read(hexadecimal: UnsafeRawBufferPointer(rebasing: line[(space + 1)...]))
    }

    /// The handshake is complete: reads and writes records without OpenSSL's connection from now on, and frees it.
    ///
    /// Where anything is not as it is expected to be, OpenSSL goes on.
    func takeOverRecords() {
        let sent = self.transport.sentRecords
        self.transport.sentRecords = nil
        let client = self.dataSecrets.client.take()
        let server = self.dataSecrets.server.take()
        guard let sent, sent.isAtBoundary, let client, let server, SSL_version(self.ssl) == TLS1_3_VERSION,
            // It reads one record at a time, and holds nothing of the next.
            SSL_has_pending(self.ssl) == 0,
            let name = copenssl_SSL_get_cipher_name(self.ssl),
            let (suite, cipher) = RecordSuite.find(String(cString: name)),
            let reading = RecordKeys.make(suite, cipher, client, isForWriting: false),
            let writing = RecordKeys.make(suite, cipher, server, isForWriting: true, recordCount: sent.recordCount)
        else {
            OpenSSLErrors.clear()
            return
        }
        self.finished = FinishedHandshake(self)
        self.records = TLSRecords(reading: reading, writing: writing)
        self.freeConnection()
    }
}
