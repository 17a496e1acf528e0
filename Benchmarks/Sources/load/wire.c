// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#include "load.h"

#include <string.h>

char mode_command(Mode mode) { return "eudf"[mode]; }

uint32_t read_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

void write_u32(uint8_t *bytes, uint32_t number) {
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

void append_header(Buffer *buffer, uint8_t type, uint32_t sequence, uint32_t acknowledged, uint32_t count) {
    uint8_t *header = buffer_room(buffer, FRAME_HEADER);
    header[0] = type;
    write_u32(header + 1, sequence);
    write_u32(header + 5, acknowledged);
    write_u32(header + 9, count);
    buffer->end += FRAME_HEADER;
}

void append_number(Buffer *buffer, uint32_t number) {
    uint8_t bytes[5];
    size_t count = 0;
    do {
        bytes[count++] = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
        number >>= 7;
    } while (number);
    buffer_append(buffer, bytes, count);
}

size_t read_number(const uint8_t *bytes, size_t count, uint32_t *number) {
    uint32_t value = 0;
    for (size_t i = 0; i < count && i < 5; i++) {
        value |= (uint32_t)(bytes[i] & 0x7f) << (7 * i);
        if (!(bytes[i] & 0x80)) {
            *number = value;
            return i + 1;
        }
    }
    return 0;
}

void fill_payload(uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(i * 31 + (i >> 8));
}

Buffer call_body(Mode mode, size_t payload) {
    Buffer body = {0};
    // An array of four: call, the request's number (of two bytes, filled in later), channel, command.
    const uint8_t head[] = {4, 4, 6, 100, 6, 0x80, 1, 1, 5, 'b', 'e', 'n', 'c', 'h', 1, 1, (uint8_t)mode_command(mode)};
    buffer_append(&body, head, sizeof head);
    if (mode == MODE_DOWN) {
        buffer_append(&body, "\x06", 1);
        append_number(&body, (uint32_t)payload);
    } else {
        buffer_append(&body, "\x03", 1);
        append_number(&body, (uint32_t)payload);
        fill_payload(buffer_room(&body, payload), payload);
        body.end += payload;
    }
    return body;
}

uint16_t answered(const uint8_t *body, size_t count, uint32_t *kind, size_t *result) {
    // An array of two: what it is, the request's number.
    if (count < 8 || body[0] != 4 || body[1] != 2 || body[2] != 6) return 0;
    size_t at = 3, length = read_number(body + at, count - at, kind);
    at += length;
    uint32_t request;
    if (length == 0 || at >= count || body[at] != 6) return 0;
    length = read_number(body + at + 1, count - at - 1, &request);
    if (length != 2) return 0;
    *result = at + 1 + length;
    return (uint16_t)request;
}
