// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import GatewayCore

extension HostAndPort: ExpressibleByArgument {
    /// Reads an argument of the command line.
    public init?(argument text: String) {
        self.init(text)
    }
}
