// The few things of Linux that glibc's Swift module does not show.
#ifndef IPC_GATEWAY_CLINUX_H
#define IPC_GATEWAY_CLINUX_H

#include <stdint.h>
#include <sys/socket.h>

#include "CLinuxSandbox.h"

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
    // Of several epolls that wait for a descriptor, wake one.
    CLINUX_EPOLL_EXCLUSIVE = 1 << 28,
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
// Lets a listening TCP socket ignore requests for new connections, whose senders ask again after a second. Those that have
// begun still come to be accepted. 0, or -1 with errno set.
int clinux_ignore_new_connections(int listener);
// What the kernel says of the process at the other end of a connected Unix socket (SO_PEERCRED): its effective ids when
// it connected. The number of a process that cannot be seen from here is 0.
struct clinux_peer {
    int32_t process;
    uint32_t user;
    uint32_t group;
};
int clinux_peer_credentials(int socket, struct clinux_peer *peer);
// Its supplementary groups (SO_PEERGROUPS): how many there are, of which at most `capacity` are written. -1 with errno
// set when the kernel does not tell.
int clinux_peer_groups(int socket, uint32_t *groups, int capacity);
// A descriptor of the process that connected (SO_PEERPIDFD, Linux 6.5), or where the kernel has none, of the process
// that has the number now. It is readable as soon as that process has ended.
int clinux_peer_process(int socket, int32_t process);
// Which file a path leads to, links followed, from what the system knows already: a server of files that does not answer
// is not waited for.
struct clinux_file {
    uint64_t device;
    uint64_t number;
};
int clinux_identify_file(const char *path, struct clinux_file *file);
// A non-blocking, close-on-exec event counter for waking a thread that sits in epoll_wait.
int clinux_eventfd(void);
// Gives free memory of the allocator back to the system, where the C library can.
void clinux_trim_memory(void);

#endif
