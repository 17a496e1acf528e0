// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong, or looks wrong, in a configuration file: where it is, what it is and what would be right.
public struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, as the operator named it.
    public var file: String
    /// The line, counted from 1; nil where the whole file is meant.
    public var line: Int?
    /// The column, counted from 1; nil where the whole line or file is meant.
    public var column: Int?
    /// The place inside the document, such as `listeners[0].tls.key`; empty for the document itself.
    public var path: String
    /// What is wrong and what would be right.
    public var message: String

    /// Makes a problem; see the properties.
    public init(file: String, line: Int? = nil, column: Int? = nil, path: String = "", message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.path = path
        self.message = message
    }

    /// `file:line:column: path: message`, the form editors and terminals turn into a link.
    public var description: String {
        var text = file
        if let line {
            text += ":\(line)"
            if let column { text += ":\(column)" }
        }
        text += ": "
        if !path.isEmpty { text += "\(path): " }
        return text + message
    }
}

/// Everything that is wrong with a configuration, found in one reading.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// The problems, in the order of the file; never empty.
    public var problems: [ConfigurationProblem]

    /// Makes an error of at least one problem.
    public init(problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    /// One problem a line.
    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
