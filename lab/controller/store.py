"""State in SQLite: one JSON document for each object, a few columns to find it by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
"""


class Store:
    """Every write is committed at once: the controller may be killed at any moment."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        # The machine is not expected to lose power, only the process to be killed.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Ends the use of the file."""
        self._db.close()

    def transaction(self) -> Transaction:
        """Several writes, all or none."""
        return Transaction(self._db)

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

    def delete(self, kind: str, uid: str) -> None:
        """Removes an object."""
        self._db.execute("DELETE FROM objects WHERE kind=? AND uid=?", (kind, uid))

    def project_of(self, kind: str, uid: str) -> str:
        """UID of the project that the object belongs to, "" for the tenant."""
        row = self._db.execute("SELECT project FROM objects WHERE kind=? AND uid=?", (kind, uid)).fetchone()
        return row[0] if row else ""

    def all(self, kind: str, *, projects: list[str] | None = None, name: str | None = None) -> Iterator[Document]:
        """Documents in the order of their making, of these projects ("" is the tenant), of this name."""
        where, values = self._where(kind, projects, name)
        for row in self._db.execute(f"SELECT document FROM objects WHERE {where} ORDER BY seq", values).fetchall():
            yield json.loads(row[0])

    def page(self, kind: str, *, projects: list[str] | None, offset: int, limit: int) -> tuple[list[Document], int]:
        """One page of documents and the number of all."""
        where, values = self._where(kind, projects, None)
        total = self._db.execute(f"SELECT COUNT(*) FROM objects WHERE {where}", values).fetchone()[0]
        rows = self._db.execute(
            f"SELECT document FROM objects WHERE {where} ORDER BY seq LIMIT ? OFFSET ?", [*values, limit, offset]
        ).fetchall()
        return [json.loads(row[0]) for row in rows], total

    @staticmethod
    def _where(kind: str, projects: list[str] | None, name: str | None) -> tuple[str, list[Any]]:
        where, values = "kind=?", [kind]
        if projects is not None:
            where += f" AND project IN ({','.join('?' * len(projects))})"
            values += projects
        if name is not None:
            where += " AND name=?"
            values.append(name)
        return where, values

    # -- heartbeats, written every second, so apart from the documents

    def beat(self, uid: str, at: float) -> None:
        """Notes when a host was last heard of."""
        self._db.execute("INSERT INTO seen VALUES (?,?) ON CONFLICT (uid) DO UPDATE SET at=excluded.at", (uid, at))

    def silent(self, before: float) -> list[str]:
        """Hosts not heard of since ``before``."""
        return [row[0] for row in self._db.execute("SELECT uid FROM seen WHERE at < ?", (before,)).fetchall()]

    def forget(self, uid: str) -> None:
        """No heartbeat is expected of the host any more."""
        self._db.execute("DELETE FROM seen WHERE uid=?", (uid,))

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
    """``with store.transaction():``"""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN")

    def __exit__(self, kind: object, *dummy: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
