// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// The shape of an application like VS Code: a main process with a server, and windows that are clients of it.
//   swift run code-application

let arguments = CommandLine.arguments
if arguments.count == 4, arguments[1] == "window", let number = Int(arguments[2]) {
    try await WindowProcess.run(number: number, path: arguments[3])
} else {
    try await MainProcess.run()
}
