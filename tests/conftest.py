# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes ``ansible_collections.palette.edge`` and ``lab`` importable, wherever the checkout lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def _collections_path() -> Path:
    """The directory that holds ``ansible_collections``; for a checkout of another name, one made of a symbolic link."""
    if REPOSITORY.parts[-3:] == ("ansible_collections", "palette", "edge"):
        return REPOSITORY.parents[2]
    base = REPOSITORY / ".cache" / "dev"
    link = base / "ansible_collections" / "palette" / "edge"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.resolve() != REPOSITORY:
        # Made beside and renamed, as the workers of pytest-xdist all come here at once.
        fresh = link.with_name(f".edge-{os.getpid()}")
        fresh.symlink_to(REPOSITORY)
        fresh.replace(link)
    return base


def _install_collection_loader(path: Path) -> None:
    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    # What tests start as a process of its own (ansible-playbook, ansible-doc) is of this Python and finds this collection.
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(path)
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([programs, *filter(None, [os.environ.get("PATH")])])
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader([str(path)])


COLLECTIONS_PATH = _collections_path()
sys.path.insert(0, str(REPOSITORY))
_install_collection_loader(COLLECTIONS_PATH)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the tests of the documents can write."""
    parser.addoption("--write-api-table", action="store_true", help="write docs/api.md anew")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def collections_path() -> Path:
    """What ANSIBLE_COLLECTIONS_PATH must be for this checkout's collection."""
    return COLLECTIONS_PATH


@pytest.fixture(scope="session")
def specs() -> Path:
    """The folder of the API descriptions; skips where it does not lie beside the checkout."""
    found = Path(os.environ.get("PALETTE_SPECS") or REPOSITORY.parent / "shared" / "specs")
    if not found.is_dir():
        pytest.skip(f"the API descriptions are not at {found} (PALETTE_SPECS names another place)")
    return found
