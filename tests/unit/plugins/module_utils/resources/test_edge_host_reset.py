# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resets of Edge hosts: confirmed, of hosts that are there, and not at the cost of a quorum."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import ConflictError, InputError
from ansible_collections.palette.edge.plugins.module_utils.palette._session import TENANT
from ansible_collections.palette.edge.plugins.module_utils.resources._edge_host_reset import (
    control_planes,
    plan_reset,
    refuse_reset,
)
from ansible_collections.palette.edge.tests.unit.palette_objects import host, member, pool, unpaired


def planes(*uids: str) -> list[dict[str, Any]]:
    """A control plane of these hosts, and a worker."""
    return [pool("plane", *(member(uid) for uid in uids), control_plane=True), pool("workers", member("w"))]


def test_it_is_one_request_that_is_not_sent_again() -> None:
    (step,) = plan_reset(host("w"), uid="w", confirm="w", scope=TENANT).steps
    assert (step.method, step.path, step.body, step.once) == ("PUT", "/v1/edgehosts/w/reset", None, True)


def test_it_has_to_be_confirmed_by_the_id() -> None:
    with pytest.raises(InputError, match="confirm: it is 'yes', not the ID of the host, 'w'"):
        plan_reset(host("w"), uid="w", confirm="yes", scope=TENANT)


def test_there_must_be_something_to_reset() -> None:
    with pytest.raises(InputError, match="uid: there is no Edge host 'w' in this project"):
        plan_reset(None, uid="w", confirm="w", scope=TENANT)
    with pytest.raises(ConflictError, match="uid: Edge host w is not paired yet"):
        plan_reset(unpaired("w"), uid="w", confirm="w", scope=TENANT)


@pytest.mark.parametrize(
    ("uids", "unwell", "two_node"),
    [("abc", "", False), ("abcde", "e", False), ("ab", "", True)],
)
def test_a_control_plane_that_the_others_can_do_without(uids: str, unwell: str, two_node: bool) -> None:
    refuse_reset("a", planes(*uids), unwell=set(unwell), two_node=two_node)


@pytest.mark.parametrize(
    ("uids", "unwell", "two_node"),
    [("a", "", False), ("abc", "c", False), ("ab", "", False), ("abcde", "de", False), ("ab", "b", True)],
)
def test_a_quorum_is_not_given_away(uids: str, unwell: str, two_node: bool) -> None:
    with pytest.raises(ConflictError, match="would lose quorum"):
        refuse_reset("a", planes(*uids), unwell=set(unwell), two_node=two_node)


def test_a_worker_has_no_quorum() -> None:
    refuse_reset("w", planes("a"), unwell={"a"}, two_node=False)
    assert control_planes("w", planes("a", "b")) == []
    assert control_planes("a", planes("a", "b", "c")) == ["b", "c"]
