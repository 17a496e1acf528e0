# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""What scanners do not try: no application without a certificate, and no session that outlives what it was allowed by.

usage: handshakes.py PORT FOLDER-OF-CERTIFICATES PROCESS RESULT: talks to the server, and writes what it saw as JSON.
"""

import json
import os
import signal
import socket
import ssl
import sys
import time


def context(version, folder, certificate):
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Scanners offer what nobody should; so does this.
    result.set_ciphers("ALL:@SECLEVEL=0")
    result.minimum_version = result.maximum_version = version
    # This is about what the server demands; one with a wrong certificate must get as far.
    result.check_hostname = False
    result.verify_mode = ssl.CERT_NONE
    if certificate:
        result.load_cert_chain(f"{folder}/{certificate}.pem", f"{folder}/{certificate}-key.pem")
    return result


def connect(port, how, session=None):
    """Whether a session was resumed, and the session to resume; or the alert that came."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        try:
            with how.wrap_socket(raw, session=session) as tls:
                # In TLS 1.3 certificates are judged, and tickets come, after the client has ended the handshake.
                tls.settimeout(0.2)
                count = None
                deadline = time.monotonic() + (30 if tls.version() == "TLSv1.3" else 0.2)
                while count is None and time.monotonic() < deadline:
                    try:
                        count = len(tls.recv(1))
                    except (TimeoutError, socket.timeout):
                        if tls.session and tls.session.has_ticket:
                            break
                return {"handshake": "done", "reused": tls.session_reused, "closed": count == 0}, tls.session
        except (ssl.SSLError, ConnectionError) as error:
            return {"handshake": getattr(error, "reason", None) or type(error).__name__}, None


def main():
    port, folder, process, result = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    seen = {}
    for name, version in (("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3)):
        part = seen[name] = {}
        for who in (None, "stranger", "alice"):
            part[who or "nobody"] = connect(port, context(version, folder, who))[0]
        owner = context(version, folder, "alice")
        _, session = connect(port, owner)
        if session is None:
            continue
        part["resumed"], _ = connect(port, owner, session)
        part["resumed once more with the same"], _ = connect(port, owner, session)
        # The reload may take its time: sessions from before it are tried until one is refused, and the last one has to be.
        kept = [connect(port, owner)[1] for _ in range(6)]
        os.kill(process, signal.SIGHUP)
        for number, session in enumerate(kept):
            time.sleep(0.5 * 2**number)
            part["resumed after a reload"], _ = connect(port, owner, session)
            if not part["resumed after a reload"].get("reused"):
                break
    with open(result, "w", encoding="utf-8") as file:
        json.dump(seen, file, indent=1)


# The reasons of OpenSSL for alerts 116 (certificate_required), 40, 48 and 70.
NO_CERTIFICATE = {"1.3": ["TLSV13_ALERT_CERTIFICATE_REQUIRED"], "1.2": ["SSLV3_ALERT_HANDSHAKE_FAILURE"]}
UNKNOWN_AUTHORITY = ["TLSV1_ALERT_UNKNOWN_CA"]
NO_VERSION = ["TLSV1_ALERT_PROTOCOL_VERSION"]


def check(path, expect):
    with open(path, encoding="utf-8") as file:
        seen = json.load(file)
    for version, part in seen.items():
        spoken = version in expect.versions
        ends = {who: part[who]["handshake"] for who in ("nobody", "stranger", "alice")}
        nobody = NO_CERTIFICATE[version] if spoken else NO_VERSION
        expect.one_of(f"{version} without a certificate", nobody, ends["nobody"])
        expect.one_of(f"{version} of another authority", UNKNOWN_AUTHORITY if spoken else NO_VERSION, ends["stranger"])
        expect.one_of(f"{version} with a certificate", ["done"] if spoken else NO_VERSION, ends["alice"])
        if not spoken:
            continue
        reused = {name: part[name].get("reused") for name in part if name.startswith("resumed")}
        expected = {
            "resumed": True,
            # A ticket of TLS 1.3 is good for one connection.
            "resumed once more with the same": version == "1.2",
            "resumed after a reload": False,
        }
        expect.equal(f"{version} sessions", expected, reused)


if __name__ == "__main__":
    main()
