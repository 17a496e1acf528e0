#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs and removes the program as its users do: make install, the Debian package.
#
#   Tests/packages.sh PROGRAM [LICENCES]     with the program that make release has built, or that an image holds
#
# The package is unpacked and looked at. Where IPC_GATEWAY_TEST_CONTAINER is set it is also installed: that is a command
# which takes a folder, and runs the script in it as root of a Debian, where the folder is /inside. docker/test.sh has one.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."
program=$(realpath "${1:-.build/release/ipc-gateway}")
licences=${2:-.build/checkouts}

[[ -x $program ]] || { echo "packages: there is no program '$program'; make release builds it" >&2 && exit 1; }
command -v dpkg-deb >/dev/null || { echo "packages: dpkg-deb is missing (Debian and what descends from it have it)" >&2 && exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/ipc-gateway-packages.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0 passed=0

expect() { # what, expected, found
    if [[ $2 == "$3" ]]; then
        echo "good: $1"
        passed=$((passed + 1))
    else
        printf 'WRONG: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"
        failed=$((failed + 1))
    fi
}

yes_or_no() {
    if "$@"; then echo yes; else echo no; fi
}

# complete_words FILE WORD…: what bash offers for the last of the words.
complete_words() {
    bash -c '
        . "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
        COMP_POINT=${#COMP_LINE}
        function_name=$(complete -p ipc-gateway | sed -E "s/.*-F ([^ ]+) .*/\1/")
        "$function_name" ipc-gateway "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[@]}"
    ' bash "$@"
}

# --- make install ---------------------------------------------------------------------------------------------------

place=$work/place
make -s install PROGRAM="$program" DESTDIR="$place" PREFIX=/opt/gateway
expect "make install: the program runs" "$("$program" --version)" "$("$place/opt/gateway/bin/ipc-gateway" --version)"
share=$place/opt/gateway/share
for page in man1/ipc-gateway.1 man5/ipc-gateway.yaml.5; do
    # What man would show; groff says what it does not understand.
    if command -v groff >/dev/null; then
        gzip -dc "$share/man/$page.gz" | groff -man -Kutf8 -Tutf8 -P-cbou -ww -rLL=100n >"$work/page" 2>"$work/warnings"
        expect "$page: no warnings" "" "$(cat "$work/warnings")"
    else
        gzip -dc "$share/man/$page.gz" >"$work/page"
        echo "not done: groff is missing, so $page was not rendered"
    fi
    expect "$page: it is all there" yes "$(yes_or_no grep -q 'SEE ALSO' "$work/page")"
done
for command in run connect check call listen trace demo certs explain policy; do
    expect "ipc-gateway(1) has $command" yes \
        "$(yes_or_no grep -Eq "^\.SS \"$command" <(gzip -dc "$share/man/man1/ipc-gateway.1.gz"))"
done
expect "ipc-gateway(1) has every command" "$("$program" --experimental-dump-help | python3 -c '
import json, sys
def leaves(command):
    children = [one for one in command.get("subcommands", []) if one["shouldDisplay"] and one["commandName"] != "help"]
    return sum(map(leaves, children)) if children else 1
print(leaves(json.load(sys.stdin)["command"]))')" \
    "$(gzip -dc "$share/man/man1/ipc-gateway.1.gz" | grep -c '^\\fBipc\\-gateway ')"
# Lines of tables, but for the head of each and what separates it.
expect "ipc-gateway.yaml(5) has every key" \
    "$(awk '/^\|/ { if (++row > 2) count++; next } { row = 0 } END { print count }' docs/configuration.md)" \
    "$(gzip -dc "$share/man/man5/ipc-gateway.yaml.5.gz" | grep -c '^\.TP')"
completion=$share/bash-completion/completions/ipc-gateway
expect "completion for bash: its syntax" yes "$(yes_or_no bash -n "$completion")"
expect "completion for bash: commands" "connect" "$(complete_words "$completion" ipc-gateway con)"
expect "completion for bash: options" "--context --context-json" "$(complete_words "$completion" ipc-gateway call --cont)"
for shell in zsh fish; do
    file=$share/zsh/site-functions/_ipc-gateway
    [[ $shell == zsh ]] || file=$share/fish/vendor_completions.d/ipc-gateway.fish
    if command -v $shell >/dev/null; then
        expect "completion for $shell: its syntax" yes "$(yes_or_no $shell -n "$file")"
    else
        expect "completion for $shell: it is there" yes "$(yes_or_no test -s "$file")"
    fi
done
make -s uninstall DESTDIR="$place" PREFIX=/opt/gateway
expect "make uninstall: nothing is left" "" "$(find "$place" ! -type d)"
expect "make uninstall: no folder of its own is left" "" "$(find "$place" -name '*gateway*' ! -path "$place/opt/gateway")"

# --- the Debian package ---------------------------------------------------------------------------------------------

package=$(packaging/deb.sh "$program" "$work/deb" "$licences")
packaging/deb.sh "$program" "$work/deb-again" "$licences" >/dev/null
expect "the same input is the same package" yes "$(yes_or_no cmp "$package" "$work/deb-again/$(basename "$package")")"
root=$work/root
dpkg-deb -x "$package" "$root"
expect "the package's program" "$("$program" --version)" "$("$root/usr/bin/ipc-gateway" --version)"
depends=$(dpkg-deb -f "$package" Depends)
for library in "libssl3t64 .*| libssl3" "libc6" "libstdc++6"; do
    expect "it depends on $library" yes "$(yes_or_no grep -q "$library" <<<"$depends")"
done
expect "its configuration is the administrator's" /etc/ipc-gateway/gateway.yaml "$(dpkg-deb -I "$package" conffiles)"
expect "the checksums" "" "$(cd "$root" && dpkg-deb -I "$package" md5sums | md5sum -c --quiet 2>&1)"
for script in postinst prerm postrm; do
    dpkg-deb -I "$package" "$script" >"$work/$script"
    expect "$script: its syntax" yes "$(yes_or_no sh -n "$work/$script")"
done
code=0
words=$("$program" check --config "$root/etc/ipc-gateway/gateway.yaml" 2>&1) || code=$?
expect "the default configuration does not run as it is: exit code" 78 "$code"
for file in server.pem ca.pem; do
    expect "check says that tls/$file is to be put there" yes "$(yes_or_no grep -q "gateway.yaml:[0-9]*: .*$file: cannot be opened" <<<"$words")"
done
expect "check says nothing else" 3 "$(wc -l <<<"$words")"
bash certs/dev-ca.sh init "$work/ca"
bash certs/dev-ca.sh server "$work/ca" server --dns localhost
mkdir -p "$root/etc/ipc-gateway/tls"
cp "$work"/ca/{server,server-key,ca}.pem "$root/etc/ipc-gateway/tls/"
words=$("$program" check --config "$root/etc/ipc-gateway/gateway.yaml" 2>&1) || code=$((code + 1))
expect "with certificates it is good" 78 "$code"
if command -v systemd-analyze >/dev/null; then
    # It looks for the program where the unit says, and ends well whatever it has to say.
    for unit in "$root"/usr/lib/systemd/system/ipc-gateway.*; do
        expect "$(basename "$unit"): systemd understands it" "" \
            "$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1 | grep -F "$(basename "$unit")" |
                grep -v 'is not executable' || true)"
    done
