#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
Builds the container image ipc-gateway, tagged "local" and with the program's version.

  docker/image.sh                       with docker, podman or buildah, the first that works
  docker/image.sh --target certs        the image that makes certificates for docker/compose.yaml, ipc-gateway-certs
  docker/image.sh --tag TAG             this tag instead of "local" and the version
  docker/image.sh -- OPTION…            options for the builder, such as --build-arg SWIFT_IMAGE=…

IPC_GATEWAY_BUILDER names the builder: docker, podman, buildah, or a program that takes the arguments of one of them.
TEXT
}

die() {
    printf 'docker/image.sh: %s\n' "$*" >&2
    exit 64
}

target=runtime tags=()
while (($# > 0)); do
    case $1 in
        --target) target=${2-} && shift ;;
        --tag) tags+=("${2-}") && shift ;;
        --) shift && break ;;
        -h | --help) usage && exit ;;
        *) die "unknown option '$1'; see docker/image.sh --help" ;;
    esac
    shift
done
case $target in
    runtime) name=ipc-gateway ;;
    certs) name=ipc-gateway-certs ;;
    *) die "'$target' is not a target: runtime or certs" ;;
esac

builder=${IPC_GATEWAY_BUILDER-}
# A command may be there without the engine that it talks to.
for candidate in docker podman; do
    [[ -n $builder ]] || ! "$candidate" info >/dev/null 2>&1 || builder=$candidate
done
[[ -n $builder ]] || ! command -v buildah >/dev/null || builder=buildah
[[ -n $builder ]] || die "no engine of docker answers, and neither podman nor buildah is there; install or start one of them"

version=$(sed -nE 's/.*static let text = "(.*)".*/\1/p' Sources/ipc-gateway/Version.swift)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || revision+=-changed
source=$(git remote get-url origin 2>/dev/null || true)
# Only what means something elsewhere, and without a password.
[[ $source =~ ^https://[^@]*$ ]] || source=unknown

((${#tags[@]} > 0)) || tags=(local "$version")
arguments=(--target "$target" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "SOURCE=$source")
for tag in "${tags[@]}"; do arguments+=(-t "$name:$tag"); done
case $builder in
    *podman* | *buildah*)
        # Their own format has no health check.
        arguments+=(--format docker)
        # Some take labels from their cache, whatever the arguments are by now.
        [[ $target != runtime ]] || for label in "version=$version" "revision=$revision" "source=$source"; do
            arguments+=(--label "org.opencontainers.image.$label")
        done
        ;;
esac
"$builder" build "${arguments[@]}" "$@" -f docker/Dockerfile .
printf 'built %s, version %s, revision %s\n' "${tags[*]/#/$name:}" "$version" "$revision"
