"""Upstream's own Kubernetes, from a directory and from a mirror: whole and as its checksums say, or not at all."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.kubernetes.provider import ProviderError, common, deliver, helm, images

OWN = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
REGISTRY = "registry.k8s.io"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no Helm, no skopeo, and the lab's own image without a root to take it from."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(helm, "find", lambda say: None)
    monkeypatch.setattr(common, "application", lambda work, say: (work / "images").mkdir())
    return tmp_path / "cache" / "palette-edge-lab"


def _quiet(text: str) -> None:
    """Nobody listens."""


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _kubeadm(path: Path, version: str, *, images_wanted: tuple[str, ...] = ("etcd:3.5", "pause:3.10")) -> None:
    names = [f"{REGISTRY}/{name}:v{version}" for name in OWN] + [f"{REGISTRY}/{name}" for name in images_wanted]
    answer = "\n".join(f"echo {name}" for name in names)
    _program(path, f'[ "$1 $2 $3 $4" = "config images list --kubernetes-version=v{version}" ] || exit 1\n{answer}')


def _release(place: Path, version: str, *, archives: tuple[str, ...] = (*OWN, "etcd", "pause")) -> Path:
    """A directory of the user's with one version."""
    folder = place / version
    _kubeadm(folder / "kubeadm", version.removeprefix("v"))
    for name in ("kubelet", "kubectl"):
        _program(folder / name, f"echo {version}")
    for name in archives:
        (folder / "images").mkdir(exist_ok=True)
        (folder / "images" / f"{name}.tar").write_text(name)
    return folder


def _left(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {"kubernetes.lock"} if cache.is_dir() else set()


# -- a directory


def test_the_versions_of_a_directory_ascend_as_numbers(tmp_path: Path) -> None:
    for version in ("1.10.0", "v1.9.11", "1.9.2"):
        _release(tmp_path / "mine", version)
    (tmp_path / "mine" / "notes").mkdir()
    found = deliver(f"official={tmp_path / 'mine'}", say=_quiet)
    assert (found.provider, found.distribution) == ("official", "kubeadm")
    assert found.versions == ("1.9.2", "1.9.11", "1.10.0")
    assert found.directory is not None
    for version in found.versions:
        assert os.access(found.directory / version / "kubelet", os.X_OK)
        assert len(list((found.directory / version / "images").glob("*.tar"))) == 6


def test_only_the_named_versions_are_taken(tmp_path: Path) -> None:
    for version in ("1.31.1", "1.31.4", "1.32.0"):
        _release(tmp_path / "mine", version)
    assert deliver(f"official={tmp_path / 'mine'},v1.31.4,1.31.1", say=_quiet).versions == ("1.31.1", "1.31.4")
    with pytest.raises(ProviderError, match=r"1\.30\.0 is not there; there is 1\.31\.1"):
        deliver(f"official={tmp_path / 'mine'},1.30.0", say=_quiet)


def test_a_directory_that_is_none_is_said(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ProviderError, match=r"official=.*absent: No such file or directory"):
        deliver(f"official={tmp_path / 'absent'}", say=_quiet)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProviderError, match="no folder with the name of a version"):
        deliver(f"official={tmp_path / 'empty'}", say=_quiet)
    assert _left(cache) == set()


def test_a_missing_program_is_said_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    (_release(tmp_path / "mine", "1.31.1") / "kubelet").unlink()
    with pytest.raises(ProviderError, match=r"mine/1\.31\.1 has no kubelet"):
        deliver(f"official={tmp_path / 'mine'}", say=_quiet)
    assert _left(cache) == set()


# -- images that the source lacks


def test_without_skopeo_a_missing_image_is_said(tmp_path: Path, cache: Path) -> None:
    _release(tmp_path / "mine", "1.31.1", archives=(*OWN, "pause"))
    with pytest.raises(ProviderError, match=r"image registry.k8s.io/etcd:3\.5 .*skopeo is not installed"):
        deliver(f"official={tmp_path / 'mine'}", say=_quiet)
    assert _left(cache) == set()


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("", f"copy --quiet docker://{REGISTRY}/etcd:3.5"),
        (",registry=mirror.example:5000", "copy --quiet docker://mirror.example:5000/etcd:3.5"),
        (",registry=http://mirror.example", "copy --quiet --src-tls-verify=false docker://mirror.example/etcd:3.5"),
    ],
)
def test_missing_images_are_copied_under_their_names(tmp_path: Path, word: str, wanted: str) -> None:
    _release(tmp_path / "mine", "1.31.1", archives=(*OWN, "pause"))
    log = tmp_path / "skopeo.log"
    _program(
        tmp_path / "bin" / "skopeo",
        f'echo "$@" >> {log}\nfor last in "$@"; do :; done\n: > "$(IFS=:; set -- $last; echo $2)"',
    )
    found = deliver(f"official={tmp_path / 'mine'},1.31.1{word}", say=_quiet)
    assert found.directory is not None
    assert (found.directory / "1.31.1" / "images" / "etcd.tar").is_file()
    (line,) = log.read_text().splitlines()
    source, _space, target = line.rpartition(" ")
    assert source == wanted
    # Whatever registry it comes from, kubeadm looks for it under the name that it told.
    assert target.startswith("docker-archive:")
    assert target.endswith(f"/images/etcd.tar:{REGISTRY}/etcd:3.5")


