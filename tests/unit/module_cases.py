# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module at work: the cases of each room, in one list."""

from __future__ import annotations

from ansible_collections.palette.edge.tests.unit import (
    cases_clusters,
    cases_export,
    cases_hosts,
    cases_nodes,
    cases_profiles,
    cases_tokens,
)
from ansible_collections.palette.edge.tests.unit.module_world import (
    CASES,
    CLOUD,
    CLUSTERS,
    PROFILES,
    TOKENS,
    Case,
    World,
)

ROOMS = (cases_clusters, cases_export, cases_hosts, cases_nodes, cases_profiles, cases_tokens)

__all__ = ["CASES", "CLOUD", "CLUSTERS", "PROFILES", "ROOMS", "TOKENS", "Case", "World"]
