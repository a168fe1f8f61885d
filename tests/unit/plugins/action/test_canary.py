# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role as a user runs it, at -vvvv: no secret may be anywhere in what it prints, plain or as base64."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TOKEN = "canary-t0ken-of-the-registration"
OTHER = "canary-0ther-token"
PASSWORD = "canary-pr0xy-passw0rd"
HASH = "$6$canary$passwd-hash"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="the file gets the owner root")]


def run(folder: Path, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "roles": [{"role": "palette.edge.site_configuration"}],
        "vars": {
            "ansible_connection": "local",
            "site_configuration_become": False,
            "site_configuration_reboot": False,
            "site_configuration_verify": False,
            # A way back needs /oem, and a reboot.
            "site_configuration_confirm_within": 0,
            "site_configuration_path": str(folder / "user-data"),
            "site_configuration_registration_token": TOKEN,
            "site_configuration_palette_endpoint": "palette.example.com",
            "site_configuration_host_id": "edge-1",
            "site_configuration_host_name": "store-1",
            "site_configuration_proxy": {"http": f"http://user:{PASSWORD}@proxy.example.com:3128"},
            "site_configuration_users": {"ops": {"passwd": HASH}},
            **variables,
        },
    }
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump([play]))
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "-i",
        "localhost,",
        "-vvvv",
        "--diff",
        *arguments,
        str(playbook),
    ]
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "HOME": str(folder), "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def leaks(text: str) -> list[str]:
    found = []
    for secret in (TOKEN, OTHER, PASSWORD, HASH):
        # Base64 looks different at each of three offsets.
        forms = [secret] + [base64.b64encode(b"x" * offset + secret.encode()).decode()[4:-4] for offset in range(3)]
        found += [secret for form in forms if form in text]
    return found


def test_no_secret_is_printed(tmp_path: Path) -> None:
    note = Path("/run/palette-edge") / f"{hashlib.sha256(str(tmp_path / 'user-data').encode()).hexdigest()[:12]}.reboot"
    try:
        runs = [
            run(tmp_path, "--check"),
            run(tmp_path),
            run(tmp_path, "--check", site_configuration_registration_token=OTHER),
            run(tmp_path, site_configuration_registration_token=f"{OTHER} "),
            run(tmp_path, site_configuration_proxy={"http": f"socks://user:{PASSWORD}@proxy"}),
        ]
    finally:
        note.unlink(missing_ok=True)
    assert [done.returncode for done in runs] == [0, 0, 0, 2, 2], runs[1].stdout + runs[1].stderr
    for done in runs:
        assert leaks(done.stdout + done.stderr) == []
        assert "Traceback" not in done.stdout + done.stderr
    assert TOKEN in (tmp_path / "user-data").read_text()
    assert "changed=1 " in runs[1].stdout
    assert "<hidden, changed>" in runs[2].stdout
    assert "registration_token: holds a blank" in runs[3].stdout
