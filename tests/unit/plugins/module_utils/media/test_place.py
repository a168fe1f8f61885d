# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.module_utils.media import _cidata as cidata
from ansible_collections.palette.edge.plugins.module_utils.media import _place as files
from ansible_collections.palette.edge.plugins.module_utils.media._errors import MediaError
from ansible_collections.palette.edge.plugins.module_utils.media._iso import Iso


class TestPart:
    def test_the_old_file_stays_until_the_new_one_is_whole(self, tmp_path: Path) -> None:
        place = tmp_path / "medium.iso"
        place.write_text("old")
        with files.Part(str(place), str(place)) as part:
            part.write(b"new" * 100_000)
            part.settle()
            assert place.read_text() == "old"
            assert (tmp_path / ".medium.iso.palette-part").stat().st_mode & 0o777 == 0o600
            part.finish(0o640)
        assert place.read_bytes() == b"new" * 100_000
        assert place.stat().st_mode & 0o777 == 0o640
        assert os.listdir(tmp_path) == ["medium.iso"]

    def test_what_fails_leaves_nothing_but_the_old_file(self, tmp_path: Path) -> None:
        place = tmp_path / "medium.iso"
        place.write_text("old")
        with pytest.raises(KeyError), files.Part(str(place), str(place)) as part:
            part.write(b"half")
            raise KeyError
        assert os.listdir(tmp_path) == ["medium.iso"]
        assert place.read_text() == "old"

    def test_a_full_disk_is_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = tmp_path / "medium.iso"
        place.write_text("old")

        def full(*dummy: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        words = r"No space left on device\. What was there is as it was\. Make room"
        with pytest.raises(MediaError, match=words), files.Part(str(place), str(place)) as part:
            monkeypatch.setattr(os, "write", full)
            part.write(b"x")
        monkeypatch.undo()
        assert place.read_text() == "old"
        assert os.listdir(tmp_path) == ["medium.iso"]

    def test_the_remainder_of_a_killed_run_is_taken_over(self, tmp_path: Path) -> None:
        place = tmp_path / "medium.iso"
        (tmp_path / ".medium.iso.palette-part").write_text("a long remainder")
        files.put(str(place), str(place), b"new", mode=0o600)
        assert place.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["medium.iso"]

    def test_two_runs_at_once(self, tmp_path: Path) -> None:
        place, other = tmp_path / "medium.iso", tmp_path / ".medium.iso.palette-part"
        with other.open("w") as held:
            held.write("theirs")
            held.flush()
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(MediaError, match="another run is writing"):
                files.put(str(place), str(place), b"new", mode=0o600)
            assert other.read_text() == "theirs"

    def test_a_link_in_the_way_is_not_followed(self, tmp_path: Path) -> None:
        place, victim = tmp_path / "medium.iso", tmp_path / "victim"
        victim.write_text("mine")
        (tmp_path / ".medium.iso.palette-part").symlink_to(victim)
        with pytest.raises(MediaError, match="cannot be written"):
            files.put(str(place), str(place), b"new", mode=0o600)
        assert victim.read_text() == "mine"


class TestPlace:
    def test_links_are_followed(self, tmp_path: Path) -> None:
        (tmp_path / "link.iso").symlink_to(tmp_path / "real.iso")
        assert files.checked_place(str(tmp_path / "link.iso")) == str(tmp_path / "real.iso")

    def test_what_cannot_be_a_place(self, tmp_path: Path) -> None:
        source = tmp_path / "base.iso"
        source.write_text("base")
        (tmp_path / "hard.iso").hardlink_to(source)
        for dest, words in (
            ("no/medium.iso", "there is no directory"),
            (".", "it is there and no file"),
            ("base.iso", "is what base names"),
            ("hard.iso", "is what base names"),
        ):
            with pytest.raises(MediaError, match=f"^dest: .*{words}"):
                files.checked_place(str(tmp_path / dest), inputs=[("base", str(source))])

    def test_room_is_looked_at_before(self, tmp_path: Path) -> None:
        place = str(tmp_path / "medium.iso")
        files.check_room(place, place, 1000)
        with pytest.raises(MediaError, match=r"^dest: .* needs \d+\.\d TiB in .* are free\. Make room"):
            files.check_room(place, place, 1 << 62)


class TestCidata:
    FILES = {"user-data": b"#cloud-config\n", "meta-data": b""}

    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("pycdlib")

    def test_the_same_files_give_the_same_bytes_at_any_time_and_place(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = cidata.image(self.FILES)
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        monkeypatch.setattr(time, "time", lambda: 1_234_567_890.5)
        try:
            assert cidata.image(dict(reversed(self.FILES.items()))) == first
        finally:
            monkeypatch.undo()
            time.tzset()

    def test_other_files_give_another_date_and_so_another_uuid(self, tmp_path: Path) -> None:
        dates = set()
        for text in (b"#cloud-config\n", b"#cloud-config\n\n"):
            path = tmp_path / "medium.iso"
            path.write_bytes(cidata.image({**self.FILES, "user-data": text}))
            with path.open("rb") as file:
                dates.add(Iso(file, "it").modified)
        assert len(dates) == 2

    def test_reads_back(self) -> None:
        wanted = {"user-data": b"#cloud-config\n" + b"# long\n" * 10_000, "meta-data": b"instance-id: x\n"}
        assert cidata.content(cidata.image(wanted), "it") == wanted

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cidata, "HAS_PYCDLIB", False)
        with pytest.raises(MediaError, match=r"^pycdlib is not installed here. Install it with: pip install pycdlib$"):
            cidata.image(self.FILES)
