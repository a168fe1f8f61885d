# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of registration tokens."""

from __future__ import annotations

from ansible_collections.palette.edge.tests.unit.module_world import TOKENS, World, case
from ansible_collections.palette.edge.tests.unit.palette_objects import (
    token,
)


@case(
    "registration_token",
    "create",
    name="store-042",
    description="Store 42",
    default_project="Default",
    expires="2030-01-01T10:00:00+02:00",
    active=False,
)
def _token_create(world: World) -> None:
    world.reads("GET", TOKENS, {"items": []}, {"items": [token(active=False)]}, scope="")
    world.writes("POST", TOKENS, {"uid": "uid-store-042"}, scope="")
    world.writes("PUT", f"{TOKENS}/uid-store-042/state", scope="")


@case("registration_token", "update", name="store-042", description="new", expires="2031-01-01", active=True)
def _token_update(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token("other"), token(active=False)]}, scope="")
    world.writes("PUT", f"{TOKENS}/uid-store-042", scope="")
    world.writes("PUT", f"{TOKENS}/uid-store-042/state", scope="")


@case("registration_token", "same", changed=False, name="store-042", expires="2030-01-01", default_project="Default")
def _token_same(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token()]}, scope="")


@case("registration_token", "delete", name="store-042", state="absent", expires="2001-01-01")
def _token_delete(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token()]}, {"items": []}, scope="")
    world.writes("DELETE", f"{TOKENS}/uid-store-042", scope="")


@case("registration_token_info", "all", changed=False)
def _token_info(world: World) -> None:
    world.reads("GET", TOKENS, {"items": [token(), token("other")]}, scope="")
