# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that every file of its kind keeps, so that a new one cannot be forgotten."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"

MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("[!_]*.py"))
ACTIONS = {path.stem for path in (PLUGINS / "action").glob("[!_]*.py")}
# Modules that work on files of the host that runs them.
FILE_MODULES = {"installer_media"}
# Modules that talk to Palette; the others are the documentation of an action plugin of their name.
API_MODULES = [name for name in MODULES if name not in ACTIONS | FILE_MODULES]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir()) if (ROOT / "roles").is_dir() else []

_UTILITIES = ("module_utils", "plugin_utils", "action", "lookup", "filter")
_DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def _tracked() -> list[Path]:
    """The files of the repository, tracked or not yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"not a checkout: {done.stderr.strip()}")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def _uses_fragment(module: str) -> bool:
    documentation = next(
        value for name, value, *dummy in _texts(PLUGINS / "modules" / f"{module}.py") if name == "DOCUMENTATION"
    )
    return "palette.edge.attributes.group" in yaml.safe_load(documentation).get("extends_documentation_fragment", [])


def _texts(path: Path) -> Iterator[tuple[str, str, int, int]]:
    """Name, text, first and last line of each documentation text of a plugin."""
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in _DOCUMENTATION:
            yield target.id, str(node.value.value), node.lineno, int(node.end_lineno or node.lineno)


# What is looked up only: others administer it.
LOOK_UPS = ("pack_info", "project_info", "registry_info")
# Modules that set a part of a resource, or make a file of it, and the one that reads it.
TOLD_BY = {
    "agent_upgrades": "cluster_info",
    "cluster_certificates": "cluster_info",
    "cluster_node": "cluster_info",
    "cluster_repave": "cluster_info",
    "cluster_profile_copy": "cluster_profile_info",
    "cluster_profile_export": "cluster_profile_info",
    "cluster_profile_import": "cluster_profile_info",
    "edge_host_reset": "edge_host_info",
    "project_export": "project_info",
}


class TestModules:
    def test_every_module_that_needs_the_session_is_in_the_action_group(self) -> None:
        group = _yaml(ROOT / "meta" / "runtime.yml")["action_groups"]["palette"]
        assert group == sorted(group)
        assert set(group) == {name for name in MODULES if _uses_fragment(name)}

    @pytest.mark.parametrize("name", API_MODULES)
    def test_what_can_be_set_can_be_read(self, name: str) -> None:
        if name in LOOK_UPS:
            assert name.removesuffix("_info") not in API_MODULES, "it is a resource by now"
        else:
            twin = name.removesuffix("_info") if name.endswith("_info") else TOLD_BY.get(name, f"{name}_info")
            assert twin in API_MODULES

    @pytest.mark.parametrize("name", sorted(ACTIONS))
    def test_action_plugin_has_its_documentation(self, name: str) -> None:
        assert name in MODULES


class TestSizes:
    """Past these a file has become two things; split it."""

    @pytest.mark.parametrize("path", sorted((PLUGINS / "modules").glob("*.py")), ids=lambda path: path.name)
    def test_module_beyond_its_documentation(self, path: Path) -> None:
        assert _lines(path) - sum(last - first + 1 for *dummy, first, last in _texts(path)) <= 180

    @pytest.mark.parametrize("path", sorted((PLUGINS / "inventory").glob("*.py")), ids=lambda path: path.name)
    def test_inventory_beyond_its_documentation(self, path: Path) -> None:
        assert _lines(path) - sum(last - first + 1 for *dummy, first, last in _texts(path)) <= 300

    @pytest.mark.parametrize(
        "path",
        sorted(path for folder in _UTILITIES for path in (PLUGINS / folder).rglob("*.py")),
        ids=lambda path: str(path.relative_to(PLUGINS)),
    )
    def test_utility(self, path: Path) -> None:
        assert _lines(path) <= 500


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


class TestPrivate:
    @pytest.mark.parametrize("folder", ["module_utils", "plugin_utils"])
    def test_utilities_are_private_by_name(self, folder: str) -> None:
        public = [path for path in (PLUGINS / folder).rglob("*.py") if not path.name.startswith("_")]
        assert [str(path.relative_to(ROOT)) for path in public] == []

    def test_collection_and_lab_do_not_import_each_other(self) -> None:
        lab = re.compile(r"^\s*(from|import)\s+lab\b", re.MULTILINE)
        ours = re.compile(r"^\s*(from|import)\s+ansible(_collections)?\b", re.MULTILINE)
        wrong = [path for path in PLUGINS.rglob("*.py") if lab.search(path.read_text())]
        wrong += [path for path in (ROOT / "lab").rglob("*.py") if ours.search(path.read_text())]
        assert [str(path.relative_to(ROOT)) for path in wrong] == []


class TestRoles:
    @pytest.mark.parametrize("role", ROLES)
    def test_has_what_a_role_needs(self, role: str) -> None:
        needed = ["README.md", "meta/main.yml", "meta/argument_specs.yml", "defaults/main.yml", "tasks/main.yml"]
        assert [name for name in needed if not (ROOT / "roles" / role / name).is_file()] == []

    @pytest.mark.parametrize("role", ROLES)
    def test_argument_specs_say_the_defaults(self, role: str) -> None:
        specs = _yaml(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
        documented: dict[str, dict[str, Any]] = {}
        for spec in specs.values():
            documented |= spec.get("options", {})
        defaults = _yaml(ROOT / "roles" / role / "defaults" / "main.yml") or {}
        assert set(defaults) <= set(documented)
        # A template is no value of most types, so the documentation tools refuse it as one: the description says it then.
        left_out = {name for name in defaults if "default" not in documented[name]}
        assert {name for name in left_out if "{{" not in str(defaults[name])} == set()
        said = {name: option["default"] for name, option in documented.items() if "default" in option}
        assert said == {name: value for name, value in defaults.items() if name not in left_out}

    @pytest.mark.parametrize("role", ROLES)
    def test_each_entry_point_has_its_spec(self, role: str) -> None:
        specs = _yaml(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
        tasks = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml") if not path.stem.startswith("_")}
        assert set(specs) <= tasks
        assert "main" in specs

    @pytest.mark.parametrize("role", ROLES)
    def test_variables_bear_the_name_of_the_role(self, role: str) -> None:
        names = set(_yaml(ROOT / "roles" / role / "defaults" / "main.yml") or {})
        assert {name for name in names if not name.startswith(f"{role}_")} == set()


class TestFiles:
    def test_no_path_of_one_machine(self) -> None:
        # Put together here, so that this file does not find itself.
        needles = [
            "/" + name for name in ("work/main", "work/shared", "tmp/dev", "tmp/venv", "tmp/contract", "opt/pypi")
        ]
        found = [
            f"{path.relative_to(ROOT)}: {needle}"
            for path in _tracked()
            for needle in needles
            if needle in path.read_text(errors="replace")
        ]
        assert found == []

    def test_every_plugin_has_the_licence(self) -> None:
        wanted = "# SPDX-License-Identifier: GPL-3.0-or-later"
        bare = [path for path in PLUGINS.rglob("*.py") if path.read_text() and wanted not in path.read_text()[:600]]
        assert [str(path.relative_to(ROOT)) for path in bare] == []

    def test_links_between_documents_lead_somewhere(self) -> None:
        dead = []
        for document in _tracked():
            if document.suffix == ".md":
                text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
                for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
                    if "://" not in link and not link.startswith("mailto:") and not (document.parent / link).exists():
                        dead.append(f"{document.relative_to(ROOT)}: {link}")
        assert dead == []
