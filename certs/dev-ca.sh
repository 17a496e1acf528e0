#!/usr/bin/env bash
# SPDX-FileCopyrightText: the ipc-gateway authors
# SPDX-License-Identifier: Apache-2.0
#
# A certificate authority for development and tests, over the openssl command line (3.0 or later).
# Not for production: see README.md beside this file.

set -euo pipefail
umask 077
export LC_ALL=C

usage() {
    cat <<'TEXT'
A certificate authority for development and tests. Not for production.

  dev-ca.sh init DIR [--name CN]            make the authority: DIR/ca.pem, DIR/ca-key.pem
  dev-ca.sh intermediate DIR NAME           make an intermediate authority
  dev-ca.sh server DIR NAME [options]       make a server's certificate; needs --dns or --ip
  dev-ca.sh client DIR NAME [options]       make a client's certificate
  dev-ca.sh revoke DIR NAME                 revoke a certificate; run crl afterwards
  dev-ca.sh crl DIR [--not-after T]         write DIR/ca.crl, with one list for each authority

NAME gives the files DIR/NAME.pem (the certificate, then its intermediate) and DIR/NAME-key.pem.
No file is overwritten, except ca.crl.

Options of server and client; those marked * may be given more than once:
  --cn CN            common name; NAME when not given
  --ou OU *          organizational unit
  --dns NAME *       alternative name: DNS name
  --ip ADDRESS *     alternative name: IP address
  --uri URI *        alternative name: URI, for instance spiffe://example.org/dev/alice
  --email ADDRESS *  alternative name: e-mail address
  --not-before T     valid from; 5 minutes ago when not given
  --not-after T      valid until; in 365 days when not given
  --purpose P        server, client or none (no extended key usage); the command's own when not given
  --issuer NAME      an intermediate made before; the authority itself when not given

T is YYYYMMDDHHMMSSZ, or relative to now: -1d, +12h, +30m, +90s (units s, m, h, d, w).
TEXT
}

die() {
    printf 'dev-ca.sh: %s\n' "$1" >&2
    exit 1
}

# --- checks ---------------------------------------------------------------------------------------------------------

# File names of certificates; "ca" and "...-key" would collide with what this script writes itself.
check_name() {
    [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ ]] ||
        die "'$1' is not a usable name: use up to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit"
    case $1 in
        ca | *-key) die "the name '$1' is taken by the authority's own files; choose another" ;;
    esac
}

check_authority() {
    [[ -f $dir/.ca/ca/openssl.cnf ]] || die "there is no authority in '$dir'; make one first: dev-ca.sh init '$dir'"
}

check_absent() {
    local file
    for file in "$@"; do
        [[ ! -e $file && ! -L $file ]] || die "'$file' exists and is not overwritten; choose another name or remove it"
    done
}

