#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes what compose.yaml needs: a development CA, a certificate for the gateway and one for its client alice.
# Each goes where only its user can see it. What is there already is kept.

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

# give FOLDER NAME
give() {
    install -m 0400 "$authority/ca.pem" "$authority/$2.pem" "$authority/$2-key.pem" "$root/$1"
}

make ca init "$authority"
make server server "$authority" server --dns gateway --dns localhost --ip 127.0.0.1
make alice client "$authority" alice --uri spiffe://example.org/dev/alice
give gateway server
give alice alice
