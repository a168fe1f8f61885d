"""A k3s binary that the user has."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from lab.hosts import base
from lab.kubernetes.provider import Delivery, common
from lab.kubernetes.provider.errors import ProviderError


def deliver(binary: Path, helm: Path | None, *, say: Callable[[str], None]) -> Delivery:
    """From the binary, and the archive of its images when that lies beside it. Raises ProviderError."""
    if not binary.is_file() or not os.access(binary, os.X_OK):
        raise ProviderError(f"--kubernetes k3s={binary}: there is no program")
    try:
        done = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise ProviderError(f"--kubernetes k3s={binary}: it does not run: {error}") from error
    match = re.search(r"^k3s version v(\d+\.\d+\.\d+)", done.stdout, re.M)
    if done.returncode or not match:
        raise ProviderError(f"--kubernetes k3s={binary}: 'k3s --version' does not name a version")
    version = match[1]
    digest = hashlib.sha256(str(binary.resolve()).encode() + str(binary.stat().st_mtime_ns).encode()).hexdigest()[:12]
    target = base.cache_directory() / f"kubernetes-k3s-{version}-{digest}"
    with base.locked(common.lock()):
        common.clear()
        if not target.is_dir():
            with base.finished_at(target) as work:
                (work / version / "images").mkdir(parents=True)
                shutil.copy(binary, work / version / "k3s")
                # Called by this name, it is one.
                (work / version / "kubectl").symlink_to("k3s")
                for archive in binary.parent.glob("k3s-airgap-images*.tar*"):
                    shutil.copy(archive, work / version / "images" / archive.name)
                common.application(work, say)
    return Delivery("k3s", f"k3s {version} from {binary}", "k3s", target, (version,), helm)
