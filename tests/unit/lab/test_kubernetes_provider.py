"""The providers of Kubernetes: which is chosen, what is kept of a build, and images that can be read back."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import base
from lab.kubernetes.provider import Delivery, ProviderError, built, common, deliver, helm, images, k3s

SOURCE = "kubernetes_1.20.5+really1.20.2-1"
FIND = helm.find


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, so that nothing of the user's is read or written; Helm is not looked for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(helm, "find", lambda say: None)
    return tmp_path / "cache" / "palette-edge-lab"


def _quiet(text: str) -> None:
    """Nobody listens."""


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


# -- which one


def test_none_is_none() -> None:
    found = deliver("none", say=_quiet)
    assert (found.provider, found.directory, found.versions) == ("none", None, ())
    assert "as asked" in found.says


def test_auto_falls_back_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "impossible", lambda: "not root, which building it needs")
    found = deliver("auto", say=_quiet)
    assert found.provider == "none"
    assert "not root" in found.says


def test_what_is_asked_for_by_name_does_not_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "impossible", lambda: "not root, which building it needs")
    with pytest.raises(ProviderError, match="--kubernetes built: not root"):
        deliver("built", say=_quiet)


@pytest.mark.parametrize(
    "wish", ["", "kind", "official", "official=", "k3s", "k3s=", "built=1.20.2", "none=1", "auto=x"]
)
def test_another_wish_is_refused_with_those_there_are(wish: str) -> None:
    with pytest.raises(ProviderError, match="not one of auto, built, official=DIR"):
        deliver(wish, say=_quiet)


@pytest.mark.parametrize(
    "delivery",
    [
        Delivery("built", "words", "kubeadm", Path("/there"), ("1.20.2", "1.20.3"), Path("/usr/bin/helm")),
        Delivery.nothing("as asked"),
    ],
)
def test_a_delivery_survives_json(delivery: Delivery) -> None:
    assert Delivery.from_data(json.loads(json.dumps(delivery.as_data()))) == delivery


def test_no_data_is_no_delivery() -> None:
    assert Delivery.from_data({}).provider == "none"


# -- built: whether it can be


@pytest.fixture
def able(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which it could be built; returns the directory of its programs."""
    tools = _program(tmp_path / "bin" / "mmdebstrap", "exit 1").parent
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(built, "_NEEDED", 1)
    return tools


def test_it_can_be_built(able: Path) -> None:
    assert built.impossible() == ""