def test_only_the_image_of_the_dns_may_lack(tmp_path: Path, cache: Path) -> None:
    folder = _release(tmp_path / "mine", "1.31.1")
    _program(tmp_path / "bin" / "skopeo", "echo manifest unknown >&2; exit 1")
    _kubeadm(folder / "kubeadm", "1.31.1", images_wanted=("coredns/coredns:v1.11",))
    said: list[str] = []
    assert deliver(f"official={tmp_path / 'mine'}", say=said.append).versions == ("1.31.1",)
    assert [line for line in said if "no cluster DNS" in line and "manifest unknown" in line]
    _release(tmp_path / "other", "1.31.1", archives=OWN)
    with pytest.raises(ProviderError, match="manifest unknown"):
        deliver(f"official={tmp_path / 'other'}", say=_quiet)


# -- a mirror


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A mirror laid out as dl.k8s.io with 1.31.1 and 1.31.4: its directory, and its URL."""
    place = tmp_path / "mirror"
    for version in ("1.31.1", "1.31.4"):
        top = place / f"v{version}" / "bin" / "linux" / images.architecture()
        _kubeadm(top / "kubeadm", version, images_wanted=())
        for name in ("kubelet", "kubectl", *(f"{name}.tar" for name in OWN)):
            (top / name).write_text(f"{name} {version}")
        for path in list(top.iterdir()):
            (top / f"{path.name}.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    handler = functools.partial(_Quiet, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield place, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _file(mirror: tuple[Path, str], name: str) -> Path:
    return mirror[0] / "v1.31.4" / "bin" / "linux" / images.architecture() / name


def test_programs_and_images_come_from_a_mirror(mirror: tuple[Path, str]) -> None:
    found = deliver(f"official={mirror[1]}/,1.31.4,v1.31.1", say=_quiet)
    assert found.versions == ("1.31.1", "1.31.4")
    assert found.directory is not None
    for version in found.versions:
        assert (found.directory / version / "kubelet").read_text() == f"kubelet {version}"
        assert os.access(found.directory / version / "kubelet", os.X_OK)
        assert {path.name for path in (found.directory / version / "images").iterdir()} == {f"{one}.tar" for one in OWN}


def test_what_was_had_is_not_asked_for_again(mirror: tuple[Path, str]) -> None:
    first = deliver(f"official={mirror[1]},1.31.4", say=_quiet)
    _file(mirror, "kubelet").unlink()
    assert deliver(f"official={mirror[1]},1.31.4", say=_quiet) == first


@pytest.mark.parametrize("name", ["kubelet", "kube-proxy.tar"])
def test_what_is_not_as_its_checksum_says_is_refused(mirror: tuple[Path, str], cache: Path, name: str) -> None:
    _file(mirror, name).write_text("other")
    with pytest.raises(ProviderError, match=f"/{name} is not what its checksum says"):
        deliver(f"official={mirror[1]},1.31.4", say=_quiet)
    assert _left(cache) == set()


@pytest.mark.parametrize("name", ["kubelet", "kubelet.sha256"])
def test_what_is_not_on_the_mirror_is_said(mirror: tuple[Path, str], cache: Path, name: str) -> None:
    _file(mirror, name).unlink()
    with pytest.raises(ProviderError, match=f"kubelet cannot be downloaded: 404 .*/{name}"):
        deliver(f"official={mirror[1]},1.31.4", say=_quiet)
    assert _left(cache) == set()


def test_a_mirror_needs_versions(mirror: tuple[Path, str]) -> None:
    with pytest.raises(ProviderError, match="name the versions too"):
        deliver(f"official={mirror[1]}", say=_quiet)
    with pytest.raises(ProviderError, match="'latest' is no version"):
        deliver(f"official={mirror[1]},latest", say=_quiet)
