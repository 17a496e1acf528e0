# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""What testssl.sh saw.

It has no option for a client certificate (before 3.2). Most of its checks send records of their own making and end with
the server's first flight, before a certificate is asked for: versions, suites, groups, extensions and nearly all known holes.
What needs a whole handshake means nothing here and is left to sslyze and handshakes.py: resumption, renegotiation by the
client with OpenSSL, and what there is to say about HTTP (BREACH).
"""

import json

from expectation import GROUPS, TLS12_SUITES, TLS13_SUITES

NOT_OFFERED = ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "NPN", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT",
               "cipherlist_LOW", "cipherlist_3DES_IDEA", "cipherlist_AVERAGE"]
HOLES = ["heartbleed", "CCS", "ROBOT", "secure_renego", "CRIME_TLS", "POODLE_SSL",
         "fallback_SCSV", "FREAK", "DROWN", "LOGJAM", "LOGJAM-common_primes", "BEAST", "LUCKY13", "RC4"]


def check(path, expect):
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)
    found = {entry["id"]: entry for entry in entries}

    def finding(name):
        return found.get(name, {}).get("finding")

    for name in NOT_OFFERED:
        expect.equal(name, "not offered", finding(name))
    expect.equal("TLS1_2", "offered" if expect.minimum == "1.2" else "not offered", finding("TLS1_2"))
    expect.equal("TLS1_3", "offered with final", finding("TLS1_3"))
    suites = TLS13_SUITES if expect.minimum == "1.3" else TLS12_SUITES + TLS13_SUITES
    expect.equal("cipher suites", sorted(suites), set((finding("PFS_ciphers") or "").split()))
    curves = {curve.lower().replace("prime256v1", "secp256r1") for curve in (finding("PFS_ECDHE_curves") or "").split()}
    expect.equal("groups", GROUPS, curves)
    extensions = finding("TLS_extensions") or ""
    for name in ("session ticket", "heartbeat", "early data"):
        expect.equal(f"extension '{name}'", False, name in extensions)

    # SWEET32 is not among what it says of a server that has TLS 1.3 only; Ticketbleed is tried with HTTP only.
    for name in HOLES + (["SWEET32"] if expect.minimum == "1.2" else []):
        expect.equal(name, "OK", found.get(name, {}).get("severity"))
    # With TLS 1.2 it says that the certificate that is asked for keeps it from trying.
    renegotiation = (found.get("secure_client_renego", {}).get("severity"), finding("secure_client_renego"))
    prevented = ("WARN", "client x509-based authentication prevents this from being tested")
    expect.equal("secure_client_renego", True, renegotiation[0] == "OK" or renegotiation == prevented)
    # Winshock is known to 3.2, which does not say so of each server.
    for name in ("ticketbleed", "winshock"):
        expect.one_of(name, ["OK", "INFO", None], found.get(name, {}).get("severity"))
    expect.equal("key of the certificate", "EC 256 bits", (finding("cert_keySize") or "")[:11])
    expect.equal("signature of the certificate", "ECDSA with SHA256", finding("cert_signatureAlgorithm"))
    # Whatever else it thinks to be bad: all that is left is about a public web server's certificate.
    web = {"cert_chain_of_trust", "cert_revocation", "cert_trust", "cert_expirationStatus", "cert_validityPeriod"}
    worse = [e for e in entries if e["severity"] in ("MEDIUM", "HIGH", "CRITICAL")]
    bad = {e["id"]: e["finding"] for e in worse if e["id"] not in web}
    expect.equal("anything else that is bad", {}, bad)
