#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Looks at the running gateway with sslscan, as an authorised client: only what is configured may be offered.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$PWD/${1:-.build/debug/ipc-gateway}

command -v sslscan >/dev/null || {
    echo 'tls-audit: sslscan is missing, so nothing was checked; install it (apt-get install sslscan)' >&2
    exit 1
}

work=$(mktemp -d)
gateway=
finish() {
    [[ -z $gateway ]] || kill "$gateway" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

bash certs/dev-ca.sh init "$work/ca" >/dev/null
bash certs/dev-ca.sh server "$work/ca" server --ip 127.0.0.1 >/dev/null
bash certs/dev-ca.sh client "$work/ca" alice >/dev/null

# Starts the gateway with a minimum version and scans it; the answer is in $scan.
scan() {
    cat >"$work/gateway.yaml" <<YAML
listeners:
  - address: 127.0.0.1:0
    tls:
      certificate: ca/server.pem
      key: ca/server-key.pem
      clientCA: ca/ca.pem
      minimumVersion: "$1"
upstreams: { none: { unix: none.sock } }
clients: []
YAML
    "$program" run --config "$work/gateway.yaml" --log-format json 2>"$work/log" &
    gateway=$!
    local tries=0 port=
    until port=$(sed -n 's/.*"address":"127.0.0.1:\([0-9]*\)".*/\1/p' "$work/log") && [[ -n $port ]]; do
        ((++tries < 200)) || { cat "$work/log" >&2; exit 1; }
        read -rt 0.05 <> <(:) || true
    done
    scan=$(timeout 120 sslscan --no-colour --certs="$work/ca/alice.pem" --pk="$work/ca/alice-key.pem" "127.0.0.1:$port")
    kill "$gateway"
    wait "$gateway" || true
    gateway=
}

failed=0
expect() { # what, expected, found
    if [[ $2 == "$3" ]]; then
        echo "good: $1: $3"
    else
        printf 'WRONG: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"
        failed=1
    fi
}
one_line() { sort -u | tr '\n' ' ' | sed 's/ $//'; }
versions() { awk '/^(SSLv|TLSv)[0-9.]* +enabled/ { print $1 }' <<<"$scan" | one_line; }
ciphers() { awk '/^(Preferred|Accepted)/ { print $5 }' <<<"$scan" | one_line; }
groups() { sed -n '/Server Key Exchange Group/,/^$/p' <<<"$scan" | awk '/^TLSv/ { print $4 }' | one_line; }
suites='TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256'
ecdsa='ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305'

scan 1.3
expect 'versions, minimum 1.3' 'TLSv1.3' "$(versions)"
expect 'cipher suites, minimum 1.3' "$suites" "$(ciphers)"
expect 'groups, minimum 1.3' 'secp256r1 secp384r1 x25519' "$(groups)"

scan 1.2
expect 'versions, minimum 1.2' 'TLSv1.2 TLSv1.3' "$(versions)"
expect 'cipher suites, minimum 1.2' "$ecdsa $suites" "$(ciphers)"
expect 'groups, minimum 1.2' 'secp256r1 secp384r1 x25519' "$(groups)"
expect 'renegotiation' 'Session renegotiation not supported' "$(grep -i 'session renegotiation' <<<"$scan" || echo none)"
expect 'heartbleed' '' "$(grep -i 'vulnerable to heartbleed' <<<"$scan" | grep -v 'not vulnerable' || true)"
exit "$failed"
