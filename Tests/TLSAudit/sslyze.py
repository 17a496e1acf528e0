# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

"""What sslyze saw, with the certificate of an authorised client and without any."""

import json

from expectation import GROUPS, TLS12_SUITES_RFC, TLS13_SUITES

VERSIONS = {
    "ssl_2_0": "ssl2", "ssl_3_0": "ssl3", "tls_1_0": "1.0", "tls_1_1": "1.1", "tls_1_2": "1.2", "tls_1_3": "1.3",
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["server_scan_results"][0]


def check(path, expect):
    results = (read(path).get("scan_result") or {}).items()
    scan = {name: part["result"] for name, part in results if part["status"] == "COMPLETED"}
    missing = [name for name, part in results if part["status"] == "ERROR"]
    expect.equal("checks that could not be made", [], missing)

    def value(name, key):
        return scan.get(name, {}).get(key)

    suites = {short: scan[f"{name}_cipher_suites"]["accepted_cipher_suites"] for name, short in VERSIONS.items()}
    expect.equal("versions", expect.versions, {version for version, accepted in suites.items() if accepted})
    accepted = {suite["cipher_suite"]["name"] for version in suites.values() for suite in version}
    expected = TLS13_SUITES if expect.minimum == "1.3" else TLS13_SUITES + TLS12_SUITES_RFC
    expect.equal("cipher suites", sorted(expected), accepted)
    curves = value("elliptic_curves", "supported_curves") or []
    expect.equal("groups", GROUPS, {curve["name"].lower() for curve in curves})

    expect.equal("compression", False, value("tls_compression", "supports_compression"))
    expect.equal("early data", False, value("tls_1_3_early_data", "supports_early_data"))
    expect.equal("CCS injection", False, value("openssl_ccs_injection", "is_vulnerable_to_ccs_injection"))
    expect.equal("Heartbleed", False, value("heartbleed", "is_vulnerable_to_heartbleed"))
    expect.equal("ROBOT", "NOT_VULNERABLE_RSA_NOT_SUPPORTED", value("robot", "robot_result"))
    expect.equal("extended master secret", True, value("tls_extended_master_secret", "supports_ems_extension"))
    renegotiations = value("session_renegotiation", "client_renegotiations_success_count")
    expect.equal("renegotiation by the client", 0, renegotiations)
    is_secure = value("session_renegotiation", "supports_secure_renegotiation")
    expect.equal("renegotiation is secure where it is", True, is_secure)
    # Sessions of TLS 1.2 are kept by the gateway, which forgets them; nothing is put into tickets, which nobody can
    # take back. sslyze resumes with the very certificate; handshakes.py tries the rest, and those of TLS 1.3.
    by_id = value("session_resumption", "session_id_resumption_result")
    by_ticket = value("session_resumption", "tls_ticket_resumption_result")
    none = "SERVER_IS_TLS_1_3_ONLY" if expect.minimum == "1.3" else "NOT_SUPPORTED"
    expect.equal("resumption by a ticket of TLS 1.2", none, by_ticket)
    expect.equal("resumption by its ID", none if expect.minimum == "1.3" else "FULLY_SUPPORTED", by_id)
    chains = value("certificate_info", "certificate_deployments") or []
    keys = [chain["received_certificate_chain"][0]["public_key"] for chain in chains]
    kinds = [(key.get("ec_curve_name"), key["key_size"]) for key in keys]
    expect.equal("keys of certificates", [("secp256r1", 256)], kinds)


def check_anonymous(path, expect):
    requirement = (read(path).get("connectivity_result") or {}).get("client_auth_requirement")
    expect.equal("a client certificate, of a client without one", "REQUIRED", requirement)
