// The few things of Linux that glibc's Swift module does not show.
#ifndef IPC_GATEWAY_CLINUX_H
#define IPC_GATEWAY_CLINUX_H

#include <stdint.h>
#include <sys/socket.h>

// One readiness report, with the token that `clinux_epoll_control` was given. The kernel's own `struct epoll_event`
// is packed on x86-64 and holds a union; this one is neither.
struct clinux_ready {
    uint64_t token;
    uint32_t events;
};

enum {
    CLINUX_EPOLL_IN = 0x001,
    CLINUX_EPOLL_OUT = 0x004,
    CLINUX_EPOLL_ERR = 0x008,
    CLINUX_EPOLL_HUP = 0x010,
};

enum clinux_epoll_operation { CLINUX_EPOLL_ADD = 1, CLINUX_EPOLL_DELETE = 2, CLINUX_EPOLL_MODIFY = 3 };

// Each returns what the system call returns: -1 with errno set when it failed.
int clinux_epoll_create(void);
int clinux_epoll_control(int epoll, enum clinux_epoll_operation operation, int descriptor, uint32_t events,
                         uint64_t token);
// Waits at most `timeout` milliseconds (-1: for ever) and fills at most `capacity` (at most 256) reports.
int clinux_epoll_wait(int epoll, struct clinux_ready *ready, int capacity, int timeout);
// Accepts one connection, non-blocking and close-on-exec.
int clinux_accept(int listener, struct sockaddr_storage *address, socklen_t *length);
// A non-blocking, close-on-exec event counter for waking a thread that sits in epoll_wait.
int clinux_eventfd(void);
// Gives free memory of the allocator back to the system, where the C library can.
void clinux_trim_memory(void);

#endif
