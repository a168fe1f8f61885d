# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The etcd of a control plane: an etcdctl of ours answers, the script that calls it is run for real by /bin/sh."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.palette.edge.plugins.action import etcd_info

NODES = ("store-042-1", "store-042-2", "store-042-3")
LOG = '{"level":"warn","ts":"2026-11-21","msg":"retrying of unary invoker failed"}'


def members(*names: str, learner: str = "", unstarted: str = "") -> dict[str, t.Any]:
    """What C(member list) says of members, the number of each being its ID."""
    found = []
    for number, name in enumerate(names, 1):
        url = f"https://10.42.0.1{number}"
        one: dict[str, t.Any] = {"ID": number, "peerURLs": [f"{url}:2380"]}
        if name != unstarted:
            one |= {"name": name, "clientURLs": [f"{url}:2379"]}
        if name == learner:
            one["isLearner"] = True
        found.append(one)
    return {"header": {}, "members": found}


def status(*leaders: int) -> list[dict[str, t.Any]]:
    return [
        {"Endpoint": f"https://10.42.0.1{number}:2379", "Status": {"version": "3.5.9", "leader": leader}}
        for number, leader in enumerate(leaders, 1)
    ]


def health(*wells: bool) -> list[dict[str, t.Any]]:
    return [
        {"endpoint": f"https://10.42.0.1{number}:2379", "health": well, "error": "" if well else "deadline exceeded"}
        for number, well in enumerate(wells, 1)
    ]