# Prints a value as OpenSSL's configuration files want it: between quotes, with its special characters escaped.
quoted() {
    local value=$1
    [[ -n $value ]] || die "a value is empty"
    [[ $value != *[[:cntrl:]]* ]] || die "a value contains a control character"
    value=${value//\\/\\\\}
    value=${value//\"/\\\"}
    value=${value//\$/\\\$}
    printf '"%s"' "$value"
}

# Prints a point in time as YYYYMMDDHHMMSSZ.
point_in_time() {
    local seconds
    if [[ $1 =~ ^[0-9]{14}Z$ ]]; then
        printf '%s' "$1"
    elif [[ $1 =~ ^([+-])([0-9]{1,9})([smhdw])$ ]]; then
        case ${BASH_REMATCH[3]} in
            s) seconds=1 ;;
            m) seconds=60 ;;
            h) seconds=3600 ;;
            d) seconds=86400 ;;
            w) seconds=604800 ;;
        esac
        seconds=$(($(date +%s) ${BASH_REMATCH[1]} 10#${BASH_REMATCH[2]} * seconds))
        # GNU, then BSD.
        date -u -d "@$seconds" +%Y%m%d%H%M%SZ 2>/dev/null || date -u -r "$seconds" +%Y%m%d%H%M%SZ
    else
        die "'$1' is not a time: use YYYYMMDDHHMMSSZ, or for instance -1d or +12h"
    fi
}

# --- work in progress -----------------------------------------------------------------------------------------------

work=
lock=

cleanup() {
    [[ -z $work ]] || rm -rf "$work"
    [[ -z $lock ]] || rmdir "$lock" 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

make_work() {
    work=$(mktemp -d "$dir/.ca/work.XXXXXX")
}

# One at a time changes an authority's list of certificates. mkdir is the lock that every system has.
take_lock() {
    local tries=0
    until mkdir "$dir/.ca/lock" 2>/dev/null; do
        tries=$((tries + 1))
        ((tries < 600)) || die "another dev-ca.sh seems to be at work; if none is: rmdir '$dir/.ca/lock'"
        sleep 0.05
    done
    lock=$dir/.ca/lock
}

release_lock() {
    rmdir "$lock"
    lock=
}

# Runs openssl quietly; its words are shown only when it fails.
run_openssl() {
    local words
    words=$(openssl "$@" 2>&1 </dev/null) || die "openssl $1 failed:
$words"
}

# A hard link is made only where nothing is yet, and at once.
publish() {
    ln "$1" "$2" 2>/dev/null || die "'$2' exists and is not overwritten; choose another name or remove it"
}

# --- commands -------------------------------------------------------------------------------------------------------

# write_authority ISSUER CERTIFICATE KEY: the files with which openssl ca issues in this name.
write_authority() {
    local home=$dir/.ca/$1 quoted_home certificate key
    quoted_home=$(quoted "$home")
    certificate=$(quoted "$2")
    key=$(quoted "$3")
    mkdir "$home"
    : >"$home/index.txt"
    echo 01 >"$home/crlnumber"
    cat >"$home/openssl.cnf" <<TEXT
[ca]
default_ca = issuer
[issuer]
dir = $quoted_home
database = \$dir/index.txt
new_certs_dir = \$dir
certificate = $certificate
private_key = $key
crlnumber = \$dir/crlnumber
rand_serial = yes
default_md = sha256
default_days = 365
default_crl_days = 30
unique_subject = no
email_in_dn = no
copy_extensions = none
policy = anything
crl_extensions = crl
[anything]
organizationalUnitName = optional
commonName = optional
[crl]
authorityKeyIdentifier = keyid:always
TEXT
}

do_init() {
    local name="Development CA"
    while (($# > 0)); do
        case $1 in
            --name)
                (($# > 1)) || die "--name needs a value; see dev-ca.sh --help"
                name=$2
                shift 2
                ;;
            *) die "unknown option '$1'; see dev-ca.sh --help" ;;
        esac
    done
    name=$(quoted "$name")
    check_absent "$dir/.ca" "$dir/ca.pem" "$dir/ca-key.pem"
    mkdir -p "$dir"
    chmod 700 "$dir"
    # Two that start at once: one of them is refused here.
    mkdir "$dir/.ca" || die "'$dir' already holds an authority"
    make_work
    cat >"$work/openssl.cnf" <<TEXT
[req]
prompt = no
utf8 = yes
string_mask = utf8only
distinguished_name = subject
x509_extensions = authority
[subject]
CN = $name
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
TEXT
    run_openssl req -x509 -config "$work/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 \
        -days 3650 -keyout "$work/key.pem" -out "$work/certificate.pem"
    chmod 644 "$work/certificate.pem"
    publish "$work/key.pem" "$dir/ca-key.pem"
    publish "$work/certificate.pem" "$dir/ca.pem"
    write_authority ca "$dir/ca.pem" "$dir/ca-key.pem"
}

# issue ISSUER NAME FROM UNTIL: signs for the subject and extensions in $work/openssl.cnf, and publishes.
issue() {
    local issuer=$1 name=$2 home=$dir/.ca/$1
    run_openssl req -new -config "$work/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
        -keyout "$work/key.pem" -out "$work/request.pem"
    take_lock
    run_openssl ca -batch -notext -utf8 -config "$home/openssl.cnf" -in "$work/request.pem" \
        -extfile "$work/openssl.cnf" -extensions certificate -startdate "$3" -enddate "$4" \
        -out "$work/certificate.pem" -outdir "$work"
    release_lock
    if [[ $issuer != ca ]]; then
        cat "$dir/$issuer.pem" >>"$work/certificate.pem"
    fi
    chmod 644 "$work/certificate.pem"
    publish "$work/key.pem" "$dir/$name-key.pem"
    publish "$work/certificate.pem" "$dir/$name.pem"
    mkdir -p "$dir/.ca/issued"
    printf '%s\n' "$issuer" >"$dir/.ca/issued/$name"
}

do_intermediate() {
    local name=$1
    (($# == 1)) || die "intermediate takes no options; see dev-ca.sh --help"
    check_absent "$dir/$name.pem" "$dir/$name-key.pem"
    make_work
    cat >"$work/openssl.cnf" <<TEXT
[req]
prompt = no
utf8 = yes
string_mask = utf8only
distinguished_name = subject
[subject]
CN = "$name"
[certificate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
TEXT
    issue ca "$name" "$(point_in_time -5m)" "$(point_in_time +1825d)"
    write_authority "$name" "$dir/$name.pem" "$dir/$name-key.pem"
}

# add_alternative TYPE VALUE: adds to the variables of do_leaf.
add_alternative() {
    value=$(quoted "$2")
    alternatives+="$1.$((alternative += 1)) = $value"$'\n'
    case $1 in DNS | IP) addresses=1 ;; esac
}

# do_leaf PURPOSE NAME [options]
do_leaf() {
    local command=$1 purpose=$1 name=$2 cn=$2 from=-5m until=+365d issuer=ca
    local units="" alternatives="" unit=0 alternative=0 addresses=0 value
    shift 2
    while (($# > 0)); do
        (($# > 1)) || die "$1 needs a value; see dev-ca.sh --help"
        case $1 in
            --cn) cn=$2 ;;
            --ou)
                value=$(quoted "$2")
                units+="$((unit += 1)).OU = $value"$'\n'
                ;;
            --dns) add_alternative DNS "$2" ;;
            --ip) add_alternative IP "$2" ;;
            --uri) add_alternative URI "$2" ;;
            --email) add_alternative email "$2" ;;
            --not-before) from=$2 ;;
            --not-after) until=$2 ;;
            --purpose) purpose=$2 ;;
            --issuer) issuer=$2 ;;
            *) die "unknown option '$1'; see dev-ca.sh --help" ;;
        esac
        shift 2
    done
    [[ $command != server || $addresses == 1 ]] || die "a server's certificate needs --dns or --ip: clients check them"
    [[ $issuer == ca ]] || check_name "$issuer"
    [[ -f $dir/.ca/$issuer/openssl.cnf ]] ||
        die "there is no intermediate '$issuer'; make it first: dev-ca.sh intermediate '$dir' '$issuer'"
    case $purpose in
        server) purpose="extendedKeyUsage = serverAuth" ;;
        client) purpose="extendedKeyUsage = clientAuth" ;;
        none) purpose="" ;;
        *) die "'$purpose' is not a purpose: use server, client or none" ;;
    esac
    check_absent "$dir/$name.pem" "$dir/$name-key.pem"
    from=$(point_in_time "$from")
    until=$(point_in_time "$until")
    [[ $from < $until ]] || die "the certificate would end ($until) before it begins ($from)"
    cn=$(quoted "$cn")
    make_work
    cat >"$work/openssl.cnf" <<TEXT
