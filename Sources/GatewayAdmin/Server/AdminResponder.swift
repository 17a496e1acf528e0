// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import GatewayRuntime
internal import HTTPTypes
internal import Hummingbird
internal import IPCProtocol
internal import NIOPosix

/// Answers the requests of operators.
struct AdminResponder: Sendable {
    /// What a request may bring beside its header; nothing here reads it.
    private static let mostBody = 64 << 10

    let subject: AdminSubject
    let reports: Reports
    let readiness: Readiness
    /// Where work is done that waits for files.
    let threads: NIOThreadPool
    /// When the process began to serve, in nanoseconds since 1970.
    let startedAt: Int64

    init(_ subject: AdminSubject, threads: NIOThreadPool) {
        self.subject = subject
        self.threads = threads
        reports = Reports(subject.gateway)
        readiness = Readiness(subject.gateway, threads: threads)
        startedAt = WallClock.now()
    }

    /// Answers.
    func respond(to request: Request, at place: RequestGuard.Place) async -> Response {
        let asked = RequestGuard.Asked(
            method: request.method.rawValue,
            path: request.uri.path,
            host: request.head.authority,
            origin: request.headers[.origin],
            fetchSite: HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
        )
        if let refusal = RequestGuard(place: place).refusal(of: asked) {
            return .problem(HTTPResponse.Status(code: refusal.status), refusal.reason)
        }
        let length = request.headers[.contentLength].map { Int($0) ?? .max } ?? 0
        if length > Self.mostBody || request.headers[.transferEncoding] != nil {
            return .problem(.contentTooLarge, "nothing here reads what a request brings")
        }
        var response = await answer(request)
        if request.method == .head {
            response = Response(status: response.status, headers: response.headers)
        }
        return response
    }

    private func answer(_ request: Request) async -> Response {
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        let isReading = request.method == .get || request.method == .head
        switch (path.first ?? "", path.count) {
        case ("", 1) where isReading: return .dashboard()
        case ("metrics", 1) where isReading: return await metrics()
        case ("status", 1) where isReading: return await status()
        case ("health", 2) where isReading && path[1] == "live": return await live()
        case ("health", 2) where isReading && path[1] == "ready": return await ready()
        case ("sessions", 1) where isReading: return await sessions(request, id: nil)
        case ("sessions", 2) where isReading: return await sessions(request, id: path[1])
        case ("sessions", 1) where request.method == .delete: return await closeAll(request)
        case ("sessions", 2) where request.method == .post && path[1] == "close": return await closeAll(request)
        case ("sessions", 2) where request.method == .delete: return await close(request, path[1])
        case ("sessions", 3) where request.method == .post && path[2] == "close": return await close(request, path[1])
        case ("reload", 1) where request.method == .post: return await reload()
        case ("drain", 1) where request.method == .post: return drain()
        case ("", 1), ("metrics", 1), ("status", 1), ("health", 2), ("sessions", 1...3):
            return .wrongMethod("GET, HEAD")
        case ("reload", 1), ("drain", 1): return .wrongMethod("POST")
        default: return .problem(.notFound, "there is no such page; see docs/admin.md")
        }
    }

    // MARK: Reading

    private func metrics() async -> Response {
        let page = MetricsPage(
            subject: subject,
            known: await reports.current(),
            figures: .current(),
            startedAt: startedAt
        )
        return .bytes(page.render(), MetricsText.contentType)
    }

    private func status() async -> Response {
        let page = StatusPage(
            subject: subject,
            known: await reports.current(),
            figures: .current(),
            readiness: await readiness.last,
            startedAt: startedAt,
            now: WallClock.now()
        )
        return .json(.ok, page.value())
    }

    private func live() async -> Response {
        let gateway = subject.gateway
        let answers: [Bool?] = await Gathering.collect(gateway.threadCount, within: Reports.patience) { answer in
            gateway.askForLife { answer($0, true) }
        }
        let silent = answers.indices.filter { answers[$0] == nil }
        let body = IPCValue.members([
            ("status", silent.isEmpty ? "alive" : "hanging"), ("threads", IPCValue(answers.count)),
            ("threadsWithoutAnswer", .array(silent.map { IPCValue($0) })),
        ])
        return .json(silent.isEmpty ? .ok : .serviceUnavailable, body)
    }

