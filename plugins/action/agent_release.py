# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.agent_release: its documentation is in plugins/modules/agent_release.py."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide_text
from ansible_collections.palette.edge.plugins.plugin_utils._agent_release import (
    BASE_URL,
    HEAD,
    UNINSTALLER,
    ReleaseError,
    asset_names,
    checked_version,
    misfit,
    pinned,
)
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import LocalAction

_PIECE = 1 << 20


class ActionModule(LocalAction):
    ARGUMENTS = {
        "version": {"type": "str", "required": True},
        "architecture": {"type": "str", "default": "amd64"},
        "method": {"type": "str", "choices": ["connected", "package", "uninstall"], "default": "connected"},
        "fips": {"type": "bool", "default": False},
        "checksums": {"type": "dict", "default": {}},
        "require_checksums": {"type": "bool", "default": True},
        "dest": {"type": "path", "required": True},
        "base_url": {"type": "str", "default": BASE_URL},
        "ca_path": {"type": "path"},
        "timeout": {"type": "int", "default": 60},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            version = checked_version(args["version"])
            names = [UNINSTALLER] if args["method"] == "uninstall" else None
            names = names or asset_names(args["method"], args["architecture"], fips=args["fips"])
            given = pinned(args["checksums"], names, version=version) if args["require_checksums"] else {}
        except ReleaseError as error:
            raise InputError(str(error)) from None
        folder = Path(args["dest"]).expanduser() / f"v{version}"
        files, fetched = [], []
        for name in names:
            url = f"{args['base_url'].rstrip('/')}/v{version}/{name}"
            path, digest = folder / name, given.get(name, "")
            with _alone(folder, name) if not self.check_mode else _nobody():
                there = _digest(path)
                if not there or (digest and there != digest):
                    fetched.append(url)
                    if not self.check_mode:
                        there = self._fetch(url, path, digest, args)
                elif wrong := misfit(name, _head(path)):
                    raise InputError(f"{path} {wrong}; remove it.")
            files.append({"name": name, "path": str(path), "sha256": digest or there, "url": hide_text(url)})
        result: dict[str, t.Any] = {"changed": bool(fetched), "version": version, "files": files}
        if fetched and self.wants_diff:
            result["diff"] = [{"before": "", "after": "".join(f"{hide_text(url)}\n" for url in fetched)}]
        if not args["require_checksums"]:
            result["warnings"] = ["No checksum was asked for: compare the ones told here with others that you trust."]
        return result

    def _fetch(self, url: str, path: Path, digest: str, args: dict[str, t.Any]) -> str:
        """Put the file in its place once it is whole and what was pinned; returns its SHA-256."""
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                found = _download(url, stream, args)
            if wrong := misfit(path.name, _head(Path(part))):
                raise InputError(f"{hide_text(url)} {wrong}; nothing of it is kept.")
            if digest and found != digest:
                raise InputError(
                    f"{hide_text(url)} has the SHA-256 {found}, and {digest} is pinned; nothing of it is kept."
                )
            os.replace(part, path)
        finally:
            Path(part).unlink(missing_ok=True)
        return found


def _download(url: str, stream: t.BinaryIO, args: dict[str, t.Any]) -> str:
    told, checksum, size = hide_text(url), hashlib.sha256(), 0
    try:
        with open_url(url, timeout=args["timeout"], ca_path=args["ca_path"], follow_redirects="safe") as answer:
            expected = answer.headers.get("Content-Length") or ""
            while piece := answer.read(_PIECE):
                stream.write(piece)
                checksum.update(piece)
                size += len(piece)
        stream.flush()
        os.fsync(stream.fileno())
    except HTTPError as error:
        raise InputError(f"GET {told} answered {error.code}; check version and base_url.") from None
    except (OSError, ValueError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", "") or error).split())
        raise InputError(
            f"GET {told} failed: {hide_text(reason)}; check the network, the proxy and base_url."
        ) from None
    if expected.isdigit() and int(expected) != size:
        raise InputError(f"GET {told} broke off after {size} of {expected} bytes; run again.")
    return checksum.hexdigest()


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    checksum = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            checksum.update(piece)
    return checksum.hexdigest()


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(HEAD)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Of several hosts at once, one fetches a file and the others find it there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f".{name}.lock").open("w")
    except OSError as error:
        raise InputError(f"dest: {folder} cannot be written in: {error.strerror}.") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _nobody() -> Iterator[None]:
    yield
