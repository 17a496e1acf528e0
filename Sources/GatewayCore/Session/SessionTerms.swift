// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Everything about a client that its session goes by: who it is, what it may do, and where its requests go.
public struct SessionTerms: Sendable {
    /// Which entry the client belongs to, and why.
    public var resolution: IdentityMap.Resolution
    /// What it may ask, and its servers of it.
    public var policy: AccessPolicy
    /// Entries that are judged by too, to see what they would change, and who asks; nil for none.
    public var shadow: Shadow?
    /// Its local servers.
    public var upstreams: [GatewayConfiguration.Upstream]
    /// Which channel is whose, by places in ``upstreams``.
    public var routes: RouteTable
    /// Bounds on frames and queues.
    public var limits: GatewayLimits
    /// Bounds on what it may have open, and on its rate.
    public var clientLimits: ClientLimits
    /// What it is told.
    public var answers: AnswerSettings
    /// Which of its requests are recorded; nil for none.
    public var recording: RequestRecording?
    /// What it shares with other connections of its identity; nil for nothing.
    public var identityLoad: IdentityLoad?

    /// The shadow policy, and whom it has to find an entry for.
    public struct Shadow: Sendable {
        /// The policy.
        public var policy: ShadowPolicy
        /// What proves who the client is.
        public var identity: PeerIdentity

        /// Makes a pair.
        public init(policy: ShadowPolicy, identity: PeerIdentity) {
            self.policy = policy
            self.identity = identity
        }
    }

    /// Makes terms. Without routes everything goes to the first server.
    public init(
        resolution: IdentityMap.Resolution,
        policy: AccessPolicy,
        shadow: Shadow? = nil,
        upstreams: [GatewayConfiguration.Upstream],
        routes: RouteTable? = nil,
        limits: GatewayLimits = GatewayLimits(),
        clientLimits: ClientLimits = ClientLimits(),
        answers: AnswerSettings = AnswerSettings(),
        recording: RequestRecording? = nil,
        identityLoad: IdentityLoad? = nil
    ) {
        self.resolution = resolution
        self.policy = policy
        self.shadow = shadow
        self.upstreams = upstreams
        self.routes = routes ?? RouteTable(upstreams.map(\.channels))
        self.limits = limits
        self.clientLimits = clientLimits
        self.answers = answers
        self.recording = recording
        self.identityLoad = identityLoad
    }
}
