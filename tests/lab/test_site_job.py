# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole job on real hosts: one site from bare Edge hosts to a running cluster, again, and with a change.

The tests of this file are one story on one lab, in the order in which they stand.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from ansible.plugins.loader import connection_loader

from ansible_collections.palette.edge.tests.lab.conftest import Laboratory
from ansible_collections.palette.edge.tests.lab.site_lab import PROGRAMS, REPOSITORY, STORE_042, Lab, until

pytestmark = pytest.mark.lab

PAIRING_KEY = "canary-pairing-key-5e1f"
NAMES = [f"store-042-{number}" for number in (1, 2, 3)]
ADDRESSES = [f"10.42.0.1{number}" for number in (1, 2, 3)]
EVERYONE = ["store-042", *NAMES]


class Commands(threading.Thread):
    """Collects, until the block ends, the command line of every process of this machine, those in the hosts too."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self._over = threading.Event()

    def __enter__(self) -> Commands:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look again and again."""
        while not self._over.wait(0.01):
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    try:
                        self.seen.add(Path("/proc", entry, "cmdline").read_bytes())
                    except OSError:
                        continue  # it has ended

    def text(self) -> str:
        """All of them, one a line."""
        return "\n".join(line.replace(b"\0", b" ").decode(errors="replace") for line in self.seen)


@pytest.fixture(scope="module")
def lab(laboratory: Laboratory, bootable: None) -> Iterator[Lab]:
    hosts = [*STORE_042[:2], {**STORE_042[2], "pairing_key": PAIRING_KEY}]
    with laboratory(hosts) as lab:
        yield lab


def one_line(message: str) -> bool:
    """Whether it is an error for people."""
    return "\n" not in message.strip() and "Traceback" not in message and 20 < len(message) < 700


def test_check_mode_of_a_site_of_which_nothing_exists_yet_succeeds_and_predicts(lab: Lab) -> None:
    with lab.untouched():
        run = lab.play("--check", "--diff")
    assert run.code == 0, run.tell()
    assert run.changed == {"store-042": 5, **dict.fromkeys(NAMES, 2)}, run.tell()
    for expected in ("+    hostName: store-042-2", '+        ipAddress: "10.42.0.12/24"'):
        assert any(expected.split() == line.split() for line in run.text.splitlines()), expected


@pytest.mark.parametrize("key", ["unknown", "read-only"])
def test_a_key_that_may_not_is_refused_in_one_line_and_nothing_is_written(lab: Lab, key: str) -> None:
    value = "an-unknown-key-0123456789" if key == "unknown" else lab.info["read_only_key"]
    before = lab.standing()
    run = lab.play(PALETTE_API_KEY=value)
    assert run.code != 0
    assert set(run.failed) == {"store-042"}
    assert one_line(run.failed["store-042"]), run.failed
    assert ("The API key is refused" if key == "unknown" else "The API key has no right") in run.failed["store-042"]
    assert value not in run.text
    assert [write for write in lab.writes() if not write.endswith(" 403")] == []
    assert lab.standing() == before
    assert lab.tokens() == lab.search("clusterprofiles") == lab.search("edgehosts") == []


def test_a_token_name_that_two_bear_is_refused_and_names_both(lab: Lab) -> None:
    body = {"metadata": {"name": "store-042"}, "spec": {"expiry": "2099-01-01T00:00:00Z"}}
    uids = [lab.api("POST", "/v1/edgehosts/tokens", body, project="")["uid"] for dummy in range(2)]
    with lab.untouched():
        run = lab.play(playbook="palette.edge.token")
        hosts = lab.play(playbook="palette.edge.configure")
    for uid in uids:
        lab.api("DELETE", f"/v1/edgehosts/tokens/{uid}", project="")
    assert set(run.failed) == {"store-042"}
    assert set(hosts.failed) == set(NAMES)
    for message in [*run.failed.values(), *hosts.failed.values()]:
        assert one_line(message), message
        assert all(uid in message for uid in uids), message


