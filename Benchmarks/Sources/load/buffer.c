// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#include "load.h"

#include <stdlib.h>
#include <string.h>

uint8_t *buffer_room(Buffer *buffer, size_t count) {
    if (buffer->capacity - buffer->end >= count) return buffer->bytes + buffer->end;
    size_t used = buffer_count(buffer);
    if (buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, used);
        buffer->start = 0;
        buffer->end = used;
    }
    if (buffer->capacity - used < count) {
        size_t capacity = buffer->capacity ? buffer->capacity : 4096;
        while (capacity - used < count) capacity *= 2;
        buffer->bytes = realloc(buffer->bytes, capacity);
        if (!buffer->bytes) fail("no memory");
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->end;
}

void buffer_append(Buffer *buffer, const void *bytes, size_t count) {
    if (count == 0) return;
    memcpy(buffer_room(buffer, count), bytes, count);
    buffer->end += count;
}

void buffer_release(Buffer *buffer) {
    free(buffer->bytes);
    *buffer = (Buffer){0};
}
