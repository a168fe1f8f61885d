# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host records as entries of an inventory: selecting, naming and grouping them, each a function of plain data."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ._entry import Entry, group_name
from .palette._errors import InputError

FLEET_GROUP = "palette_fleet"
DEFAULT_GROUPS = ("site", "state", "health", "cluster", "project")
GROUPS = (*DEFAULT_GROUPS, "tags", "architecture")
PREFIX = "palette_"

Record = Mapping[str, Any]

# Of a name of an entry: nothing that Ansible's patterns or templates know.
_USABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]*")


def select(records: Sequence[Record], query: str) -> list[Record]:
    """The records that the JMESPath expression ``query`` returns, in its order.

    :raises InputError: when the expression is wrong, or returns something else than records.
    """
    try:
        import jmespath
        from jmespath.exceptions import JMESPathError
    except ImportError:
        raise InputError("query: needs the Python library jmespath on the controller (pip install jmespath)") from None
    try:
        found = jmespath.search(query, list(records))
    except JMESPathError as error:
        raise InputError(f"query: {query!r} is not a JMESPath expression for host records: {error}") from None
    by_uid = {record["uid"]: record for record in records}
    chosen = found if isinstance(found, list) else [found]
    if found is None or not all(isinstance(one, Mapping) and one.get("uid") in by_uid for one in chosen):
        raise InputError(f"query: {query!r} must return host records, as in [?state == 'ready']")
    return list({one["uid"]: by_uid[one["uid"]] for one in chosen}.values())


def check_hostnames(preferences: Sequence[Any], known: Sequence[str]) -> None:
    """Refuses what is no key of a host record.

    :raises InputError: naming it.
    """
    for one in preferences:
        if not isinstance(one, str) or not (one in known or one.startswith("tags.")):
            raise InputError(f"hostnames: {one!r} is neither tags.KEY nor one of {', '.join(known)}")


def name_hosts(records: Sequence[Record], preferences: Sequence[str]) -> tuple[list[str], list[str]]:
    """The name of each record, and warnings.

    A name that two hosts would bear is given to neither: both go on to their next preference. The last is the UID,
    which is unique, so that two hosts never become one entry.
    """
    choices = [[*_candidates(record, preferences), record["uid"]] for record in records]
    level = [0] * len(records)
    shared: dict[str, int] = {}
    while True:
        names = [options[at] for options, at in zip(choices, level)]
        twice = {name: count for name, count in Counter(names).items() if count > 1}
        if not twice:
            break
        for place, name in enumerate(names):
            if name in twice:
                level[place] = min(level[place] + 1, len(choices[place]) - 1)
        shared.update((name, max(count, shared.get(name, 0))) for name, count in twice.items())
    warnings = [f"{count} Edge hosts would be named {name}: each got another name" for name, count in shared.items()]
    return names, warnings


def usable(name: str) -> bool:
    """Whether ``name`` can be the name of an entry."""
    return bool(_USABLE.fullmatch(name))


def groups_of(record: Record, kinds: Sequence[str], *, site_tag: str, prefix: str = "") -> list[str]:
    """The groups of one host. The one of its site bears the name that the site's own inventory gives it."""
    names: list[str] = []
    for kind in kinds:
        if kind == "tags":
            names += [f"tag_{key}_{value}" if value else f"tag_{key}" for key, value in record["tags"].items()]
        elif kind == "site":
            names.append(record["tags"].get(site_tag, ""))
        elif kind == "cluster":
            names += [f"cluster_{name}" for name in record["clusters"]]
        elif kind in ("state", "health"):
            names.append(f"{kind}_{record[kind] or 'unknown'}")
        elif record[kind]:
            names.append(f"{kind}_{record[kind]}")
    return list(dict.fromkeys(group_name(prefix + name) for name in names if name))


def entries_of(
    records: Sequence[Record],
    names: Sequence[str],
    *,
    kinds: Sequence[str],
    site_tag: str,
    group_prefix: str,
    connect: bool,
) -> list[Entry]:
    """Entries with flat variables. A group that would bear the name of an entry is called C(group_NAME)."""
    taken = set(names)
    entries = []
    # The same text for the same key of every host, not one for each.
    spelled = {key: PREFIX + key for record in records[:1] for key in record}
    for record, name in zip(records, names):
        variables = {spelled[key]: value for key, value in record.items()}
        if connect and _is_address(record["address"]):
            variables["ansible_host"] = record["address"]
        groups = groups_of(record, kinds, site_tag=site_tag, prefix=group_prefix)
        entries.append(
            Entry(
                name=name,
                variables=variables,
                groups=[FLEET_GROUP, *(f"group_{one}" if one in taken else one for one in groups)],
                untrusted=True,
            )
        )
    return entries


def _candidates(record: Record, preferences: Sequence[str]) -> list[str]:
    found = []
    for one in preferences:
        value = record["tags"].get(one[len("tags.") :]) if one.startswith("tags.") else record.get(one)
        if isinstance(value, str) and usable(value):
            found.append(value)
    return found


def _is_address(text: str) -> bool:
    """Nothing but an address may become one: what stands there is handed to ssh."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
