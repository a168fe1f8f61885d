# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a real Edge host without Python: what it is configured to, the way back, and what strays from it."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.tests.lab.one_host import ROLE, TOKEN, Hosts, Run, one_host
from lab.hosts.wanted import change_wanted, read_wanted

pytestmark = pytest.mark.lab


def kernel_has_vlans() -> bool:
    """Whether this machine's kernel, which is also the hosts', knows VLANs at all."""
    probe = "ip link add vlan0 link lo type vlan id 42"
    return subprocess.run(["unshare", "--net", "sh", "-c", probe], capture_output=True, check=False).returncode == 0


VLANS = kernel_has_vlans()
PROXY = "http://u:pr0xy-canary@10.43.0.1:3128"
WANTED: dict[str, Any] = {
    "site_configuration_interfaces": {
        "host0": {
            "address": "10.43.0.11/24",
            "gateway": "10.43.0.1",
            "nameservers": ["10.43.0.1", "10.43.0.2"],
            "search": ["store.example.com"],
            "mtu": 1400,
            "vlans": {42: {"address": "10.44.42.11/24", "mtu": 1380}} if VLANS else {},
        },
        "host1": {"address": "10.45.0.11/24"},
    },
    "key": "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'ANSIBLE_PRIVATE_KEY_FILE') ~ '.pub') }}",
    "edge_host_ca_certificates": [
        "{{ lookup('ansible.builtin.file', lookup('ansible.builtin.env', 'PALETTE_CA_PATH')) }}"
    ],
    "edge_host_proxy": {"http": PROXY, "no_proxy": ["10.0.0.0/8"]},
    "site_configuration_users": {
        "ops": {"groups": ["sudo"], "passwd": "$6$abc$hash", "ssh_authorized_keys": ["{{ key }}"]}
    },
    # A host of the lab is back within seconds or not at all.
    "site_configuration_connect_timeout": 2,
    "site_configuration_verify_timeout": 20,
    "site_configuration_confirm_within": 60,
}


def moved(address: str, old: str, **more: Any) -> dict[str, Any]:
    """The same with another address of the first NIC, on a host that is at `old`."""
    interfaces = WANTED["site_configuration_interfaces"]
    nics = {**interfaces, "host0": {**interfaces["host0"], "address": address}}
    return {**WANTED, "site_configuration_interfaces": nics, "site_configuration_addresses": [address, old], **more}


