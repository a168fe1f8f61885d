"""What is wanted of a host, and how it is: two small files for each host.

They are the whole interface between the command line and the supervisor. What is wanted outlives the supervisor, so a
cable that was cut is still cut after a restart.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from lab.instance.state import read_json, write_json

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """``boots``, ``reboots`` and ``resets`` count requests: a number that went up is one to be carried out."""

    power: bool = True
    link: bool = True
    heartbeat: bool = True
    boots: int = 0
    reboots: int = 0
    resets: int = 0


def read_wanted(directory: Path) -> Wanted:
    """What is wanted of the host in ``directory``; all well unless somebody asked otherwise."""
    data = read_json(directory / "wanted.json")
    known = {item.name for item in fields(Wanted)}
    return Wanted(**{key: value for key, value in data.items() if key in known})


def change_wanted(directory: Path, **changes: Any) -> Wanted:
    """Write what is wanted from now on."""
    wanted = replace(read_wanted(directory), **changes)
    directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / "wanted.json", asdict(wanted))
    return wanted


class WantedFile:
    """`read_wanted`, read again only when the file changed: a thousand agents look each time they act."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamp: tuple[int, int] | None = None
        self._wanted = Wanted()

    def read(self) -> Wanted:
        """The present wishes."""
        try:
            found = (self._directory / "wanted.json").stat()
        except FileNotFoundError:
            return Wanted()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._wanted, self._stamp = read_wanted(self._directory), stamp
        return self._wanted


class Journal:
    """The host's ``status.json``: facts merged in from the machine and from its agent, written when they change."""

    def __init__(self, directory: Path, **facts: Any) -> None:
        self._path = directory / "status.json"
        self._lock = threading.Lock()
        self._facts = dict(facts)
        self._written: dict[str, Any] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    def note(self, **facts: Any) -> None:
        """Merge facts in; a value of None takes one away."""
        with self._lock:
            self._facts.update(facts)
            self._facts = {key: value for key, value in self._facts.items() if value is not None}
            if self._facts == self._written:
                return
            try:
                write_json(self._path, {**self._facts, "changed": round(time.time(), 1)})
            except OSError as error:
                # A full disk must not end the host that cannot say how it is; the next fact tries again.
                _LOG.warning("%s cannot be written: %s", self._path, error.strerror)
                return
            self._written = dict(self._facts)
