#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Looks at the running gateway with three scanners (sslscan, testssl.sh, sslyze), and with handshakes of its own, once for
# each minimumVersion: only what is configured may be offered, and nobody gets anywhere without a certificate. Beside it
# everybody looks at a weak server, and has to find that out. What is expected is in Tests/TLSAudit.
# usage: Tests/tls-audit.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/${1:-.build/debug/ipc-gateway}
tests=$PWD/Tests/TLSAudit
sslyze=.build/tls-audit/venv/bin/sslyze
# Pinned: what it writes is what TLSAudit/sslyze.py reads.
version=6.3.1

fail() {
    echo "tls-audit: $1" >&2
    exit 1
}
for tool in sslscan testssl openssl python3; do
    command -v "$tool" >/dev/null || fail "$tool is missing, so nothing was checked; install it"
done
if ! [[ -x $sslyze && $(<.build/tls-audit/version) == "$version" ]] 2>/dev/null; then
    rm -rf .build/tls-audit
    mkdir -p .build/tls-audit
    python3 -m venv .build/tls-audit/venv || fail 'python3 has no venv, so nothing was checked; install python3-venv'
    .build/tls-audit/venv/bin/pip install --quiet --disable-pip-version-check "sslyze==$version" \
        || fail "sslyze $version cannot be installed from PyPI, so nothing was checked; is it reachable?"
    echo "$version" >.build/tls-audit/version
fi

work=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

ca=$work/ca
bash certs/dev-ca.sh init "$ca" >/dev/null
bash certs/dev-ca.sh server "$ca" server --ip 127.0.0.1 >/dev/null
bash certs/dev-ca.sh client "$ca" alice >/dev/null
bash certs/dev-ca.sh init "$work/other" >/dev/null
bash certs/dev-ca.sh client "$work/other" stranger >/dev/null
cp "$work"/other/stranger*.pem "$ca"

# wait_for WHAT COMMAND...: until a command succeeds; two minutes at least.
wait_for() {
    local what=$1 tries=0
    shift
    until "$@"; do
        ((++tries < 2400)) || fail "$what did not start: $(tail -n 5 "$work"/*/log)"
        read -rt 0.05 <> <(:) || true
    done
}

# Starts the gateway with a minimum version; its port is in $port.
start_gateway() {
    mkdir "$work/$1"
    # alice is let in: to whom is not, the connection is closed before a scanner has tried anything.
    cat >"$work/$1/gateway.yaml" <<YAML
listeners:
  - address: 127.0.0.1:0
    tls:
      certificate: ../ca/server.pem
      key: ../ca/server-key.pem
      clientCA: ../ca/ca.pem
      minimumVersion: "$1"
upstreams: { none: { unix: none.sock } }
clients: [{ match: { commonName: alice }, context: alice, allow: [] }]
YAML
    "$program" run --config "$work/$1/gateway.yaml" --log-format json 2>"$work/$1/log" &
    servers+=($!)
    wait_for "the gateway" grep -qs '"address":"127.0.0.1:' "$work/$1/log"
    port=$(sed -n 's/.*"address":"127.0.0.1:\([0-9]*\)".*/\1/p' "$work/$1/log" | head -n 1)
}

# Starts a server that has old versions and suites, tickets, renegotiation, RSA, and asks for no certificate.
start_weak() {
    mkdir "$work/weak"
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=weak -days 2 -keyout "$work/weak/key.pem" -out "$work/weak/cert.pem" \
        2>/dev/null
    python3 "$tests/weak.py" "$work/weak/cert.pem" "$work/weak/key.pem" "$work/weak/port" 2>"$work/weak/log" &
    servers+=($!)
    wait_for 'the weak server' test -e "$work/weak/port"
    port=$(<"$work/weak/port")
}

handshakes() {
    timeout 300 python3 "$tests/handshakes.py" "$2" "$ca" "$3" "$work/$1/handshakes.json" || true
}

# scan NAME PORT PROCESS TESTSSL-CHECKS...: asks everybody; their reports are in the folder of that name.
scan() {
    local folder=$work/$1 address=127.0.0.1:$2 certificate=("$ca/alice.pem" "$ca/alice-key.pem")
    # Far more than they need, each by itself.
    local limit='timeout 1800' early=
    # Where sessions outlive a reload, it takes a minute to see that they do. A gateway is not reloaded under the scanners.
    if [[ $1 == weak ]]; then handshakes "$@" & early=$!; fi
    $limit testssl --quiet --color 0 --warnings off --ip one --connect-timeout 10 --openssl-timeout 10 \
        --jsonfile "$folder/testssl.json" "${@:4}" "$address" >"$folder/testssl.log" 2>&1 || true
    $limit sslscan --no-colour --certs="${certificate[0]}" --pk="${certificate[1]}" --xml="$folder/sslscan.xml" "$address" \
        >"$folder/sslscan.log" 2>&1 || true
    PYTHONWARNINGS=ignore $limit "$sslyze" --quiet --mozilla_config disable --cert "${certificate[0]}" \
        --key "${certificate[1]}" --json_out "$folder/sslyze.json" --sslv2 --sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 \
        --certinfo --resum --reneg --compression --early_data --elliptic_curves --heartbleed --openssl_ccs --robot --ems \
        "$address" >"$folder/sslyze.log" 2>&1 || true
    PYTHONWARNINGS=ignore $limit "$sslyze" --quiet --mozilla_config disable --tlsv1_2 --tlsv1_3 \
        --json_out "$folder/sslyze-anonymous.json" "$address" >>"$folder/sslyze.log" 2>&1 || true
    [[ -n $early ]] || handshakes "$@"
    wait
}

export PYTHONDONTWRITEBYTECODE=1
scans=()
start_weak
# What it has to find there is in these three; the rest takes minutes with that many suites.
scan weak "$port" "${servers[-1]}" -p -f -S & scans+=($!)
for minimum in 1.3 1.2; do
    start_gateway "$minimum"
    scan "$minimum" "$port" "${servers[-1]}" -p -s -f -U -S & scans+=($!)
done
wait "${scans[@]}"
[[ -z ${TLS_AUDIT_KEEP:-} ]] || cp -r "$work" "$TLS_AUDIT_KEEP"
failed=0
python3 "$tests/check.py" weak "$work/weak" || failed=1
for minimum in 1.3 1.2; do
    python3 "$tests/check.py" gateway "$minimum" "$work/$minimum" || failed=1
done
exit "$failed"
