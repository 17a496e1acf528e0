// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Makes contexts from files that are read anew each time, and goes on with what was read last when they cannot be used:
/// a certificate that is being replaced, or was replaced by a bad one, ends nothing that works.
package final class CredentialReloader: Sendable {
    /// What somebody should know.
    package enum Report: Sendable {
        /// The files cannot be used; those that were read before still are.
        case unusable(TLSConfigurationError)
        /// The files can be used again, or the certificate is another.
        case renewed(CertificateIdentity?)
        /// Something about the files that looks wrong; see `TLSContext.notes`.
        case note(String)
    }

    private struct State {
        var last: TLSContext?
        var lastProblem: TLSConfigurationError?
        var told: Set<String> = []
    }

    private let state = Mutex(State())
    private let report: @Sendable (Report) -> Void

    /// - Parameter report: Is told what somebody should know, each thing once.
    package init(report: @escaping @Sendable (Report) -> Void) {
        self.report = report
    }

    /// The configuration with contexts that are made here.
    package func attach(to configuration: TLSConfiguration) -> TLSConfiguration {
        var configuration = configuration
        configuration.contextSource = { configuration throws(TLSConfigurationError) in
            try self.makeContext(configuration)
        }
        return configuration
    }

    /// Reads the files.
    ///
    /// - Throws: What is wrong with them, if they could never be used.
    @discardableResult
    package func makeContext(_ configuration: TLSConfiguration) throws(TLSConfigurationError) -> TLSContext {
        do throws(TLSConfigurationError) {
            let context = try TLSContext(configuration)
            for message in took(context) { report(message) }
            return context
        } catch {
            let (last, isNew) = state.withLock { state in
                defer { state.lastProblem = error }
                return (state.last, state.lastProblem != error)
            }
            guard let last else { throw error }
            if isNew { report(.unusable(error)) }
            return last
        }
    }

    /// Remembers a context that can be used.
    private func took(_ context: TLSContext) -> [Report] {
        state.withLock { state in
            var reports: [Report] = []
            if let last = state.last,
                state.lastProblem != nil || last.certificate?.fingerprint != context.certificate?.fingerprint
            {
                reports.append(.renewed(context.certificate))
            }
            for note in context.notes where state.told.insert(note).inserted { reports.append(.note(note)) }
            // Notes that change with time must not pile up.
            if state.told.count > 100 { state.told = [] }
            state.last = context
            state.lastProblem = nil
            return reports
        }
    }
}
