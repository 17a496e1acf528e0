#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
export LC_ALL=C.UTF-8
umask 022
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
Packs the program for Debian 12 and 13, and what descends from them.

  packaging/deb.sh PROGRAM FOLDER [LICENCES]

The package is written to FOLDER. LICENCES holds a folder with the licence of each library that is in the program,
.build/checkouts otherwise. The same input gives the same package.
TEXT
}

(($# == 2 || $# == 3)) || { usage && exit 64; }
# Where there is no git, the time of the last thing that is told of.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
program=$1 folder=$2 licences=${3:-.build/checkouts}
[[ -x $program ]] || { echo "packaging/deb.sh: there is no program '$program'; make release builds it" >&2 && exit 1; }
[[ -d $licences ]] || { echo "packaging/deb.sh: there are no licences in '$licences'" >&2 && exit 1; }

version=$(sed -nE 's/.*static let text = "(.*)".*/\1/p' Sources/ipc-gateway/Version.swift)-1
architecture=$(dpkg --print-architecture)
maintainer="the ipc-gateway authors <maintainers@ipc-gateway.example.org>"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
documents=$root/usr/share/doc/ipc-gateway

# --- files ----------------------------------------------------------------------------------------------------------

mkdir -p "$root"
install -m 0755 "$program" "$work/ipc-gateway"
strip --strip-all --remove-section=.comment --remove-section=.note "$work/ipc-gateway"
DESTDIR=$root PREFIX=/usr ZSH_COMPLETIONS=share/zsh/vendor-completions packaging/install.sh install "$work/ipc-gateway"
# The configuration's place is below; a README that says how to build is of no use here.
rm "$documents"/{gateway.yaml,README.md}
install -D -m 0644 packaging/debian/gateway.yaml "$root/etc/ipc-gateway/gateway.yaml"
install -D -m 0644 -t "$root/usr/lib/systemd/system" packaging/systemd/*.service
for unit in packaging/systemd/*.socket; do
    [[ ! -e $unit ]] || install -m 0644 -t "$root/usr/lib/systemd/system" "$unit"
done
install -D -m 0644 packaging/debian/sysusers.conf "$root/usr/lib/sysusers.d/ipc-gateway.conf"
install -D -m 0644 packaging/debian/tmpfiles.conf "$root/usr/lib/tmpfiles.d/ipc-gateway.conf"

install -D -m 0644 packaging/debian/lintian-overrides "$root/usr/share/lintian/overrides/ipc-gateway"

gzip -9n <CHANGELOG.md >"$documents/changelog.gz"
{
    printf 'ipc-gateway (%s) unstable; urgency=medium\n\n  * See changelog.gz.\n\n' "$version"
    printf ' -- %s  %s\n' "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
} | gzip -9n >"$documents/changelog.Debian.gz"

# The program has its libraries inside, so their licences belong to it. One text that several share is there once.
{
    cat <<'TEXT'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ipc-gateway

Files: *
Copyright: the ipc-gateway authors
License: Apache-2.0
Comment: The program has the Swift standard library inside (Apache-2.0 with Runtime Library Exception), and libraries
 with these licences and notices:
TEXT
    for library in "$licences"/*/; do
        name=$(basename "$library")
        while read -r text; do
            if grep -q 'Apache License' "$text" && grep -q 'Version 2.0' "$text"; then
                printf ' .\n %s: Apache-2.0\n' "$name"
            else
                printf ' .\n %s, %s:\n' "$name" "$(basename "$text")"
                sed -E 's/\r$//; s/[[:space:]]+$//; s/^$/./; s/^/  /' "$text"
            fi
        done < <(find "$library" -maxdepth 1 -type f \( -iname 'LICEN[CS]E*' -o -iname 'COPYING*' -o -iname 'NOTICE*' \) | sort)
    done
    cat <<'TEXT'

License: Apache-2.0
 On Debian systems the text of the Apache License, Version 2.0, is in /usr/share/common-licenses/Apache-2.0.
TEXT
} >"$documents/copyright"

# --- what dpkg wants to know ----------------------------------------------------------------------------------------

# Shared libraries, by what the program asks of them. What Debian 12 calls libssl3 is libssl3t64 in Debian 13.
if command -v dpkg-shlibdeps >/dev/null; then
    mkdir "$work/debian"
    printf 'Source: ipc-gateway\n\nPackage: ipc-gateway\nArchitecture: any\n' >"$work/debian/control"
    depends=$(cd "$work" && dpkg-shlibdeps -O --ignore-missing-info -eipc-gateway 2>"$work/shlibdeps.log") ||
        { cat "$work/shlibdeps.log" >&2; exit 1; }
    depends=${depends#shlibs:Depends=}
else
    depends="libc6 (>= 2.34), libgcc-s1, libssl3, libstdc++6"
fi
depends=$(sed -E 's/libssl3(t64)?( \([^)]*\))?/libssl3t64\2 | libssl3\2/' <<<"$depends")

install -d "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<TEXT
Package: ipc-gateway
Version: $version
Section: net
Priority: optional
Architecture: $architecture
Depends: $depends, passwd
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size --exclude=DEBIAN "$root" | cut -f 1)
Description: puts local IPC servers on the network, behind mutual TLS
 VS Code's processes talk over Unix sockets with an IPC channel protocol, in
 which nothing says who a client really is. This gateway puts such servers on
 the network: clients prove who they are with a certificate, the gateway turns
 it into their context, checks every call and listen against what they may do,
 and passes what is allowed.
 .
 The service is not started before it has been configured.
TEXT
echo /etc/ipc-gateway/gateway.yaml >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 0755 "packaging/debian/$script" "$root/DEBIAN/"; done
(cd "$root" && find . -path ./DEBIAN -prune -o -type f ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum) \
    >"$root/DEBIAN/md5sums"

find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$folder"
package=$folder/ipc-gateway_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "$package"
