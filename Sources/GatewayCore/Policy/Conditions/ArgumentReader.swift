// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Finds parts of one encoded argument. Only what a path leads to is decoded, and nothing twice.
struct ArgumentReader {
    private let limits: IPCLimits
    private var parts: [ArgumentPath: ArgumentPart] = [:]
    /// Values that are not arrays, by their offset; nil for those that cannot be read in one way only.
    private var values: [Int: IPCValue?] = [:]
    /// The offsets of the first elements of arrays, and of what follows them, by the array's offset.
    private var elements: [Int: [Int]] = [:]

    // The tags of the encoding (PROTOCOL 2), which IPCProtocol does not show.
    private static let arrayTag: UInt8 = 4
    private static let objectTag: UInt8 = 5

    init(limits: IPCLimits) {
        self.limits = limits
    }

    /// What is at a path into `argument`, which must be the same each time.
    mutating func part(at path: ArgumentPath, of argument: Span<UInt8>) -> ArgumentPart {
        if let part = parts[path] { return part }
        let part = find(path.steps, in: argument)
        parts[path] = part
        return part
    }

    private mutating func find(_ steps: [ArgumentPath.Step], in argument: Span<UInt8>) -> ArgumentPart {
        var offset = 0
        var steps = steps[...]
        while offset < argument.count, argument[offset] == Self.arrayTag {
            guard let step = steps.popFirst() else { return .other }
            // A name of an array is its length, or a method.
            guard case .element(let number) = step else { return .undecided }
            guard let next = offsetOfElement(number, at: offset, in: argument) else { return .missing }
            offset = next
        }
        guard let value = value(at: offset, in: argument) else { return .undecided }
        return Self.find(steps, in: value)
    }

    private static func find(_ steps: ArraySlice<ArgumentPath.Step>, in value: IPCValue) -> ArgumentPart {
        var value = value
        for step in steps {
            switch (step, value) {
            case (_, .null), (_, .undefined):
                return .missing
            case (.element(let number), .array(let elements)):
                guard elements.indices.contains(number) else { return .missing }
                value = elements[number]
            case (.member(let name), .object(let object)):
                guard URIMembers.isConsistent(object, for: name) else { return .undecided }
                guard let member = object[name] else { return .missing }
                value = member
            default:
                // To JavaScript everything has members: the first of a text, an object's member "0", an array's length.
                return .undecided
            }
        }
        return ArgumentPart(value)
    }

    /// The value at an offset, which is not an array of the encoding.
    private mutating func value(at offset: Int, in argument: Span<UInt8>) -> IPCValue? {
        if let value = values[offset] { return value }
        let value = decode(at: offset, in: argument)
        values[offset] = .some(value)
        return value
    }

    private func decode(at offset: Int, in argument: Span<UInt8>) -> IPCValue? {
        guard offset < argument.count else { return nil }
        do throws(WireError) {
            var end = offset
            if argument[offset] == Self.objectTag {
                end += 1
                let count = try VQL.readCount(argument, at: &end)
                guard count <= argument.count - end else { return nil }
                return UnambiguousJSON.parse(argument, in: end..<end + count, maxDepth: limits.jsonDepth)
            }
            var counted = 0
            try ValueWalker.skipValue(in: argument, at: &end, limits: limits, elements: &counted)
            guard end - offset <= UnambiguousJSON.longest else { return nil }
            end = offset
            return try ValueDecoder(mode: .strict, limits: limits).decodePrefix(argument, at: &end)
        } catch {
            return nil
        }
    }

    /// Where an element of the array at `array` starts; nil when it has fewer.
    private mutating func offsetOfElement(_ number: Int, at array: Int, in argument: Span<UInt8>) -> Int? {
        do throws(WireError) {
            var offset = array + 1
            let count = try VQL.readCount(argument, at: &offset)
            guard number < count else { return nil }
            var known = elements.removeValue(forKey: array) ?? [offset]
            defer { elements[array] = known }
            var counted = 0
            while known.count <= number {
                var next = known[known.count - 1]
                try ValueWalker.skipValue(in: argument, at: &next, limits: limits, elements: &counted)
                known.append(next)
            }
            return known[number]
        } catch {
            // Cannot be: the argument has been walked before. What is not there makes no rule allow anything.
            return nil
        }
    }
}
