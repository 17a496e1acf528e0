# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""What sslscan saw with the certificate of an authorised client: versions, suites, groups, key, Heartbleed."""

import xml.etree.ElementTree as ElementTree

from expectation import GROUPS, TLS12_SUITES, TLS13_SUITES


def check(path, expect):
    scan = ElementTree.parse(path).getroot().find("ssltest")
    enabled = {p.get("type") + p.get("version") for p in scan.iter("protocol") if p.get("enabled") == "1"}
    expect.equal("versions", ["tls" + version for version in expect.versions], enabled)
    suites = TLS13_SUITES if expect.minimum == "1.3" else TLS12_SUITES + TLS13_SUITES
    expect.equal("cipher suites", suites, {c.get("cipher") for c in scan.iter("cipher")})
    expect.equal("groups", GROUPS, {g.get("name").split()[0] for g in scan.iter("group")})
    # TLS 1.3 has no renegotiation, and sslscan none of these elements for it.
    renegotiation = scan.find("renegotiation")
    if expect.minimum == "1.2":
        expect.equal("renegotiation", "0", renegotiation.get("supported") if renegotiation is not None else None)
    compression = scan.find("compression")
    expect.one_of("compression", [None, "0"], compression.get("supported") if compression is not None else None)
    expect.equal("Heartbleed", ["0"], {h.get("vulnerable") for h in scan.iter("heartbleed")})
    key = scan.find("certificates/certificate/pk")
    expect.equal("key of the certificate", ["EC", "prime256v1"], [key.get("type"), key.get("curve_name")])
