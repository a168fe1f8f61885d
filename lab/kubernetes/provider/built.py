"""Kubernetes built from Debian's own source package, once, and kept in the cache.

Debian 12 has the source of 1.20.2 (February 2021), the newest that Debian has of the whole of Kubernetes. It is built in a
Debian root of its own, so that nothing is installed on the machine; programs and images are kept as one archive.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lab.hosts import base
from lab.kubernetes.provider import Delivery, common, images
from lab.kubernetes.provider.errors import ProviderError

# The second is the first with another name in it: enough for kubeadm, kubelet and everything else to upgrade for real.
VERSIONS = ("1.20.2", "1.20.3")
_PACKAGES = (
    "golang-go",
    "gcc",
    "libc6-dev",
    "golang-github-modern-go-reflect2-dev",
    "etcd-server",
    "etcd-client",
    "iptables",
    "conntrack",
    "busybox-static",
)
_SCRIPT = Path(__file__).with_name("build.sh")
_COMMANDS = ("kubelet", "kubeadm", "kubectl")
_CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
# What `go build -v` names when it compiles them all.
_ABOUT = 2070
_TELL_EVERY = 10.0
_NEEDED = 6 << 30  # bytes of disk while it is built
_REGISTRY = "k8s.gcr.io"
_LAYOUT = 1  # to be raised when other files are collected from the same build, or in another way


def recipe_hash() -> str:
    """Changes whenever anything that goes into the build changes."""
    recipe = [_LAYOUT, base.SUITE, images.architecture(), VERSIONS, _PACKAGES, _SCRIPT.read_text()]
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]


def folder() -> Path:
    """Where the delivery is, or would be."""
    return base.cache_directory() / f"kubernetes-{recipe_hash()}"


def archive() -> Path | None:
    """The archive of an earlier build, named after Debian's source version and the recipe."""
    found = sorted(base.cache_directory().glob(f"kubernetes_*-{recipe_hash()}.tar.zst"))
    return found[-1] if found else None


def impossible() -> str:
    """Why it can be neither found nor built here; empty when it can."""
    if folder().is_dir():
        return ""
    if os.geteuid() != 0:
        return "not root, which building it needs"
    if archive() is not None:
        return ""
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed, which building it needs (apt-get install mmdebstrap)"
    place = base.cache_directory()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(place).free
    if free < _NEEDED:
        return f"building it needs {_NEEDED >> 20} MiB of disk in {place}, {free >> 20} MiB are free"
    return ""


def deliver(helm: Path | None, *, say: Callable[[str], None]) -> Delivery:
    """From the cache, or built now. Raises ProviderError."""
    target = folder()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with base.locked(target.parent / "kubernetes.lock"):
            if not target.is_dir():
                _make(target, say)
    except base.BaseRootError as error:
        raise ProviderError(f"Kubernetes cannot be built: {error}") from error
    except OSError as error:
        raise ProviderError(f"Kubernetes cannot be kept in {target.parent}: {error.strerror or error}") from error
    source = (target / "source").read_text().strip()
    says = f"{' and '.join(VERSIONS)}, built from Debian's {source}"
    return Delivery("built", says, "kubeadm", target, VERSIONS, helm)


def _make(target: Path, say: Callable[[str], None]) -> None:
    common.clear()
    known = archive()
    with base.finished_at(target) as work:
        if known is not None:
            say("unpacking Kubernetes")
            base.unpack(known, work)
            return
        began = time.monotonic()
        say("building Kubernetes from Debian's source, once: three to six minutes on two cores, then it is kept")
        root = work / "root"
        try:
            source = _build(root, say)
            _collect(root, work)
        finally:
            common.remove(root)
        (work / "source").write_text(f"{source}\n")
        base.pack(work, target.parent / f"{source.replace(' ', '_')}-{recipe_hash()}.tar.zst")
        say(f"Kubernetes is built, after {time.monotonic() - began:.0f} s")


def _build(root: Path, say: Callable[[str], None]) -> str:
    """Build in a new Debian root; returns the name and version of the source package."""
    hook = (
        'mkdir -p "$1/src" && cd "$1/src" && '
        'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get source --download-only --quiet --quiet kubernetes'
    )
    root.mkdir()
    base.mmdebstrap(root, _PACKAGES, [hook], source=True)
    sources = sorted((root / "src").glob("kubernetes_*.dsc"))
    if not sources or not list((root / "src").glob("kubernetes_*.orig.tar.gz")):
        raise ProviderError("this machine's Debian archive has no whole source package of Kubernetes")
    say("Kubernetes: source and compiler are there, compiling")
    shutil.copy(_SCRIPT, root / "build.sh")
    # Go wants /proc and /dev/null; the mounts are in a namespace of their own and go with it.
    script = 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" sh /build.sh $2'
    # Should this be killed, the compiler shall not write on into a root that is being removed.
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", str(root)]
    command.append(" ".join(VERSIONS))
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    try:
        last = _follow(process, say)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    if process.returncode:
        raise ProviderError(f"building Kubernetes failed with status {process.returncode}: {' / '.join(last)}")
    return sources[-1].name.removesuffix(".dsc")


def _follow(process: subprocess.Popen[str], say: Callable[[str], None]) -> list[str]:
    """Tell how far the build is; returns the last lines that it said."""
    compiled, told = 0, time.monotonic()
    last: list[str] = []
    for line in process.stdout or ():
        last = [*last, line.strip()][-3:]
        compiled += bool(re.match(r"^[\w.-]+(/[\w.-]+)+$", line.strip()))
        if time.monotonic() - told > _TELL_EVERY:
            told = time.monotonic()
            say(f"Kubernetes: {compiled} of about {_ABOUT} packages compiled")
    return last


def _collect(root: Path, work: Path) -> None:
    """Programs and images out of the root in which they were built."""
    extensions = [f"/{path.relative_to(root)}" for path in root.glob("usr/lib/*/xtables/*.so")]
    # libxt_statistic loads libm by itself: without it a service with two endpoints has no rules.
    libm = [f"/{path.relative_to(root)}" for path in root.glob("usr/lib/*/libm.so.6")]
    proxy = images.from_root(root, ["/usr/sbin/xtables-nft-multi", "/usr/sbin/conntrack", *extensions, *libm])
    names = [f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore")]
    links = {f"usr/sbin/{name}": "xtables-nft-multi" for name in names}
    etcd = images.from_root(root, ["/usr/bin/etcd", "/usr/bin/etcdctl"])
    for version in VERSIONS:
        out, place = root / "out" / version, work / version
        (place / "images").mkdir(parents=True)
        for name in _COMMANDS:
            shutil.copy(out / name, place / name)
        for name in _CONTROL_PLANE:
            image = f"{_REGISTRY}/{name}:v{version}"
            images.write(place / "images" / f"{name}.tar", image, {f"usr/local/bin/{name}": out / name})
        files = {**proxy, "usr/local/bin/kube-proxy": out / "kube-proxy"}
        images.write(place / "images" / "kube-proxy.tar", f"{_REGISTRY}/kube-proxy:v{version}", files, links=links)
        # The tags are those that kubeadm 1.20 asks for.
        images.write(place / "images" / "etcd.tar", f"{_REGISTRY}/etcd:3.4.13-0", etcd)
        pause = {"pause": root / "out" / "pause"}
        images.write(place / "images" / "pause.tar", f"{_REGISTRY}/pause:3.2", pause, entrypoint=["/pause"])
    images.application(root, work / "images" / "busybox.tar")
