# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""What was expected and what was found, one line each; and what the two kinds of server are expected to offer."""

TLS13_SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
# As OpenSSL names them.
TLS12_SUITES = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"]
# As the RFCs name them.
TLS12_SUITES_RFC = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
]
GROUPS = ["secp256r1", "secp384r1", "x25519"]


class Expectations:
    """Compares, prints, and remembers what was wrong."""

    def __init__(self, scanner, minimum, quiet=False):
        self.scanner = scanner
        self.minimum = minimum
        self.quiet = quiet
        self.good = 0
        self.wrong = []

    @property
    def versions(self):
        return ["1.3"] if self.minimum == "1.3" else ["1.2", "1.3"]

    def equal(self, what, expected, found):
        if isinstance(found, (set, tuple)):
            found = sorted(found)
        if expected == found:
            self.good += 1
            return
        self.wrong.append(what)
        if not self.quiet:
            print(f"WRONG: {self.scanner}, minimum {self.minimum}: {what}\n  expected: {expected}\n  found:    {found}")

    def one_of(self, what, expected, found):
        self.equal(what, found if found in expected else " or ".join(map(str, expected)), found)
