# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder on the control node that the tasks of one run of a playbook share.

Tasks run in processes of their own, and entries of the inventory know nothing of each other. What they have in common is
a folder, and who comes first in there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from ansible import constants as C


class RunFolder:
    """A folder, as one run of a playbook sees it."""

    def __init__(self, path: str, *, run: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self.run = run

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One task at a time in here."""
        with open(self.file(".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def first_to_say(self, topic: str, text: str) -> bool:
        """Whether nobody of this run has said so on this topic last. To be asked :meth:`alone`."""
        path, said = self.file(f".{topic}"), f"{self.run} {text}"
        try:
            with open(path, encoding="utf-8") as file:
                if file.read() == said:
                    return False
        except OSError:
            pass
        replace_text(path, said)
        return True


def this_run() -> str:
    """A name of this run of Ansible, the same in all its processes."""
    # Ansible makes this folder anew for each run and shares it with its workers.
    return os.path.basename(str(C.DEFAULT_LOCAL_TMP))


def scratch_folder(name: str) -> str:
    """A folder that is gone when Ansible ends."""
    return os.path.join(str(C.DEFAULT_LOCAL_TMP), f"palette-edge-{name}")


def json_files(folder: str) -> list[str]:
    """The paths of the JSON files in a folder; none when there is no such folder."""
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return []


def file_name(entry: str) -> str:
    """The name of an entry's file."""
    return quote(entry, safe="") + ".json"


def replace_text(path: str, text: str) -> None:
    """Writes a file in one go, so that who reads meanwhile sees the old text or the new one."""
    fresh = f"{path}.{os.getpid()}"
    with open(fresh, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(fresh, path)
