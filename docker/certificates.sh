#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes what compose.yaml needs: a development CA with its revocation list, a certificate for the gateway and one for its
# client alice. Each goes where only its user can see it. What is there already is kept.
#
#   certificates.sh            all of that
#   certificates.sh renew      another certificate and key for the gateway
#   certificates.sh revoke     take alice's certificate back
#
# After the last two the gateway wants a SIGHUP.

set -euo pipefail
umask 077

root=/certificates
authority=$root/authority

# make NAME COMMAND [options]
make() {
    local name=$1
    shift
    if [[ -e $authority/$name.pem ]]; then
        echo "$name: there already"
    else
        dev-ca.sh "$@"
        echo "$name: made"
    fi
}

# make_server NAME
make_server() {
    make "$1" server "$authority" "$1" --dns gateway --dns localhost --ip 127.0.0.1
}

# put FOLDER FILE NAME: by rename, so that a reader sees the old file or the new one.
put() {
    install -m 0400 "$2" "$root/$1/.$3"
    mv -f "$root/$1/.$3" "$root/$1/$3"
}

# give FOLDER CERTIFICATE NAME
give() {
    put "$1" "$authority/ca.pem" ca.pem
    put "$1" "$authority/$2-key.pem" "$3-key.pem"
    put "$1" "$authority/$2.pem" "$3.pem"
}

# The gateway refuses everybody when the list is too old: this one holds for as long as the certificates.
list() {
    dev-ca.sh crl "$authority" --not-after +365d
    put gateway "$authority/ca.crl" ca.crl
}

# Which one the gateway has.
serving=server
[[ ! -e $authority/serving ]] || read -r serving <"$authority/serving"

case ${1-} in
    "")
        make ca init "$authority"
        make_server "$serving"
        make alice client "$authority" alice --uri spiffe://example.org/dev/alice
        give gateway "$serving" server
        give alice alice alice
        list
        ;;
    renew)
        serving=server-$(date +%s%N)
        make_server "$serving"
        echo "$serving" >"$authority/serving"
        give gateway "$serving" server
        ;;
    revoke)
        dev-ca.sh revoke "$authority" alice
        list
        echo "alice: revoked"
        ;;
    *)
        echo "certificates.sh: unknown command '$1': renew, revoke, or nothing" >&2
        exit 64
        ;;
esac
