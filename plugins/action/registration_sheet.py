# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""palette.edge.registration_sheet: its documentation is in plugins/modules/registration_sheet.py."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.palette.edge.plugins.module_utils import _private_file as files
from ansible_collections.palette.edge.plugins.module_utils._identity import host_id_problem
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import InputError
from ansible_collections.palette.edge.plugins.plugin_utils import _sheet as sheet
from ansible_collections.palette.edge.plugins.plugin_utils import _sheet_files as sheet_files
from ansible_collections.palette.edge.plugins.plugin_utils._local_action import LocalAction

_LABEL = {
    "id": {"type": "str", "required": True},
    "name": {"type": "str", "default": ""},
    "site": {"type": "str", "default": ""},
    "address": {"type": "str", "default": ""},
}
_LAYOUT = {
    "page": {"type": "str", "choices": list(sheet.PAGES)},
    "columns": {"type": "int"},
    "rows": {"type": "int"},
    **{name: {"type": "float"} for name in ("width", "height", "gap_x", "gap_y", "left", "top")},
}


class ActionModule(LocalAction):
    ARGUMENTS = {
        "registration_url": {"type": "str", "required": True},
        "id_parameter": {"type": "str", "default": sheet.PARAMETER},
        "dest": {"type": "path", "required": True},
        "name": {"type": "str", "default": "registration-sheet"},
        "per_site": {"type": "bool", "default": False},
        "formats": {"type": "list", "elements": "str", "choices": ["html", "pdf"], "default": ["html", "pdf"]},
        "hosts": {"type": "list", "elements": "str"},
        "labels": {"type": "list", "elements": "dict", "options": _LABEL},
        "label_format": {"type": "str", "choices": list(sheet.FORMATS), "default": "a4_3x7"},
        "layout": {"type": "dict", "options": _LAYOUT},
        "skip": {"type": "int", "default": 0},
        "border": {"type": "bool", "default": True},
    }

    def perform(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        _check_libraries(args["formats"])
        try:
            url = sheet.check_url(args["registration_url"])
            form = sheet.changed_format(args["label_format"], args["layout"] or {})
            if not 0 <= args["skip"] < form.count:
                raise sheet.SheetError(
                    f"skip: {args['skip']} is not between 0 and {form.count - 1}, the labels of a page"
                )
            labels = sheet.in_order(self._labels(args, url))
            made = [
                self._sheet(args, form, name, some)
                for name, some in sheet.groups(labels, args["name"], args["per_site"]).items()
            ]
        except sheet.SheetError as error:
            raise InputError(str(error)) from None
        # All of them are made before the first is written.
        there = os.path.isdir(args["dest"])
        changes = [
            (path, content)
            for one in made
            for path, content in one.items()
            if not there or files.differs(path, content, mode=None)
        ]
        result: dict[str, t.Any] = {
            "changed": bool(changes),
            "labels": len(labels),
            "files": [path for one in made for path in one],
            "written": [path for path, dummy in changes],
        }
        if changes and self.wants_diff:
            result["diff"] = [_diff(path, content) for path, content in changes]
        if changes and not self.check_mode:
            _make_folder(args["dest"])
            for path, content in changes:
                files.write(path, content, mode=None)
        return result

    def _labels(self, args: dict[str, t.Any], url: str) -> list[sheet.Label]:
        if args["labels"] is not None and args["hosts"] is not None:
            raise sheet.SheetError("hosts, labels: give one of them; without any, the hosts of the play are taken")
        given = args["labels"] if args["labels"] is not None else self._from_inventory(args["hosts"])
        if not given:
            raise sheet.SheetError("there is no host to make a label for")
        for one in given:
            problem = host_id_problem(one["id"])
            if problem:
                raise sheet.SheetError(f"the Edge host ID {one['id'][:40]!r} ({one['name'] or 'no name'}) {problem}")
        return [sheet.Label(**one, url=sheet.url_of(url, one["id"], parameter=args["id_parameter"])) for one in given]

    def _from_inventory(self, names: list[str] | None) -> list[dict[str, str]]:
        hostvars = self._task_vars.get("hostvars") or {}
        wanted = names if names is not None else list(self._task_vars.get("ansible_play_hosts_all") or [])
        found = []
        for name in wanted:
            if name not in hostvars:
                raise sheet.SheetError(f"hosts: the inventory has no {name}")
            variables = hostvars[name]
            if not variables.get("edge_host_id"):
                if names is None and "edge_site_hosts" in variables:
                    continue
                raise sheet.SheetError(
                    f"hosts: {name} has no edge_host_id in the inventory, so there is nothing to print"
                )
            address = variables.get("edge_host_address") or variables.get("edge_host_initial_address") or ""
            found.append(
                {
                    "id": str(variables["edge_host_id"]),
                    "name": str(variables.get("edge_host_name") or name),
                    "site": str(variables.get("edge_site_name") or ""),
                    "address": str(address).partition("/")[0],
                }
            )
        return found

    def _sheet(
        self, args: dict[str, t.Any], form: sheet.Format, name: str, labels: list[sheet.Label]
    ) -> dict[str, str | bytes]:
        """The files of one sheet with their content."""
        pages = list(sheet.pages(labels, form, skip=args["skip"]))
        sites = list(dict.fromkeys(label.site for label in labels if label.site))
        title = f"Registration of {sites[0]}" if len(sites) == 1 else f"Registration of {len(labels)} Edge hosts"
        content: dict[str, str | bytes] = {}
        for kind in dict.fromkeys(args["formats"]):
            make: t.Callable[..., str | bytes] = sheet_files.as_html if kind == "html" else sheet_files.as_pdf
            path = os.path.join(args["dest"], f"{name}.{kind}")
            content[path] = make(pages, form, title=title, border=args["border"])
        return content


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(f"dest: the folder {path} cannot be made: {error.strerror}") from None


def _check_libraries(formats: list[str]) -> None:
    wanted = {"segno": sheet.HAS_SEGNO, "reportlab": sheet_files.HAS_REPORTLAB or "pdf" not in formats}
    missing = [name for name, there in wanted.items() if not there]
    if missing:
        raise InputError(
            f"registration_sheet needs the Python library {' and '.join(missing)} on the control node:"
            f" pip install {' '.join(missing)}"
        )


def _diff(path: str, content: str | bytes) -> dict[str, str]:
    """The labels before and after; of a PDF, its size."""
    try:
        with open(path, "rb") as file:
            before = file.read()
    except OSError:
        before = b""
    return {
        "before_header": path,
        "after_header": path,
        "before": _shown(before),
        "after": _shown(content.encode() if isinstance(content, str) else content),
    }


def _shown(content: bytes) -> str:
    if not content or content.startswith(b"%PDF"):
        return f"(PDF, {len(content)} bytes)\n" if content else ""
    return "".join(f"{line}\n" for line in sheet_files.labels_in(content.decode(errors="replace")))
