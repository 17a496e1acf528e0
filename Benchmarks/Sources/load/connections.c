// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Connections: what it costs to make them, and to have them.

#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static SSL_SESSION *newest;

/// Keeps the session that the other side has just given.
static int keep(SSL *tls, SSL_SESSION *session) {
    (void)tls;
    SSL_SESSION_free(newest);
    newest = session;
    return 1;
}

/// A call and its answer: then the client's certificate was accepted, and all of the handshake is done.
static void make_call(Client *client, const Buffer *body) {
    client_call(client, body, FIRST_REQUEST);
    client_flush(client);
    size_t count, result;
    uint32_t kind;
    const uint8_t *answer = client_wait(client, &count);
    if (answered(answer, count, &kind, &result) != FIRST_REQUEST || kind != 201) fail("a call was not answered");
}

int handshakes(const Options *options) {
    SSL_CTX *context = client_context(&options->target);
    if (options->resume && context) SSL_CTX_sess_set_new_cb(context, keep);
    Buffer body = call_body(MODE_ECHO, options->payload);
    Watched watched = watch(options->watched, options->system_calls);
    Usage before = {0};
    Histogram *latencies = calloc(1, sizeof *latencies);
    uint64_t start = 0, count = 0, end = UINT64_MAX;
    // The first has no session yet, and those of the warm-up do not count.
    for (uint64_t begin = now(); now() < end;) {
        if (start == 0 && now() - begin >= (uint64_t)(options->warm_up * 1e9)) {
            before = usage(&watched);
            start = now();
            end = start + (uint64_t)(options->seconds * 1e9);
        }
        SSL_SESSION *session = newest;
        newest = NULL;
        uint64_t time = now();
        Client client;
        client_open(&client, &options->target, context, session);
        make_call(&client, &body);
        uint64_t done = now();
        client_close(&client);
        SSL_SESSION_free(session);
        if (options->resume && context && !newest) fail("no session was given that could be resumed");
        if (start == 0) continue;
        histogram_add(latencies, done - time);
        count++;
    }
    Usage after = usage(&watched);
    printf("{\"connections\":%llu,\"seconds\":%.6f,\"processor\":%.9f,\"systemCalls\":%llu,\"p50\":%.1f,\"p99\":%.1f}\n",
        (unsigned long long)count, (double)(now() - start) / 1e9, (double)(after.processor - before.processor) / 1e9,
        (unsigned long long)(after.system_calls - before.system_calls), (double)histogram_at(latencies, 0.5) / 1e3,
        (double)histogram_at(latencies, 0.99) / 1e3);
    return 0;
}

static void pause_for(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

int idle(const Options *options) {
    SSL_CTX *context = client_context(&options->target);
    Buffer body = call_body(options->mode, options->payload);
    Watched watched = watch(options->watched, false);
    // The first ones make what all share: pools, tables, code.
    int first = options->connections / 10;
    Client *clients = calloc((size_t)(options->connections + first), sizeof *clients);
    uint64_t before = 0;
    for (int i = 0; i < options->connections + first; i++) {
        if (i == first) {
            pause_for(options->warm_up);
            before = memory(&watched);
        }
        client_open(&clients[i], &options->target, context, NULL);
        make_call(&clients[i], &body);
    }
    pause_for(options->warm_up);
    uint64_t after = memory(&watched);
    Usage start = usage(&watched);
    pause_for(options->seconds);
    Usage end = usage(&watched);
    printf("{\"connections\":%d,\"before\":%llu,\"after\":%llu,\"perConnection\":%.2f,\"processor\":%.9f}\n",
        options->connections, (unsigned long long)before, (unsigned long long)after,
        ((double)after - (double)before) / options->connections, (double)(end.processor - start.processor) / 1e9);
    return 0;
}
