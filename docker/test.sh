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
Checks what is in this folder, builds the images, runs the compose files, checks what docs/containers.md promises, and
removes what it made.

  docker/test.sh               with docker, or podman; where neither can fetch images, with stand-ins (Debian, root)
  docker/test.sh --way WAY     docker, podman or stand-ins, and nothing else; lint runs no containers

Where no containers can be run it says so, does what lint does, and that is all. Pulled base images and the builder's
cache stay.

IPC_GATEWAY_STAND_INS=FOLDER keeps stand-ins for base images, and the builder's cache, in a folder for the next time.
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
    timeout 300 "$1" pull -q "$(sed -nE 's/^ARG DEBIAN_IMAGE=//p' docker/Dockerfile)" >/dev/null 2>&1
}

choose_way() {
    local obstacle
    if docker_can; then
        way=docker
    elif podman_can; then
        way=podman
    else
        obstacle=$(stand_ins_obstacle)
        way=stand-ins
        if [[ -n $obstacle ]]; then
            echo "NO CONTAINERS ARE RUN: neither docker nor podman can fetch images and run compose here; without them $obstacle"
            way=lint
        fi
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

# The same for the other file.
secrets() {
    "${enter[@]}" env IPC_GATEWAY_TLS="$work/tls" IPC_GATEWAY_SOCKETS="$work/sockets" IPC_GATEWAY_ADDRESS=127.0.0.1 \
        IPC_GATEWAY_PORT=$((IPC_GATEWAY_PORT + 1)) "${compose[@]}" -p "$project-secrets" -f docker/compose.secrets.yaml "$@" \
        2>>"$work/compose.log"
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
        engine rm -f $left "$project-stays" "$project-calls" "$project-own" >/dev/null 2>&1
        compose down --volumes >/dev/null
        secrets down --volumes >/dev/null
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
    local what=$1 deadline=$((SECONDS + 180))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || fail "$what: not within three minutes"
        sleep 0.2
    done
}

healthy() {
    # Where nothing schedules health checks (podman without systemd) this does.
    [[ $way != podman ]] || engine healthcheck run "$1" >/dev/null 2>&1 || true
    [[ $(engine inspect -f '{{.State.Health.Status}}' "$1") == healthy ]]
}

# log_has LINES TEXT: at least so many lines with it.
log_has() {
    (($(gateway_log | grep -cF -- "$2") >= $1))
}

# log_lines TEXT: how many there are.
log_lines() {
    gateway_log | grep -cF -- "$1" || true
}

# as_alice COMMAND: in a shell with openssl, beside her certificate.
as_alice() {
    engine run --rm --network "${project}_clients" -v "${project}_alice-tls:/tls:ro" -w /tls --entrypoint sh "$certs_image" -c "$1"
}

# The fingerprint of the certificate that the gateway shows.
served() {
    as_alice 'openssl s_client -connect gateway:7443 -CAfile ca.pem -cert alice.pem -key alice-key.pem </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256'
}

# A client that stays: subscribed, in a container of the name that is given.
stay() {
    local before
    before=$(log_lines '"client accepted"')
    compose run -T --rm --no-deps -d --name "$1" \
        --entrypoint "ipc-gateway listen --host gateway --cert alice.pem --key alice-key.pem --ca ca.pem" client sample onTick >/dev/null
    wait_for "a client that stays" log_has $((before + 1)) '"client accepted"'
}

gone() {
    ! engine inspect "$1" >/dev/null 2>&1
}

reload() {
    local before
    before=$(log_lines '"configuration reloaded"')
    engine kill -s HUP "$gateway" >/dev/null
    wait_for "the reload" log_has $((before + 1)) '"configuration reloaded"'
}

check_image() {
    expect "the image's user" 10001:10001 "$(engine image inspect -f '{{.Config.User}}' "$image")"
    expect "its labels" "ipc-gateway $(sed -nE 's/.*static let text = "(.*)".*/\1/p' Sources/ipc-gateway/Version.swift)" \
        "$(engine image inspect -f '{{index .Config.Labels "org.opencontainers.image.title"}} {{index .Config.Labels "org.opencontainers.image.version"}}' "$image")"
    expect "its revision" "$(sed -nE '$s/.* revision //p' "$work/image.log")" \
        "$(engine image inspect -f '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image")"
    say "size: $(($(engine image inspect -f '{{.Size}}' "$image") / 1000000)) MB"
    expect_in "version in the container" "OpenSSL 3.5." "$(engine run --rm "$image" --version)"
}

