// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import CLibFuzzer
import Foundation

/// `ipc-fuzz list`, `ipc-fuzz seeds VECTORS CORPUS`, or `ipc-fuzz TARGET` with libFuzzer's arguments.
@main
enum Main {
    nonisolated(unsafe) private static var target = Target.frames

    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "list":
            for target in Target.allCases { print(target.rawValue) }
        case "seeds" where arguments.count == 3:
            try Seeds.write(from: CommandLine.arguments[2], to: CommandLine.arguments[3])
        case let name?:
            guard let target = Target(rawValue: name) else { fallthrough }
            Self.target = target
            exit(fuzz())
        default:
            print("usage: ipc-fuzz list | seeds VECTORS CORPUS | TARGET [libFuzzer's arguments]")
            exit(64)
        }
    }

    private static func fuzz() -> CInt {
        // The target's name is not for libFuzzer.
        var count = CommandLine.argc - 1
        let arguments = unsafe CommandLine.unsafeArgv
        unsafe arguments[1] = unsafe arguments[0]
        var rest: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe arguments + 1
        return unsafe LLVMFuzzerRunDriver(&count, &rest) { data, size in
            Main.target.run(unsafe [UInt8](UnsafeBufferPointer(start: data, count: size)))
            return 0
        }
    }
}
