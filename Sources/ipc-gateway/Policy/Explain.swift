// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// `ipc-gateway explain`.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what the owner of a certificate, or a local client, may do, and which rule decides.",
        discussion: """
            Prints the identity and its entry, the context, the decision and the deciding rule with its line; for what no \
            rule allows, the rules that nearly do. Without --call and --listen it prints all that the client may do.

            Examples:
              ipc-gateway explain --config gateway.yaml --certificate alice.pem
              ipc-gateway explain --config gateway.yaml --certificate alice.pem --call storage.get --argument '"colour"'
              ipc-gateway explain --config gateway.yaml --certificate ops.pem --announce window:1 --listen log.onLine
              ipc-gateway explain --config gateway.yaml --certificate alice.pem --channel my.channel --call get
              ipc-gateway explain --config gateway.yaml --uid 1000 --gid 100 --executable /usr/bin/node --call log.write

            Channel and command are separated by the last dot; with --channel the name is taken whole. Arguments are \
            given as to 'ipc-gateway call'. A local client is in the groups that are given and in no others. Only the configuration and the certificate have to exist. Who issued the \
            certificate, and whether it is revoked, is not looked at.

            Exit codes: 0 allowed; 1 denied, or the client is refused; 64 wrong usage; 78 the configuration, or the certificate, cannot be used.
            """
    )

    /// A side that asks.
    enum Side: String, ExpressibleByArgument, CaseIterable {
        case client
        case server
    }

    @Option(name: [.short, .long], help: "The configuration file.")
    var config: String

    @Option(help: ArgumentHelp("The client's certificate, PEM or DER.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("The user of a local client, instead of a certificate.", valueName: "number"))
    var uid: String?

    @Option(help: ArgumentHelp("A group of the local client. May be repeated.", valueName: "number"))
    var gid: [String] = []

    @Option(help: ArgumentHelp("The program of the local client, without links.", valueName: "path"))
    var executable: String?

    @Option(help: ArgumentHelp("The context that the client announces, a text.", valueName: "id"))
    var announce: String?

    @Option(name: .customLong("announce-json"), help: ArgumentHelp("The same, as JSON.", valueName: "json"))
    var announceJSON: String?

    @Option(help: ArgumentHelp("A command to call.", valueName: "channel.command"))
    var call: String?

    @Option(help: ArgumentHelp("An event to listen to.", valueName: "channel.event"))
    var listen: String?

    @Option(help: ArgumentHelp("The channel; --call and --listen are names without it then.", valueName: "name"))
    var channel: String?

    @Option(help: "Who asks: client or server.")
    var from: Side = .client

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "An argument, as JSON; - reads one from standard input. May be repeated, which makes an array.",
            valueName: "json"
        )
    )
    var argument: [String] = []

    @Flag(help: "Make an array of the arguments always, as the parameters of a service's method.")
    var service = false

    @Flag(help: "Print JSON, for programs.")
    var json = false

    mutating func validate() throws {
        guard (certificate == nil) != (uid == nil) else {
            throw ValidationError("Give either --certificate, or --uid for a local client.")
        }
        guard uid != nil || (gid.isEmpty && executable == nil) else {
            throw ValidationError("--gid and --executable need --uid.")
        }
        for (option, text) in [("--uid", uid)] + gid.map({ ("--gid", Optional($0)) }) {
            guard let text, LocalPeer.id(text) == nil else { continue }
            throw ValidationError("\(option) takes a number as 'id' prints it, not '\(text)'.")
        }
        if let executable, executable.utf8.first != UInt8(ascii: "/") {
            throw ValidationError("--executable takes an absolute path, as 'readlink -f' prints it.")
        }
        guard call == nil || listen == nil else { throw ValidationError("Give either --call or --listen.") }
        guard announce == nil || announceJSON == nil else {
            throw ValidationError("Give either --announce or --announce-json.")
        }
        guard call != nil || listen != nil || (channel == nil && argument.isEmpty && !service && from == .client) else {
            throw ValidationError("--channel, --from, --argument and --service need --call or --listen.")
        }
        guard argument.count(where: { $0 == "-" }) <= 1 else {
            throw ValidationError("Standard input can be read only once.")
        }
        if channel == nil, let text = call ?? listen, PolicyQuestion.split(text) == nil {
            let option = call == nil ? "--listen" : "--call"
            throw ValidationError(
                "'\(text)' has no channel: \(option) storage.get, or --channel storage \(option) get."
            )
        }
    }

    func run() throws {
        try CommandFailure.report {
            let question = try question()
            let announced = try announcedContext()
            let configuration = try ConfigurationFile.loadText(config)
            let report = ExplainedClient(try identity(), announced, question, configuration)
            try Console.write(line: json ? ValueText.line(report.json) : report.text)
            if !report.isGood { throw ExitCode.failure }
        }
    }

    private func identity() throws -> PeerIdentity {
        if let user = uid.flatMap(LocalPeer.id) {
            let program = executable.map(LocalPeer.Executable.path) ?? .unknown("--executable was not given")
            return .local(
                LocalPeer(userID: user, groupIDs: gid.compactMap(LocalPeer.id), executable: program)
            )
        }
        do {
            return .certificate(try CertificateIdentity.load(certificateFile: certificate ?? ""))
        } catch {
            throw CommandFailure("\(error)", .configuration)
        }
    }

    private func announcedContext() throws -> IPCValue? {
        if let announceJSON { return try ValueText.parse(Array(announceJSON.utf8), from: "--announce-json") }
        return announce.map { IPCValue($0) }
    }

    private func question() throws -> PolicyQuestion? {
        guard let text = call ?? listen else { return nil }
        guard let (channel, name) = channel.map({ ($0, text) }) ?? PolicyQuestion.split(text) else { return nil }
        let texts = try argument.map { $0 == "-" ? try InputFile.contents(of: "-") : Array($0.utf8) }
        return PolicyQuestion(
            call == nil ? .listen : .call,
            from == .client ? .fromClient : .fromServer,
            channel: channel,
            name: name,
            argument: try ArgumentText.encode(texts, isService: service)
        )
    }
}
