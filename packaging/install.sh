#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
Installs the program, its manual pages, completions and documents, or removes them.

  packaging/install.sh install PROGRAM
  packaging/install.sh uninstall

Where to, from the environment: PREFIX (/usr/local), and DESTDIR before it. zsh looks for completions in different places;
ZSH_COMPLETIONS, share/zsh/site-functions, is below PREFIX.
TEXT
}

prefix=${DESTDIR-}${PREFIX:-/usr/local}
share=$prefix/share
zsh=${ZSH_COMPLETIONS:-share/zsh/site-functions}

# Each file; folders are those of others, but for the last.
program=$prefix/bin/ipc-gateway
commands_page=$share/man/man1/ipc-gateway.1.gz
configuration_page=$share/man/man5/ipc-gateway.yaml.5.gz
bash_completion=$share/bash-completion/completions/ipc-gateway
zsh_completion=$prefix/$zsh/_ipc-gateway
fish_completion=$share/fish/vendor_completions.d/ipc-gateway.fish
documents=$share/doc/ipc-gateway

do_install() {
    local work file
    [[ -x $1 ]] || { echo "packaging/install.sh: there is no program '$1'; make release builds it" >&2 && exit 1; }
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # what it is now
    trap "rm -rf '$work'" EXIT
    VERSION=$(sed -nE 's/.*static let text = "(.*)".*/\1/p' Sources/ipc-gateway/Version.swift)
    export VERSION
    # Everything is made before anything is installed. -n: the same input is the same file.
    packaging/man.py commands "$1" | gzip -9n >"$work/ipc-gateway.1.gz"
    packaging/man.py configuration docs/configuration.md | gzip -9n >"$work/ipc-gateway.yaml.5.gz"
    for file in bash zsh fish; do "$1" --generate-completion-script "$file" >"$work/$file"; done
    # bash-completion's own files have no line for an interpreter. Where nothing else is known files are offered.
    sed -i -e '1{/^#!/d}' -e 's/^complete -o filenames /complete -o default -o filenames /' "$work/bash"

    install -D -m 0755 "$1" "$program"
    install -D -m 0644 "$work/ipc-gateway.1.gz" "$commands_page"
    install -D -m 0644 "$work/ipc-gateway.yaml.5.gz" "$configuration_page"
    install -D -m 0644 "$work/bash" "$bash_completion"
    install -D -m 0644 "$work/zsh" "$zsh_completion"
    install -D -m 0644 "$work/fish" "$fish_completion"
    install -D -m 0644 -t "$documents" README.md docs/*.md packaging/debian/gateway.yaml
}

do_uninstall() {
    rm -f "$program" "$commands_page" "$configuration_page" "$bash_completion" "$zsh_completion" "$fish_completion"
    rm -rf "$documents"
    # What is left empty was made for these files, or might as well have been; the folders that every prefix has stay.
    for folder in "$share/bash-completion/completions" "$share/bash-completion" "$(dirname "$zsh_completion")" "$share/zsh" \
        "$share/fish/vendor_completions.d" "$share/fish"; do
        [[ ! -d $folder ]] || rmdir --ignore-fail-on-non-empty "$folder"
    done
}

case ${1-} in
    install) do_install "${2:?the program}" ;;
    uninstall) do_uninstall ;;
    *) usage && exit 64 ;;
esac
