// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

/// Our client and server with peers in Node that were written from the description of the protocol alone: see the folder
/// `Node` beside this file. Where Node is missing this is reported as left out; in CI it fails then.
@Suite(
    "Node as a foreign peer",
    .enabled(if: Node.isHere || Node.isRequired, "node is missing, so nothing about foreign peers is tested here"),
    .timeLimit(.minutes(15))
)
struct InteropTests {}
