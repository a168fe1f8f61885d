# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation shows works: examples of plugins fit their options, YAML in documents is what it looks like."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.playbook.block import Block
from ansible.playbook.handler import Handler

from ansible_collections.palette.edge.plugins.module_utils.sites._check import read_sites

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "roles").glob("*/README.md"))]

_TASK_KEYWORDS = set(Handler.fattributes) | set(Block.fattributes) | {"action", "local_action"}
_WITH_TASKS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)
# What stands in for a template whose value is not known here.
_STAND_INS: dict[str, Any] = {"bool": True, "int": 1, "float": 1.0, "list": [], "dict": {}, "json": "{}"}


class Loader(yaml.SafeLoader):
    """YAML as playbooks have it: with Ansible's own tags, taken as what they are put on."""


def _untagged(loader: yaml.SafeLoader, dummy_tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else loader.construct_mapping(node)


yaml.add_multi_constructor("!", _untagged, Loader=Loader)


def _load_all(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=Loader))


@cache
def documentation(kind: str) -> dict[str, Any]:
    """What ansible-doc knows of every plugin of ``kind``, with fragments merged in, by plain name."""
    names = sorted(
        path.stem for path in (ROOT / "plugins" / ("modules" if kind == "module" else kind)).glob("[!_]*.py")
    )
    command = ["ansible-doc", "--type", kind, "--json", *(f"palette.edge.{name}" for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    return {name.rpartition(".")[2]: found for name, found in json.loads(done.stdout).items()}


def _spec(options: dict[str, Any]) -> dict[str, Any]:
    """The argument spec that documented ``options`` describe; ansible-test proves that it is the module's own."""
    spec = {}
    for name, option in options.items():
        spec[name] = {
            key: option[key] for key in ("type", "elements", "choices", "aliases", "required") if key in option
        }
        if "suboptions" in option:
            spec[name]["options"] = _spec(option["suboptions"])
    return spec


def _without_templates(value: Any, option: dict[str, Any]) -> Any:
    if isinstance(value, str) and "{{" in value:
        choices = option.get("choices")
        return choices[0] if choices else _STAND_INS.get(option.get("type", "str"), "text")
    below = option.get("options", {})
    if isinstance(value, dict):
        return {key: _without_templates(one, below.get(key, {})) for key, one in value.items()}
    if isinstance(value, list):
        kind = {"type": option.get("elements", "str"), "options": below}
        return [_without_templates(one, kind) for one in value]
    return value


def _tasks(text: str) -> Iterator[dict[str, Any]]:
    """The tasks of an EXAMPLES text, those in blocks and plays too."""
    for document in _load_all(text):
        yield from _tasks_in(document or [])


def _tasks_in(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        lists = [item[key] for key in _WITH_TASKS if key in item]
        for below in lists:
            yield from _tasks_in(below)
        if not lists:
            yield item


class TestExamplesOfModules:
    @pytest.mark.parametrize("name", MODULES)
    def test_fit_the_options(self, name: str) -> None:
        found = documentation("module")
        shown = 0
        for task in _tasks(found[name]["examples"]):
            (action,) = set(task) - _TASK_KEYWORDS
            assert "." in action, f"{action} is not a fully qualified name"
            collection, dummy, module = action.rpartition(".")
            if collection != "palette.edge":
                continue
            assert module in found, f"there is no {action}"
            shown += module == name
            spec = _spec(found[module]["doc"].get("options", {}))
            arguments = _without_templates(task[action] or {}, {"options": spec})
            errors = ArgumentSpecValidator(spec).validate(arguments).error_messages
            assert errors == [], f"{task.get('name', action)}: {errors}"
        assert shown, "no example uses the module"


@dataclass(frozen=True)
class Fenced:
    """A block of YAML in a document."""

    document: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def _fenced() -> list[Fenced]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for match in _FENCE.finditer(text):
            if match["kind"] in ("yaml", "yml"):
                lines = match["text"].splitlines()
                plain = "\n".join(line.removeprefix(match["indent"]) for line in lines) + "\n"
                found.append(Fenced(document, text.count("\n", 0, match.start()) + 2, plain))
    return found


BLOCKS = _fenced()


def _kind(data: Any) -> str:
    if isinstance(data, list) and data and all(isinstance(one, dict) for one in data):
        return "playbook" if any(key in one for one in data for key in ("hosts", "import_playbook")) else "tasks"
    if isinstance(data, dict) and "plugin" in data:
        return "inventory"
    if isinstance(data, dict) and "name" in data and data.keys() & {"hosts", "cluster", "registration"}:
        return "site"
    return "variables"


class TestYamlInDocuments:
    @pytest.mark.parametrize("block", BLOCKS, ids=str)
    def test_parses(self, block: Fenced) -> None:
        assert [data for data in _load_all(block.text) if data is not None]

    @pytest.mark.parametrize("block", [one for one in BLOCKS if "plugin:" in one.text], ids=str)
    def test_inventory_file_has_options_of_its_plugin(self, block: Fenced) -> None:
        for data in _load_all(block.text):
            if _kind(data) == "inventory":
                collection, dummy, name = data["plugin"].rpartition(".")
                assert collection == "palette.edge"
                spec = _spec(documentation("inventory")[name]["doc"]["options"])
                errors = (
                    ArgumentSpecValidator(spec).validate(_without_templates(data, {"options": spec})).error_messages
                )
                assert errors == []

    @pytest.mark.parametrize("block", [one for one in BLOCKS if "name:" in one.text], ids=str)
    def test_site_file_has_no_problem(self, block: Fenced, tmp_path: Path) -> None:
        for number, data in enumerate(_load_all(block.text)):
            if _kind(data) == "site":
                example = shutil.copytree(ROOT / "examples" / "stores", tmp_path / str(number))
                for path in (example / "sites").iterdir():
                    path.unlink()
                (example / "sites" / f"{data['name']}.yml").write_text(block.text)
                assert read_sites(str(example), ["sites"], now=dt.datetime.now(dt.timezone.utc)).problems == []


class TestPlaybooks:
    def test_syntax(self, tmp_path: Path) -> None:
        """Of every playbook of ours and of every play and task list in documents, in one run as starting is what costs."""
        playbooks = [str(path) for path in sorted((ROOT / "playbooks").glob("*.yml"))]
        for block in BLOCKS:
            for number, data in enumerate(_load_all(block.text)):
                if _kind(data) in ("playbook", "tasks"):
                    place = tmp_path / f"{str(block).replace('/', '-').replace(':', '-line-')}-{number}.yml"
                    text = block.text if _kind(data) == "playbook" else _play_of(block.text)
                    place.write_text(text)
                    playbooks.append(str(place))
        command = ["ansible-playbook", "--syntax-check", "--inventory", "localhost,", *playbooks]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ), cwd=tmp_path)
        assert done.returncode == 0, done.stderr + done.stdout


def _play_of(tasks: str) -> str:
    body = "".join(f"    {line}\n" if line else "\n" for line in tasks.removeprefix("---\n").splitlines())
    return f"- name: A play around the tasks\n  hosts: localhost\n  tasks:\n{body}"
