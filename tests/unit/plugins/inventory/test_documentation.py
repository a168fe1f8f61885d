# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation shows works, and names every key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.loader import inventory_loader

from ansible_collections.palette.edge.plugins.inventory import fleet, sites
from ansible_collections.palette.edge.plugins.module_utils import _fleet
from ansible_collections.palette.edge.plugins.module_utils.sites import _model


def test_the_site_file_of_the_reference(repository: Path, read_inventory: Any, tmp_path: Path) -> None:
    text = (repository / "docs" / "sites.md").read_text()
    (tmp_path / "sites").mkdir()
    for block in re.findall(r"```yaml\n(.*?)```", text, re.S):
        name = re.match(r"# (\S+)\n", block)
        assert name, f"a block without a file name: {block}"
        (tmp_path / name[1]).write_text(block)
    inventory = read_inventory(tmp_path / "stores.sites.yml")
    assert inventory.group("store_042") == ["store-042", "store-042-1", "store-042-2", "store-042-3"]


@pytest.mark.parametrize(
    "keys",
    [_model.SITE, _model.HOST, _model.REGISTRATION, _model.PROFILE, _model.CLUSTER, _model.NODE_POOL, _model.PROXY],
)
def test_the_reference_names_every_key(repository: Path, keys: Any) -> None:
    text = (repository / "docs" / "sites.md").read_text()
    assert [key for key in keys if f"`{key}`" not in text] == []


@pytest.mark.parametrize(("name", "module"), [("sites", sites), ("fleet", fleet)])
def test_examples_use_options_that_exist(name: str, module: Any) -> None:
    plugin = inventory_loader.get(f"palette.edge.{name}")
    plugin.set_options(direct={"plugin": f"palette.edge.{name}"})
    first, *others = module.EXAMPLES.strip().split("\n\n")
    # Only one document may stand in the examples: the others are comments, below a line that tells what they are.
    texts = [first, *("\n".join(line[2:] for line in one.splitlines()[1:]) for one in others)]
    examples = [yaml.safe_load(text) for text in texts]
    assert len(examples) > 1
    for example in examples:
        assert example["plugin"] == plugin.NAME
        assert set(example) - {"plugin"} <= set(plugin.get_options())


def test_every_variable_of_the_fleet_is_documented() -> None:
    assert [
        key for key in _fleet.record({"metadata": {"uid": ""}}) if f"C(palette_{key})" not in fleet.DOCUMENTATION
    ] == []
