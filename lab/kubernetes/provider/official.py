"""Upstream's own Kubernetes: from a directory that the user has, or from a mirror of its downloads."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from lab.hosts import base
from lab.kubernetes.provider import Delivery, common, images
from lab.kubernetes.provider.errors import ProviderError

_PROGRAMS = ("kubelet", "kubeadm", "kubectl")
_AS_FILES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)$")
_TIMEOUT = (10.0, 120.0)
# In a delivery that lacks an image which may be had another time: it is made anew then.
_INCOMPLETE = "incomplete"


def deliver(place: str, words: Sequence[str], helm: Path | None, *, say: Callable[[str], None]) -> Delivery:
    """From a directory (``<version>/{kubelet,kubeadm,kubectl,images/*.tar}``), or from a URL with these versions.

    A URL is one laid out as dl.k8s.io: ``<url>/v<version>/bin/linux/<architecture>/kubelet`` with ``.sha256`` beside it. The
    images that are not there are copied by skopeo from the registry that kubeadm names, or from the one that a word
    ``registry=HOST`` among the versions names. Raises ProviderError.
    """
    versions = [word for word in words if not word.startswith("registry=")]
    registry = next((word.partition("=")[2] for word in words if word.startswith("registry=")), "")
    remote = "://" in place
    if remote and not versions:
        raise ProviderError(
            f"--kubernetes official={place}: name the versions too, as in official={place},1.31.1,1.31.4"
        )
    found = sorted(_parsed(place, versions) if remote else _listed(Path(os.path.expanduser(place)), versions), key=_key)
    where = place.rstrip("/") if remote else str(Path(os.path.expanduser(place)).absolute())
    stamps = [] if remote else _stamps(Path(where))
    key = hashlib.sha256(" ".join([where, registry, *found, *stamps]).encode()).hexdigest()[:12]
    target = base.cache_directory() / f"kubernetes-official-{key}"
    try:
        with base.locked(common.lock()):
            common.clear()
            if (target / _INCOMPLETE).exists():
                common.remove(target)
            if not target.is_dir():
                with base.finished_at(target) as work:
                    for version in found:
                        say(f"Kubernetes {version}: from {where}")
                        (work / version / "images").mkdir(parents=True)
                        if remote:
                            _download(where, version, work / version)
                        else:
                            _copy(Path(where), version, work / version)
                        _complete(work / version, version, registry, say)
                    common.application(work, say)
    except OSError as error:
        raise ProviderError(f"Kubernetes from {where} cannot be kept: {error.strerror or error}") from error
    return Delivery("official", f"{', '.join(found)} from {where}", "kubeadm", target, tuple(found), helm)


def _parsed(place: str, versions: Sequence[str]) -> list[str]:
    wrong = [one for one in versions if not _VERSION.match(one)]
    if wrong:
        raise ProviderError(f"--kubernetes official={place}: '{wrong[0]}' is no version such as 1.31.1")
    return sorted({one.removeprefix("v") for one in versions})


def _listed(place: Path, versions: Sequence[str]) -> list[str]:
    """The versions in a directory, or those of them that were named."""
    try:
        names = [path.name.removeprefix("v") for path in place.iterdir() if path.is_dir() and _VERSION.match(path.name)]
    except OSError as error:
        raise ProviderError(f"--kubernetes official={place}: {error.strerror}") from error
    if not names:
        raise ProviderError(
            f"--kubernetes official={place}: it has no folder with the name of a version, such as 1.31.1"
        )
    wanted = _parsed(str(place), versions) or names
    absent = [one for one in wanted if one not in names]
    if absent:
        raise ProviderError(
            f"--kubernetes official={place}: {absent[0]} is not there; there is {', '.join(sorted(names))}"
        )
    return wanted


def _stamps(place: Path) -> list[str]:
    """Changes when a file of the directory does."""
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]


def _copy(place: Path, version: str, target: Path) -> None:
    source = place / version if (place / version).is_dir() else place / f"v{version}"
    for name in (*_PROGRAMS, "crictl"):
        if (source / name).is_file():
            shutil.copy(source / name, target / name)
            (target / name).chmod(0o755)
        elif name in _PROGRAMS:
            raise ProviderError(f"{source} has no {name}")
    for archive in (source / "images").glob("*.tar"):
        shutil.copy(archive, target / "images" / archive.name)


def _download(url: str, version: str, target: Path) -> None:
    top = f"{url}/v{version}/bin/linux/{images.architecture()}"
    with requests.Session() as session:
        for name in _PROGRAMS:
            _fetch(session, f"{top}/{name}", target / name)
            (target / name).chmod(0o755)
        for name in _AS_FILES:
            _fetch(session, f"{top}/{name}.tar", target / "images" / f"{name}.tar", may_lack=True)


def _fetch(session: requests.Session, url: str, target: Path, *, may_lack: bool = False) -> None:
    """Download a file and hold it against the checksum beside it. Raises ProviderError."""
    digest = hashlib.sha256()
    try:
        with session.get(url, stream=True, timeout=_TIMEOUT) as reply:
            if reply.status_code == 404 and may_lack:
                return
            reply.raise_for_status()
            with target.open("wb") as file:
                for block in reply.iter_content(1 << 20):
                    digest.update(block)
                    file.write(block)
        wanted = session.get(f"{url}.sha256", timeout=_TIMEOUT)
        wanted.raise_for_status()
    except requests.RequestException as error:
        raise ProviderError(f"{url} cannot be downloaded: {error}") from error
    if digest.hexdigest() not in wanted.text.split():
        raise ProviderError(f"{url} is not what its checksum says: the download is broken, or not what it claims to be")


def _complete(target: Path, version: str, registry: str, say: Callable[[str], None]) -> None:
    """Have the images that kubeadm wants and the source did not bring, from the registries that it names."""
    listed = subprocess.run(
        [str(target / "kubeadm"), "config", "images", "list", f"--kubernetes-version=v{version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        raise ProviderError(f"kubeadm {version} does not run: {' '.join(listed.stderr.split())[:300]}")
    have = {archive.name.removesuffix(".tar") for archive in (target / "images").glob("*.tar")}
    for image in listed.stdout.split():
        name = image.rpartition("/")[2].partition(":")[0]
        if name in have:
            continue
        say(f"Kubernetes {version}: image {image}")
        refused = _copied(image, target / "images" / f"{name}.tar", registry)
        if refused and name == "coredns":
            # All else works without it.
            (target.parent / _INCOMPLETE).touch()
            say(f"Kubernetes {version}: there will be no cluster DNS, as its image cannot be had: {refused}")
        elif refused:
            raise ProviderError(f"image {image} is not in {target.name}/images and cannot be fetched: {refused}")


def _copied(image: str, archive: Path, registry: str) -> str:
    """Copy an image from its registry, or from another; returns why that was not possible, or nothing."""
    source = f"{registry.partition('://')[2] or registry}/{image.partition('/')[2]}" if registry else image
    plain = ["--src-tls-verify=false"] if registry.startswith("http://") else []
    command = ["skopeo", "copy", "--quiet", *plain, f"docker://{source}", f"docker-archive:{archive}:{image}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "skopeo is not installed (apt-get install skopeo)"
    if done.returncode:
        archive.unlink(missing_ok=True)
        return " ".join(done.stderr.split())[-300:] or f"skopeo ended with status {done.returncode}"
    return ""


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
