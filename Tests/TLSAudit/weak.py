# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""A server that does what no gateway may: old versions and suites, tickets, renegotiation, RSA, no certificate asked for.

usage: weak.py CERTIFICATE KEY PORT-FILE: listens at a free port, which it writes into a file.
"""

import os
import signal
import socket
import ssl
import sys
import threading
import warnings


def serve(how, raw):
    try:
        raw.settimeout(5)
        with how.wrap_socket(raw, server_side=True) as tls:
            while tls.recv(4096):
                pass
    except (OSError, ssl.SSLError):
        raw.close()


def main():
    warnings.simplefilter("ignore", DeprecationWarning)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    how = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    how.set_ciphers("ALL:@SECLEVEL=0")
    how.minimum_version = ssl.TLSVersion.TLSv1
    # Without "no renegotiation", and with SSL_OP_ALLOW_CLIENT_RENEGOTIATION, for which Python has no name.
    how.options = (how.options & ~ssl.OP_NO_RENEGOTIATION) | 1 << 8
    how.load_cert_chain(sys.argv[1], sys.argv[2])
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        with open(sys.argv[3] + ".new", "w", encoding="ascii") as file:
            file.write(f"{listener.getsockname()[1]}\n")
        os.rename(sys.argv[3] + ".new", sys.argv[3])
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=serve, args=(how, raw), daemon=True).start()


main()
