// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// libFuzzer as a library: https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Runs the fuzzer; the options are those of its command line, and are in argv.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));
