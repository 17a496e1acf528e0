// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A queue of bytes in one piece of memory: appended at the end, consumed from the front.
///
/// The memory starts on a cache line: `memcpy` is many times slower for some relations of the two addresses, and those
/// of two aligned buffers are not among them.
struct AlignedBuffer: ~Copyable {
    private static let alignment = 64
    private static let smallestCapacity = 4096

    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0
    /// Memory beyond this is given back as soon as the buffer is empty.
    private let keptCapacity: Int

    init(keptCapacity: Int) {
        self.keptCapacity = keptCapacity
    }

    deinit {
        self.base?.deallocate()
    }

    var count: Int { self.end - self.start }

    /// Valid until the next call of a mutating method.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base.map { UnsafeRawPointer($0) + self.start }, count: self.count)
    }

    var allocatedByteCount: Int { self.capacity }

    mutating func append(_ new: UnsafeRawBufferPointer) {
        guard let source = new.baseAddress, !new.isEmpty else {
            return
        }
        self.reserve(new.count)
        self.base?.advanced(by: self.end).copyMemory(from: source, byteCount: new.count)
        self.end += new.count
    }

    /// Adds bytes that are made where they will be.
    ///
    /// - Parameter fill: Gets exactly the room; nothing is added if it returns false.
    /// - Returns: What it returned.
    mutating func append(byteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Bool) -> Bool {
        self.reserve(byteCount)
        let room = UnsafeMutableRawBufferPointer(start: self.base.map { $0 + self.end }, count: byteCount)
        guard fill(room) else { return false }
        self.end += byteCount
        return true
    }

    /// - Precondition: `count` is not more than what is there.
    mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "consumed more than there is")
        self.start += count
        if self.start == self.end {
            self.start = 0
            self.end = 0
            if self.capacity > self.keptCapacity {
                self.base?.deallocate()
                self.base = nil
                self.capacity = 0
            }
        }
    }

    private mutating func reserve(_ additional: Int) {
        guard self.end + additional > self.capacity else {
            return
        }
        let held = self.count
        // Moving to the front costs at most as much as was consumed since the last time, so it is free on the whole.
        if held + additional <= self.capacity, self.start >= held, let base = self.base {
            base.copyMemory(from: base + self.start, byteCount: held)
        } else {
            var newCapacity = max(Self.smallestCapacity, self.capacity)
            while newCapacity < held + additional {
                newCapacity *= 2
            }
            let new = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: Self.alignment)
            if let old = self.base {
                new.copyMemory(from: old + self.start, byteCount: held)
                old.deallocate()
            }
            self.base = new
            self.capacity = newCapacity
        }
        self.start = 0
        self.end = held
    }
}
