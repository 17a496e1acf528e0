// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("An event is refused")
struct EventProblemTests {
    @Test(
        "that is a property of a wrong name",
        arguments: [
            Refused(
                "var changes: Event<Int> { get }",
                5,
                "the event 'changes' must be named 'on' and a capital, such as 'onChanges'",
                fix: ("name it 'onChanges'", "var onChanges: Event<Int> { get }")
            ),
            Refused(
                "var onchange: any AsyncSequence<Int, any Error> & Sendable { get }",
                5,
                "the event 'onchange' must be named 'on' and a capital, such as 'onOnchange'",
                fix: ("name it 'onOnchange'", "var onOnchange: any AsyncSequence<Int, any Error> & Sendable { get }")
            ),
            Refused(
                "var onÄnderung: IPC.Event<Int> { get }",
                5,
                "the event 'onÄnderung' must be named 'on' and a capital, such as 'onOnÄnderung'",
                fix: ("name it 'onOnÄnderung'", "var onOnÄnderung: IPC.Event<Int> { get }")
            ),
            Refused(
                "@IPCName(\"change\") var onChange: AsyncStream<Int> { get }",
                24,
                "the event 'change' must be named 'on' and a capital, such as 'onChange'"
            ),
            Refused(
                "var onDynamicChange: Event<Int> { get }",
                5,
                "'onDynamicChange' is a name for events with an argument: "
                    + "name it otherwise, or make it a function with one parameter"
            ),
        ]
    )
    func names(refused: Refused) {
        refused.check()
    }

    @Test(
        "that is not just to be read",
        arguments: [
            Refused(
                "var onChange: Event<Int> { get set }",
                32,
                "an event cannot be set",
                fix: ("remove 'set'", "var onChange: Event<Int> { get }")
            ),
            Refused(
                "var onChange: Event<Int> { get async throws }",
                32,
                effectsMessage,
                fix: ("remove 'async throws'", "var onChange: Event<Int> { get }")
            ),
            Refused(
                "func onDynamicChange(_ a: Int) async -> Event<Int>",
                32,
                effectsMessage,
                fix: ("remove 'async'", "func onDynamicChange(_ a: Int) -> Event<Int>")
            ),
        ]
    )
    func accessors(refused: Refused) {
        refused.check()
    }

    @Test(
        "that is a sequence of unknown payloads, or not Sendable",
        arguments: [
            Refused(
                "var onChange: any AsyncSequence & Sendable { get }",
                15,
                "name the payload: 'any AsyncSequence<Payload, any Error> & Sendable'"
            ),
            Refused(
                "var onChange: any AsyncSequence<Int, any Error> { get }",
                15,
                "a sequence must be Sendable to be an event",
                fix: ("add '& Sendable'", "var onChange: any AsyncSequence<Int, any Error> & Sendable { get }")
            ),
            Refused(
                "func onDynamicChange(_ a: Int) -> any AsyncSequence<Int, Never>",
                35,
                "a sequence must be Sendable to be an event",
                fix: (
                    "add '& Sendable'",
                    "func onDynamicChange(_ a: Int) -> any AsyncSequence<Int, Never> & Sendable"
                )
            ),
        ]
    )
    func sequences(refused: Refused) {
        refused.check()
    }

    @Test(
        "that is a function of a wrong name, or with other than one argument",
        arguments: [
            Refused(
                "func onChange(_ a: Int) -> Event<Int>",
                6,
                "'onChange' returns an event, so it must be named 'onDynamic' and a capital, such as 'onDynamicChange'",
                fix: ("name it 'onDynamicChange'", "func onDynamicChange(_ a: Int) -> Event<Int>")
            ),
            Refused(
                "func changes(_ a: Int) -> AsyncThrowingStream<Int, any Error>",
                6,
                "'changes' returns an event, so it must be named 'onDynamic' and a capital, such as 'onDynamicChanges'",
                fix: (
                    "name it 'onDynamicChanges'",
                    "func onDynamicChanges(_ a: Int) -> AsyncThrowingStream<Int, any Error>"
                )
            ),
            Refused(
                "@IPCName(\"onChange\") func onDynamicChange(_ a: Int) -> Event<Int>",
                27,
                "'onChange' returns an event, so it must be named 'onDynamic' and a capital, such as 'onDynamicChange'"
            ),
            Refused(
                "func onChange() -> Event<Int>",
                6,
                "the event 'onChange' takes nothing: make it a property",
                fix: ("make it a property", "var onChange: Event<Int> { get }")
            ),
            Refused(
                "func changes() -> Event<Int>",
                6,
                "the event 'changes' takes nothing: make it a property",
                fix: ("make it a property", "var onChanges: Event<Int> { get }")
            ),
            Refused("func onDynamicChange() -> Event<Int>", 21, "an event takes one argument, not 0"),
            Refused("func onDynamicChange(a: Int, b: Int) -> Changes", 21, "an event takes one argument, not 2"),
        ]
    )
    func functions(refused: Refused) {
        refused.check()
    }

    private static var effectsMessage: String { "an event is there at once: it cannot be 'async' or throw" }
}
