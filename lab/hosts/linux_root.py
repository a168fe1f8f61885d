"""What makes a base root one of a plain Linux: Python, and most of what the agent needs, but no trace of an Edge host.

One package that the agent needs is left out, and lies in a small archive of packages on the host itself: there is no way out
of the lab, and installing what is missing shall be real.
"""

from __future__ import annotations

PACKAGES = ("python3", "curl", "zstd", "rsync", "iptables", "conntrack", "rsyslog")
LEFT_OUT = ("jq", "libjq1", "libonig5")

# Follows the customization of all base roots. apt's own list of packages is written here, as apt-ftparchive may be missing.
CUSTOMIZE = f"""\
rmdir "$root/oem"
mkdir -p "$root/opt/packages"
cd "$root/opt/packages"
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download --quiet {" ".join(LEFT_OUT)}
for package in *.deb; do
    dpkg-deb --field "$package"
    printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "$package" "$(stat -c %s "$package")" \\
        "$(sha256sum "$package" | cut -d ' ' -f 1)"
done > Packages
rm -f "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
echo 'deb [trusted=yes] file:/opt/packages ./' > "$root/etc/apt/sources.list"
cd /
"""
