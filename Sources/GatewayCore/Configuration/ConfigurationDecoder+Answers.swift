// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `answers:`.
extension ConfigurationDecoder {
    mutating func decodeAnswers(_ document: ConfigurationReader.Section) -> AnswerSettings {
        var answers = AnswerSettings()
        guard let node = document.members["answers"],
            let section = reader.section(node, "answers", known: ["denial", "rule", "stack"])
        else { return answers }
        let denial = section.members["denial"].flatMap {
            reader.choice($0, section.path(of: "denial"), of: AnswerSettings.Denial.allCases.map(\.rawValue))
        }
        answers.denial = denial.flatMap(AnswerSettings.Denial.init(rawValue:)) ?? answers.denial
        if let node = section.members["rule"], let value = reader.boolean(node, section.path(of: "rule")) {
            answers.namesRule = value
            if value, answers.denial == .unknownChannel {
                let message = "contradicts denial: unknown-channel, which hides that there are rules"
                reader.report(node, section.path(of: "rule"), message)
            }
        }
        let stack = section.members["stack"].flatMap {
            reader.choice($0, section.path(of: "stack"), of: ["remove", "pass"])
        }
        answers.passesStack = stack == "pass"
        return answers
    }
}
