// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// The user and group that a gateway becomes which root has started.
struct Privileges: Sendable {
    let user: uid_t
    let group: gid_t
    /// What the user is called, for people and to find its groups.
    let name: String
    /// Whether the system knows the user, and so its further groups.
    private let isKnown: Bool

    /// Looks a user and a group up, by name or number.
    ///
    /// - Parameters:
    ///   - user: The user; nil for none, which takes a group to be nil, too.
    ///   - group: The group; nil for the user's own.
    /// - Returns: nil when there is no user.
    static func find(user: String?, group: String?) throws(GatewayStartError) -> Privileges? {
        guard let user else {
            if let group { throw error("group '\(group)' is named without a user; name both") }
            return nil
        }
        var entry = getpwnam(user)
        if entry == nil, let number = number(user) { entry = getpwuid(number) }
        guard let id = entry?.pointee.pw_uid ?? number(user) else {
            throw error("there is no user '\(user)'; make it, or name another")
        }
        let name = entry.map { String(cString: $0.pointee.pw_name) } ?? user
        let ownGroup = entry?.pointee.pw_gid
        let isKnown = entry != nil
        if let group {
            guard let id2 = getgrnam(group)?.pointee.gr_gid ?? number(group) else {
                throw error("there is no group '\(group)'; make it, or name another")
            }
            return Privileges(user: id, group: id2, name: name, isKnown: isKnown)
        }
        guard let ownGroup else {
            throw error("user \(user) is not in the system's list, so its group is not known; name it with group:")
        }
        return Privileges(user: id, group: ownGroup, name: name, isKnown: isKnown)
    }

    private static func number(_ text: String) -> UInt32? {
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        // The last one stands for no id.
        return isNumber ? UInt32(text).flatMap { $0 == .max ? nil : $0 } : nil
    }

    private static func error(_ message: String) -> GatewayStartError {
        GatewayStartError("user: \(message)", isConfiguration: true)
    }

    /// Becomes the user, for good; nothing happens when the process is it already.
    ///
    /// - Throws: When that fails, or would not last.
    func take() throws(GatewayStartError) {
        if clinux_is_only(user, group) != 0 { return }
        guard geteuid() == 0 else {
            throw Self.error("only root can become user \(name); start the gateway as root, or as \(name)")
        }
        let hasGroups = isKnown ? initgroups(name, group) : setgroups(1, [group])
        guard hasGroups == 0, setgid(group) == 0, setuid(user) == 0 else {
            throw Self.error("the gateway cannot become user \(name): \(SystemError("setuid"))")
        }
        guard clinux_is_only(user, group) != 0, user == 0 || setuid(0) != 0 else {
            throw Self.error("the gateway became user \(name), and could become root again")
        }
    }
}