def test_nothing_secret_is_told_by_the_job_at_its_most_talkative(lab: Lab) -> None:
    """The job itself, from bare hosts; one of them was registered before, with a pairing key."""
    known = [{"id": "edge-store-042-3", "name": "store-042-3", "pairing_key": PAIRING_KEY}]
    extra: dict[str, Any] = {"registration_hosts": known, "registration_wait": False}
    with Commands() as commands:
        registered = lab.play("-vvvv", "--diff", playbook="palette.edge.register", extra=extra)
        run = lab.play("-vvvv", "--diff")
    assert registered.code == 0, registered.tell()
    assert run.code == 0, run.tell()
    host = lab.api("GET", "/v1/edgehosts/edge-store-042-3")
    assert host["spec"]["host"]["hostPairingKey"] == PAIRING_KEY

    inventories = [str(REPOSITORY / "examples/stores" / name) for name in ("stores.sites.yml", "fleet.palette.yml")]
    dump = lab.ansible("ansible-inventory", "--list", "-vvvv", "-i", inventories[0], "-i", inventories[1])
    assert "edge-store-042-3" in dump
    told = {
        "what was printed": registered.text + run.text,
        "lists of processes": commands.text(),
        "the inventory": dump,
        "the lab's logs": "".join(path.read_text(errors="replace") for path in lab.state.glob("*.log")),
    }
    assert str(PROGRAMS / "ansible-playbook") in told["lists of processes"]
    assert "10.42.0.101" in told["lists of processes"]
    secrets = {"API key": lab.info["api_key"], "pairing key": PAIRING_KEY}
    secrets |= {f"token {one['metadata']['name']}": one["spec"]["token"] for one in lab.tokens()}
    for one in lab.search("edgehosts"):
        whole = lab.api("GET", f"/v1/edgehosts/{one['metadata']['uid']}")
        secrets[f"service token of {one['metadata']['uid']}"] = whole["status"]["serviceAuthToken"]
        secrets[f"host token of {one['metadata']['uid']}"] = whole["spec"]["host"]["hostAuthToken"]
    assert len(secrets) == 9
    leaks = [
        f"{what} in {where}"
        for what, secret in secrets.items()
        for where, text in told.items()
        if any(form in text for form in forms(secret))
    ]
    assert leaks == []


def forms(secret: str) -> list[str]:
    """The secret as it is, and as base64 shows it, wherever it stands in what is encoded."""
    plain = secret.encode()
    encoded = [base64.b64encode(b"x" * shift + plain).decode()[4:-4] for shift in range(3)]
    return [secret, *encoded, plain.hex()]


def test_the_site_runs(lab: Lab) -> None:
    """What the job left, by the evidence of Palette and of the hosts."""
    found = {one["metadata"]["name"]: one for one in lab.search("edgehosts")}
    whole = {name: lab.api("GET", f"/v1/edgehosts/edge-{name}") for name in found}
    assert sorted(found) == NAMES
    for name, address in zip(NAMES, ADDRESSES, strict=True):
        one = whole[name]
        assert one["metadata"]["uid"] == f"edge-{name}"
        assert (one["status"]["state"], one["status"]["health"]["state"]) == ("in-use", "healthy")
        assert [used["name"] for used in one["status"]["inUseClusters"]] == ["store-042"]
        assert one["spec"]["host"]["hostAddress"] == address
        assert one["metadata"]["labels"] == {
            "region": "north",
            "site": "store-042",
            "rack": "b" if name[-1] == "3" else "a",
        }
    (cluster,) = lab.search("spectroclusters")
    assert (cluster["metadata"]["name"], cluster["status"]["state"]) == ("store-042", "Running")
    (profile,) = lab.search("clusterprofiles")
    assert profile["metadata"]["name"] == "edge-store"
    (token,) = lab.tokens()
    assert token["metadata"]["name"] == "store-042"

    script = (
        "hostname; ip -4 -o addr show dev host0; cat /etc/environment; sudo stat -c '%a %U:%G' /oem/user-data;"
        " sudo cat /oem/user-data; cat /etc/ssl/certs/ca-certificates.crt; command -v python3 || echo no python"
    )
    certificate = (REPOSITORY / "examples/stores/certs/example-ca.pem").read_text()
    for name, address in zip(NAMES, ADDRESSES, strict=True):
        said = lab.ssh(address, script)
        assert said.splitlines()[0] == name
        assert f" {address}/24 " in said
        assert "10.42.0.10" + address[-1] not in said.splitlines()[1]
        assert 'HTTPS_PROXY="http://10.42.0.1:3128"' in said
        assert "600 root:root\n" in said
        assert token["spec"]["token"] in said
        assert certificate.split("-----")[2].strip() in said.split("no python")[0].rpartition("stylus")[2]
        assert said.endswith("no python\n")


def test_a_second_run_changes_nothing_and_writes_nothing(lab: Lab) -> None:
    with lab.untouched():
        run = lab.play()
    assert run.code == 0, run.tell()
    assert run.changed == dict.fromkeys(EVERYONE, 0), run.tell()
    assert len(lab.requests()) > 10


def test_the_fleet_is_a_table(lab: Lab) -> None:
    run = lab.play(playbook="palette.edge.fleet")
    rows = [line.strip().strip('",').split() for line in run.text.splitlines()]
    assert ["HOST", "SITE", "STATE", "HEALTH", "CLUSTER", "ADDRESS", "AGENT", "VERSION"] in rows
    for name, address in zip(NAMES, ADDRESSES, strict=True):
        assert [name, "store-042", "in-use", "healthy", "store-042", address] in [row[:6] for row in rows]


CHANGE = {
    "region: north": "region: south",
    "pool.ntp.org": "ntp.example.com",
    "gateway: 10.42.0.1": "gateway: 10.42.0.1\n  ntp_servers: [time.example.com]",
}


