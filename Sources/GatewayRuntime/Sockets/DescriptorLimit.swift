// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
internal import Glibc
public import Logging

/// How many descriptors the process may have open.
public enum DescriptorLimit {
    /// Raises the limit as far as the system lets it be raised, and says so when the configured limits need more.
    public static func raise(for limits: GatewayLimits, logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // Two for each client, one for each newcomer, and some for the process itself.
        let wanted = 2 * limits.clients + limits.newcomers + 64
        guard limit.rlim_max < wanted else { return }
        let clients = max(0, Int(limit.rlim_max) - limits.newcomers - 64) / 2
        logger.notice(
            "the limit of open files is \(limit.rlim_max), enough for about \(clients) clients",
            metadata: ["detail": "limits.clients is \(limits.clients); raise the hard limit (ulimit -Hn) or lower it"]
        )
    }
}