def info(hosts: Hosts, **variables: Any) -> dict[str, Any]:
    """What the role's entry point `report` says."""
    target = hosts.folder / "report.json"
    play = {"hosts": "all", "gather_facts": False, "tasks": [
        {"ansible.builtin.include_role": {"name": "palette.edge.site_configuration", "tasks_from": "report"}},
        {"ansible.builtin.copy": {"content": "{{ site_configuration_report | to_json }}", "dest": str(target)},
         "delegate_to": "localhost", "vars": {"ansible_connection": "local"}},
    ]}  # fmt: skip
    done = hosts.play(play, "-vvvv", **variables)
    assert done.stats["site-1"]["failed"] == 0, done.text[-3000:]
    text = done.text + target.read_text()
    secrets = [TOKEN, "pr0xy-canary", "$6$abc$hash"]
    secrets += [base64.b64encode(b"x" * at + TOKEN.encode()).decode()[4:-4] for at in range(3)]
    assert [secret for secret in secrets if secret in text] == []
    found: dict[str, Any] = json.loads(target.read_text())
    return found


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for what takes seconds, and on a loaded machine a minute."""
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def meanwhile(meddle: Callable[[], None], work: Callable[[], Run]) -> Run:
    """Do both at once; what fails in either fails."""
    with ThreadPoolExecutor(1) as pool:
        meddling = pool.submit(meddle)
        done = work()
        meddling.result()
        return done


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory, collections_path: Path) -> Iterator[Hosts]:
    with one_host(tmp_path_factory.mktemp("network"), "nw", collections_path) as found:
        yield found


def test_all_of_it_is_in_force_after_one_boot_and_what_strays_is_found(hosts: Hosts) -> None:
    done = hosts.play(ROLE, **WANTED)
    assert (done.stats["site-1"]["failed"], done.stats["site-1"]["changed"]) == (0, 2), done.text
    shown = hosts.raw("ip -o link; ip -o -4 addr; ip route; cat /etc/resolv.conf /etc/environment; id ops; ls /oem")
    for words in (
        "<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400",
        "host1    inet 10.45.0.11/24",
        "default via 10.43.0.1 dev host0",
        "nameserver 10.43.0.1\nnameserver 10.43.0.2\nsearch store.example.com",
        f'HTTP_PROXY="{PROXY}"',
        "(sudo)",
        # The confirmation took the way back away.
        "90_custom.yaml\nuser-data\n",
    ):
        assert words in shown, shown
    assert hosts.raw("id -un; cat /proc/sys/kernel/hostname", user="ops").split() == ["ops", "site-one"]
    report = info(hosts, **WANTED)
    if VLANS:
        reaches_the_vlan(hosts)
        assert report["in_force"]["vlans"] == [{"name": "host0.42", "id": 42, "interface": "host0"}]
    assert report["drift"] == []
    hosts.raw(
        "hostname other; ip link set host0 mtu 1450; ip link del host0.42 2>/dev/null; sed -i /10.43.0.2/d /etc/resolv.conf;"
        "ip addr add 10.45.0.99/24 dev host1; ip addr del 10.45.0.11/24 dev host1; gpasswd -d ops sudo;"
        "rm /home/ops/.ssh/authorized_keys; : > /etc/ssl/certs/ca-certificates.crt; : > /etc/environment;"
        " echo > /etc/systemd/timesyncd.conf; chmod 644 /oem/user-data"
    )
    found = {one["what"]: (one["wanted"], one["seen"]) for one in info(hosts, **WANTED)["drift"]}
    assert found == {
        "mode of /oem/user-data": ("0600, as it holds secrets", "0644"),
        "host name": ("site-one", "other"),
        "MTU of host0": ("1400", "1450"),
        **({"interface host0.42": ("there", "none")} if VLANS else {}),
        "address of host1": ("10.45.0.11/24", "10.45.0.99/24"),
        "name servers": ("10.43.0.1, 10.43.0.2", "10.43.0.1"),
        "http_proxy": ("http://<hidden>@10.43.0.1:3128", "none"),
        "no_proxy": ("10.0.0.0/8", "none"),
        "CA certificates": ("1 trusted", "not trusted: 1 of 1 (in the order of caCerts)"),
        "time servers": ("pool.ntp.org", "none"),
        "groups of ops": ("sudo", "ops"),
        "SSH keys of ops": ("1", "0 of them"),
    }


def reaches_the_vlan(hosts: Hosts) -> None:
    """The host answers to tagged frames on the bridge."""
    address = "addr add 10.44.42.1/24 dev tag42"
    for command in ("link add link br0 name tag42 type vlan id 42", address, "link set tag42 up"):
        subprocess.run(["ip", "-n", hosts.name, *command.split()], check=True)
    ping = ["ip", "netns", "exec", hosts.name, "ping", "-c1", "-W3", "10.44.42.11"]
    done = subprocess.run(ping, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(VLANS, reason="this machine's kernel knows VLANs")
def test_vlans_are_refused_where_the_kernel_has_none(hosts: Hosts) -> None:
    done = hosts.play(ROLE, "--check", **{**WANTED, "site_configuration_interfaces": {"host0": {"vlans": {42: {}}}}})
    assert "interfaces.host0.vlans: the host's kernel" in done.text


def test_a_host_that_is_cut_off_by_the_change_comes_back_on_its_old_address(hosts: Hosts) -> None:
    before = hosts.status()["boot_id"]

    def cut() -> None:
        machine = hosts.on_disk("").parent
        try:
            # Before the host has booted, or it would be confirmed.
            until(lambda: hosts.status().get("boot_id") != before, "the host does not reboot")
            change_wanted(machine, link=False)
            until(lambda: hosts.status().get("boot_id") not in (before, None), "the host does not boot")
            # The time begins anew with each boot, and a power cut meanwhile does not end it.
            change_wanted(machine, power=False)
            until(lambda: hosts.status()["state"] == "killed", "the power is not cut")
            change_wanted(machine, power=True, boots=read_wanted(machine).boots + 1)
            until(lambda: hosts.on_disk("/oem/.palette-way-back/put-back").exists(), "the host does not go back")
        finally:
            hosts.lab("fault", "host", "site-1", "restore")

    options = moved(
        "10.43.0.12/24", "10.43.0.11", site_configuration_confirm_within=6, site_configuration_reboot_timeout=200
    )
    done = meanwhile(cut, lambda: hosts.play(ROLE, **options))
    assert done.stats["site-1"]["failed"] == 1, done.text
    assert "the host took its old user-data back" in done.text
    assert "nobody confirmed the new one within 6 s of the boot" in done.text
    assert "10.43.0.11/24" in hosts.raw("ip -o -4 addr show host0; ls /oem")
    boot = hosts.status()["boot_id"]

    again = hosts.play(ROLE, **options)
    assert again.stats["site-1"]["failed"] == 1
    assert "The host had this user-data and took its old one back" in again.text
    assert hosts.status()["boot_id"] == boot, "the same was tried blindly"

    retried = hosts.play(ROLE, **moved("10.43.0.12/24", "10.43.0.11", site_configuration_retry=True))
    assert retried.stats["site-1"]["failed"] == 0, retried.text
    assert "10.43.0.12/24" in hosts.raw("ip -o -4 addr show host0")
    assert sorted(path.name for path in hosts.on_disk("/oem").iterdir()) == ["90_custom.yaml", "user-data"]


def test_a_power_cut_in_the_middle_of_a_write_leaves_the_old_user_data(hosts: Hosts) -> None:
    old = hosts.on_disk("/oem/user-data").read_bytes()
    hosts.raw(
        'printf \'#!/bin/sh\\ncase "$*" in */oem/user-data) sync; : > /tmp-now; sleep 60 ;; esac\\nexec /bin/mv "$@"\\n\''
        " > /usr/local/sbin/mv; chmod +x /usr/local/sbin/mv"
    )

    def cut() -> None:
        until(lambda: hosts.on_disk("/tmp-now").exists(), "nothing is written")
        hosts.lab("fault", "host", "site-1", "kill")

    options = moved(
        "10.43.0.12/24", "10.43.0.12", edge_host_name="site-two", edge_host_ntp_servers=["time.example.com"]
    )
    done = meanwhile(cut, lambda: hosts.play(ROLE, **options))
    assert done.stats["site-1"]["unreachable"] == 1, done.text
    assert hosts.on_disk("/oem/user-data").read_bytes() == old
    hosts.on_disk("/usr/local/sbin/mv").unlink()
    hosts.lab("fault", "host", "site-1", "restore")
    carried_on = hosts.play(ROLE, **options)
    assert carried_on.stats["site-1"]["failed"] == 0, carried_on.text
    assert "time.example.com" in hosts.on_disk("/oem/user-data").read_text()


def test_a_full_disk_leaves_the_old_user_data(hosts: Hosts) -> None:
    hosts.raw(
        "cp -a /oem /tmp/oem; mount -t tmpfs -o size=96k tmpfs /oem; cp -a /tmp/oem/. /oem/;"
        "dd if=/dev/zero of=/oem/full bs=1k 2>/dev/null; true"
    )
    before = hosts.raw("sha256sum /oem/user-data; ls -A /oem")
    done = hosts.play(ROLE, **moved("10.43.0.13/24", "10.43.0.12", edge_host_ntp_servers=["other.example.com"]))
    assert done.stats["site-1"]["failed"] == 1, done.text
    assert "No space left on device" in done.text
    assert hosts.raw("sha256sum /oem/user-data; ls -A /oem; umount /oem") == before
