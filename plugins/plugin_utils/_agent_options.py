# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an installation of the agent, checked as a whole before any host is touched."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.module_utils.user_data._advice import is_local
from ansible_collections.palette.edge.plugins.module_utils.user_data._layers import SITE_LAYER, judge
from ansible_collections.palette.edge.plugins.module_utils.user_data._model import TOKEN_LATER
from ansible_collections.palette.edge.plugins.module_utils.user_data._render import render
from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import secrets_of
from ansible_collections.palette.edge.plugins.module_utils.user_data._source import read
from ansible_collections.palette.edge.plugins.module_utils.user_data._versions import version_of
from ansible_collections.palette.edge.plugins.plugin_utils import _agent_scripts as scripts
from ansible_collections.palette.edge.plugins.plugin_utils._agent_plan import Record, Wanted, digests
from ansible_collections.palette.edge.plugins.plugin_utils._agent_release import (
    ReleaseError,
    asset_names,
    checked_version,
    image,
    pinned,
)
from ansible_collections.palette.edge.plugins.plugin_utils._remote import HostError
from ansible_collections.palette.edge.plugins.plugin_utils._user_data import plain

_ARCHITECTURES = ("amd64", "arm64")


@dataclass(frozen=True)
class Options:
    """What is wanted of one host. `document` has secrets in clear."""

    folder: str
    root: str
    wanted: Wanted
    document: dict[str, t.Any]
    files: Sequence[dict[str, t.Any]]
    fetch: str
    image: str
    proxies: dict[str, str]
    install_timeout: int
    warnings: Sequence[str]

    @property
    def record(self) -> Record:
        return self.wanted.record

    @property
    def secrets(self) -> set[str]:
        return secrets_of(self.document)

    @property
    def text(self) -> str:
        """The user-data as a file."""
        return render(self.document, note=False)

    @property
    def architecture(self) -> str:
        """What the files are for."""
        return str(self.files[-1]["name"]).removesuffix(".tar").rpartition("-")[2]

    @property
    def release(self) -> str:
        """Where on the host the files of the release are staged."""
        return f"{self.folder}/v{self.record.version}"

    def job(self) -> str:
        """The script of the installation."""
        path = f"{self.release}/{self.files[0]['name']}"
        if self.record.method == "package":
            return scripts.package_job(self.folder, path, self.root)
        return scripts.connected_job(self.folder, path)

    def environment(self, with_user_data: bool) -> dict[str, str]:
        """What the vendor's installer is told: every address that it would otherwise choose itself."""
        if self.record.method == "package":
            return {}
        program = f"file://{self.release}/{self.files[1]['name']}"
        values = {"IMAGE": self.image, "URL": program, "VERSION": f"v{self.record.version}"}
        if with_user_data:
            values["USERDATA"] = f"{self.folder}/job/user-data"
        return {**values, **self.proxies}


def options_from(args: dict[str, t.Any], folder: str, *, check_mode: bool) -> Options:
    """The options of the module agent_installation. Raises HostError with what is wrong."""
    try:
        version = checked_version(args["version"] or "")
        files = _files(args, version)
    except ReleaseError as error:
        raise HostError(str(error)) from None
    document, warnings = _user_data(args, version, check_mode=check_mode)
    whole, settings = digests(document)
    record = Record(version, args["method"], args["fips"], args["host_id"], whole, settings)
    wanted = Wanted(
        record,
        registered=args["registered"],
        running=args["running_version"].removeprefix("v"),
        on_user_data_change=args["on_user_data_change"],
        allow_downgrade=args["allow_downgrade"],
        adopt=args["adopt"],
    )
    architecture = files[-1]["name"].removesuffix(".tar").rpartition("-")[2]
    return Options(
        folder=folder,
        root=str((document.get("stylus") or {}).get("path") or "/"),
        wanted=wanted,
        document=document,
        files=files,
        fetch=args["fetch_from"],
        image=args["image"] or image(version, architecture, fips=args["fips"]),
        proxies=scripts.proxy_environment(args["proxy"]),
        install_timeout=args["install_timeout"],
        warnings=warnings,
    )


def _files(args: dict[str, t.Any], version: str) -> list[dict[str, t.Any]]:
    """The files in the order in which an installation names them."""
    given = {file["name"]: file for file in args["files"]}
    for architecture in _ARCHITECTURES:
        names = asset_names(args["method"], architecture, fips=args["fips"])
        if all(name in given for name in names):
            break
    else:
        needed = " and ".join(asset_names(args["method"], _ARCHITECTURES[0], fips=args["fips"]))
        raise ReleaseError(
            f"files: give those of the release, as palette.edge.agent_release returns them, such as {needed}; here are"
            f" {', '.join(given) or 'none'}."
        )
    checksums = pinned({name: given[name]["sha256"] for name in names}, names, version=version)
    source = "url" if args["fetch_from"] == "host" else "path"
    for name in names:
        if not given[name].get(source):
            raise ReleaseError(f"files: {name} has no {source}, and fetch_from is {args['fetch_from']}.")
    return [{**given[name], "sha256": checksums[name]} for name in names]


def _user_data(args: dict[str, t.Any], version: str, *, check_mode: bool) -> tuple[dict[str, t.Any], list[str]]:
    given = plain(args["user_data"])
    if not given:
        raise HostError("user_data: is missing; without it the agent knows neither Palette nor its own ID.")
    source = read(given)
    if source.fatal:
        raise HostError(f"user_data: {' '.join(one.text for one in source.problems)}")
    document = copy.deepcopy(dict(source.document))
    stylus = document.setdefault("stylus", {})
    site = stylus.setdefault("site", {}) if isinstance(stylus, dict) else {}
    if not isinstance(site, dict):
        raise HostError("user_data: stylus.site is no map.")
    token = str(args["registration_token"] or "")
    if args["registration_token_later"] and not (token or site.get("edgeHostToken") or is_local(document)):
        if not check_mode:
            raise HostError("registration_token_later: only a run in check mode goes without the token.")
        token = TOKEN_LATER
    if token:
        site["edgeHostToken"] = token
    if not site.get("edgeHostToken"):
        site.pop("edgeHostToken", None)
    warnings = _forced(document)
    named = site.setdefault("name", args["host_id"])
    if named != args["host_id"]:
        raise HostError(f"host_id: is {args['host_id']}, and the user-data names the host {named} (stylus.site.name).")
    judged = judge(None, document, agent=version_of(version))
    if not judged.valid:
        many = f"{len(judged.errors)} things are" if len(judged.errors) > 1 else "something is"
        lines = " ".join(f"{one.path or 'user-data'}: {one.message}" for one in judged.errors[:20])
        raise HostError(f"user_data: {many} wrong (nothing was sent to the host): {lines}")
    told = [one.told().replace(f" ({SITE_LAYER})", "") for one in judged.warnings]
    return document, [*warnings, *told]


def _forced(document: dict[str, t.Any]) -> list[str]:
    """The installer must leave the reboot to us, or nobody would learn how it ended."""
    install = document.get("install")
    if install is not None and not isinstance(install, dict):
        raise HostError("user_data: install is no map.")
    asked = [name for name in ("reboot", "poweroff") if (install or {}).get(name)]
    document["install"] = {**(install or {}), "reboot": False, "poweroff": False}
    return [f"install.{name} is taken as false: the role reboots the host itself." for name in asked]
