// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

/// How often memory was asked for: malloc, calloc, realloc and the like.
struct allocations {
    /// By everything but OpenSSL.
    unsigned long others;
    /// By OpenSSL's libraries, where they are loaded with the program.
    unsigned long openssl;
};

/// How often this process has asked for memory so far.
struct allocations counted_allocations(void);

/// The program is to abort, for a debugger, at the allocation of this number from now on, OpenSSL's aside; 0 for none.
void stop_at_allocation(unsigned long number);

/// Calls body(context). What runs in it is what is measured: callgrind is told this function's name.
void measured_region(void (*_Nonnull body)(void *_Nonnull context), void *_Nonnull context);

#endif
