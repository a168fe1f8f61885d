# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of scripts/demo find what they are there to find."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


def _load() -> Any:
    path = Path(__file__).resolve().parents[3] / "scripts" / "lib" / "demo_checks.py"
    spec = importlib.util.spec_from_file_location("demo_checks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks = _load()

RECAP = """
PLAY RECAP *********************************************************************
store-042                  : ok=9    changed={site}    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
store-042-1                : ok=4    changed=0    unreachable={host}    failed=0    skipped=0    rescued=0    ignored=0
"""


class TestUnchanged:
    def test_names_the_hosts(self) -> None:
        assert checks.unchanged(RECAP.format(site=0, host=0)) == "changed=0 on each of store-042, store-042-1"

    @pytest.mark.parametrize(("site", "host", "named"), [(2, 0, "store-042"), (0, 1, "store-042-1")])
    def test_refuses_what_changed_or_failed(self, site: int, host: int, named: str) -> None:
        with pytest.raises(checks.CheckError, match=f"on {named}$"):
            checks.unchanged(RECAP.format(site=site, host=host))

    def test_refuses_an_output_without_hosts(self) -> None:
        with pytest.raises(checks.CheckError, match="no play recap"):
            checks.unchanged("ERROR! no hosts matched\nPLAY RECAP ****\n")


class TestOnlyThese:
    DIFF = "--- before: a\n+++ after: b\n@@ -1 +1 @@\n name: x\n-  region: north\n+  region: south\n"

    def test_takes_the_change_itself(self) -> None:
        assert checks.only_these(self.DIFF, ["north", "south"]) == "the diff shows these and nothing else: north, south"

    def test_refuses_anything_else(self) -> None:
        with pytest.raises(checks.CheckError, match=r"more than what was changed.*timezone"):
            checks.only_these(self.DIFF + "+timezone: UTC\n", ["north", "south"])

    def test_refuses_what_is_not_shown(self) -> None:
        with pytest.raises(checks.CheckError, match="does not show east"):
            checks.only_these(self.DIFF, ["north", "south", "east"])


class TestChange:
    def test_replaces_whole_words(self, tmp_path: Path) -> None:
        file = tmp_path / "site.yml"
        file.write_text("region: north\nname: northern\n")
        checks.change(file, ["north", "south"])
        assert file.read_text() == "region: south\nname: northern\n"

    @pytest.mark.parametrize("text", ["region: west\n", "region: north\nwing: north\n"])
    def test_refuses_a_file_that_does_not_have_it_once(self, text: str, tmp_path: Path) -> None:
        file = tmp_path / "site.yml"
        file.write_text(text)
        with pytest.raises(checks.CheckError, match="should have north once"):
            checks.change(file, ["north", "south"])
        assert file.read_text() == text


class TestNothingWritten:
    @staticmethod
    def _state(*writes: str, user_data: str = "1") -> dict[str, Any]:
        return {"writes": list(writes), "user_data": {"hosts/a/user-data": user_data}}

    def test_takes_the_same_and_what_the_controller_forgot(self) -> None:
        before = self._state("POST /a", "PUT /b", "PUT /c")
        assert checks.nothing_written(before, before).startswith("nothing was written")
        checks.nothing_written(before, self._state("PUT /b", "PUT /c"))
        checks.nothing_written(before, self._state())

    def test_refuses_another_write(self) -> None:
        with pytest.raises(checks.CheckError, match=r"check mode wrote.*PUT /d"):
            checks.nothing_written(self._state("POST /a"), self._state("POST /a", "PUT /d"))

    def test_refuses_other_user_data(self) -> None:
        with pytest.raises(checks.CheckError, match="user-data"):
            checks.nothing_written(self._state(), self._state(user_data="2"))