    private func ready() async -> Response {
        // Servers may have gone before their gateway.
        let isDraining = subject.gateway.isDraining
        let known =
            isDraining
            ? Readiness.Known(findings: [], unchecked: subject.gateway.snapshot.configuration.upstreams.map(\.name))
            : await readiness.current()
        let isReady = known.isGood && !isDraining
        return .json(isReady ? .ok : .serviceUnavailable, Readiness.body(known, isDraining: isDraining))
    }

    private func sessions(_ request: Request, id: String?) async -> Response {
        var query = SessionQuery()
        let known = id == nil ? SessionQuery.Parameters.list : SessionQuery.Parameters.none
        if let problem = query.read(request, known) { return .problem(.badRequest, problem) }
        if let id {
            guard let number = Int(id) else { return .problem(.badRequest, "the id of a session is a number") }
            query.filter.id = number
        }
        let (gateway, asked) = (subject.gateway, query)
        let answers = await Gathering.collect(gateway.threadCount, within: Reports.patience) { answer in
            gateway.askForSessions(asked.filter, from: asked.first, count: asked.count + 1) {
                thread,
                sessions,
                matching in
                answer(thread, SessionsPage.Answer(sessions: sessions, matching: matching))
            }
        }
        if id != nil, answers.allSatisfy({ $0?.sessions.isEmpty ?? true }) {
            return .problem(.notFound, "there is no such session")
        }
        return .json(.ok, SessionsPage.value(answers, count: query.count, now: WallClock.now()))
    }

    // MARK: Acting

    private func close(_ request: Request, _ id: String) async -> Response {
        var query = SessionQuery()
        if let problem = query.read(request, SessionQuery.Parameters.none) { return .problem(.badRequest, problem) }
        guard let number = Int(id) else { return .problem(.badRequest, "the id of a session is a number") }
        return await close(SessionFilter(id: number))
    }

    private func closeAll(_ request: Request) async -> Response {
        var query = SessionQuery()
        if let problem = query.read(request, SessionQuery.Parameters.closing) { return .problem(.badRequest, problem) }
        guard query.filter.identity != nil else {
            return .problem(.badRequest, "say whose sessions: ?identity=…, as /sessions shows it")
        }
        return await close(query.filter)
    }

    private func close(_ filter: SessionFilter) async -> Response {
        let gateway = subject.gateway
        let answers: [Int?] = await Gathering.collect(gateway.threadCount, within: Reports.patience) { answer in
            gateway.closeSessions(filter) { answer($0, $1) }
        }
        let count = answers.reduce(0) { $0 + ($1 ?? 0) }
        if answers.contains(where: { $0 == nil }) {
            return .problem(.gatewayTimeout, "a thread did not answer; \(count) sessions were closed by the others")
        }
        guard count > 0 else { return .problem(.notFound, "there is no such session") }
        return .json(.ok, .members([("closed", IPCValue(count))]))
    }

    private func reload() async -> Response {
        let reloader = subject.reloader
        switch try? await threads.runIfActive({ reloader.reload(for: "operator") }) {
        case nil:
            return .problem(.serviceUnavailable, "the gateway is stopping")
        case .reloaded(let generation):
            return .json(.ok, .members([("generation", IPCValue(generation))]))
        case .refused(let problems):
            let body = IPCValue.members([
                ("error", "the configuration was not reloaded; the one that is in force stays"),
                ("problems", .array(problems.map { IPCValue($0) })),
                ("generation", IPCValue(subject.gateway.snapshot.generation)),
            ])
            return .json(.unprocessableContent, body)
        }
    }

    /// The only answer with this status; draining begins when it has been given.
    private func drain() -> Response {
        .json(.accepted, .members([("draining", true)]))
    }
}
