"""The seam for what forms a cluster on the hosts.

The lab's clusters are states that follow one another; a provider that forms a real Kubernetes takes the place of
:class:`StatesOnly` and nothing else changes.
"""

from __future__ import annotations

from typing import Protocol

from .store import Document


class Provider(Protocol):
    """Forms clusters."""

    name: str

    def formed(self, cluster: Document, config: Document, *, worked: float) -> float:
        """How much of the cluster is formed, from 0 to 1; asked again and again, never blocks.

        :param worked: seconds during which all hosts of the cluster were healthy.
        """


class StatesOnly:
    """No Kubernetes: time passes, then the cluster runs."""

    name = "states only"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def formed(self, cluster: Document, config: Document, *, worked: float) -> float:  # noqa: ARG002
        """The share of the time that has passed."""
        return 1.0 if self._seconds <= 0 else min(1.0, worked / self._seconds)
