# shellcheck shell=bash disable=SC1091,SC2015,SC2034,SC2154 # the variables are those of test.sh
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# Part of test.sh: images and an engine where there is neither a registry nor a running engine. On Debian, as root, with
# Swift installed, its package archive and PyPI reachable. Nothing is installed: tools are unpacked into the work folder.
#
# The base images are stand-ins: Debian roots made here under the public names. The one for Swift does not hold the
# toolchain; this machine's is mounted while the image is built.
#
# IPC_GATEWAY_STAND_INS names a folder that keeps these images and the builder's cache for the next time.

# What was made outside the work folder; only stand_ins_end reads them.
mounts=() folders=()

# Prints what is missing for this way, if anything.
stand_ins_obstacle() {
    if [[ $(id -u) != 0 ]]; then
        echo "it needs root"
    elif [[ $(. /etc/os-release 2>/dev/null && echo "$ID") != debian ]]; then
        echo "it needs Debian"
    elif ! command -v swift >/dev/null || [[ $(stand_ins_toolchain) == / ]]; then
        echo "it needs Swift in a folder of its own"
    elif ! python3 -m pip --version >/dev/null 2>&1; then
        echo "it needs python3 with pip"
    elif ! unshare --mount --propagation private mount -t overlay -o lowerdir=/etc:/usr overlay /usr 2>/dev/null; then
        echo "it needs to be allowed mounts of its own, overlays among them"
    elif ! unshare --net true 2>/dev/null; then
        echo "it needs to be allowed network namespaces"
    fi
}

stand_ins_toolchain() {
    (cd "$(dirname "$(readlink -f "$(command -v swift)")")/../.." && pwd)
}

# Prints this machine's package sources, for the Debian release that is asked for.
stand_ins_sources() {
    local file=/etc/apt/sources.list
    [[ ! -e /etc/apt/sources.list.d/debian.sources ]] || file=/etc/apt/sources.list.d/debian.sources
    sed "s/\b$(. /etc/os-release && echo "$VERSION_CODENAME")\b/$1/g" "$file"
}

# --- tools ----------------------------------------------------------------------------------------------------------

# Unpacks what is not installed.
stand_ins_unpack_tools() {
    local tools=$work/tools deb name names
    local apt=(apt-get -qq -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root \
        -o Acquire::Retries=3)
    mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,home,docker-config/cli-plugins} "$tools"
    "${apt[@]}" update
    # New packages only: those that would be brought up to date have a version in brackets. Networks are the engine's.
    names=$("${apt[@]}" --simulate --no-install-recommends install \
        buildah mmdebstrap iptables iproute2 docker.io containerd runc tini |
        awk '$1 == "Inst" && $3 ~ /^\(/ && $2 != "containernetworking-plugins" { print $2 }')
    # shellcheck disable=SC2086 # one word for each package
    (cd "$work/debs" && "${apt[@]}" download $names)
    for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$tools"; done
    # What the package's own script would do.
    if [[ -x $tools/usr/sbin/xtables-nft-multi ]]; then
        for name in {iptables,ip6tables}{,-save,-restore}; do ln -s xtables-nft-multi "$tools/usr/sbin/$name"; done
    fi
    # Seen by this script and its children only.
    mount -t overlay -o "lowerdir=$tools/usr:/usr" overlay /usr
    mounts+=(/usr)

    install -m 0755 "$work/lint/pypi/compose/docker-compose" "$work/docker-config/cli-plugins/"
    echo '{}' >"$work/docker-config/config.json"
}

stand_ins_buildah() {
    HOME=$work/home DOCKER_CONFIG=$work/docker-config CONTAINERS_STORAGE_CONF=$work/home/storage.conf \
        nice -n 15 buildah "$@"
}

# Makes the program that docker/image.sh builds with: buildah with what this way needs.
stand_ins_builder() {
    local mounts=(-v "$toolchain:$toolchain:ro") folder
    while read -r folder; do
        [[ ! -d $folder ]] || mounts+=(-v "$folder:$folder:ro")
    done < <(git config --get-regexp '^url\..*\.insteadof$' | sed -E 's/^url\.(.*)\.insteadof .*/\1/' | sort -u)
    {
        echo '#!/usr/bin/env bash'
        echo "export HOME='$work/home' DOCKER_CONFIG='$work/docker-config' CONTAINERS_STORAGE_CONF='$work/home/storage.conf'"
        echo '[[ $1 == build ]] && shift'
        printf 'exec nice -n 15 buildah build --pull-never --isolation=chroot --network=host --layers'
        printf ' %q' "${mounts[@]}"
        # shellcheck disable=SC2016 # for the program to expand
        echo ' "$@"'
    } >"$work/stand-in-buildah"
    chmod 0755 "$work/stand-in-buildah"
    export IPC_GATEWAY_BUILDER=$work/stand-in-buildah
}

# --- images ---------------------------------------------------------------------------------------------------------

