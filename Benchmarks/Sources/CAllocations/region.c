// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#include "allocations.h"

__attribute__((noinline)) void measured_region(void (*_Nonnull body)(void *_Nonnull context), void *_Nonnull context) {
    body(context);
    // Keeps the call from becoming a jump, after which callgrind would not see the function's end.
    __asm__ volatile("");
}
