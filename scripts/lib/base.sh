# shellcheck shell=bash
# What scripts/test and scripts/demo share: telling, finding a Python, installing Debian packages.

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }
die() {
    complain "error: $*"
    exit 1
}

# Debian packages of the lab: they boot its hosts and reach them.
# shellcheck disable=SC2034
lab_packages=(systemd-container iproute2 openssh-client mmdebstrap socat zstd)

# Debian packages with which the tests make media and boot them.
# shellcheck disable=SC2034
media_packages=(xorriso qemu-system-x86 ovmf grub-pc-bin grub-efi-amd64-bin grub-common mtools)

# Prints the real path (never a shim) of the first Python of 3.11 to 3.13 that can make virtual environments.
find_python() {
    local candidate
    for candidate in python3.11 python3 python3.12 python3.13 /usr/bin/python3; do
        command -v "$candidate" >/dev/null || continue
        "$candidate" - 2>/dev/null <<'PYTHON' && return
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(1)
import ensurepip, venv
print(sys.executable)
PYTHON
    done
    return 1
}

# As find_python, but as root installs what is missing first.
need_python() {
    find_python && return
    install_packages python3 python3-venv >&2 || true
    find_python || die "no Python 3.11 to 3.13 with venv and pip found: install the Debian package python3-venv"
}

# Installs those of the named Debian packages that are missing. Fails, saying why, when that is not possible.
install_packages() {
    local package missing=() log=.cache/logs/apt.log
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || { complain "not a Debian machine, missing: ${missing[*]}"; return 1; }
    [ "$(id -u)" = 0 ] || { complain "not root, so these Debian packages stay missing: ${missing[*]}"; return 1; }
    mkdir -p "${log%/*}"
    say "installing Debian packages: ${missing[*]}"
    if ! apt_install "${missing[@]}" >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        complain "apt-get could not install ${missing[*]} (whole output in $log)"
        return 1
    fi
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    # The lists may be old or absent: they are fetched only when the installation does not work without.
    apt-get install --yes --no-install-recommends "$@" </dev/null ||
        { apt-get update </dev/null && apt-get install --yes --no-install-recommends "$@" </dev/null; }
}