check_certificates() {
    expect "certificates, once more" "ca: there already server: there already alice: there already" \
        "$(compose run -T --rm --no-deps certificates | tr -d '\r' | xargs)"
    expect "owner and mode of their folders" "10001 700 10001 700 10001 700" \
        "$(engine run --rm -v "${project}_authority:/v/a" -v "${project}_gateway-tls:/v/g" -v "${project}_alice-tls:/v/c" \
            --entrypoint sh "$certs_image" -c 'stat -c "%u %a" /v/*' | xargs)"
    expect "what the gateway has of them" "ca.crl ca.pem server-key.pem server.pem" \
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
    expect_in "key exchange, by the gateway's log" '"group":"X25519MLKEM768"' "$(gateway_log)"
    expect "key exchange, by a client that offers it" "Negotiated TLS1.3 group: X25519MLKEM768" \
        "$(as_alice 'openssl s_client -connect gateway:7443 -groups X25519MLKEM768 -CAfile ca.pem -verify_return_error \
            -cert alice.pem -key alice-key.pem </dev/null 2>&1' | grep '^Negotiated')"
    answer=$(engine run --rm --network "${project}_clients" --entrypoint openssl "$certs_image" \
        s_client -connect gateway:7443 -ign_eof </dev/null 2>&1) && fail "without a certificate: let in"
    expect_in "without a certificate" "alert certificate required" "$answer"
    expect_in "its line in the log" '"reason":"no-client-certificate"' "$(gateway_log)"
    if command -v openssl >/dev/null; then
        answer=$("${enter[@]}" openssl s_client -connect "$(engine port "$gateway" 7443/tcp)" -ign_eof </dev/null 2>&1) &&
            fail "without a certificate, at the published port: let in"
        expect_in "without a certificate, at the published port" "alert certificate required" "$answer"
    fi
}

ready() {
    engine exec "$gateway" ipc-gateway health --config /etc/ipc-gateway/gateway.yaml
}

not_ready() {
    ! words=$(ready)
}

# The health check is about the server behind, too. What the gateway has found out holds for a moment.
check_health() {
    local sample words
    sample=$(containers sample)
    say "health: $(ready)"
    engine stop "$sample" >/dev/null
    wait_for "the gateway's finding that its server is gone" not_ready
    say "health without the server: $words"
    engine start "$sample" >/dev/null
    wait_for "health, with the server again" ready >/dev/null
}

check_renewal() {
    local before after client=$project-stays
    before=$(served)
    [[ $before == *Fingerprint=* ]] || fail "no certificate is shown: $before"
    stay "$client"
    expect "a renewed certificate" made "$(compose run -T --rm --no-deps certificates renew | tr -d '\r' | sed 's/.*: //')"
    expect "before the gateway is told" "$before" "$(served)"
    reload
    after=$(served)
    [[ $after != "$before" ]] || fail "after SIGHUP: the old certificate still"
    expect "after SIGHUP" "$(engine run --rm -v "${project}_gateway-tls:/tls:ro" --entrypoint openssl "$certs_image" \
        x509 -in /tls/server.pem -noout -fingerprint -sha256)" "$after"
    expect "the client that was there" running "$(engine inspect -f '{{.State.Status}}' "$client")"
    expect "it was not cut" 0 "$(log_lines '"reason":"revoked"')"
}

# As docker stop comes there is a client that listens, and a call that takes two seconds from then on, or a little less.
has_open_calls() {
    engine exec "$gateway" ipc-gateway status --config /etc/ipc-gateway/gateway.yaml --json |
        python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["calls"]["open"] < 1)'
}

check_stop() {
    local before after calls=$project-calls
    before=$(log_lines '"client accepted"')
    compose run -T --no-deps -d --name "$calls" client sample sleep 5000 >/dev/null
    wait_for "a client that calls" log_has $((before + 1)) '"client accepted"'
    wait_for "its call" has_open_calls
    before=$(date +%s%N)
    engine stop "$gateway" >/dev/null
    after=$(date +%s%N)
    expect "a call that was running: exit code" 0 "$(engine wait "$calls")"
    expect "exit code after SIGTERM" 0 "$(engine inspect -f '{{.State.ExitCode}}' "$gateway")"
    expect_in "last word" '"stopped"' "$(gateway_log | tail -n 1)"
    (((after - before) / 1000000 < 30000)) || fail "stopping took $(((after - before) / 1000000)) ms"
    say "stopped, with a client that listens and one that calls, in $(((after - before) / 1000000)) ms"
    engine start "$gateway" >/dev/null
    wait_for "health, once more" healthy "$gateway"
    say "started again, healthy"
}

check_revocation() {
    local client=$project-stays code=0
    wait_for "the end of the client before" gone "$client"
    stay "$client"
    expect "revocation" "alice: revoked" "$(compose run -T --rm --no-deps certificates revoke | tr -d '\r')"
    expect "before the gateway is told" 5 "$(compose run -T --rm --no-deps client sample add '[2,3]' | tr -d '\r')"
    reload
    wait_for "the end of the client that was there" gone "$client"
    expect_in "the client that was there" '"reason":"revoked"' "$(gateway_log)"
    compose run -T --rm --no-deps client sample add '[2,3]' >/dev/null || code=$?
    expect "a call with the revoked certificate: exit code" 69 "$code"
    expect_in "its line in the log" '"reason":"certificate-revoked"' "$(gateway_log)"
}

