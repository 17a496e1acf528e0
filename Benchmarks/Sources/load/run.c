// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Calls over many connections: each with a number of them in flight, or at a rate that nobody's slowness changes.

#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

typedef struct {
    const Options *options;
    Client *clients;
    int poller;
    Buffer body;
    uint8_t *payload;
    uint64_t start, period; ///< When the first call is due, and nanoseconds between two; 0 for no rate.
    uint64_t scheduled;     ///< Calls that were due up to now.
    bool is_measuring;
    uint64_t answers, events, bytes, round_start;
    int round_left; ///< What is missing of a round: an event for everybody, and an answer for who asked for it.
    Histogram latencies;
} Run;

static void watch_client(Run *run, Client *client) {
    client_flush(client);
    bool waits = buffer_count(&client->output) > 0;
    if (waits == client->waits_for_room) return;
    client->waits_for_room = waits;
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = client};
    epoll_ctl(run->poller, EPOLL_CTL_MOD, client->fd, &event);
}

/// Puts a call into the client's output, where there is a free slot.
static void call(Run *run, Client *client, uint64_t intended) {
    uint16_t slot = client->free_slots[--client->free_count];
    client->intended[slot] = intended;
    client->requests++;
    client_call(client, &run->body, (uint16_t)(FIRST_REQUEST + slot));
}

/// When this client's next call is to be sent: every so many of all calls is its own.
static uint64_t next_due(const Run *run, const Client *client) {
    uint64_t index = client->requests * (uint64_t)run->options->connections + (uint64_t)(client - run->clients);
    return run->start + index * run->period;
}

static void send_what_is_due(Run *run, uint64_t time) {
    if (run->period == 0) return;
    while (run->start + run->scheduled * run->period <= time) {
        Client *client = &run->clients[run->scheduled++ % (uint64_t)run->options->connections];
        // Without a slot it waits, and the time that it waits is part of its latency.
        if (client->free_count == 0) {
            client->owed++;
            continue;
        }
        call(run, client, next_due(run, client));
        watch_client(run, client);
    }
}

static void check(Run *run, const uint8_t *value, size_t count) {
    const Options *options = run->options;
    if (options->mode == MODE_UP || (options->mode == MODE_EVENTS && count == 1)) {
        if (count == 1 && value[0] == 0) return;
    } else {
        uint32_t size;
        size_t length = count > 1 && value[0] == 3 ? read_number(value + 1, count - 1, &size) : 0;
        if (length > 0 && size == options->payload && count == 1 + length + size
            && memcmp(value + 1 + length, run->payload, size) == 0)
            return;
    }
    fail("an answer is not what it should be");
}

static void start_round(Run *run) {
    run->round_left = run->options->connections + 1;
    run->round_start = now();
    call(run, &run->clients[0], run->round_start);
    watch_client(run, &run->clients[0]);
}

static void take_message(Run *run, Client *client, const uint8_t *body, size_t count, uint64_t time) {
    uint32_t kind;
    size_t result;
    uint16_t request = answered(body, count, &kind, &result);
    if (request < FIRST_REQUEST || (kind != 201 && kind != 204)) fail("an answer of kind %u", (unsigned)kind);
    check(run, body + result, count - result);
    if (run->is_measuring) run->bytes += run->options->payload;
    if (run->options->mode == MODE_EVENTS) {
        if (kind == 204 && run->is_measuring) run->events++;
        if (kind == 201) client->free_slots[client->free_count++] = (uint16_t)(request - FIRST_REQUEST);
        if (--run->round_left > 0) return;
        if (run->is_measuring) {
            run->answers++;
            histogram_add(&run->latencies, time - run->round_start);
        }
        return start_round(run);
    }
    uint16_t slot = (uint16_t)(request - FIRST_REQUEST);
    if (kind != 201 || slot >= run->options->window) fail("an answer that nobody waits for");
    client->free_slots[client->free_count++] = slot;
    if (run->is_measuring) {
        run->answers++;
        histogram_add(&run->latencies, time > client->intended[slot] ? time - client->intended[slot] : 0);
    }
    if (run->period == 0) {
        call(run, client, time);
    } else if (client->owed > 0) {
        client->owed--;
        call(run, client, next_due(run, client));
    }
}

