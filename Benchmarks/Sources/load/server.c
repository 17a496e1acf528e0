// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// The server behind everything that is measured: it gives back what it gets, as cheaply as it can.

#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct Peer Peer;
struct Peer {
    int fd;
    bool has_context, waits_for_room;
    uint32_t listen; ///< The number of its subscription.
    bool listens;
    Buffer input, output;
    Peer *next, *previous; ///< Of those who listen.
};

static int poller;
static Peer listeners = {.next = &listeners, .previous = &listeners};

static void close_peer(Peer *peer) {
    if (peer->listens) {
        peer->next->previous = peer->previous;
        peer->previous->next = peer->next;
    }
    close(peer->fd);
    buffer_release(&peer->input);
    buffer_release(&peer->output);
    free(peer);
}

/// Sends what is there, as far as there is room for it.
///
/// - Returns: Whether the connection is still good.
static bool flush(Peer *peer) {
    while (buffer_count(&peer->output) > 0) {
        ssize_t count = send(peer->fd, peer->output.bytes + peer->output.start, buffer_count(&peer->output), MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN) return false;
        if (count < 0) break;
        buffer_take(&peer->output, (size_t)count);
    }
    bool waits = buffer_count(&peer->output) > 0;
    if (waits != peer->waits_for_room) {
        peer->waits_for_room = waits;
        struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = peer};
        epoll_ctl(poller, EPOLL_CTL_MOD, peer->fd, &event);
    }
    return true;
}

/// An answer (201), or an event (204), with the bytes of a value.
static void append_answer(Buffer *output, uint32_t kind, uint32_t request, const uint8_t *value, size_t count) {
    size_t start = buffer_count(output);
    append_header(output, FRAME_REGULAR, 0, 0, 0);
    buffer_append(output, "\x04\x02\x06", 3);
    append_number(output, kind);
    buffer_append(output, "\x06", 1);
    append_number(output, request);
    buffer_append(output, value, count);
    uint8_t *header = output->bytes + output->start + start;
    write_u32(header + 9, (uint32_t)(buffer_count(output) - start - FRAME_HEADER));
}

static void append_bytes(Buffer *output, uint32_t request, uint32_t count) {
    static Buffer value;
    static uint32_t last;
    if (count != last || buffer_count(&value) == 0) {
        last = count;
        value.start = value.end = 0;
        buffer_append(&value, "\x03", 1);
        append_number(&value, count);
        fill_payload(buffer_room(&value, count), count);
        value.end += count;
    }
    append_answer(output, 201, request, value.bytes, buffer_count(&value));
}

static const uint8_t nothing = 0;

static void fire(const uint8_t *value, size_t count) {
    for (Peer *peer = listeners.next; peer != &listeners; peer = peer->next) {
        append_answer(&peer->output, 204, peer->listen, value, count);
        flush(peer);
    }
}

/// Deals with a message.
///
/// - Returns: Whether it is one that is understood.
static bool serve_message(Peer *peer, const uint8_t *body, size_t count) {
    // An array of four: call or listen, the request's number, "bench", a letter.
    if (count < 15 || body[0] != 4 || body[1] != 4 || body[2] != 6 || (body[3] != 100 && body[3] != 102)) {
        return count >= 2 && body[0] == 4 && body[1] < 4; // Initialize, cancellations
    }
    uint32_t request;
    size_t length = read_number(body + 5, count - 5, &request), at = 5 + length + 7;
    if (length == 0 || count < at + 3) return false;
    uint8_t command = body[at + 2];
    at += 3;
    const uint8_t *argument = body + at;
    size_t argument_count = count - at;
    uint32_t number;
    if (body[3] == 102) {
        peer->listen = request;
        if (peer->listens) return false;
        peer->listens = true;
        peer->next = &listeners;
        peer->previous = listeners.previous;
        listeners.previous->next = peer;
        listeners.previous = peer;
    } else if (command == 'e') {
        append_answer(&peer->output, 201, request, argument, argument_count);
    } else if (command == 'd' && argument_count > 1 && read_number(argument + 1, argument_count - 1, &number) > 0) {
        append_bytes(&peer->output, request, number);
    } else {
        if (command == 'f') fire(argument, argument_count);
        append_answer(&peer->output, 201, request, &nothing, 1);
    }
    return true;
}

/// Deals with what has arrived.
///
/// - Returns: Whether the connection is still good.
static bool receive(Peer *peer) {
    uint8_t *room = buffer_room(&peer->input, 64 << 10);
    ssize_t count = recv(peer->fd, room, peer->input.capacity - peer->input.end, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    peer->input.end += (size_t)count;
    while (buffer_count(&peer->input) >= FRAME_HEADER) {
        const uint8_t *frame = peer->input.bytes + peer->input.start;
        size_t length = read_u32(frame + 9);
        if (buffer_count(&peer->input) < FRAME_HEADER + length) break;
        if (frame[0] == FRAME_REGULAR) {
            if (!peer->has_context) {
                peer->has_context = true;
                append_header(&peer->output, FRAME_REGULAR, 0, 0, 6);
                buffer_append(&peer->output, "\x04\x01\x06\xc8\x01\x00", 6);
            } else if (!serve_message(peer, frame + FRAME_HEADER, length)) {
                return false;
            }
        }
        buffer_take(&peer->input, FRAME_HEADER + length);
    }
    // Idle connections are to cost the server little.
    if (buffer_count(&peer->input) == 0 && peer->input.capacity > 256 << 10) buffer_release(&peer->input);
    return flush(peer);
}

int serve(const Options *options) {
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(options->path) >= sizeof address.sun_path) fail("%s is too long", options->path);
    strcpy(address.sun_path, options->path);
    unlink(options->path);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0)
        fail_errno(options->path);
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event accepting = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &accepting);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            Peer *peer = events[i].data.ptr;
            if (peer) {
                if (!(events[i].events & EPOLLOUT ? flush(peer) : true) || (events[i].events & ~EPOLLOUT && !receive(peer)))
                    close_peer(peer);
                continue;
            }
            int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) continue;
            peer = calloc(1, sizeof *peer);
            peer->fd = fd;
            struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
            epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
        }
    }
}
