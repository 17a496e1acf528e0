// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#include "load.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/// A counter of a thread's system calls.
static int count_system_calls(pid_t thread) {
    FILE *file = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
    if (!file) fail("system calls cannot be counted here: mount -t tracefs tracefs /sys/kernel/tracing");
    unsigned long long number = 0;
    int found = fscanf(file, "%llu", &number);
    fclose(file);
    struct perf_event_attr event = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof event, .config = number, .inherit = 1};
    int counter = (int)syscall(SYS_perf_event_open, &event, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (found != 1 || counter < 0) fail_errno("counting system calls");
    return counter;
}

static void count_threads(Watched *watched, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    if (!folder) fail_errno(path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        if (watched->counter_count == COUNTERS) fail("more than %d threads", COUNTERS);
        watched->counters[watched->counter_count++] = count_system_calls((pid_t)atoi(entry->d_name));
    }
    closedir(folder);
}

Watched watch(const char *pids, bool system_calls) {
    Watched watched = {0};
    const char *rest = pids ? pids : "";
    while (*rest) {
        char *end;
        long pid = strtol(rest, &end, 10);
        if (end == rest || pid <= 0) fail("%s: numbers of processes, with commas between them", pids);
        if (watched.count == PROCESSES) fail("more than %d processes", PROCESSES);
        watched.pids[watched.count++] = (pid_t)pid;
        if (system_calls) count_threads(&watched, (pid_t)pid);
        rest = *end == ',' ? end + 1 : end;
    }
    return watched;
}

Usage usage(const Watched *watched) {
    Usage sum = {0};
    for (int i = 0; i < watched->count; i++) {
        clockid_t clock;
        struct timespec time;
        if (clock_getcpuclockid(watched->pids[i], &clock) != 0 || clock_gettime(clock, &time) != 0)
            fail("process %d has ended", (int)watched->pids[i]);
        sum.processor += (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    }
    for (int i = 0; i < watched->counter_count; i++) {
        uint64_t calls;
        if (read(watched->counters[i], &calls, sizeof calls) == sizeof calls) sum.system_calls += calls;
    }
    return sum;
}

uint64_t memory(const Watched *watched) {
    uint64_t sum = 0;
    for (int i = 0; i < watched->count; i++) {
        char path[64], line[256];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)watched->pids[i]);
        FILE *file = fopen(path, "r");
        if (!file) fail_errno(path);
        unsigned long long size = 0;
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "Pss: %llu kB", &size) == 1) break;
        fclose(file);
        sum += size;
    }
    return sum;
}
