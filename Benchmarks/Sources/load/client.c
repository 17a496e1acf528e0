// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#include "load.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

SSL_CTX *client_context(const Target *target) {
    if (!target->ca) return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    // The same for all candidates, whatever they would choose.
    bool good = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)
        && SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") && SSL_CTX_set1_groups_list(context, "X25519")
        && SSL_CTX_load_verify_locations(context, target->ca, NULL)
        && SSL_CTX_use_certificate_chain_file(context, target->certificate)
        && SSL_CTX_use_PrivateKey_file(context, target->key, SSL_FILETYPE_PEM);
    if (!good) fail("certificates: %s", ERR_reason_error_string(ERR_get_error()));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    return context;
}

static int dial(const Target *target) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *found;
    if (getaddrinfo(target->host, target->port, &hints, &found) != 0) fail("%s: no such host", target->host);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) fail_errno("a socket");
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) fail_errno("connecting");
    freeaddrinfo(found);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Nobody is waited for longer.
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void await_bytes(Client *client) {
    if (!client_receive(client)) fail("nothing comes for twenty seconds");
}

static void append_control(Client *client, const char *text) {
    append_header(&client->output, FRAME_CONTROL, 0, 0, (uint32_t)strlen(text));
    buffer_append(&client->output, text, strlen(text));
}

void client_open(Client *client, const Target *target, SSL_CTX *context, SSL_SESSION *session) {
    *client = (Client){.fd = dial(target), .persistent = target->persistent};
    if (context) {
        client->tls = SSL_new(context);
        SSL_set_fd(client->tls, client->fd);
        SSL_set_tlsext_host_name(client->tls, "localhost");
        if (session) SSL_set_session(client->tls, session);
        if (target->persistent) SSL_set_alpn_protos(client->tls, (const uint8_t *)"\x15vscode-ipc-persistent", 22);
        if (SSL_connect(client->tls) != 1) fail("handshake: %s", ERR_reason_error_string(ERR_get_error()));
        if (session && !SSL_session_reused(client->tls)) fail("the session was not resumed");
    }
    if (target->persistent) append_control(client, "{\"type\":\"connect\",\"version\":1}");
    else client_message(client, "\x01\x05" "bench", 7, NULL, 0);
    client_flush(client);
    size_t count;
    if (target->persistent) {
        // The gateway's ok; then the context is the first message.
        while (buffer_count(&client->input) < FRAME_HEADER) await_bytes(client);
        while (buffer_count(&client->input) < FRAME_HEADER + read_u32(client->input.bytes + client->input.start + 9))
            await_bytes(client);
        const uint8_t *frame = client->input.bytes + client->input.start;
        count = read_u32(frame + 9);
        if (frame[0] != FRAME_CONTROL || !memmem(frame, FRAME_HEADER + count, "\"ok\"", 4)) fail("the gateway gives no session");
        buffer_take(&client->input, FRAME_HEADER + count);
        client_message(client, "\x01\x05" "bench", 7, NULL, 0);
        client_flush(client);
    }
    const uint8_t *body = client_wait(client, &count);
    if (count != 6 || memcmp(body, "\x04\x01\x06\xc8\x01\x00", 6) != 0) fail("the server does not say Initialize");
}

void client_close(Client *client) {
    if (client->tls) {
        SSL_shutdown(client->tls);
        SSL_free(client->tls);
    }
    close(client->fd);
    buffer_release(&client->input);
    buffer_release(&client->output);
    free(client->intended);
    free(client->free_slots);
}

void client_flush(Client *client) {
    while (buffer_count(&client->output) > 0) {
        const uint8_t *bytes = client->output.bytes + client->output.start;
        size_t count = buffer_count(&client->output), written = 0;
        if (client->tls) {
            ERR_clear_error();
            int result = SSL_write_ex(client->tls, bytes, count, &written);
            if (result != 1 && SSL_get_error(client->tls, result) != SSL_ERROR_WANT_WRITE) fail("the connection was lost");
        } else {
            ssize_t result = send(client->fd, bytes, count, MSG_NOSIGNAL);
            if (result < 0 && errno != EAGAIN) fail_errno("sending");
            if (result > 0) written = (size_t)result;
        }
        if (written == 0) return;
        buffer_take(&client->output, written);
    }
}

bool client_receive(Client *client) {
    bool received = false;
    for (;;) {
        uint8_t *room = buffer_room(&client->input, 16 << 10);
        size_t size = client->input.capacity - client->input.end, count = 0;
        if (client->tls) {
            ERR_clear_error();
            int result = SSL_read_ex(client->tls, room, size, &count);
            int error = SSL_get_error(client->tls, result);
            if (result != 1 && error != SSL_ERROR_WANT_READ) fail("the connection was lost: error %d of TLS", error);
        } else {
            ssize_t result = recv(client->fd, room, size, 0);
            if (result == 0) fail("the other side has finished");
            if (result < 0 && errno != EAGAIN) fail_errno("receiving");
            if (result > 0) count = (size_t)result;
        }
        client->input.end += count;
        received |= count > 0;
        // What TLS has decrypted already is not announced by the socket.
        if (count == 0 || !client->tls || SSL_pending(client->tls) == 0) return received;
    }
}

const uint8_t *client_next(Client *client, size_t *count) {
    while (buffer_count(&client->input) >= FRAME_HEADER) {
        const uint8_t *frame = client->input.bytes + client->input.start;
        *count = read_u32(frame + 9);
        if (buffer_count(&client->input) < FRAME_HEADER + *count) return NULL;
        buffer_take(&client->input, FRAME_HEADER + *count);
        if (frame[0] != FRAME_REGULAR) continue;
        if (client->persistent && read_u32(frame + 1) != ++client->received) fail("a message is missing");
        return frame + FRAME_HEADER;
    }
    return NULL;
}

const uint8_t *client_wait(Client *client, size_t *count) {
    const uint8_t *body;
    while (!(body = client_next(client, count))) await_bytes(client);
    return body;
}

void client_message(Client *client, const void *head, size_t head_count, const void *tail, size_t tail_count) {
    uint32_t sequence = client->persistent ? ++client->sent : 0;
    append_header(&client->output, FRAME_REGULAR, sequence, client->received, (uint32_t)(head_count + tail_count));
    buffer_append(&client->output, head, head_count);
    buffer_append(&client->output, tail, tail_count);
}

void client_call(Client *client, const Buffer *body, uint16_t request) {
    uint8_t head[7];
    memcpy(head, body->bytes, 5);
    head[5] = (uint8_t)((request & 0x7f) | 0x80);
    head[6] = (uint8_t)(request >> 7);
    client_message(client, head, sizeof head, body->bytes + sizeof head, buffer_count(body) - sizeof head);
}
