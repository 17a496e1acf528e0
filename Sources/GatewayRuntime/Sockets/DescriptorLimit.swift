// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
internal import Glibc
public import Logging

/// How many descriptors the process may have open.
public enum DescriptorLimit {
    /// Raises the limit as far as the system lets it be raised, and says so when the configured limits need more.
    public static func raise(for limits: GatewayLimits, logger: Logger) {
        // Two for each client, one for each newcomer, and some for the process itself.
        guard let most = raise(), most < 2 * limits.clients + limits.newcomers + 64 else { return }
        let clients = max(0, most - limits.newcomers - 64) / 2
        logger.notice(
            "the limit of open files is \(most), enough for about \(clients) clients",
            metadata: ["detail": "limits.clients is \(limits.clients); raise the hard limit (ulimit -Hn) or lower it"]
        )
    }

    /// The same for a program that only has connections.
    public static func raise(forConnections count: Int, logger: Logger) {
        guard let most = raise(), most < count + 64 else { return }
        logger.notice(
            "the limit of open files is \(most), enough for about \(max(0, most - 64)) of \(count) connections"
        )
    }

    /// - Returns: The limit; nil when the system does not tell.
    private static func raise() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_max)
    }
}
