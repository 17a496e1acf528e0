// _GNU_SOURCE: accept4, struct ucred, statx.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CLINUX_EPOLL_IN == EPOLLIN && CLINUX_EPOLL_OUT == EPOLLOUT && CLINUX_EPOLL_ERR == EPOLLERR &&
                   CLINUX_EPOLL_HUP == EPOLLHUP && CLINUX_EPOLL_EXCLUSIVE == EPOLLEXCLUSIVE,
               "the header's event bits are the kernel's");
_Static_assert(CLINUX_EPOLL_ADD == EPOLL_CTL_ADD && CLINUX_EPOLL_DELETE == EPOLL_CTL_DEL &&
                   CLINUX_EPOLL_MODIFY == EPOLL_CTL_MOD,
               "the header's operations are the kernel's");

enum { BATCH = 256 };

// Newer than the headers of the oldest systems this is built on (include/uapi/asm-generic/socket.h of Linux).
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_control(int epoll, enum clinux_epoll_operation operation, int descriptor, uint32_t events,
                         uint64_t token) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = token;
    return epoll_ctl(epoll, (int)operation, descriptor, &event);
}

int clinux_epoll_wait(int epoll, struct clinux_ready *ready, int capacity, int timeout) {
    struct epoll_event events[BATCH];
    if (capacity > BATCH) capacity = BATCH;
    int count = epoll_wait(epoll, events, capacity, timeout);
    for (int i = 0; i < count; i++) {
        ready[i].token = events[i].data.u64;
        ready[i].events = events[i].events;
    }
    return count;
}

int clinux_accept(int listener, struct sockaddr_storage *address, socklen_t *length) {
    return accept4(listener, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_ignore_new_connections(int listener) {
    // The packet begins with the TCP header; its byte 13 has the flags, SYN 0x02 and ACK 0x10.
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

int clinux_peer_credentials(int socket, struct clinux_peer *peer) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    peer->process = credentials.pid;
    peer->user = credentials.uid;
    peer->group = credentials.gid;
    return 0;
}

int clinux_peer_groups(int socket, uint32_t *groups, int capacity) {
    socklen_t length = (socklen_t)((size_t)capacity * sizeof *groups);
    // With ERANGE the kernel says how long the list is.
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0 && errno != ERANGE) return -1;
    return (int)(length / sizeof *groups);
}

int clinux_peer_process(int socket, int32_t process) {
    int descriptor = -1;
    socklen_t length = sizeof descriptor;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &descriptor, &length) == 0) return descriptor;
    if (errno != ENOPROTOOPT) return -1;
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int clinux_identify_file(const char *path, struct clinux_file *file) {
    struct statx status;
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO, &status) != 0) return -1;
    file->device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
    file->number = status.stx_ino;
    return 0;
}

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void clinux_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