# The other file: files of the host as secrets, and a server's folder of the host. As in a Secret, root's, for the group.
check_secrets() {
    local own
    mkdir -p "$work/tls" "$work/sockets"
    chmod 0777 "$work/sockets"
    engine run --rm --user 0 -v "${project}_authority:/from:ro" -v "$work/tls:/to" --entrypoint sh "$certs_image" -c \
        'dev-ca.sh init /tmp/ca && dev-ca.sh server /tmp/ca server --dns localhost && cd /tmp/ca &&
        dev-ca.sh client /tmp/ca bob --uri spiffe://example.org/dev/bob &&
        install -g 10001 -m 0440 ca.pem server.pem server-key.pem bob.pem bob-key.pem /to &&
        cd /to && ln ca.pem ca.crt && ln server.pem tls.crt && ln server-key.pem tls.key'
    engine run -d --rm --name "$project-own" --network none -v "$work/sockets:/run/ipc" "$image" \
        demo server --unix /run/ipc/sample.sock >/dev/null
    secrets up --detach >/dev/null
    own=$(engine ps -aq --filter "label=com.docker.compose.project=$project-secrets")
    wait_for "health, with secrets" healthy "$own"
    expect "with secrets" '"remote:bob"' "$(engine run --rm --network "container:$own" -v "$work/tls:/tls:ro" -w /tls "$image" \
        call --host localhost --cert bob.pem --key bob-key.pem --ca ca.pem sample whoami)"
    secrets down --volumes >/dev/null
    engine stop "$project-own" >/dev/null
}

check_kubernetes() {
    local configuration
    for configuration in "$work"/lint/kubernetes/*.gateway.yaml; do
        engine run --rm --read-only --cap-drop ALL --network none -v "$configuration:/etc/ipc-gateway/gateway.yaml:ro" \
            -v "$work/tls:/etc/ipc-gateway-tls:ro" "$image" check --config /etc/ipc-gateway/gateway.yaml >"$work/check.log" 2>&1 ||
            { cat "$work/check.log" >&2; fail "the configuration of $(basename "$configuration") does not pass check"; }
        say "$(basename "$configuration" .gateway.yaml): its ConfigMap passes check"
    done
}

# Packages, with the program of the image: so it is built only once. The certificates' image is a Debian with all that
# the package depends on, and nothing of the gateway.
check_packages() {
    local container
    container=$(engine create "$image")
    engine cp "$container:/usr/local/bin/ipc-gateway" "$work/"
    engine cp "$container:/usr/share/doc/ipc-gateway" "$work/licences"
    engine rm "$container" >/dev/null
    if ! command -v dpkg-deb >/dev/null || ! "$work/ipc-gateway" --version >/dev/null 2>&1; then
        say "not done: packages, because this machine has no dpkg-deb or cannot run the image's program"
        return
    fi
    {
        echo '#!/usr/bin/env bash'
        printf 'exec'
        ((${#enter[@]} == 0)) || printf ' %q' "${enter[@]}"
        printf ' %q run --rm --user 0 --network none -v "$1:/inside:ro" --entrypoint sh %q /inside/script\n' "$engine" "$certs_image"
    } >"$work/in-container"
    chmod 0755 "$work/in-container"
    IPC_GATEWAY_TEST_CONTAINER=$work/in-container nice Tests/packages.sh "$work/ipc-gateway" "$work/licences" >"$work/packages.log" 2>&1 ||
        { cat "$work/packages.log" >&2; fail "packages are not as they should be"; }
    say "packages: $(tail -n 1 "$work/packages.log")"
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
    lint)
        docker/lint.sh
        say "way: lint. No container was run, no image was built"
        exit
        ;;
    *) fail "'$way' is not a way: docker, podman, stand-ins or lint" ;;
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

docker/lint.sh --work "$work/lint"
say "Dockerfile, compose files and manifests are good"
if [[ $way == stand-ins ]]; then
    stand_ins_prepare
else
    export IPC_GATEWAY_BUILDER=$engine
fi
make -s image IMAGE_OPTIONS="--tag $IPC_GATEWAY_TAG" >"$work/image.log" 2>&1 ||
    { tail -n 40 "$work/image.log" >&2; fail "make image fails"; }
say "make image: $(tail -n 1 "$work/image.log")"
docker/image.sh --target certs --tag "$IPC_GATEWAY_TAG" >"$work/certs.log" 2>&1 ||
    { tail -n 40 "$work/certs.log" >&2; fail "the image $certs_image is not built"; }
[[ $way != stand-ins ]] || stand_ins_run
started=1
check_image
if [[ $way == podman ]]; then compose up --detach gateway >/dev/null; else compose up --detach --wait gateway >/dev/null; fi
gateway=$(containers gateway)
wait_for "health" healthy "$gateway"
say "up and healthy"
check_certificates
check_confinement
check_calls
check_health
check_renewal
check_stop
check_revocation
check_secrets
check_kubernetes
check_packages
