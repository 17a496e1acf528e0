#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes OpenSSL 3.5 of Debian 13 available beside the system's, for benchmarks; the system is not touched.
# usage: Benchmarks/openssl-3.5.sh [FOLDER]     (FOLDER: .build/openssl-3.5)
#
# Then FOLDER/run PROGRAM ARGUMENTS... starts a program that was built for OpenSSL 3.0 (this gateway; nginx, haproxy and
# others of Debian 12) with OpenSSL 3.5. Debian 13's libssl needs its C library, too, so the program is started by that
# library's dynamic loader. The process number is that of FOLDER/run, and programs that it starts in turn are not led to
# the folder; one that starts itself anew by /proc/self/exe (haproxy as a master does) is not supported.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-.build/openssl-3.5}
suite=trixie
mirror=${DEBIAN_MIRROR:-http://deb.debian.org}
keys=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
    echo "openssl-3.5: $1" >&2
    exit 1
}
version() { "$folder/run" openssl version 2>/dev/null | grep -E '^OpenSSL 3\.([5-9]|[1-9][0-9])\.'; }

if [[ -x $folder/run ]] && version; then exit 0; fi
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || fail "$tool is missing; this takes packages of Debian, and works on Debian and Ubuntu only"
done
[[ -r $keys ]] || fail "$keys is missing; install debian-archive-keyring (without it nobody could say whose packages these are)"

rm -rf "$folder"
mkdir -p "$folder"/{apt/lists/partial,apt/cache/archives/partial,debs,root,names}
folder=$(cd "$folder" && pwd)
: >"$folder/apt/status"
cat >"$folder/apt/sources.list" <<LIST
deb [signed-by=$keys] $mirror/debian $suite main
deb [signed-by=$keys] $mirror/debian-security $suite-security main
LIST
# apt checks the signature of the index, and each package by the index.
cat >"$folder/apt/apt.conf" <<CONF
Dir::State "$folder/apt";
Dir::State::lists "$folder/apt/lists";
Dir::State::status "$folder/apt/status";
Dir::Cache "$folder/apt/cache";
Dir::Etc::sourcelist "$folder/apt/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Retries "3";
Acquire::AllowInsecureRepositories "false";
CONF
# As root apt would fetch as a user that cannot write here.
[[ $(id -u) != 0 ]] || echo 'APT::Sandbox::User "root";' >>"$folder/apt/apt.conf"
export APT_CONFIG=$folder/apt/apt.conf
apt-get -qq update || fail "the packages of Debian $suite cannot be listed; is $mirror reachable?"
(cd "$folder/debs" && apt-get -qq download libc6 libssl3t64 openssl libzstd1 zlib1g) || fail 'the packages cannot be downloaded'
for package in "$folder"/debs/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
rm -rf "$folder/apt" "$folder/debs"

libraries=$(dirname "$(find "$folder/root/usr/lib" -name libssl.so.3)")
loader=$(find "$libraries" -maxdepth 1 -name 'ld-linux*.so.*')
[[ -n $loader ]] || fail "there is no dynamic loader in $libraries"

# The loader is started by a link with the program's name, so that ps, top and perf show that.
cat >"$folder/run" <<RUN
#!/bin/sh
# usage: run PROGRAM ARGUMENTS...: starts a program with OpenSSL 3.5; made by Benchmarks/openssl-3.5.sh
here='$folder'
[ \$# -gt 0 ] || { echo "usage: \$0 PROGRAM ARGUMENTS..." >&2; exit 2; }
case \$1 in
*/*) program=\$1 ;;
*) if [ -x "\$here/root/usr/bin/\$1" ]; then program=\$here/root/usr/bin/\$1; else program=\$(command -v "\$1"); fi ;;
esac
[ -x "\$program" ] || { echo "\$0: \$1 is not a program" >&2; exit 127; }
name=\$1
link=\$here/names/\${program##*/}
[ -e "\$link" ] || ln -sf '$loader' "\$link"
shift
exec "\$link" --library-path '$libraries' --argv0 "\$name" "\$program" "\$@"
RUN
chmod +x "$folder/run"
version || fail "$folder/run does not work: $("$folder/run" openssl version 2>&1 | head -n 3)"
