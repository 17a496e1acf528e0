// _GNU_SOURCE: accept4.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

_Static_assert(CLINUX_EPOLL_IN == EPOLLIN && CLINUX_EPOLL_OUT == EPOLLOUT && CLINUX_EPOLL_ERR == EPOLLERR &&
                   CLINUX_EPOLL_HUP == EPOLLHUP,
               "the header's event bits are the kernel's");
_Static_assert(CLINUX_EPOLL_ADD == EPOLL_CTL_ADD && CLINUX_EPOLL_DELETE == EPOLL_CTL_DEL &&
                   CLINUX_EPOLL_MODIFY == EPOLL_CTL_MOD,
               "the header's operations are the kernel's");

enum { BATCH = 256 };

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

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void clinux_trim_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
