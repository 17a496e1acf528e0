// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension TestAuthority {
    /// A certificate whose common name holds a line feed, which `certs/dev-ca.sh` does not make.
    public func clientWithLineFeed() throws -> CertificateFiles {
        let name = "\(self.directory)/linefeed"
        let words = """
            printf '[req]\\ndistinguished_name=n\\nprompt=no\\n[n]\\nCN=al\\\\nice\\n' >$1.cnf
            printf 'extendedKeyUsage=clientAuth\\nbasicConstraints=CA:FALSE\\n' >$1.ext
            openssl ecparam -name prime256v1 -genkey -noout -out $1-key.pem
            openssl req -new -key $1-key.pem -config $1.cnf -out $1.csr
            openssl x509 -req -in $1.csr -CA $2/ca.pem -CAkey $2/ca-key.pem -days 2 -extfile $1.ext -out $1.pem
            """
        let child = try ChildProcess(["/bin/sh", "-ec", words, "sh", name, self.directory])
        guard try child.wait() == 0 else {
            throw TestAuthorityError(description: child.errors)
        }
        return CertificateFiles(certificate: "\(name).pem", key: "\(name)-key.pem")
    }
}