fi

# --- installed ------------------------------------------------------------------------------------------------------

if [[ -n ${IPC_GATEWAY_TEST_CONTAINER-} ]]; then
    mkdir "$work/inside"
    cp "$package" "$work/inside/ipc-gateway.deb"
    cat >"$work/inside/script" <<'SCRIPT'
set -e
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
dpkg -i /inside/ipc-gateway.deb >/dev/null
# Images leave documents out.
dpkg --verify ipc-gateway | grep -v ' /usr/share/' || true
/usr/bin/ipc-gateway --version >/dev/null
/usr/bin/ipc-gateway check --config /etc/ipc-gateway/gateway.yaml >/dev/null 2>&1 || echo "check: $?"
echo "keys: $(stat -c '%U %G %a' /etc/ipc-gateway/tls)"
echo "user: $(getent passwd ipc-gateway | cut -d : -f 6,7)"
echo "# mine" >>/etc/ipc-gateway/gateway.yaml
dpkg -i /inside/ipc-gateway.deb >/dev/null
tail -n 1 /etc/ipc-gateway/gateway.yaml
touch /etc/ipc-gateway/tls/server-key.pem
dpkg -r ipc-gateway >/dev/null
echo "removed: $(find /usr /etc /var/lib/systemd -path /usr/local -prune -o -path /usr/share/doc -prune -o -name '*ipc-gateway*' -print 2>/dev/null | xargs)"
dpkg -P ipc-gateway >/dev/null 2>&1
echo "purged: $(find /etc/ipc-gateway | sort | xargs)"
SCRIPT
    expect "installed, installed over itself, removed, purged" "check: 78
keys: root ipc-gateway 750
user: /nonexistent:/usr/sbin/nologin
# mine
removed: /etc/ipc-gateway
purged: /etc/ipc-gateway /etc/ipc-gateway/tls /etc/ipc-gateway/tls/server-key.pem" \
        "$("$IPC_GATEWAY_TEST_CONTAINER" "$work/inside" 2>&1)"
else
    echo "not done: the package was not installed; docker/test.sh does it in a container"
fi

echo "$passed passed, $failed failed"
((failed == 0))
