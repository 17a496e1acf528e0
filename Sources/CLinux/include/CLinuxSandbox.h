// What a process takes away from itself: Landlock, core dumps, privileges. Numbers and structures are those of
// include/uapi/linux/landlock.h; the headers of the systems this is built on may be older than the kernel it runs on.
#ifndef IPC_GATEWAY_CLINUX_SANDBOX_H
#define IPC_GATEWAY_CLINUX_SANDBOX_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same for all architectures.
enum { CLINUX_LANDLOCK_CREATE = 444, CLINUX_LANDLOCK_ADD = 445, CLINUX_LANDLOCK_RESTRICT = 446 };

struct clinux_landlock_ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

// The newest version of Landlock that the kernel has; -1 with errno set when it has none (ENOSYS), or has it switched
// off (EOPNOTSUPP).
static inline int clinux_landlock_abi(void) {
    return (int)syscall(CLINUX_LANDLOCK_CREATE, NULL, (size_t)0, 1u);
}

// A descriptor of a ruleset that denies what the sets name; members that a kernel does not know have to be zero.
static inline int clinux_landlock_create(struct clinux_landlock_ruleset denied) {
    return (int)syscall(CLINUX_LANDLOCK_CREATE, &denied, sizeof denied, 0u);
}

// Allows some of it again for a file, or for everything in and below a folder.
static inline int clinux_landlock_allow_path(int ruleset, int path, uint64_t rights) {
    struct __attribute__((packed)) {
        uint64_t rights;
        int32_t path;
    } rule = {rights, path};
    return (int)syscall(CLINUX_LANDLOCK_ADD, ruleset, 1, &rule, 0u);
}

// The same for a TCP port.
static inline int clinux_landlock_allow_port(int ruleset, uint16_t port, uint64_t rights) {
    struct {
        uint64_t rights;
        uint64_t port;
    } rule = {rights, port};
    return (int)syscall(CLINUX_LANDLOCK_ADD, ruleset, 2, &rule, 0u);
}

// Puts a ruleset in force for the calling thread and those that it starts from then on.
static inline int clinux_landlock_restrict(int ruleset) { return (int)syscall(CLINUX_LANDLOCK_RESTRICT, ruleset, 0u); }

// A descriptor that only names a file or folder, which takes no right to read it.
int clinux_open_path(const char *path);

// No program that is started has rights that this process has not.
int clinux_refuse_privileges(void);

// No memory of the process is written to disk, nor read by others of its user.
int clinux_refuse_dumps(void);

// Whether real, effective and saved ids are these, so that there is no way back.
static inline int clinux_is_only(uid_t user, gid_t group) {
    uid_t users[3];
    gid_t groups[3];
    if (syscall(SYS_getresuid, &users[0], &users[1], &users[2]) != 0) return 0;
    if (syscall(SYS_getresgid, &groups[0], &groups[1], &groups[2]) != 0) return 0;
    for (int index = 0; index < 3; index++)
        if (users[index] != user || groups[index] != group) return 0;
    return 1;
}

// The program of a process as a helper of the gateway sees it, which is not in the sandbox: Landlock keeps those inside
// from looking at processes outside.
struct clinux_program {
    int32_t error;     // errno of readlink, or 0
    uint32_t is_same;  // whether the path leads the helper to the file that the process runs
    uint32_t length;   // of the path
    char path[4096];
};

// What the helper is told: a process, or with process 0 the user and group to become.
struct clinux_program_question {
    int32_t process;
    uint32_t user;
    uint32_t group;
};

// Starts the helper. Call it while the process has one thread, and before it has read anything secret, a copy of which
// the helper would have.
//
// Returns the number of its process, and in `socket` what it is asked over (a sequenced-packet socket); -1 with errno set
// when that fails. It ends when the socket is closed.
pid_t clinux_start_program_helper(int *socket);

#endif
