#!/bin/sh
# Checks that programs are there; as root on Debian installs the missing ones, else says how to.
# Usage: infra/system_packages.sh ffmpeg:ffmpeg espeak-ng:espeak-ng …   (program:package)
set -eu

missing=""
for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing system packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # a list of words
    apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null 2>&1 && exit 0
    apt-get update -qq </dev/null
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
else
    echo "missing system packages:$missing" >&2
    echo "install them, on Debian and Ubuntu with:  sudo apt-get install$missing" >&2
    exit 1
fi
