#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what rungate needs from Debian or Ubuntu packages. This is the only place that lists them.
#
#   ./ci/setup.sh          everything: to build, to test, to develop
#   ./ci/setup.sh build    only what `make` needs
#   ./ci/setup.sh test     only what the tests need on top of that
#
# Asks dpkg first: where all is there, nothing is fetched and no rights are needed.
# Ends 0 when all is in place, 1 when something could not be installed, 2 on a wrong argument.
set -eu

# gcc only recommends the C library's headers, and recommendations are left out below.
build_packages='gcc libc6-dev make pkg-config libcurl4-openssl-dev libinih-dev libjansson-dev
    ca-certificates'
test_packages='libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-yaml openssl
    libxml2-utils cmark-gfm mandoc shellcheck valgrind clang clang-format gcovr git'

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# missing PACKAGE...: prints those that are not installed.
missing() {
    # dpkg-query fails as soon as it does not know one of the names; what it knows it prints.
    installed=" $(dpkg-query -W -f='${Package}:${db:Status-Status} ' "$@" 2>/dev/null || :)"
    for package in "$@"; do
        case $installed in
        *" $package:installed "*) ;;
        *) printf " %s" "$package" ;;
        esac
    done
}

# apt ARGUMENT...: apt-get as root, without a question; its output is shown only where it fails.
apt() {
    set -- env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq -o Dpkg::Use-Pty=0 \
        -o Acquire::Retries=3 "$@"
    if [ "$(id -u)" -ne 0 ]; then
        if [ -t 0 ]; then
            set -- sudo "$@" # may ask for a password, there is somebody to give it
        else
            set -- sudo -n "$@"
        fi
    fi
    log=$(mktemp)
    status=0
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# ensure PACKAGE...: installs those that are missing.
ensure() {
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    say "installing:$wanted"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        die "neither root nor sudo here; as root run: apt-get update, then apt-get install$wanted"
    fi
    if [ -z "${updated:-}" ]; then
        apt update || say 'the package lists could not be refreshed; trying with those at hand'
        updated=yes
    fi
    # Never at the price of a package that is there: the other libcurl flavours exclude ours.
    # shellcheck disable=SC2086 # a list of names, to be split
    apt install -y --no-install-recommends --no-remove $wanted ||
        die "could not install:$wanted"
    wanted=$(missing "$@")
    [ -z "$wanted" ] || die "still not installed:$wanted"
}

# Sanitizers and the fuzzer of clang sit in a package named after its version, elsewhere with each
# release: look for the library itself, and only then for the package of this clang.
has_clang_runtime() {
    for library in "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer*.a; do
        [ -e "$library" ] && return 0
    done
    return 1
}

ensure_clang_runtime() {
    has_clang_runtime && return 0
    version=$(clang -dumpversion)
    version=${version%%.*}
    ensure "libclang-rt-$version-dev"
    has_clang_runtime || die "clang $version has no sanitizer and fuzzer runtime"
}

# No apt: install nothing, but do not stand in the way of somebody who has it all.
without_apt() {
    absent=
    need() { # need WHAT COMMAND...
        what=$1
        shift
        "$@" >/dev/null 2>&1 || absent="$absent
  $what"
    }
    case $groups in
    *build*)
        need 'a C compiler (cc)' command -v cc
        need 'make' command -v make
        need 'pkg-config' command -v pkg-config
        need 'libcurl with its headers' pkg-config --exists libcurl
        need 'inih with its headers' pkg-config --exists inih
        need 'jansson with its headers' pkg-config --exists jansson
        ;;
    esac
    case $groups in
    *test*)
        need 'cmocka with its headers' pkg-config --exists cmocka
        need 'Python 3 with pytest, pytest-xdist and PyYAML' \
            python3 -c 'import pytest, xdist, yaml'
        for tool in openssl xmllint cmark-gfm mandoc shellcheck valgrind clang clang-format gcovr git; do
            need "$tool" command -v "$tool"
        done
        ;;
    esac
    [ -n "$absent" ] || exit 0
    say "this machine has no apt-get, so install these in its own way, then run this again:$absent"
    if [ "$(uname -s)" = Darwin ]; then
        say 'on macOS: xcode-select --install, and with Homebrew: brew install pkg-config curl inih' \
            'jansson; for the tests also cmocka, mandoc, shellcheck and what else is named above'
    fi
    exit 1
}

case $#:${1:-} in
0:) groups='build test' ;;
1:build | 1:test) groups=$1 ;;
*)
    say "usage: $0 [build | test]"
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
    without_apt
fi

packages=
case $groups in *build*) packages=$build_packages ;; esac
case $groups in *test*) packages="$packages $test_packages" ;; esac
# shellcheck disable=SC2086 # a list of names, to be split
ensure $packages
case $groups in *test*) ensure_clang_runtime ;; esac
