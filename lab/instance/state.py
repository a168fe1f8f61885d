"""The state directory of a lab: where everything lies, and what is remembered of it from one command to the next."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

DEFAULT_NAME = "palette-lab"
REPOSITORY = Path(__file__).resolve().parents[2]


class LabError(Exception):
    """The lab cannot do what was asked; the text is for people: what, why, what to do."""


@dataclass(frozen=True)
class Instance:
    """One lab: its state directory (absolute) and its name, which is also that of its netns and its cgroups."""

    state: Path
    name: str

    @property
    def hosts(self) -> Path:
        """The directory that holds one directory for each host, by its name."""
        return self.state / "hosts"

    @property
    def lab_json(self) -> Path:
        """What callers of the lab read: url, keys, hosts. Holds keys, so mode 0600."""
        return self.state / "lab.json"

    @property
    def instance_json(self) -> Path:
        """What the lab itself remembers: its name and the options it was started with."""
        return self.state / "instance.json"

    @property
    def config_json(self) -> Path:
        """The checked lab.yml, as the hosts supervisor reads it."""
        return self.state / "config.json"

    @property
    def private_key(self) -> Path:
        """The key of user kairos on every host."""
        return self.state / "ssh" / "id_ed25519"

    @property
    def ca(self) -> Path:
        """The lab's certificate authority."""
        return self.state / "ca.pem"

    @property
    def netns(self) -> Path:
        """The file that stands for the hosts' network namespace."""
        return Path("/run/netns") / self.name

    def pid_file(self, part: str) -> Path:
        """``part`` is ``controller`` or ``hosts``."""
        return self.state / f"{part}.pid"

    def log(self, part: str) -> Path:
        """``part`` is ``controller`` or ``hosts``."""
        return self.state / f"{part}.log"


def state_directory(option: str | None) -> Path:
    """``--state``, else $PALETTE_LAB_STATE, else ``.lab`` in the repository; absolute."""
    chosen = option or os.environ.get("PALETTE_LAB_STATE") or str(REPOSITORY / ".lab")
    return Path(chosen).expanduser().absolute()


def find(option: str | None, name: str | None = None) -> Instance:
    """The lab of a state directory: the name it was started with unless ``name`` says another."""
    state = state_directory(option)
    remembered = read_json(state / "instance.json")
    return Instance(state=state, name=name or str(remembered.get("name") or DEFAULT_NAME))


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in ``path``; empty when it is absent, unreadable or not whole."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_json(path: Path, data: dict[str, Any], *, mode: int = 0o600) -> None:
    """Put ``data`` into ``path`` at once or not at all."""
    write_text(path, json.dumps(data, indent=2, sort_keys=True) + "\n", mode=mode)


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put ``text`` into ``path`` at once or not at all; a reader never sees half of it."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def exclusive(instance: Instance) -> Iterator[None]:
    """One `up` or `down` of a lab at a time. Raises LabError when another is at work."""
    with (instance.state / "lock").open("w") as handle:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"another 'up' or 'down' is at work on the lab in {instance.state}; wait for it") from error
        yield
