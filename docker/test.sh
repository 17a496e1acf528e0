#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
# shellcheck source=docker/stand-ins.sh
. docker/stand-ins.sh

usage() {
    cat <<'TEXT'
Builds the images, runs docker/compose.yaml, checks what docker/README.md promises, and removes what it made.

  docker/test.sh               with docker, or podman; where neither can fetch images, with stand-ins (Debian, root)
  docker/test.sh --way WAY     docker, podman or stand-ins, and nothing else

Pulled base images and the builder's cache stay.
TEXT
}

say() {
    printf '%4ds  %s\n' "$SECONDS" "$*"
}

fail() {
    printf 'docker/test.sh: %s\n' "$*" >&2
    exit 1
}

# --- which way ------------------------------------------------------------------------------------------------------

docker_can() {
    docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 && fetches docker
}

podman_can() {
    podman info >/dev/null 2>&1 && podman_compose >/dev/null && fetches podman
}

podman_compose() {
    if podman-compose --version >/dev/null 2>&1; then
        echo podman-compose
    elif podman compose version >/dev/null 2>&1; then
        echo podman compose
    else
        return 1
    fi
}

fetches() {
    timeout 300 "$1" pull -q "$(sed -nE 's/^FROM ([^ ]+) AS runtime$/\1/p' docker/Dockerfile)" >/dev/null 2>&1
}

choose_way() {
    local obstacle
    if docker_can; then
        way=docker
    elif podman_can; then
        way=podman
    else
        obstacle=$(stand_ins_obstacle)
        [[ -z $obstacle ]] || fail "neither docker nor podman can fetch images and run compose here; without them $obstacle"
        way=stand-ins
    fi
}

# --- engine ---------------------------------------------------------------------------------------------------------

enter=()

engine() {
    "${enter[@]}" "$engine" "$@"
}

compose() {
    "${enter[@]}" "${compose[@]}" -p "$project" -f docker/compose.yaml "$@" 2>>"$work/compose.log"
}

# The containers of a service.
containers() {
    engine ps -aq --filter "label=com.docker.compose.project=$project" ${1:+--filter "label=com.docker.compose.service=$1"}
}

gateway_log() {
    engine logs "$gateway" 2>&1
}

cleanup() {
    local code=$? left
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    if ((code != 0)); then
        [[ ! -s $work/compose.log ]] || tail -n 20 "$work/compose.log" >&2
        [[ -z $gateway ]] || gateway_log | tail -n 20 >&2
    fi
    if [[ -n ${started-} ]]; then
        # The client that stays is not one of the file's.
        left=$(containers)
        # shellcheck disable=SC2086 # one word for each container
        [[ -z $left ]] || engine rm -f $left >/dev/null 2>&1
        compose down --volumes >/dev/null
    fi
    case $way in
        stand-ins) stand_ins_end ;;
        docker | podman) engine image rm "$image" "$certs_image" >/dev/null 2>&1 ;;
    esac
    rm -rf "$work"
    if ((code == 0)); then say "all good, and cleaned up"; else say "failed, and cleaned up"; fi
    exit "$code"
}

# --- checks ---------------------------------------------------------------------------------------------------------

# expect WHAT EXPECTED GOT
expect() {
    [[ $3 == "$2" ]] || fail "$1: expected '$2', got '$3'"
    say "$1: $3"
}

# expect_in WHAT PART TEXT
expect_in() {
    [[ $3 == *"$2"* ]] || fail "$1: expected '$2' in: $3"
    say "$1: $2"
}

wait_for() {
    local what=$1 deadline=$((SECONDS + 60))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fail "$what: not within a minute"
        sleep 0.2
    done
}

healthy() {
    # Where nothing schedules health checks (podman without systemd) this does.
    [[ $way != podman ]] || engine healthcheck run "$gateway" >/dev/null 2>&1 || true
    [[ $(engine inspect -f '{{.State.Health.Status}}' "$gateway") == healthy ]]
}

accepted() {
    (($(gateway_log | grep -c '"client accepted"') >= $1))
}

check_image() {
    expect "the image's user" 10001:10001 "$(engine image inspect -f '{{.Config.User}}' "$image")"
    say "size: $(($(engine image inspect -f '{{.Size}}' "$image") / 1000000)) MB"
    expect_in "version in the container" "OpenSSL 3.5." "$(engine run --rm "$image" --version)"
}

check_certificates() {
    expect "certificates, once more" "ca: there already server: there already alice: there already" \
        "$(compose run -T --rm --no-deps certificates | tr -d '\r' | xargs)"
    expect "owner and mode of their folders" "10001 700 10001 700 10001 700" \
        "$(engine run --rm -v "${project}_authority:/v/a" -v "${project}_gateway-tls:/v/g" -v "${project}_alice-tls:/v/c" \
            --entrypoint sh "$certs_image" -c 'stat -c "%u %a" /v/*' | xargs)"
    expect "what the gateway has of them" "ca.pem server-key.pem server.pem" \
        "$(engine exec "$gateway" ls /etc/ipc-gateway/tls | xargs)"
}

