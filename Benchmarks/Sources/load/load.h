// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#ifndef LOAD_H
#define LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Trouble

/// Says what went wrong, and ends the program with 1.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// The same, with what errno says.
_Noreturn void fail_errno(const char *what);

// MARK: Time

/// Nanoseconds of the monotonic clock.
uint64_t now(void);

// MARK: Bytes

/// Bytes that grow at one end and are taken from the other.
typedef struct {
    uint8_t *bytes;
    size_t start, end, capacity;
} Buffer;

/// Makes room for so many bytes behind the last one, and gives their place.
uint8_t *buffer_room(Buffer *buffer, size_t count);
void buffer_append(Buffer *buffer, const void *bytes, size_t count);
void buffer_release(Buffer *buffer);
static inline size_t buffer_count(const Buffer *buffer) { return buffer->end - buffer->start; }
static inline void buffer_take(Buffer *buffer, size_t count) {
    buffer->start += count;
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
}

// MARK: Frames and messages: docs/protocol.md

enum { FRAME_HEADER = 13, FRAME_REGULAR = 1, FRAME_CONTROL = 2, FRAME_ACK = 3, FRAME_KEEP_ALIVE = 9 };

/// What is asked of the server, one command each.
typedef enum {
    MODE_ECHO,  ///< The answer is the argument.
    MODE_UP,    ///< The answer is nothing.
    MODE_DOWN,  ///< The answer is as many bytes as the argument says.
    MODE_EVENTS ///< Everybody who listens gets the argument as an event; the answer is nothing.
} Mode;

/// The letter that is the name of a mode's command.
char mode_command(Mode mode);

uint32_t read_u32(const uint8_t *bytes);
void write_u32(uint8_t *bytes, uint32_t number);
/// Appends a frame's header: type, sequence number, acknowledgement, count of bytes that follow.
void append_header(Buffer *buffer, uint8_t type, uint32_t sequence, uint32_t acknowledged, uint32_t count);
void append_number(Buffer *buffer, uint32_t number);
/// Reads a number of at most five bytes.
///
/// - Returns: How many bytes it took; 0 when it is not there as a whole.
size_t read_number(const uint8_t *bytes, size_t count, uint32_t *number);
/// The bytes of a payload: each differs from its neighbours.
void fill_payload(uint8_t *bytes, size_t count);

// MARK: What other processes use

enum { PROCESSES = 16, COUNTERS = 128 };

typedef struct {
    pid_t pids[PROCESSES];
    int count;
    int counters[COUNTERS]; ///< Of system calls, one for each thread.
    int counter_count;
} Watched;

typedef struct {
    uint64_t processor;    ///< Nanoseconds, the kernel's work for them included.
    uint64_t system_calls; ///< Since they are watched; 0 when they are not counted.
} Usage;

/// Watches processes, given as numbers with commas between them. Counting system calls makes them dearer.
Watched watch(const char *pids, bool system_calls);
Usage usage(const Watched *watched);
/// Their share of memory (PSS) in KiB.
uint64_t memory(const Watched *watched);

// MARK: Latencies, as HdrHistogram keeps them: three digits

enum { HISTOGRAM_BUCKETS = 40 * 1024 };

typedef struct {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total, maximum;
} Histogram;

void histogram_add(Histogram *histogram, uint64_t value);
/// The value that this share of all does not exceed.
uint64_t histogram_at(const Histogram *histogram, double share);

// MARK: Where to connect to

typedef struct {
    const char *host, *port;
    const char *ca, *certificate, *key; ///< No TLS when they are NULL.
    bool persistent;
} Target;

/// The client's side of TLS: 1.3 with AES-128-GCM and X25519 only.
SSL_CTX *client_context(const Target *target);

// MARK: Connections of clients

/// Numbers of requests start here, so that all take two bytes.
enum { FIRST_REQUEST = 128, MAXIMUM_WINDOW = 4096 };

typedef struct Client Client;
struct Client {
    int fd;
    SSL *tls; ///< NULL without TLS.
    bool persistent, waits_for_room;
    uint32_t sent, received; ///< Sequence numbers of the persistent protocol.
    Buffer input, output;
    uint64_t *intended; ///< When the request of each slot was to be sent.
    uint16_t *free_slots;
    int free_count;
    uint64_t owed, requests; ///< Calls that are due and wait for a slot, calls that had one.
    bool listens;
};

/// Connects, shows the certificate, announces a context and waits until the server is there. Blocks.
///
/// - Parameter session: To be resumed; NULL for a full handshake.
void client_open(Client *client, const Target *target, SSL_CTX *context, SSL_SESSION *session);
/// Tells the other side, and closes.
void client_close(Client *client);
/// Sends what is in `output`, as far as there is room for it.
void client_flush(Client *client);
/// Takes what has arrived.
///
/// - Returns: Whether anything has.
bool client_receive(Client *client);
/// The next whole Regular frame.
///
/// - Returns: Its body, until the next call; NULL when there is none.
const uint8_t *client_next(Client *client, size_t *count);
/// Waits for one. Blocks.
const uint8_t *client_wait(Client *client, size_t *count);
/// Puts a message into `output`, its bytes given in two parts.
void client_message(Client *client, const void *head, size_t head_count, const void *tail, size_t tail_count);
/// Puts a call into `output`: the body of `call_body` with this request's number.
void client_call(Client *client, const Buffer *body, uint16_t request);

/// The message of a call: its argument is the payload, or its size.
Buffer call_body(Mode mode, size_t payload);
/// The number of the request that a message answers, and the place of its result; 0 for a message that is no good answer.
///
/// - Parameter kind: 201 for an answer, 204 for an event.
uint16_t answered(const uint8_t *body, size_t count, uint32_t *kind, size_t *result);

// MARK: Commands

typedef struct {
    Target target;
    const char *watched, *path, *mode_name;
    Mode mode;
    int connections, window;
    size_t payload;
    double seconds, warm_up, rate;
    bool resume, system_calls;
} Options;

int serve(const Options *options);
int copy(const Options *options);
int run(const Options *options);
int handshakes(const Options *options);
int idle(const Options *options);

#endif
