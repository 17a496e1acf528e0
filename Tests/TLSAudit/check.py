# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""Compares what the scanners wrote with what is expected.

usage: check.py gateway MINIMUM FOLDER     what is wrong is printed, and makes the exit code 1
       check.py weak FOLDER                a server that does everything wrong: each scanner has to find it out
"""

import sys

import handshakes
import sslscan
import sslyze
import testssl
from expectation import Expectations

# What has to be found wrong with the weak server.
DEFECTS = {
    "sslscan": {"versions", "cipher suites", "groups", "key of the certificate"},
    "sslyze": {"versions", "cipher suites", "groups", "resumption by a ticket of TLS 1.2",
               "keys of certificates", "renegotiation by the client"},
    "sslyze without a certificate": {"a client certificate, of a client without one"},
    "testssl": {"TLS1", "TLS1_1", "cipher suites", "groups", "key of the certificate"},
    "handshakes": {"1.3 without a certificate", "1.3 of another authority", "1.2 without a certificate",
                   "1.2 of another authority", "1.2 sessions", "1.3 sessions"},
}


def checks(minimum, folder, quiet):
    parts = [
        ("sslscan", sslscan.check, "sslscan.xml"), ("sslyze", sslyze.check, "sslyze.json"),
        ("sslyze without a certificate", sslyze.check_anonymous, "sslyze-anonymous.json"),
        ("testssl", testssl.check, "testssl.json"), ("handshakes", handshakes.check, "handshakes.json"),
    ]
    for scanner, check, file in parts:
        expect = Expectations(scanner, minimum, quiet)
        try:
            check(f"{folder}/{file}", expect)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            expect.quiet = False
            expect.equal("its report can be read", "yes", f"no: {type(error).__name__} {error}")
        yield scanner, expect


def main():
    failed = 0
    if sys.argv[1] == "weak":
        for scanner, expect in checks("1.2", sys.argv[2], quiet=True):
            missed = sorted(DEFECTS[scanner] - set(expect.wrong))
            failed += len(missed)
            for what in missed:
                print(f"WRONG: {scanner}, weak server: '{what}' was not found wrong, so it says nothing of the gateway")
            print(f"{'WRONG' if missed else 'good'}: {scanner} finds {len(expect.wrong)} defects in a weak server")
    else:
        for scanner, expect in checks(sys.argv[2], sys.argv[3], quiet=False):
            failed += len(expect.wrong)
            count = expect.good + len(expect.wrong)
            verdict = "WRONG" if expect.wrong else "good"
            print(f"{verdict}: {scanner}, minimum {sys.argv[2]}: {expect.good} of {count} as expected")
    sys.exit(failed > 0)


main()