def test_only_root_can_build_it(able: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "not root" in built.impossible()


def test_what_is_there_is_had_by_anyone(able: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    built.folder().mkdir(parents=True)
    assert built.impossible() == ""


def test_building_needs_mmdebstrap_and_room(able: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "_NEEDED", 1 << 60)
    assert "are free" in built.impossible()
    monkeypatch.setenv("PATH", str(able.parent))
    assert "apt-get install mmdebstrap" in built.impossible()
    (cache / f"{SOURCE}-{built.recipe_hash()}.tar.zst").touch()
    assert built.impossible() == ""


def test_the_hash_changes_with_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = built.recipe_hash()
    monkeypatch.setattr(built, "_SCRIPT", _program(tmp_path / "build.sh", "true"))
    changed = built.recipe_hash()
    monkeypatch.setattr(built, "VERSIONS", ("1.20.2",))
    assert len({before, changed, built.recipe_hash()}) == 3


# -- built: what is kept


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A build that takes a moment and compiles nothing; the roots that it was run in."""
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    roots: list[Path] = []

    def build(root: Path, say: Callable[[str], None]) -> str:
        roots.append(root)
        (root / "go").mkdir(parents=True)
        time.sleep(0.2)
        return SOURCE

    def collect(root: Path, work: Path) -> None:
        (work / "1.20.2").mkdir()
        (work / "1.20.2" / "kubelet").write_text("kubelet")

    monkeypatch.setattr(built, "_build", build)
    monkeypatch.setattr(built, "_collect", collect)
    return roots


def _kept(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {"kubernetes.lock"}


def test_two_that_start_together_build_it_once(builds: list[Path], cache: Path) -> None:
    found: list[Delivery] = []
    said: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(built.deliver(None, say=said.append))) for _one in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert len(builds) == 1
    assert len([line for line in said if "three to six minutes" in line]) == 1
    assert SOURCE in found[0].says
    assert _kept(cache) == {built.folder().name, f"{SOURCE}-{built.recipe_hash()}.tar.zst"}
    assert {path.name for path in built.folder().iterdir()} == {"1.20.2", "source"}


def test_the_archive_is_enough(builds: list[Path]) -> None:
    first = built.deliver(None, say=_quiet)
    shutil.rmtree(built.folder())
    said: list[str] = []
    assert built.deliver(None, say=said.append) == first
    assert (built.folder() / "1.20.2" / "kubelet").read_text() == "kubelet"
    assert (len(builds), said) == (1, ["unpacking Kubernetes"])


def test_what_a_failed_build_left_goes_away(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(work: Path, *more: Any, **options: Any) -> None:
        # Go's module cache is read-only, too.
        (work / "go").mkdir()
        (work / "go").chmod(0o500)
        raise base.BaseRootError("making a Debian root with mmdebstrap failed with status 100: E: no such host")

    monkeypatch.setattr(base, "mmdebstrap", refuse)
    (cache / "kubernetes-x.tmp-1").mkdir(parents=True)
    with pytest.raises(ProviderError, match=r"cannot be built: .*E: no such host"):
        built.deliver(None, say=_quiet)
    assert _kept(cache) == set()


def test_an_archive_without_the_whole_source_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Mapping[str, Any]] = []
    monkeypatch.setattr(base, "mmdebstrap", lambda work, packages, hooks, **options: asked.append(options))
    with pytest.raises(ProviderError, match="no whole source package"):
        built._build(tmp_path / "root", _quiet)
    assert asked == [{"source": True}]


def test_progress_counts_packages_and_keeps_the_last_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built, "_TELL_EVERY", 0.0)
    text = r"printf 'k8s.io/api/core/v1\nerrors: something odd\nvendor/golang.org/x/net/http2\nlast\n'"
    said: list[str] = []
    with subprocess.Popen(["sh", "-c", text], stdout=subprocess.PIPE, text=True) as process:
        last = built._follow(process, said.append)
    assert said[-1].startswith("Kubernetes: 2 of about ")
    assert last == ["errors: something odd", "vendor/golang.org/x/net/http2", "last"]


def test_programs_and_images_have_the_names_that_kubeadm_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, work = tmp_path / "root", tmp_path / "work"
    for version in built.VERSIONS:
        for name in ("kubelet", "kubeadm", "kubectl", *built._CONTROL_PLANE, "kube-proxy"):
            _program(root / "out" / version / name, f"echo {name} {version}")
    for path in ("out/pause", "usr/lib/x/libm.so.6", "usr/lib/x/xtables/libxt_statistic.so", "usr/bin/any"):
        _program(root / path, "")
    wanted: list[list[str]] = []

    def from_root(place: Path, programs: Sequence[str]) -> dict[str, Path]:
        wanted.append(list(programs))
        return {program.lstrip("/"): place / "usr/bin/any" for program in programs}

    monkeypatch.setattr(images, "from_root", from_root)
    monkeypatch.setattr(images, "application", lambda place, archive: None)
    built._collect(root, work)
    assert "/usr/lib/x/libm.so.6" in wanted[0]
    assert wanted[1] == ["/usr/bin/etcd", "/usr/bin/etcdctl"]
    for version in built.VERSIONS:
        assert f"kubelet {version}" in (work / version / "kubelet").read_text()
        assert os.access(work / version / "kubeadm", os.X_OK)
        names = [_read(archive)[0] for archive in sorted((work / version / "images").glob("*.tar"))]
        assert names == [
            "k8s.gcr.io/etcd:3.4.13-0",
            f"k8s.gcr.io/kube-apiserver:v{version}",
            f"k8s.gcr.io/kube-controller-manager:v{version}",
            f"k8s.gcr.io/kube-proxy:v{version}",
            f"k8s.gcr.io/kube-scheduler:v{version}",
            "k8s.gcr.io/pause:3.2",
        ]
        layer = _read(work / version / "images" / "kube-proxy.tar")[2]
        assert layer.getmember("usr/sbin/ip6tables-restore").linkname == "xtables-nft-multi"


# -- images


def _read(archive: Path) -> tuple[str, dict[str, Any], tarfile.TarFile]:
    """The name, configuration and layer of an image, held against the checksums in it."""
    with tarfile.open(archive) as tar:

        def content(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member is not None
            return member.read()

        (manifest,) = json.loads(content("manifest.json"))
        text = content(manifest["Config"])
        (packed,) = [content(name) for name in manifest["Layers"]]
    assert manifest["Config"] == f"{hashlib.sha256(text).hexdigest()}.json"
    config = json.loads(text)
    assert config["rootfs"] == {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(packed).hexdigest()}"]}
    (name,) = manifest["RepoTags"]
    return name, config, tarfile.open(fileobj=io.BytesIO(packed))


def test_an_image_can_be_read_back(tmp_path: Path) -> None:
    program = _program(tmp_path / "program", "echo it")
    program.chmod(0o600)
    images.write(tmp_path / "a.tar", "lab/it:1", {"bin/it": program}, links={"bin/that": "it"}, entrypoint=["/bin/it"])
    name, config, layer = _read(tmp_path / "a.tar")
    assert name == "lab/it:1"
    assert (config["os"], config["config"]["Entrypoint"]) == ("linux", ["/bin/it"])
    assert "/usr/bin" in config["config"]["Env"][0]
    assert layer.getnames() == ["bin/it", "bin/that"]
    assert layer.getmember("bin/it").mode == 0o755
    assert layer.getmember("bin/that").linkname == "it"
    member = layer.extractfile("bin/it")
    assert member is not None
    assert member.read() == program.read_bytes()
    assert [path.name for path in tmp_path.glob("a.*")] == ["a.tar"]


def test_the_same_content_is_the_same_image(tmp_path: Path) -> None:
    one, other = _program(tmp_path / "one", "echo"), _program(tmp_path / "other", "echo")
    os.utime(other, (1, 1))
    images.write(tmp_path / "a.tar", "lab/it:1", {"b": one, "a": one})
    images.write(tmp_path / "b.tar", "lab/it:1", {"a": other, "b": other})
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_links_are_followed_as_in_the_root(tmp_path: Path) -> None:
    program = _program(tmp_path / "usr/sbin/iptables-nft", "")
    (tmp_path / "etc/alternatives").mkdir(parents=True)
    (tmp_path / "etc/alternatives/iptables").symlink_to("/usr/sbin/iptables-nft")
    (tmp_path / "usr/sbin/iptables").symlink_to("/etc/alternatives/iptables")
    (tmp_path / "usr/sbin/iptables-short").symlink_to("iptables-nft")
    (tmp_path / "sbin").symlink_to("usr/sbin")
    assert images._inside(tmp_path, "/sbin/iptables").samefile(program)
    assert images._inside(tmp_path, "/sbin/iptables-short").samefile(program)
    (tmp_path / "usr/sbin/loop").symlink_to("/usr/sbin/loop")
    with pytest.raises(ProviderError, match="leads nowhere"):
        images._inside(tmp_path, "/usr/sbin/loop")


# -- k3s


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's own image without a root to take it from."""
    monkeypatch.setattr(common, "application", lambda work, say: (work / "images").mkdir())


def test_k3s_is_asked_for_its_version(tmp_path: Path, plain: None) -> None:
    binary = _program(tmp_path / "k3s", "echo 'k3s version v1.31.4+k3s1 (a562d090)'; echo 'go version go1.22.9'")
    (tmp_path / "k3s-airgap-images-amd64.tar.zst").write_text("images")
    found = deliver(f"k3s={binary}", say=_quiet)
    assert (found.provider, found.distribution, found.versions) == ("k3s", "k3s", ("1.31.4",))
    assert found.directory is not None
    assert os.access(found.directory / "1.31.4" / "k3s", os.X_OK)
    assert (found.directory / "1.31.4" / "images" / "k3s-airgap-images-amd64.tar.zst").is_file()


@pytest.mark.parametrize("text", ["echo kubectl 1.31", "echo k3s version v1.31.4; exit 3"])
def test_what_is_no_k3s_is_refused(tmp_path: Path, plain: None, text: str) -> None:
    with pytest.raises(ProviderError, match="does not name a version"):
        k3s.deliver(_program(tmp_path / "k3s", text), None, say=_quiet)


def test_a_k3s_that_is_no_program_is_refused(tmp_path: Path, plain: None) -> None:
    with pytest.raises(ProviderError, match="there is no program"):
        k3s.deliver(tmp_path / "absent", None, say=_quiet)
    (tmp_path / "k3s").write_text("k3s version v1.31.4")
    with pytest.raises(ProviderError, match="there is no program"):
        k3s.deliver(tmp_path / "k3s", None, say=_quiet)


# -- Helm


def test_helm_of_the_machine_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _program(tmp_path / "bin" / "helm", "")
    monkeypatch.setenv("PATH", str(own.parent))
    assert FIND(_quiet) == own


def test_without_helm_it_is_said(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(_program(tmp_path / "python", "exit 1")))
    said: list[str] = []
    assert FIND(said.append) is None
    assert len(said) == 1
    assert "packs with charts fail" in said[0]
    assert list(cache.iterdir()) == []
