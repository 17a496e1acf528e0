// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into frames, however it arrives in pieces (PROTOCOL 1).
///
/// A stream cannot be brought back into step: after an error the decoder stays failed and ignores what is appended.
public struct FrameDecoder: Sendable {
    /// Which frames are legal.
    public enum Dialect: Sendable, Hashable {
        /// Every type; whoever takes the frames decides what they mean.
        case any
        /// Only frames as the plain protocol writes them, see ``FrameHeader/validatePlain(limits:)``.
        case plain
        /// Only frames as the persistent protocol has them, see ``FrameHeader/validatePersistent(_:)``.
        case persistent(SessionSettings)
    }

    private let limits: IPCLimits
    private let dialect: Dialect
    private var buffer: [UInt8] = []
    /// Where the first byte is that no frame has taken; what is before it is dropped when that is cheap.
    private var head = 0
    /// The header of the frame whose body is awaited; it has been judged.
    private var header: FrameHeader?
    private var failure: WireError?

    /// How much is dropped at once, at least, where something is left behind it.
    private static let compactionBytes = 64 * 1_024

    /// Creates a decoder.
    ///
    /// - Parameters:
    ///   - limits: The bounds to keep.
    ///   - dialect: Which frames are legal.
    public init(limits: IPCLimits = IPCLimits(), dialect: Dialect = .any) {
        self.limits = limits
        self.dialect = dialect
    }

    /// The bytes that no frame has taken yet, a header that waits for its body included.
    public var bufferedByteCount: Int {
        buffer.count - head + (header == nil ? 0 : FrameHeader.byteCount)
    }

    /// Takes bytes from the stream. Call ``next()`` until it returns nil before appending more: nothing else bounds them.
    ///
    /// - Parameter bytes: Any piece of it, which may be empty.
    public mutating func append(_ bytes: Span<UInt8>) {
        guard failure == nil else { return }
        buffer.append(copying: bytes, in: 0..<bytes.count)
    }

    /// Returns the next frame that is complete, or nil.
    ///
    /// The header is judged as soon as it is there, before any byte of its body.
    ///
    /// - Throws: ``WireError`` with `frameTooLarge`, in the plain dialect also `unexpectedFrameType` and
    ///   `unexpectedSequence`; the same again for ever after.
    public mutating func next() throws(WireError) -> Frame? {
        if let failure {
            throw failure
        }
        if header == nil {
            header = try readHeader()
        }
        guard let header, buffer.count - head >= header.bodyLength else {
            return nil
        }
        let body = Array(buffer[head..<head + header.bodyLength])
        head += header.bodyLength
        self.header = nil
        compact()
        return Frame(type: header.type, id: header.id, ack: header.ack, body: body)
    }

    /// Takes out what no frame has taken, as it came, for whoever goes on with the stream.
    public mutating func takeBuffered() -> [UInt8] {
        var bytes: [UInt8] = []
        header?.append(to: &bytes)
        bytes.append(contentsOf: buffer[head...])
        buffer = []
        head = 0
        header = nil
        return bytes
    }

    private mutating func readHeader() throws(WireError) -> FrameHeader? {
        guard let header = FrameHeader(buffer.span.extracting(head...)) else {
            return nil
        }
        do {
            switch dialect {
            case .any: try header.validateLength(limits: limits)
            case .plain: try header.validatePlain(limits: limits)
            case .persistent(let settings): try header.validatePersistent(settings)
            }
        } catch {
            failure = error
            buffer = []
            head = 0
            throw error
        }
        head += FrameHeader.byteCount
        return header
    }

    /// Drops what frames have taken. A byte is moved at most as often as one was dropped, so the work stays linear.
    private mutating func compact() {
        if head == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.compactionBytes)
            head = 0
        } else if head >= Self.compactionBytes, head >= buffer.count / 2 {
            buffer.removeFirst(head)
            head = 0
        }
    }
}
