// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("A context template")
struct ContextTemplateTests {
    @Test(
        "with a mistake is refused with a hint",
        arguments: [
            ("", "cannot be empty"), ("remote:{uri.lastComponent", "unbalanced brace"), ("}", "unbalanced brace"),
            ("{comonName}", "did you mean {commonName}?"), ("{}", "known places"), ("{uri.first}", "unknown place"),
        ]
    )
    func mistakes(template: String, message: String) {
        let error = #expect(throws: ContextTemplate.Failure.self) { try ContextTemplate(template) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test("knows which fields it needs")
    func fields() throws {
        #expect(try ContextTemplate("{commonName}@{dns}").fields == [.commonName, .dns])
        #expect(try ContextTemplate("fixed").fields.isEmpty)
    }
}
