// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// The floor: what passing bytes from TCP to a Unix socket and back costs, without TLS and without looking at them.

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct Pair Pair;
typedef struct {
    Pair *pair;
    int fd;
    bool ended, waits_for_room;
    Buffer output; ///< What it did not take.
} Side;
struct Pair {
    Side sides[2];
    bool closed;
    Pair *next;
};

static int poller;
static uint8_t shared[128 << 10];
static Pair *closed;

static void watch_side(Side *side, int operation) {
    Side *other = &side->pair->sides[side == &side->pair->sides[0]];
    // Nothing is read that the other side has no room for.
    uint32_t events = (side->ended || buffer_count(&other->output) > 0 ? 0 : EPOLLIN) | (side->waits_for_room ? EPOLLOUT : 0);
    struct epoll_event event = {.events = events, .data.ptr = side};
    epoll_ctl(poller, operation, side->fd, &event);
}

static void close_pair(Pair *pair) {
    if (pair->closed) return;
    pair->closed = true;
    for (int i = 0; i < 2; i++) {
        close(pair->sides[i].fd);
        buffer_release(&pair->sides[i].output);
    }
    // Others in this batch may still name it.
    pair->next = closed;
    closed = pair;
}

static void pass(Side *from) {
    Side *to = &from->pair->sides[from == &from->pair->sides[0]];
    ssize_t count = recv(from->fd, shared, sizeof shared, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return close_pair(from->pair);
    if (count == 0) {
        from->ended = true;
        if (to->ended) return close_pair(from->pair);
        shutdown(to->fd, SHUT_WR);
        return watch_side(from, EPOLL_CTL_MOD);
    }
    ssize_t sent = send(to->fd, shared, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return close_pair(from->pair);
    if (sent < 0) sent = 0;
    if (sent < count) {
        buffer_append(&to->output, shared + sent, (size_t)(count - sent));
        to->waits_for_room = true;
        watch_side(to, EPOLL_CTL_MOD);
        watch_side(from, EPOLL_CTL_MOD);
    }
}

static void flush(Side *side) {
    ssize_t sent = send(side->fd, side->output.bytes + side->output.start, buffer_count(&side->output), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return close_pair(side->pair);
    if (sent > 0) buffer_take(&side->output, (size_t)sent);
    if (buffer_count(&side->output) > 0) return;
    side->waits_for_room = false;
    watch_side(side, EPOLL_CTL_MOD);
    watch_side(&side->pair->sides[side == &side->pair->sides[0]], EPOLL_CTL_MOD);
}

static void accept_pair(int listener, const struct sockaddr_un *address) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (connect(server, (const struct sockaddr *)address, sizeof *address) != 0) fail_errno(address->sun_path);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Pair *pair = calloc(1, sizeof *pair);
    pair->sides[0] = (Side){.pair = pair, .fd = client};
    pair->sides[1] = (Side){.pair = pair, .fd = server};
    watch_side(&pair->sides[0], EPOLL_CTL_ADD);
    watch_side(&pair->sides[1], EPOLL_CTL_ADD);
}

int copy(const Options *options) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    own.sin_port = htons((uint16_t)atoi(options->target.port));
    if (bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, 4096) != 0) fail_errno("listening");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(options->path) >= sizeof address.sun_path) fail("%s is too long", options->path);
    strcpy(address.sun_path, options->path);
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event accepting = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &accepting);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            Side *side = events[i].data.ptr;
            if (!side) accept_pair(listener, &address);
            if (side && !side->pair->closed && events[i].events & EPOLLOUT) flush(side);
            if (side && !side->pair->closed && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) pass(side);
        }
        while (closed) {
            Pair *next = closed->next;
            free(closed);
            closed = next;
        }
    }
}
