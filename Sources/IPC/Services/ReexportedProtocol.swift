// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Whoever calls a channel handles values, and generated code names their types as members of this module: `import IPC` is
// all that a user needs to write.
@_exported public import IPCProtocol