# stand_ins_base IMAGE RELEASE PATH [mmdebstrap options]
stand_ins_base() {
    local image=$1 release=$2 path=$3 container tar
    tar=$work/$release.tar
    shift 3
    ! stand_ins_buildah inspect --type image "localhost/$image" >/dev/null 2>&1 || return 0
    stand_ins_sources "$release" >"$work/$release.sources"
    nice -n 15 mmdebstrap --quiet --aptopt='Acquire::Retries "3"' --mode=root --variant=minbase --format=tar \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$@" "$release" "$tar" "$work/$release.sources" >"$work/$release.log" 2>&1 ||
        { tail -n 20 "$work/$release.log" >&2; fail "the stand-in for $image is not made"; }
    container=$(stand_ins_buildah from scratch)
    stand_ins_buildah add -q "$container" "$tar" / >/dev/null
    stand_ins_buildah copy -q "$container" "$work/no-caches" /etc/apt/apt.conf.d/ >/dev/null
    stand_ins_buildah config --cmd bash --env "PATH=$path" "$container"
    stand_ins_buildah commit -q --rm --format docker "$container" "localhost/$image" >/dev/null
    rm "$tar"
}

stand_ins_bases() {
    local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin key value
    mkdir -p "$work/home/.config/containers"
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "${IPC_GATEWAY_STAND_INS:-$work/storage}" "$work/run" \
        >"$work/home/storage.conf"
    echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$work/home/.config/containers/policy.json"
    # Where this machine's git gets packages from, if not from where they are named.
    git config --get-regexp '^url\..*\.insteadof$' | while read -r key value; do
        git config --file "$work/gitconfig" --add "$key" "$value"
    done || true
    touch "$work/gitconfig"
    # The published images keep no package caches either.
    printf 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n' >"$work/no-caches"
    stand_ins_base debian:trixie-slim trixie "$path"
    stand_ins_base swift:6.3-bookworm bookworm "$toolchain/usr/bin:$path" \
        --include=binutils,ca-certificates,git,libc6-dev,libcurl4,libedit2,libncurses6,libsqlite3-0,libstdc++-12-dev,libxml2,tzdata \
        --customize-hook="copy-in '$work/gitconfig' /etc"
}

stand_ins_load() {
    stand_ins_buildah push -q "localhost/$1" "docker-archive:$work/image.tar:$1"
    engine load -q -i "$work/image.tar" >/dev/null
    rm "$work/image.tar"
}

# --- engine ---------------------------------------------------------------------------------------------------------

# Starts Docker's engine in a network namespace of its own, which ends with it.
stand_ins_start_engine() {
    local deadline=$((SECONDS + 300)) folder
    # Where it writes whatever its options say.
    for folder in /etc/docker /run/docker /run/containerd; do
        [[ -d $folder ]] || { mkdir "$folder" && folders+=("$folder"); }
        mount -t tmpfs tmpfs "$folder"
        mounts+=("$folder")
    done
    DOCKER_CONFIG=$work/docker-config unshare --net sh -c 'ip link set lo up && exec dockerd "$@"' dockerd \
        --data-root "$work/engine" --exec-root "$work/exec" --pidfile "$work/engine.pid" -H "unix://$work/engine.sock" \
        --bip 198.18.200.1/24 --default-address-pool base=198.18.208.0/20,size=24 --cgroup-parent "/$project" \
        --userland-proxy-path "$(command -v docker-proxy)" --init-path "$(command -v tini-static || command -v tini)" \
        >"$work/engine.log" 2>&1 &
    engine_pid=$!
    enter=(nsenter --net --target "$engine_pid")
    export DOCKER_HOST=unix://$work/engine.sock DOCKER_CONFIG=$work/docker-config
    until docker version >/dev/null 2>&1; do
        kill -0 "$engine_pid" 2>/dev/null && ((SECONDS < deadline)) ||
            { tail -n 20 "$work/engine.log" >&2; fail "Docker's engine does not start"; }
        sleep 0.2
    done
}

stand_ins_end() {
    local point
    if [[ -n ${engine_pid-} ]]; then
        kill "$engine_pid" 2>/dev/null || true
        wait "$engine_pid" || true
    fi
    for point in "${mounts[@]}"; do umount -l "$point"; done
    ((${#folders[@]} == 0)) || rmdir "${folders[@]}"
    while read -r point; do
        umount -l "$point" || true
    done < <(awk -v work="$work/" 'index($5, work) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
    find /sys/fs/cgroup -depth -type d -path "*/$project*" -exec rmdir {} + 2>/dev/null || true
}

# --- all of it ------------------------------------------------------------------------------------------------------

# What is needed to build images.
stand_ins_prepare() {
    local toolchain
    toolchain=$(stand_ins_toolchain)
    stand_ins_unpack_tools
    say "tools unpacked: $(buildah --version), $(dockerd --version)"
    stand_ins_bases
    say "base images made"
    stand_ins_builder
}

# What is needed to run them.
stand_ins_run() {
    stand_ins_start_engine
    stand_ins_load "$image"
    stand_ins_load "$certs_image"
    say "images loaded into Docker $(docker version -f '{{.Server.Version}}'), $(docker compose version)"
}
