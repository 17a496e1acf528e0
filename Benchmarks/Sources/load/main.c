// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// load: clients, a server, and the bare copy between them, for measuring what stands between clients and servers.

#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

_Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

_Noreturn void fail_errno(const char *what) { fail("%s: %s", what, strerror(errno)); }

static const char help[] =
    "load server --path SOCKET                 give back what comes, until killed\n"
    "load copy --path SOCKET --port PORT       pass bytes on, without TLS, until killed\n"
    "load run --port PORT …                    calls over many connections\n"
    "load handshakes --port PORT …             one connection after the other, with a call each\n"
    "load idle --port PORT …                   connections that are there and do nothing\n"
    "\n"
    "  --host HOST --port PORT        where to connect to (127.0.0.1)\n"
    "  --ca FILE --cert FILE --key FILE\n"
    "                                 PEM files; without them there is no TLS\n"
    "  --persistent                   the persistent protocol\n"
    "  --watch PID,PID                processes whose processor time and memory count\n"
    "  --system-calls                 count their system calls, too, which makes them dearer\n"
    "  --connections N --window N     connections (1), and calls in flight in each (1)\n"
    "  --mode echo|up|down|events     what is called (echo)\n"
    "  --payload BYTES                size of an argument, an answer or an event (64)\n"
    "  --rate N                       calls a second, over all connections, whatever their answers do\n"
    "  --seconds N --warm-up N        how long to measure (2), and to wait before (0.3)\n"
    "  --resume                       handshakes resume the session before\n"
    "\n"
    "Prints one line of JSON: times in seconds, latencies in microseconds, memory in KiB.\n";

int main(int count, char **words) {
    static const struct option names[] = {
        {"host", 1, 0, 'h'}, {"port", 1, 0, 'p'}, {"ca", 1, 0, 'a'}, {"cert", 1, 0, 'c'}, {"key", 1, 0, 'k'},
        {"persistent", 0, 0, 'P'}, {"watch", 1, 0, 'w'}, {"system-calls", 0, 0, 'S'}, {"connections", 1, 0, 'n'},
        {"window", 1, 0, 'W'}, {"mode", 1, 0, 'm'}, {"payload", 1, 0, 'b'}, {"rate", 1, 0, 'r'}, {"seconds", 1, 0, 's'},
        {"warm-up", 1, 0, 'u'}, {"resume", 0, 0, 'R'}, {"path", 1, 0, 'x'}, {"help", 0, 0, 'H'}, {0},
    };
    Options options = {
        .target = {.host = "127.0.0.1"}, .connections = 1, .window = 1, .payload = 64, .seconds = 2, .warm_up = 0.3,
        .mode_name = "echo",
    };
    for (int name; (name = getopt_long(count, words, "", names, NULL)) != -1;) {
        switch (name) {
        case 'h': options.target.host = optarg; break;
        case 'p': options.target.port = optarg; break;
        case 'a': options.target.ca = optarg; break;
        case 'c': options.target.certificate = optarg; break;
        case 'k': options.target.key = optarg; break;
        case 'P': options.target.persistent = true; break;
        case 'w': options.watched = optarg; break;
        case 'S': options.system_calls = true; break;
        case 'n': options.connections = atoi(optarg); break;
        case 'W': options.window = atoi(optarg); break;
        case 'm': options.mode_name = optarg; break;
        case 'b': options.payload = strtoul(optarg, NULL, 10); break;
        case 'r': options.rate = atof(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 'u': options.warm_up = atof(optarg); break;
        case 'R': options.resume = true; break;
        case 'x': options.path = optarg; break;
        case 'H': fputs(help, stdout); return 0;
        default: fputs(help, stderr); return 2;
        }
    }
    static const char *modes[] = {"echo", "up", "down", "events"};
    options.mode = MODE_EVENTS + 1;
    for (int i = 0; i < 4; i++)
        if (strcmp(options.mode_name, modes[i]) == 0) options.mode = (Mode)i;
    bool good = optind + 1 == count && options.mode <= MODE_EVENTS && options.connections > 0 && options.window > 0
        && options.window <= MAXIMUM_WINDOW && options.seconds > 0 && options.payload <= 16u << 20
        && !options.target.ca == !options.target.certificate && !options.target.ca == !options.target.key;
    const char *command = good ? words[optind] : "";
    signal(SIGPIPE, SIG_IGN);
    // The kernel would put wake-ups together, fifty microseconds apart.
    prctl(PR_SET_TIMERSLACK, 1);
    if (strcmp(command, "server") == 0 && options.path) return serve(&options);
    if (strcmp(command, "copy") == 0 && options.path && options.target.port) return copy(&options);
    if (strcmp(command, "run") == 0 && options.target.port) return run(&options);
    if (strcmp(command, "handshakes") == 0 && options.target.port) return handshakes(&options);
    if (strcmp(command, "idle") == 0 && options.target.port) return idle(&options);
    fputs(help, stderr);
    return 2;
}