/// One turn: waits until something comes or is due, and deals with it.
static void turn(Run *run) {
    struct epoll_event events[256];
    struct timespec limit = {.tv_sec = 10};
    if (run->period > 0) {
        uint64_t due = run->start + run->scheduled * run->period, time = now(), wait = due > time ? due - time : 0;
        limit = (struct timespec){.tv_sec = (time_t)(wait / 1000000000), .tv_nsec = (long)(wait % 1000000000)};
    }
    int count = epoll_pwait2(run->poller, events, 256, &limit, NULL);
    if (count == 0 && run->period == 0) fail("nothing comes for ten seconds");
    uint64_t time = now();
    for (int i = 0; i < count; i++) {
        Client *client = events[i].data.ptr;
        if (events[i].events & ~EPOLLOUT && client_receive(client)) {
            size_t length;
            for (const uint8_t *body; (body = client_next(client, &length));) take_message(run, client, body, length, time);
        }
        watch_client(run, client);
    }
    send_what_is_due(run, time);
}

static void open_clients(Run *run) {
    const Options *options = run->options;
    SSL_CTX *context = client_context(&options->target);
    run->clients = calloc((size_t)options->connections, sizeof *run->clients);
    Buffer nothing = call_body(MODE_UP, 0);
    for (int i = 0; i < options->connections; i++) {
        Client *client = &run->clients[i];
        client_open(client, &options->target, context, NULL);
        client->intended = calloc((size_t)options->window, sizeof *client->intended);
        client->free_slots = calloc((size_t)options->window, sizeof *client->free_slots);
        for (int slot = options->window - 1; slot >= 0; slot--) client->free_slots[client->free_count++] = (uint16_t)slot;
        if (options->mode == MODE_EVENTS) {
            // An array of four: listen, its number (never that of a call), channel, event; then nothing.
            client_message(client, "\x04\x04\x06\x66\x06\xff\x7f\x01\x05" "bench\x01\x01t\x00", 18, NULL, 0);
            // It has no answer: a call behind it says that it is there.
            client_call(client, &nothing, FIRST_REQUEST);
            client_flush(client);
            size_t count;
            client_wait(client, &count);
        }
        fcntl(client->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        epoll_ctl(run->poller, EPOLL_CTL_ADD, client->fd, &event);
    }
}

static void run_until(Run *run, uint64_t end) {
    while (now() < end) turn(run);
}

int run(const Options *options) {
    Run run = {.options = options, .poller = epoll_create1(EPOLL_CLOEXEC), .body = call_body(options->mode, options->payload)};
    run.payload = malloc(options->payload + 1);
    fill_payload(run.payload, options->payload);
    open_clients(&run);
    run.start = now();
    if (options->mode == MODE_EVENTS) {
        start_round(&run);
    } else if (options->rate > 0) {
        run.period = (uint64_t)(1e9 / options->rate);
    } else {
        for (int i = 0; i < options->connections; i++) {
            while (run.clients[i].free_count > 0) call(&run, &run.clients[i], now());
            watch_client(&run, &run.clients[i]);
        }
    }
    run_until(&run, now() + (uint64_t)(options->warm_up * 1e9));
    Watched watched = watch(options->watched, options->system_calls);
    Usage before = usage(&watched);
    uint64_t start = now();
    run.is_measuring = true;
    run_until(&run, start + (uint64_t)(options->seconds * 1e9));
    run.is_measuring = false;
    Usage after = usage(&watched);
    double seconds = (double)(now() - start) / 1e9;
    printf("{\"calls\":%llu,\"events\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"processor\":%.9f,\"systemCalls\":%llu,"
           "\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"memory\":%llu}\n",
        (unsigned long long)run.answers, (unsigned long long)run.events, (unsigned long long)run.bytes, seconds,
        (double)(after.processor - before.processor) / 1e9, (unsigned long long)(after.system_calls - before.system_calls),
        (double)histogram_at(&run.latencies, 0.5) / 1e3, (double)histogram_at(&run.latencies, 0.99) / 1e3,
        (double)histogram_at(&run.latencies, 0.999) / 1e3, (double)run.latencies.maximum / 1e3,
        (unsigned long long)memory(&watched));
    return 0;
}
