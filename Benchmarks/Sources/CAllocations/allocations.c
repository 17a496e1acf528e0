// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Takes the place of the C library's functions that ask for memory: each call is counted and passed on.
// https://www.gnu.org/software/libc/manual/html_node/Replacing-malloc.html
//
// Linked into a program it counts for that program. In another one (LD_PRELOAD) it counts in the file that the
// environment variable ALLOCATION_COUNT names: struct allocations, which others may read while the program runs.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocations.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

struct counters {
    atomic_ulong others;
    atomic_ulong openssl;
};

static struct counters own;
static struct counters *counters = &own;
static unsigned long last = -1UL;

// Where libssl and libcrypto are.
static struct range {
    uintptr_t start;
    uintptr_t end;
} libraries[2];
static int library_count;

static int note_library(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size;
    (void)unused;
    int is_openssl = strstr(info->dlpi_name, "/libssl.") != NULL || strstr(info->dlpi_name, "/libcrypto.") != NULL;
    if (!is_openssl || library_count == 2) {
        return 0;
    }
    struct range range = {UINTPTR_MAX, 0};
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[index];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD) {
            range.start = start < range.start ? start : range.start;
            range.end = start + header->p_memsz > range.end ? start + header->p_memsz : range.end;
        }
    }
    libraries[library_count++] = range;
    return 0;
}

__attribute__((constructor)) static void prepare(void) {
    dl_iterate_phdr(note_library, NULL);
    const char *path = getenv("ALLOCATION_COUNT");
    if (path == NULL) {
        return;
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct counters)) != 0) {
        abort();
    }
    void *memory = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        abort();
    }
    close(file);
    counters = memory;
}

// OpenSSL's functions jump to malloc, so that the caller is whoever asked for the memory.
static void count_allocation(const void *caller) {
    uintptr_t address = (uintptr_t)caller;
    for (int index = 0; index < library_count; index++) {
        if (address >= libraries[index].start && address < libraries[index].end) {
            atomic_fetch_add_explicit(&counters->openssl, 1, memory_order_relaxed);
            return;
        }
    }
    if (atomic_fetch_add_explicit(&counters->others, 1, memory_order_relaxed) + 1 == last) {
        abort();
    }
}

struct allocations counted_allocations(void) {
    struct allocations sum = {
        atomic_load_explicit(&counters->others, memory_order_relaxed),
        atomic_load_explicit(&counters->openssl, memory_order_relaxed),
    };
    return sum;
}

void stop_at_allocation(unsigned long number) {
    last = number == 0 ? -1UL : counted_allocations().others + number;
}

void *malloc(size_t size) {
    count_allocation(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_allocation(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    count_allocation(__builtin_return_address(0));
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count_allocation(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_allocation(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count_allocation(__builtin_return_address(0));
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) {
        return ENOMEM;
    }
    *result = memory;
    return 0;
}
