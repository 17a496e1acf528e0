// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What the two ends of a session that outlives its connections say about it, in Control frames: one JSON object each.
///
/// Members that are not known are ignored; a type that is not known, or another version, is refused. Of duplicate members
/// the last counts. The format is described in docs/sessions.md.
public enum SessionControl: Sendable, Hashable {
    /// The client asks for a new session, or, by its token, for one that it has.
    case connect(token: String?)
    /// The session is there. The token names it after a loss; for so many seconds it is kept then.
    case ok(token: String, graceTime: Int)
    /// The session is refused, or over.
    case error(SessionCode, reason: String)
    /// The gateway wants to be left: finish what is outstanding, then open a new session, at another address if there is
    /// one.
    case goAway(reason: String)

    /// The version of these messages.
    public static let version = 1
    /// The most bytes that a token has.
    public static let tokenBytes = 256
    /// What a reason is cut to, in bytes: six times as long, as escapes make it at worst, it still fits into a frame.
    private static let reasonBytes = 600

    /// Reads a message.
    ///
    /// - Parameter json: The body of a Control frame.
    /// - Throws: `malformed`; `unsupported-version` where a `connect` asks for another version.
    public init(_ json: [UInt8]) throws(SessionFailure) {
        let members = try Self.object(json)
        switch members["type"]?.string {
        case "connect":
            guard members["version"] == .int(Int32(Self.version)) else {
                throw SessionFailure(.unsupportedVersion, "only version \(Self.version) of sessions is spoken here")
            }
            self = .connect(token: try Self.token(members["reconnectionToken"]))
        case "ok":
            guard let token = try Self.token(members["reconnectionToken"]) else {
                throw SessionFailure(.malformed, "the Control message 'ok' has no reconnectionToken")
            }
            // Whoever keeps a session for no time at all, or for parts of seconds, may say so.
            let seconds = members["graceTime"]?.double ?? 0
            self = .ok(token: token, graceTime: seconds >= 0 && seconds < 1e9 ? Int(seconds) : 0)
        case "error":
            let code = members["code"]?.string ?? SessionCode.malformed.rawValue
            self = .error(SessionCode(rawValue: code), reason: members["reason"]?.string ?? "")
        case "goAway":
            self = .goAway(reason: members["reason"]?.string ?? "")
        default:
            throw SessionFailure(.malformed, "a Control message has no type that is known here")
        }
    }

    /// The message as the body of a Control frame, which always fits into one.
    public func encoded() -> [UInt8] {
        let members: IPCObject =
            switch self {
            case .connect(let token?):
                ["type": "connect", "version": IPCValue(Self.version), "reconnectionToken": IPCValue(token)]
            case .connect(nil):
                ["type": "connect", "version": IPCValue(Self.version)]
            case .ok(let token, let graceTime):
                ["type": "ok", "reconnectionToken": IPCValue(token), "graceTime": IPCValue(graceTime)]
            case .error(let code, let reason):
                ["type": "error", "code": IPCValue(code.rawValue), "reason": IPCValue(Self.cut(reason))]
            case .goAway(let reason):
                ["type": "goAway", "reason": IPCValue(Self.cut(reason))]
            }
        return JSONText.write(.object(members)) ?? []
    }

    private static func object(_ json: [UInt8]) throws(SessionFailure) -> IPCObject {
        do throws(WireError) {
            let value = try JSONText.parse(json.span, in: 0..<json.count, maxDepth: 8)
            if let object = value.object { return object }
        } catch {
            throw SessionFailure(.malformed, "a Control message is not JSON: \(error)")
        }
        throw SessionFailure(.malformed, "a Control message is not a JSON object")
    }

    private static func token(_ value: IPCValue?) throws(SessionFailure) -> String? {
        guard let value else { return nil }
        guard let token = value.string, !token.isEmpty, token.utf8.count <= tokenBytes else {
            throw SessionFailure(.malformed, "a reconnectionToken is not a string of 1 to \(tokenBytes) bytes")
        }
        return token
    }

    private static func cut(_ reason: String) -> String {
        guard reason.utf8.count > reasonBytes else { return reason }
        return String(decoding: Array(reason.utf8.prefix(reasonBytes)), as: UTF8.self)
    }
}
