// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The byte every value starts with (PROTOCOL 2).
enum ValueTag {
    static let undefined: UInt8 = 0
    static let string: UInt8 = 1
    static let buffer: UInt8 = 2
    static let vsBuffer: UInt8 = 3
    static let array: UInt8 = 4
    static let object: UInt8 = 5
    static let int: UInt8 = 6
}