[req]
prompt = no
utf8 = yes
string_mask = utf8only
distinguished_name = subject
[subject]
${units}CN = $cn
[certificate]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
$purpose
${alternatives:+subjectAltName = @alternatives
[alternatives]
$alternatives}
TEXT
    issue "$issuer" "$name" "$from" "$until"
}

do_revoke() {
    local issuer
    (($# == 1)) || die "revoke takes one name; see dev-ca.sh --help"
    [[ -f $dir/.ca/issued/$1 ]] || die "'$1' was not issued here; see '$dir/.ca/issued'"
    read -r issuer <"$dir/.ca/issued/$1"
    take_lock
    run_openssl ca -batch -config "$dir/.ca/$issuer/openssl.cnf" -revoke "$dir/$1.pem"
    release_lock
}

do_crl() {
    local until=+30d from home
    while (($# > 0)); do
        (($# > 1)) || die "$1 needs a value; see dev-ca.sh --help"
        case $1 in
            --not-after) until=$2 ;;
            *) die "unknown option '$1'; see dev-ca.sh --help" ;;
        esac
        shift 2
    done
    until=$(point_in_time "$until")
    # A list that has ended already must have begun before.
    from=$(point_in_time -5m)
    [[ $from < $until ]] || from=$(point_in_time -520w)
    make_work
    take_lock
    for home in "$dir"/.ca/*/; do
        [[ -f $home/openssl.cnf ]] || continue
        run_openssl ca -gencrl -config "$home/openssl.cnf" -out "$work/one.crl" \
            -crl_lastupdate "$from" -crl_nextupdate "$until"
        cat "$work/one.crl" >>"$work/all.crl"
    done
    release_lock
    chmod 644 "$work/all.crl"
    # By rename, so that a reader sees the old list or the new one.
    mv -f "$work/all.crl" "$dir/ca.crl"
}

# --- start ----------------------------------------------------------------------------------------------------------

main() {
    case ${1-} in
        "" | -h | --help | help)
            usage
            exit 0
            ;;
        init | intermediate | server | client | revoke | crl) ;;
        *) die "unknown command '$1'; see dev-ca.sh --help" ;;
    esac
    local command=$1
    [[ -n ${2-} && ${2-} != --* ]] || die "$command needs a directory; see dev-ca.sh --help"
    command -v openssl >/dev/null || die "the openssl command is missing; install the package openssl"
    dir=$2
    # Absolute, since openssl ca is told where its files are once and for all.
    case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
    shift 2
    if [[ $command == init ]]; then
        do_init "$@"
        return
    fi
    check_authority
    if [[ $command != crl ]]; then
        [[ -n ${1-} ]] || die "$command needs a name; see dev-ca.sh --help"
        check_name "$1"
    fi
    case $command in
        crl) do_crl "$@" ;;
        intermediate) do_intermediate "$@" ;;
        server | client) do_leaf "$command" "$@" ;;
        revoke) do_revoke "$@" ;;
    esac
}

main "$@"