def test_check_and_diff_show_a_changed_tag_and_time_servers_and_nothing_else(lab: Lab) -> None:
    with lab.untouched():
        run = lab.play("--check", "--diff", inventory=lab.example(CHANGE))
    assert run.code == 0, run.tell()
    # On each host the file and the reboot; on the site the hosts' tags and the cluster.
    assert run.changed == {"store-042": 2, **dict.fromkeys(NAMES, 2)}, run.tell()
    shown = Counter(line[0] + " " + line[1:].replace('"', "").strip(" ,") for line in run.diff_lines())
    # A tag is in the user-data and in Palette, of each host, and on the cluster.
    assert shown == {
        "- region: north": 7,
        "+ region: south": 7,
        "+ ntpServers:": 3,
        "+ - time.example.com": 3,
        "- pool.ntp.org": 1,
        "+ ntp.example.com": 1,
    }, run.tell()


def test_a_full_disk_and_a_host_that_never_comes_back_stop_no_other_host(lab: Lab) -> None:
    """The change is made in earnest, while the first host's disk is full and the second is lost in its reboot."""
    inventory = lab.example(CHANGE)
    full = "mkdir -p /run/keep && cp -a /oem/. /run/keep && mount -t tmpfs -o size=32k tmpfs /oem && cp -a /run/keep/. /oem"
    lab.ssh(ADDRESSES[0], f"sudo sh -c '{full} && ! dd if=/dev/zero of=/oem/ballast bs=4k 2>/dev/null'")
    before = lab.ssh(ADDRESSES[0], "sudo sha256sum /oem/user-data; cat /proc/sys/kernel/random/boot_id")
    boots = {name: one["boots"] for name, one in lab.hosts().items()}
    quick = {"site_configuration_reboot_timeout": 12, "site_configuration_timeout": 8, "registration_wait_timeout": 3}
    run = lab.start(inventory=inventory, extra=quick)
    until(lambda: json.loads((lab.state / "hosts" / NAMES[1] / "status.json").read_text())["state"] != "running")
    lab.command("fault", "host", NAMES[1], "kill")
    done = run.end()

    assert set(done.failed) == {"store-042", NAMES[0], NAMES[1]}, done.tell()
    assert all(map(one_line, done.failed.values())), done.failed
    assert "No space left on device" in done.failed[NAMES[0]]
    assert "it is as it was" in done.failed[NAMES[0]]
    assert lab.ssh(ADDRESSES[0], "sudo sha256sum /oem/user-data; cat /proc/sys/kernel/random/boot_id") == before
    assert lab.ssh(ADDRESSES[0], "sudo ls -A /oem").split() == ["90_custom.yaml", "ballast", "user-data"]
    assert "did not come back within 12 s" in done.failed[NAMES[1]]
    assert done.stats[NAMES[1]]["unreachable"] == 1
    assert "edge-store-042-2" in done.failed["store-042"]
    assert done.stats[NAMES[2]] | {"failures": 0, "unreachable": 0, "changed": 2} == done.stats[NAMES[2]], done.tell()
    assert lab.hosts()[NAMES[2]]["boots"] == boots[NAMES[2]] + 1
    assert "NTP=time.example.com" in lab.ssh(ADDRESSES[2], "cat /etc/systemd/timesyncd.conf")

    lab.ssh(ADDRESSES[0], "sudo umount /oem")
    lab.command("up")
    again = lab.play(inventory=inventory)
    assert again.code == 0, again.tell()
    # The second host booted with what had been written to it, and the tags in Palette were not waited for.
    assert again.changed == {"store-042": 1, NAMES[0]: 2, NAMES[1]: 0, NAMES[2]: 0}, again.tell()
    for address in ADDRESSES:
        assert "NTP=time.example.com" in lab.ssh(address, "cat /etc/systemd/timesyncd.conf")
    assert [one["metadata"]["labels"]["region"] for one in lab.search("edgehosts")] == ["south"] * 3


def test_paramiko_serves_as_well_as_ssh(lab: Lab) -> None:
    """The change is taken back over the other connection, where this ansible-core still has it."""
    pytest.importorskip("paramiko", reason="the Python package paramiko is not installed")
    if connection_loader.find_plugin("paramiko_ssh") is None:
        pytest.skip("this ansible-core has no connection paramiko_ssh")
    words = shlex.split(lab.variables["ANSIBLE_SSH_COMMON_ARGS"])
    way = next(word.partition("=")[2] for word in words if word.startswith("ProxyCommand="))
    more: dict[str, Any] = {
        "ANSIBLE_PARAMIKO_PROXY_COMMAND": way,
        "ANSIBLE_HOST_KEY_CHECKING": "false",
        "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "false",
        "HOME": str(lab.folder),
    }
    configure: dict[str, Any] = {"playbook": "palette.edge.configure", "extra": {"ansible_connection": "paramiko_ssh"}}
    run = lab.play(**configure, **more)
    assert run.code == 0, run.tell()
    assert run.changed == dict.fromkeys(NAMES, 2), run.tell()
    for address in ADDRESSES:
        assert "time.example.com" not in lab.ssh(address, "cat /etc/systemd/timesyncd.conf")
    with lab.untouched():
        again = lab.play(**configure, **more)
    assert again.changed == dict.fromkeys(NAMES, 0), again.tell()
