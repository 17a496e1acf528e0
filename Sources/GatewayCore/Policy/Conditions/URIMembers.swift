// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Knows the objects that VS Code makes URIs of (PROTOCOL 6.3).
///
/// Beside `scheme`, `authority`, `path`, `query` and `fragment` such an object may hold `fsPath` and `external`, forms that
/// were computed from them before. Servers believe them, so a rule about one form must not be evaded by another.
enum URIMembers {
    private static let components: [IPCString] = ["scheme", "authority", "path", "query", "fragment"]

    /// Whether a member can be judged: it is none of a URI's, or all of the URI's members say the same.
    static func isConsistent(_ object: IPCObject, for member: IPCString) -> Bool {
        let isOfURI = components.contains(member) || member == "fsPath" || member == "external"
        return !isOfURI || !looksLikeURI(object) || isConsistent(object)
    }

    /// The path in a text, or in an object that is marked as a URI; nil for everything else and where members disagree.
    static func path(of part: ArgumentPart) -> [UInt8]? {
        switch part {
        case .text(let text):
            return text
        case .object(let object):
            guard object["$mid"] == 1, isConsistent(object), case .string(let path)? = object["path"] else {
                return nil
            }
            return path.wtf8
        default:
            return nil
        }
    }

    /// VS Code makes a URI of components without a marker too, where it expects one.
    private static func looksLikeURI(_ object: IPCObject) -> Bool {
        object["$mid"] == 1
            || object.members.contains { ["scheme", "authority", "fsPath", "external"].contains($0.key) }
    }

    private static func isConsistent(_ object: IPCObject) -> Bool {
        guard let scheme = text(object, "scheme"), let authority = text(object, "authority"),
            let path = text(object, "path"), let query = text(object, "query"), let fragment = text(object, "fragment")
        else { return false }
        // The path in the file system of a file on another host is //host/path, which Linux takes for /host/path.
        let isFile = scheme.isEmpty || scheme.elementsEqual("file".utf8)
        if isFile, !authority.isEmpty { return false }
        // VS Code may put a slash before the path of these, and writes none without one.
        let isRooted = isFile || scheme.elementsEqual("http".utf8) || scheme.elementsEqual("https".utf8)
        if isRooted, path.first != UInt8(ascii: "/") { return false }
        if hasDrive(path) { return false }
        if let cached = cache(object, "fsPath") {
            guard let fsPath = cached, isFilePath(fsPath, of: path, object) else { return false }
        }
        if let cached = cache(object, "external") {
            guard let external = cached else { return false }
            return URIText(external) == URIText(scheme, authority, path, query, fragment)
        }
        return true
    }

    /// A text member; no bytes where there is none, nil where it is no text.
    private static func text(_ object: IPCObject, _ name: IPCString) -> [UInt8]? {
        switch object[name] {
        case nil, .null?, .undefined?: []
        case .string(let text)?: text.wtf8
        default: nil
        }
    }

    /// A cached form: nil where there is none, and nil inside where it is no text.
    private static func cache(_ object: IPCObject, _ name: IPCString) -> [UInt8]?? {
        switch object[name] {
        case nil, .null?, .undefined?: .none
        case .string(let text)?: .some(text.wtf8)
        default: .some(nil)
        }
    }

    /// `/c:/…`: in the file system VS Code takes it for `c:/…`, which on Linux is relative.
    private static func hasDrive(_ path: [UInt8]) -> Bool {
        guard path.count >= 3, path[0] == UInt8(ascii: "/"), path[2] == UInt8(ascii: ":") else { return false }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(path[1] | 0x20)
    }

    /// Whether `fsPath` is what VS Code computes; clients on Windows write backslashes, and `_sep` says so.
    private static func isFilePath(_ fsPath: [UInt8], of path: [UInt8], _ object: IPCObject) -> Bool {
        if fsPath == path { return true }
        return object["_sep"] == 1
            && fsPath == path.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "\\") : $0 }
    }
}
