#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Holds the units of packaging/systemd against systemd's own tools: nothing that it does not know, and little exposure.
set -euo pipefail
cd "$(dirname "$0")/.."
units=$PWD/packaging/systemd

command -v systemd-analyze >/dev/null || {
    echo 'units: systemd-analyze is missing, so nothing was checked; install it (apt-get install systemd)' >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# It wants to see the program that a unit starts.
printf '#!/bin/sh\n' >"$work/ipc-gateway"
chmod +x "$work/ipc-gateway"
for unit in "$units"/*; do
    sed "s|/usr/bin/ipc-gateway |$work/ipc-gateway |" "$unit" >"$work/${unit##*/}"
done

failed=0
for unit in "$work"/*.service "$work"/*.socket; do
    # An unknown key is only a warning to it, with exit code 0: whatever it says is a failure here.
    if said=$(systemd-analyze verify --man=no "$unit" 2>&1) && [[ -z $said ]]; then
        echo "good: ${unit##*/} is understood"
    else
        printf 'WRONG: %s\n%s\n' "${unit##*/}" "$said"
        failed=1
    fi
done
for unit in "$work"/*.service; do
    if said=$(systemd-analyze security --offline=yes --threshold=40 --no-pager "$unit" 2>&1); then
        echo "good: ${unit##*/}: $(tail -n 1 <<<"$said")"
    else
        printf 'WRONG: %s is too exposed\n%s\n' "${unit##*/}" "$said"
        failed=1
    fi
done
exit "$failed"
