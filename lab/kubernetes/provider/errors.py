"""What providers raise."""

from __future__ import annotations


class ProviderError(Exception):
    """A Kubernetes cannot be had; the text is one line for people: what, why, what to do."""
