"""State in SQLite: one JSON document for each object, a few columns to find it by, and its facts in memory."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from . import facts

Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    uid TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (kind, uid)
);
CREATE INDEX IF NOT EXISTS by_place ON objects (kind, project, seq);
CREATE INDEX IF NOT EXISTS by_name ON objects (kind, name);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (uid TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS notes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    uid TEXT NOT NULL,
    project TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS notes_of ON notes (kind, uid, seq);
"""


@dataclass(frozen=True)
class Row:
    """An object without its document: where it belongs ("" is the tenant) and what it is searched by."""

    uid: str
    project: str
    facts: dict[str, Any]


class Store:
    """Every request's writes are committed at once: the controller may be killed at any moment."""

    def __init__(self, path: Path | str) -> None:
        if path != ":memory:":
            # The keys are in it: nobody else reads it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        # The machine is not expected to lose power, only the process to be killed.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self._transaction = Transaction(self)
        self._rows: dict[str, dict[str, Row]] = {}
        self._revisions: Counter[str] = Counter()
        self._others = self._data_version()

    def close(self) -> None:
        """Ends the use of the file."""
        self._db.close()

    def transaction(self) -> Transaction:
        """Several writes, all or none; one inside another is part of it."""
        return self._transaction

    def execute(self, statement: str) -> None:
        """Runs a statement as it is, for the transaction and for tests."""
        self._db.execute(statement)

    @property
    def in_transaction(self) -> bool:
        """Whether SQLite has one open: when the disk is full it may have ended it by itself."""
        return self._db.in_transaction

    # -- objects

    def get(self, kind: str, uid: str) -> Document | None:
        """The document, or None."""
        row = self._db.execute("SELECT document FROM objects WHERE kind=? AND uid=?", (kind, uid)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, uid: str, document: Document, *, project: str = "", name: str = "") -> None:
        """Writes an object; project and name are kept when it is there already and they are not given."""
        text = json.dumps(document, separators=(",", ":"))
        self._db.execute(
            "INSERT INTO objects (kind, uid, project, name, document) VALUES (?,?,?,?,?) ON CONFLICT (kind, uid) DO UPDATE "
            "SET document=excluded.document, name=CASE WHEN excluded.name='' THEN name ELSE excluded.name END",
            (kind, uid, project, name, text),
        )
        self._revisions[kind] += 1
        self._transaction.touched.add(kind)
        rows = self._rows.get(kind)
        if rows is not None:
            known = rows.get(uid)
            rows[uid] = Row(uid, known.project if known else project, facts.of(kind, document))

    def delete(self, kind: str, uid: str) -> None:
        """Removes an object."""
        self._db.execute("DELETE FROM objects WHERE kind=? AND uid=?", (kind, uid))
        self._revisions[kind] += 1
        self._transaction.touched.add(kind)
        self._rows.get(kind, {}).pop(uid, None)

    def project_of(self, kind: str, uid: str) -> str:
        """UID of the project that the object belongs to, "" for the tenant."""
        row = self._db.execute("SELECT project FROM objects WHERE kind=? AND uid=?", (kind, uid)).fetchone()
        return row[0] if row else ""

    def all(self, kind: str, *, projects: list[str] | None = None, name: str | None = None) -> Iterator[Document]:
        """Documents in the order of their making, of these projects ("" is the tenant), of this name."""
        where, values = "kind=?", [kind]
        if projects is not None:
            where += f" AND project IN ({','.join('?' * len(projects))})"
            values += projects
        if name is not None:
            where += " AND name=?"
            values.append(name)
        for row in self._db.execute(f"SELECT document FROM objects WHERE {where} ORDER BY seq", values).fetchall():
            yield json.loads(row[0])

    # -- facts

    def rows(self, kind: str) -> dict[str, Row]:
        """All objects of a kind without their documents, in the order of their making."""
        version = self._data_version()
        if version != self._others:
            self._others = version
            self.forget_facts(set(self._rows))
        rows = self._rows.get(kind)
        if rows is None:
            found = self._db.execute("SELECT uid, project, document FROM objects WHERE kind=? ORDER BY seq", (kind,))
            rows = {uid: Row(uid, project, facts.of(kind, json.loads(text))) for uid, project, text in found}
            self._rows[kind] = rows
        return rows

    def revision(self, kind: str) -> int:
        """Another number after each change to an object of the kind."""
        return self._revisions[kind]

    def forget_facts(self, kinds: set[str]) -> None:
        """What is in memory of these kinds is not what is in the file: it is read again when it is needed."""
        for kind in kinds:
            self._rows.pop(kind, None)
            self._revisions[kind] += 1

    def _data_version(self) -> int:
        """Changes when another process wrote to the file."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    # -- heartbeats, written every second, so apart from the documents

    def beat(self, uid: str, at: float) -> None:
        """Notes when a host was last heard of."""
        self._db.execute("INSERT INTO seen VALUES (?,?) ON CONFLICT (uid) DO UPDATE SET at=excluded.at", (uid, at))

    def silent(self, before: float) -> list[str]:
        """Hosts not heard of since ``before``."""
        return [row[0] for row in self._db.execute("SELECT uid FROM seen WHERE at < ?", (before,)).fetchall()]

    def forget(self, uid: str) -> None:
        """No heartbeat is expected of the host any more, until the next one."""
        self._db.execute("DELETE FROM seen WHERE uid=?", (uid,))

    def excuse(self, at: float) -> None:
        """Counts the silence of hosts from ``at``: while the controller was down, nobody listened."""
        self._db.execute("UPDATE seen SET at=? WHERE at < ?", (at, at))

    # -- events, which no object's document holds

    def note(self, kind: str, uid: str, document: Document, *, keep: int) -> None:
        """Adds an event of an object; of each object the newest ``keep`` stay."""
        text = json.dumps(document, separators=(",", ":"))
        self._db.execute(
            "INSERT INTO notes (kind, uid, project, document) VALUES (?,?,?,?)",
            (kind, uid, self.project_of(kind, uid), text),
        )
        self._db.execute(
            "DELETE FROM notes WHERE kind=? AND uid=? AND seq <= "
            "(SELECT seq FROM notes WHERE kind=? AND uid=? ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            (kind, uid, kind, uid, keep),
        )

    def notes(self, *, projects: list[str], kind: str = "", uid: str = "") -> list[Document]:
        """Events of these projects ("" is the tenant), of one object or of all, the oldest first; each with its UID."""
        where, values = f"project IN ({','.join('?' * len(projects))})", list(projects)
        if kind:
            where += " AND kind=? AND uid=?"
            values += [kind, uid]
        found = self._db.execute(f"SELECT seq, document FROM notes WHERE {where} ORDER BY seq", values).fetchall()
        events: list[Document] = [{"seq": seq, **json.loads(text)} for seq, text in found]
        for event in events:
            event["metadata"]["uid"] = f"{event.pop('seq'):024x}"
        return events

    def forget_notes(self, kind: str, uid: str) -> None:
        """Removes all events of an object."""
        self._db.execute("DELETE FROM notes WHERE kind=? AND uid=?", (kind, uid))

    # -- settings

    def setting(self, name: str, default: Any = None) -> Any:
        """A value kept across restarts."""
        row = self._db.execute("SELECT value FROM settings WHERE name=?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set(self, name: str, value: Any) -> None:
        """Keeps a value across restarts."""
        self._db.execute(
            "INSERT INTO settings VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value",
            (name, json.dumps(value)),
        )


class Transaction:
    """``with store.transaction():``; an error undoes what was written, in the file and in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._depth = 0
        self.touched: set[str] = set()

    def __enter__(self) -> None:
        if self._depth == 0:
            self.touched.clear()
            self._store.execute("BEGIN")
        self._depth += 1

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._depth -= 1
        if self._depth:
            return
        if kind is None:
            try:
                self._store.execute("COMMIT")
            except sqlite3.Error:
                self._undo()
                raise
        else:
            self._undo()

    def _undo(self) -> None:
        if self._store.in_transaction:
            self._store.execute("ROLLBACK")
        self._store.forget_facts(self.touched)
