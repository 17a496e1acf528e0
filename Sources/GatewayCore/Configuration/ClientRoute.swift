// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Where the requests of a client entry go.
public struct ClientRoute: Sendable {
    /// The entry's local servers, in the order of the file; what becomes of a client that loses one is settled.
    public var upstreams: [GatewayConfiguration.Upstream]
    /// Which channel is whose.
    public var table: RouteTable

    /// The name of the server that has a channel; nil when there is none.
    public func upstream(for channel: String) -> String? {
        table.upstream(for: Array(channel.utf8).span).map { upstreams[$0].name }
    }
}

extension GatewayConfiguration {
    /// Where the requests of one of the ``clients`` go.
    public func route(of client: Client) -> ClientRoute {
        var own = upstreams.filter { client.upstreams.contains($0.name) }
        for index in own.indices {
            // With one server its connection and the client's are one; with several, one may go without the others.
            own[index].whenLost = own[index].whenLost ?? (own.count > 1 ? .redial : .close)
        }
        return ClientRoute(upstreams: own, table: RouteTable(own.map(\.channels)))
    }
}