check_confinement() {
    local status
    status=$(engine exec "$gateway" cat /proc/1/status | tr '\t' ' ')
    expect_in "user" "Uid: 10001 10001 10001 10001" "$status"
    expect_in "group" "Gid: 10001 10001 10001 10001" "$status"
    expect_in "capabilities" "CapEff: 0000000000000000" "$status"
    expect_in "capabilities, at most" "CapBnd: 0000000000000000" "$status"
    expect_in "no new privileges" "NoNewPrivs: 1" "$status"
    expect_in "system calls filtered" "Seccomp: 2" "$status"
    expect "root file system" ro "$(engine exec "$gateway" cat /proc/mounts | awk '$2 == "/" { print substr($4, 1, 2) }')"
    # shellcheck disable=SC2016 # it is the container's shell that expands them
    expect "folders that it can write to" none "$(engine exec "$gateway" sh -c \
        'for folder in / /etc/ipc-gateway /etc/ipc-gateway/tls /run/ipc; do
            if touch "$folder/file" 2>/dev/null; then echo "$folder"; exit; fi
        done
        echo none')"
    expect "limits" "64 processes, 134217728 bytes" \
        "$(engine inspect -f '{{.HostConfig.PidsLimit}} processes, {{.HostConfig.Memory}} bytes' "$gateway")"
    expect "the sample server's networks" lo "$(engine exec "$(containers sample)" ls /sys/class/net | xargs)"
}

check_calls() {
    local answer
    compose up --detach >/dev/null
    expect "the client's exit code" 0 "$(engine wait "$(containers client)")"
    expect "its call" '"remote:alice"' "$(engine logs "$(containers client)" | tr -d '\r')"
    expect "another" 5 "$(compose run -T --rm --no-deps client sample add '[2,3]' | tr -d '\r')"
    ! compose run -T --rm --no-deps client storage drop >/dev/null || fail "a call that is not allowed: answered"
    say "a call that is not allowed: refused"
    expect_in "key exchange" X25519MLKEM768 "$(gateway_log)"
    answer=$(engine run --rm --network "${project}_clients" --entrypoint openssl "$certs_image" \
        s_client -connect gateway:7443 -ign_eof </dev/null 2>&1) && fail "without a certificate: let in"
    expect_in "without a certificate" "alert certificate required" "$answer"
    expect_in "its line in the log" '"reason":"no-client-certificate"' "$(gateway_log)"
    if command -v openssl >/dev/null; then
        answer=$("${enter[@]}" openssl s_client -connect "$(engine port "$gateway" 7443/tcp)" -ign_eof </dev/null 2>&1) &&
            fail "without a certificate, at the published port: let in"
        expect_in "without a certificate, at the published port" "alert certificate required" "$answer"
    fi
    [[ $(gateway_log) != *closed-before-handshake* ]] || fail "health checks are in the log"
    say "health checks are not in the log"
}

check_stop() {
    local before after
    before=$(gateway_log | grep -c '"client accepted"')
    compose run -T --rm --no-deps -d client --listen 1000000 sample onTick >/dev/null
    wait_for "a client that stays" accepted $((before + 1))
    before=$(date +%s%N)
    engine stop "$gateway" >/dev/null
    after=$(date +%s%N)
    expect "exit code after SIGTERM" 0 "$(engine inspect -f '{{.State.ExitCode}}' "$gateway")"
    expect_in "last word" '"stopped"' "$(gateway_log | tail -n 1)"
    (((after - before) / 1000000 < 3000)) || fail "stopping took $(((after - before) / 1000000)) ms"
    say "stopped, with a client connected, in $(((after - before) / 1000000)) ms"
}

# --- start ----------------------------------------------------------------------------------------------------------

way=
case ${1-} in
    "") choose_way ;;
    --way) way=${2-} ;;
    *)
        usage
        exit 64
        ;;
esac
case $way in
    docker) engine=docker compose=(docker compose) ;;
    podman)
        engine=podman
        read -ra compose <<<"$(podman_compose)"
        ;;
    stand-ins)
        engine=docker compose=(docker compose)
        # In a mount namespace of its own, so that no mount outlives it.
        [[ -n ${IPC_GATEWAY_TEST_UNSHARED-} ]] ||
            IPC_GATEWAY_TEST_UNSHARED=1 exec unshare --mount --propagation private docker/test.sh --way stand-ins
        ;;
    *) fail "'$way' is not a way: docker, podman or stand-ins" ;;
esac
say "way: $way"

work=$(mktemp -d "${TMPDIR:-/tmp}/ipc-gateway-docker-test.XXXXXX")
export TMPDIR=$work
project=ipc-gateway-test-$$
export IPC_GATEWAY_TAG=test-$$ IPC_GATEWAY_PORT=$((20000 + RANDOM % 10000))
image=ipc-gateway:$IPC_GATEWAY_TAG
certs_image=ipc-gateway-certs:$IPC_GATEWAY_TAG
gateway=
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

if [[ $way == stand-ins ]]; then
    stand_ins_prepare
else
    compose build >"$work/compose.log"
    say "images built"
fi
started=1
check_image
if [[ $way == podman ]]; then compose up --detach gateway >/dev/null; else compose up --detach --wait gateway >/dev/null; fi
gateway=$(containers gateway)
wait_for "health" healthy
say "up and healthy"
check_certificates
check_confinement
check_calls
check_stop
