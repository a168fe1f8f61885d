# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import string
from urllib.parse import quote

import pytest

from ansible_collections.palette.edge.plugins.plugin_utils._redact import HIDDEN, Redactor

hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")

SECRETS = st.text(alphabet=string.ascii_letters + string.digits + "+/=!$&?%-_. \"'\\", min_size=12, max_size=40).filter(
    lambda secret: len(secret.strip()) >= 12
)


@hypothesis.given(secret=SECRETS, before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_known_secret_never_comes_through(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    secret = secret.strip()
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()):
        text = redactor.text(f"{before}{form}{after}")
        assert form not in text
        assert HIDDEN in text


@hypothesis.given(
    words=st.lists(st.sampled_from(["token", "secret", "password", "is", "expired", "not found", "unknown"]))
)
def test_words_about_secrets_stay(words: list[str]) -> None:
    assert Redactor().text(" ".join(words)) == " ".join(words)
