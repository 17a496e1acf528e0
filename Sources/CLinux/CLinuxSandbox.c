// _GNU_SOURCE: O_PATH, setresuid, setgroups.
#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int clinux_open_path(const char *path) { return open(path, O_PATH | O_CLOEXEC); }

int clinux_refuse_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int clinux_refuse_dumps(void) {
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return -1;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void harden(void) {
    // The helper goes with the gateway's main thread, which lives as long as the gateway.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    clinux_refuse_privileges();
    clinux_refuse_dumps();
}

static void look(int32_t process, struct clinux_program *program) {
    char link[32];
    struct clinux_file running, named;
    memset(program, 0, sizeof *program);
    snprintf(link, sizeof link, "/proc/%d/exe", (int)process);
    ssize_t length = readlink(link, program->path, sizeof program->path);
    if (length < 0) {
        program->error = errno;
    } else if ((size_t)length >= sizeof program->path) {
        program->error = ENAMETOOLONG;
    } else {
        program->path[length] = 0;
        program->length = (uint32_t)length;
        program->is_same = clinux_identify_file(link, &running) == 0 && clinux_identify_file(program->path, &named) == 0 &&
                           running.device == named.device && running.number == named.number;
    }
}

static _Noreturn void answer(int socket) {
    struct clinux_program_question question;
    static struct clinux_program program;
    for (;;) {
        ssize_t count = recv(socket, &question, sizeof question, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count != sizeof question) _exit(0);
        if (question.process > 0) {
            look(question.process, &program);
        } else {
            memset(&program, 0, sizeof program);
            gid_t group = question.group;
            uid_t user = question.user;
            if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0 ||
                !clinux_is_only(user, group))
                program.error = errno ? errno : EPERM;
            // Changing the user has undone it.
            harden();
        }
        size_t size = offsetof(struct clinux_program, path) + program.length;
        if (send(socket, &program, size, MSG_NOSIGNAL) != (ssize_t)size) _exit(0);
    }
}

pid_t clinux_start_program_helper(int *socket) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    pid_t process = fork();
    if (process == 0) {
        // Standard descriptors are others': nothing is read from or written to them here.
        int own = ends[1] == 3 ? 3 : dup2(ends[1], 3);
        if (own != 3) _exit(1);
        syscall(SYS_close_range, 4u, ~0u, 0u);
        for (int number = 0; number < 3; number++) close(number);
        for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
        harden();
        answer(3);
    }
    int failure = errno;
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        errno = failure;
        return -1;
    }
    *socket = ends[0];
    return process;
}
