#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Runs the gateway under valgrind while clients are accepted, denied and refused: the OpenSSL glue has to be right where
# no sanitizer looks, inside OpenSSL. (The test bundle itself does not run under valgrind: libdispatch's threads end it.)
set -euo pipefail
cd "$(dirname "$0")/.."
program=.build/debug/ipc-gateway

command -v valgrind >/dev/null || {
    echo 'memcheck: valgrind is missing, so nothing was checked; install it (apt-get install valgrind)' >&2
    exit 1
}

work=$(mktemp -d)
gateway='' server=''
finish() {
    for process in $gateway $server; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

# valgrind cannot read the debug information of Swift.
objcopy --strip-debug "$program" "$work/ipc-gateway"
"$program" demo --directory "$work/demo" --port 0 --ca-script certs/dev-ca.sh >/dev/null
"$program" demo server --unix "$work/demo/sample.sock" >/dev/null &
server=$!
valgrind --quiet --error-exitcode=99 --suppressions=Tests/valgrind.supp \
    "$work/ipc-gateway" run --config "$work/demo/gateway.yaml" --no-sandbox --log-format json 2>"$work/log" &
gateway=$!
for ((tries = 0; tries < 600; tries++)); do
    ! grep -q '"listening"' "$work/log" || break
    read -rt 0.1 <> <(:) || true
done
address=$(sed -n 's/.*"address":"\(127.0.0.1:[0-9]*\)".*/\1/p' "$work/log")
[[ -n $address ]] || { cat "$work/log" >&2; exit 1; }

as() { # name, command, arguments…
    local name=$1 command=$2
    shift 2
    timeout 60 "$program" "$command" --host "$address" --ca "$work/demo/ca.pem" \
        --cert "$work/demo/$name.pem" --key "$work/demo/$name-key.pem" "$@"
}
for _ in 1 2 3; do [[ $(as alice call sample add '[2,3]') == 5 ]]; done
as alice listen --count 3 sample onTick >/dev/null
! as alice call storage drop 2>/dev/null
! as mallory call sample add 2>/dev/null
! timeout 10 openssl s_client -connect "$address" -CAfile "$work/demo/ca.pem" -quiet </dev/null >/dev/null 2>&1
timeout 10 bash -c "exec 3<>/dev/tcp/${address/://}; echo 'GET / HTTP/1.0' >&3; cat <&3 >/dev/null" || true

kill -TERM "$gateway"
status=0
wait "$gateway" || status=$?
gateway=
if ((status != 0)); then
    grep '^==' "$work/log" >&2 || tail -5 "$work/log" >&2
    echo "memcheck: the gateway ended with status $status" >&2
    exit 1
fi
echo "memcheck: good; $(grep -c '"connection closed"' "$work/log") connections, no error"
