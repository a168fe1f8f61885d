# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a control plane may lose and gain at once, so that its etcd keeps a majority of members that agree.

Quorum is more than half of the members. Hosts come first, are waited for, and only then others go, one at a time; what
needs more than one step is refused with the way to do it.
"""

from __future__ import annotations

from collections.abc import Set

REPLACE = "palette.edge.replace_host replaces a host step by step"


def count_problem(count: int, *, two_node: bool) -> str:
    """What is wrong with so many control planes as a lasting state; "" when nothing is."""
    if two_node:
        return "" if count == 2 else f"has {count} hosts, a two-node cluster has exactly 2"
    if count == 2:
        return "has 2 hosts, the number of control planes must be odd (1, 3, 5), or two_node set"
    return "" if count % 2 else f"has {count} hosts, the number of control planes must be odd (1, 3, 5)"


def change_problem(have: Set[str], want: Set[str], *, two_node: bool, between: bool) -> str:
    """Why a control plane of the hosts ``have`` must not become one of the hosts ``want`` in one run; "" if it may.

    :param between: whether an even number may stand for a while, as the first half of a replacement.
    """
    coming, going = want - have, have - want
    if not coming and not going:
        return ""
    if two_node:
        if len(want) != 2:
            return count_problem(len(want), two_node=True)
        if len(going) == 2:
            return "would lose both of its hosts: replace one, wait until the cluster is healthy, then the other"
        return ""
    if going and len(have) <= 3:
        return _too_small(have, coming, going)
    quorum = len(have) // 2 + 1
    if coming and going:
        return (
            f"would lose {_listed(going)} before {_listed(coming)} has joined: add first, wait until the cluster is "
            f"healthy, then remove; {REPLACE}"
        )
    if len(want) < quorum:
        return (
            f"would lose quorum: of {len(have)} control planes {quorum} must stay, and {len(want)} would "
            f"({_listed(going)} would go): take one out at a time; {REPLACE}"
        )
    if len(going) > 1:
        return f"would lose {len(going)} hosts at once: take one out, wait until the cluster is healthy, then the next"
    if going:
        # The second half of a replacement, or a step down from five: see even_for_a_while().
        return ""
    if len(have) == 1 and len(want) == 2:
        return "has 1 host and cannot get a second one alone: add two"
    if len(want) % 2 == 0 and not (between and len(coming) == 1):
        return count_problem(len(want), two_node=False)
    return ""


def even_for_a_while(have: Set[str], want: Set[str], *, two_node: bool) -> bool:
    """Whether a control plane gets smaller to an even number, from which it must go on to an odd one."""
    return not two_node and len(want) < len(have) and len(want) % 2 == 0


def _too_small(have: Set[str], coming: Set[str], going: Set[str]) -> str:
    if coming and len(have) == 3:
        return (
            f"would lose {_listed(going)} before {_listed(coming)} has joined: add first, wait until the cluster is "
            f"healthy, then remove; {REPLACE}"
        )
    return (
        f"has {len(have)} host{'s' * (len(have) != 1)} and cannot do without {_listed(going)}: delete the cluster and "
        "form it anew"
    )


def _listed(uids: Set[str]) -> str:
    return ", ".join(sorted(uids))
