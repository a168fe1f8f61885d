"""Making a release: the assets in a folder as GitHub has them, ``v<version>/<asset>``."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

FILES = Path(__file__).resolve().parent / "files"
ARCHITECTURES = ("amd64", "arm64")


def release(folder: Path, version: str, *, base: str = "https://example.invalid/download") -> dict[str, str]:
    """Write the assets of ``version`` (``4.8.21``) below ``folder``; returns the SHA-256 of each by its name.

    The same version gives the same bytes. ``base`` is where the imitated script would fetch the program by itself.
    """
    there = folder / f"v{version}"
    there.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, content in assets(version, base=base).items():
        (there / name).write_bytes(content)
        written[name] = hashlib.sha256(content).hexdigest()
    return written


def assets(version: str, *, base: str) -> dict[str, bytes]:
    """The content of each asset."""
    filled = {"VERSION": f"v{version}", "BASE": base, "UNINSTALL": _text("spectro-uninstall.sh").strip()}
    program = _filled("palette-agent.sh", filled)
    made: dict[str, bytes] = {"spectro-uninstall-linux-amd64.sh": _text("spectro-uninstall.sh").encode()}
    for fips in ("", "-fips"):
        made[f"palette-agent-install{fips}.sh"] = _filled("palette-agent-install.sh", {**filled, "FIPS": fips})
        for architecture in ARCHITECTURES:
            made[f"palette-agent{fips}-linux-{architecture}"] = program
            made[f"agent-mode{fips}-linux-{architecture}.tar"] = _package(program)
    return made


def _package(program: bytes) -> bytes:
    """What is unpacked at / of a host: the agent, what installs it at the next boot, and its unit, enabled."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in ("var", "var/lib", "var/lib/spectro", "var/lib/spectro/stylus", "etc", "etc/systemd"):
            _add(archive, path, kind=tarfile.DIRTYPE, mode=0o755)
        for path in ("etc/systemd/system", "etc/systemd/system/multi-user.target.wants"):
            _add(archive, path, kind=tarfile.DIRTYPE, mode=0o755)
        _add(archive, "var/lib/spectro/stylus/palette-agent", program, mode=0o755)
        _add(archive, "var/lib/spectro/spectro-init.sh", _text("spectro-init.sh").encode(), mode=0o755)
        unit = "etc/systemd/system/spectro-init.service"
        _add(archive, unit, _text("spectro-init.service").encode(), mode=0o644)
        link = tarfile.TarInfo("etc/systemd/system/multi-user.target.wants/spectro-init.service")
        link.type, link.linkname = tarfile.SYMTYPE, f"/{unit}"
        archive.addfile(link)
    return stream.getvalue()


def _add(
    archive: tarfile.TarFile, path: str, content: bytes = b"", *, mode: int, kind: bytes = tarfile.REGTYPE
) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode, entry.type = len(content), mode, kind
    archive.addfile(entry, io.BytesIO(content))


def _filled(name: str, values: dict[str, str]) -> bytes:
    text = _text(name)
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.encode()


def _text(name: str) -> str:
    return (FILES / name).read_text()
