"""Container images from single files, written as archives that containerd imports: no registry and no builder needed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lab.kubernetes.provider.errors import ProviderError

APP_IMAGE = "docker.io/library/busybox:1.35"
_ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """This machine's architecture in Go's words, such as amd64."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def write(
    archive: Path,
    name: str,
    files: Mapping[str, Path],
    *,
    links: Mapping[str, str] | None = None,
    entrypoint: Sequence[str] = (),
) -> None:
    """Write an image of one layer as a docker-archive, the same bytes for the same content.

    :param files: what is at each path of the image (without a leading /), executable.
    :param links: symbolic links, by their path.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for path, source in sorted(files.items()):
            _add(tar, path, source.read_bytes(), mode=0o755)
        for path, target in sorted((links or {}).items()):
            info = tarfile.TarInfo(path)
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
            tar.addfile(info)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Env": _ENV, "Entrypoint": list(entrypoint) or None},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{}],
    }
    text = json.dumps(config, sort_keys=True).encode()
    identity = hashlib.sha256(text).hexdigest()
    manifest = [{"Config": f"{identity}.json", "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial")
    with tarfile.open(partial, mode="w") as tar:
        _add(tar, f"{identity}.json", text)
        _add(tar, f"{digest}/layer.tar", layer.getvalue())
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    partial.rename(archive)


def from_root(root: Path, programs: Iterable[str]) -> dict[str, Path]:
    """Programs of a Debian root with the libraries that they load, for `write`."""
    found: dict[str, Path] = {}
    for program in programs:
        found[program.lstrip("/")] = _inside(root, program)
        # ldd says "not a dynamic executable" of what is static, and fails.
        done = subprocess.run(["chroot", str(root), "ldd", program], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            for library in [word for word in line.split() if word.startswith("/")][:1]:
                found[library.lstrip("/")] = _inside(root, library)
    return found


def application(root: Path, archive: Path) -> None:
    """Write the image for the lab's own pods: the static busybox of a Debian root."""
    listed = subprocess.run(
        ["chroot", str(root), "/bin/busybox", "--list"], capture_output=True, text=True, check=False
    )
    if listed.returncode:
        raise ProviderError(f"the busybox of {root} does not run: {' '.join(listed.stderr.split())}")
    links = {f"bin/{name}": "busybox" for name in listed.stdout.split() if name != "busybox"}
    write(archive, APP_IMAGE, {"bin/busybox": root / "bin/busybox"}, links=links)


def _inside(root: Path, path: str) -> Path:
    """The file that a path of the root leads to, its links followed as in the root."""
    current = path
    for _step in range(20):
        folder = os.path.realpath(f"{root}{os.path.dirname(current)}")
        target = Path(folder) / os.path.basename(current)
        if not target.is_symlink():
            return target
        link = os.readlink(target)
        current = link if link.startswith("/") else f"{folder.removeprefix(os.path.realpath(root))}/{link}"
    raise ProviderError(f"{path} of {root} is a link that leads nowhere")


def _add(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))