@pytest.fixture
def etcd(tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    """Puts an etcdctl with its certificates below the prefix; returns what the module is to be told of it."""

    def put(
        lists: t.Any, states: t.Any, wells: t.Any, *, certificates: str = "/etc/kubernetes/pki/etcd"
    ) -> dict[str, t.Any]:
        program = tmp_path / "opt/spectrocloud/bin/etcdctl"
        program.parent.mkdir(parents=True)
        answers = {"member": lists, "status": states, "health": wells}
        for name, answer in answers.items():
            (tmp_path / name).write_text(answer if isinstance(answer, str) else json.dumps(answer) + "\n")
        program.write_text(
            "#!/bin/sh\n"
            f'echo "$ETCDCTL_API $*" >> {tmp_path}/calls\n'
            f"echo '{LOG}' >&2\n"
            'case "$*" in *"member list"*) f=member;; *"endpoint status"*) f=status;; *) f=health;; esac\n'
            f'cat "{tmp_path}/$f"\n'
            "echo 'Error: unhealthy cluster' >&2; exit 1\n"
        )
        program.chmod(0o755)
        folder = tmp_path / certificates.lstrip("/")
        folder.mkdir(parents=True)
        for name in ("ca.crt", "server.crt", "server.key", "server-ca.crt", "client.crt", "client.key"):
            (folder / name).write_text("-----BEGIN SECRET-----")
        return {"prefix": str(tmp_path)}

    return put


def test_all_is_well(lab: t.Any, etcd: t.Any, tmp_path: Path) -> None:
    host = lab.host(read_only=True)
    result = lab.run(etcd_info, members=3, **etcd(members(*NODES), status(2, 2, 2), health(True, True, True)))
    assert not result.get("failed"), result
    found = result["etcd"]
    assert (found["healthy"], found["problems"], found["quorum"], found["leaders"]) == (True, [], 2, ["2"])
    assert [one["name"] for one in found["members"]] == list(NODES)
    assert [one["leader"] for one in found["members"]] == [False, True, False]
    assert found["members"][0] == {
        "id": "1",
        "name": "store-042-1",
        "started": True,
        "learner": False,
        "leader": False,
        "healthy": True,
        "version": "3.5.9",
        "error": "",
        "peer_urls": ["https://10.42.0.11:2380"],
        "client_urls": ["https://10.42.0.11:2379"],
    }
    assert len(host.commands) == 1
    assert "SECRET" not in repr(host.logged)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 3
    assert calls[0].startswith("3 --endpoints https://127.0.0.1:2379 --cacert ")
    assert f"--key {tmp_path}/etc/kubernetes/pki/etcd/server.key" in calls[0]


def test_check_mode_asks_the_same(lab: t.Any, etcd: t.Any) -> None:
    lab.host(read_only=True)
    options = etcd(members(*NODES), status(2, 2, 2), health(True, True, True))
    result = lab.run(etcd_info, check=True, **options)
    assert (result["changed"], result["etcd"]["healthy"]) == (False, True)


def test_k3s(lab: t.Any, etcd: t.Any, tmp_path: Path) -> None:
    lab.host(read_only=True)
    options = etcd(
        members("store-042-1-0a1b2c3d"), status(1), health(True), certificates="/var/lib/rancher/k3s/server/tls/etcd"
    )
    assert lab.run(etcd_info, **options)["etcd"]["healthy"]
    assert "client.key" in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(
    ("answers", "options", "words"),
    [
        ((members(*NODES, "new"), status(2, 2, 2, 2), health(*[True] * 4)), {"members": 3}, "4 members (new, store"),
        ((members(*NODES, learner=NODES[2]), status(2, 2, 2), health(*[True] * 3)), {}, "store-042-3 is a learner"),
        ((members(*NODES, unstarted=NODES[2]), status(2, 2), health(True, True)), {}, "10.42.0.13:2380 has not started"),
        ((members(*NODES), status(2, 2, 3), health(*[True] * 3)), {}, "2 leaders"),
        ((members(*NODES), [], health(*[True] * 3)), {}, "no leader"),
        ((members(*NODES), status(2, 2), health(True, True, False)), {}, "store-042-3 is unhealthy: deadline exceeded"),
        ((members(*NODES), status(2), health(True, False, False)), {"lost": list(NODES)}, "only 1 of 3 members are well"),
    ],
)  # fmt: skip
def test_what_is_wrong(lab: t.Any, etcd: t.Any, answers: t.Any, options: t.Any, words: str) -> None:
    lab.host(read_only=True)
    result = lab.run(etcd_info, **options, **etcd(*answers))
    assert not result.get("failed")
    assert result["etcd"]["healthy"] is False
    assert words in "; ".join(result["etcd"]["problems"])


@pytest.mark.parametrize("name", ["store-042-3", "10.42.0.13"])
def test_a_lost_member_may_be_silent(lab: t.Any, etcd: t.Any, name: str) -> None:
    lab.host(read_only=True)
    options = etcd(members(*NODES), status(2, 2), health(True, True, False))
    assert lab.run(etcd_info, lost=[name], **options)["etcd"]["problems"] == []


def test_no_answer_is_told(lab: t.Any, etcd: t.Any) -> None:
    lab.host(read_only=True)
    result = lab.run(etcd_info, **etcd("", "", ""))
    assert result["failed"] is True
    assert result["msg"].endswith("did not list the members of etcd: Error: unhealthy cluster")


def test_no_program_and_no_certificates(lab: t.Any, tmp_path: Path) -> None:
    lab.host(read_only=True, environment={"PATH": "/usr/bin:/bin"})
    result = lab.run(etcd_info, prefix=str(tmp_path))
    assert "there is no etcdctl on the host" in result["msg"]
    program = tmp_path / "etcdctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    result = lab.run(etcd_info, etcdctl=str(program))
    assert "no certificates of etcd can be read here" in result["msg"]


@pytest.mark.parametrize("options", [{"members": 0}, {"prefix": "opt"}, {"etcdctl": "etcdctl"}, {"timeout": 0}])
def test_bad_options_are_refused_before_the_host_is_asked(lab: t.Any, options: dict[str, t.Any]) -> None:
    host = lab.host()
    result = lab.run(etcd_info, **options)
    assert result["failed"] is True
    assert result["msg"].startswith(next(iter(options)))
    assert host.commands == []
