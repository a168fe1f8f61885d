"""What is done next to a cluster: from nothing to whole, scaled, replaced, upgraded, broken and taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lab.kubernetes.desired import Desired, Layer, Member, understand
from lab.kubernetes.plan import (
    DRAINED,
    HostView,
    Membership,
    NodeView,
    Seen,
    Step,
    differs,
    next_step,
    settings,
    wanted_taints,
)

OS = Layer("p1", "edge-native-byoi", "os", "spectro", "2.1.0", values='options: {system.uri: "registry/os:1"}')
V1, V2 = "1.20.2", "1.20.3"
PLANES = ("cp1", "cp2", "cp3")


def layers(version: str = V1, image: str = "registry/os:1") -> tuple[Layer, ...]:
    system = replace(OS, values=f'options: {{system.uri: "{image}"}}')
    return (system, Layer("p1", "edge-k8s", "k8s", "spectro", version))


def cluster(*workers: str, planes: tuple[str, ...] = PLANES, **more: Any) -> Desired:
    members = [Member(uid, "control-plane-pool", control_plane=True) for uid in planes]
    members += [Member(uid, "worker-pool", control_plane=False) for uid in workers]
    return Desired("c1", "store", 1, False, tuple(members), more.pop("layers", layers()), vip="10.0.0.10", **more)


def host(uid: str, *, up: bool = True, **membership: Any) -> HostView:
    bound = None
    if membership:
        facts = {
            "cluster": "c1",
            "control_plane": uid.startswith("cp"),
            "version": V1,
            "joined": True,
            "os_image": "registry/os:1",
            "settings": settings(cluster()),
        }
        bound = Membership(node=uid, **{**facts, **membership})
    return HostView(uid, up, node=uid, membership=bound)


def node(member: Member, **more: Any) -> NodeView:
    plain = NodeView(member.uid, True, version=V1)
    labels = {"palette-edge-lab/pool": member.pool}
    labels |= {} if member.control_plane else {"node-role.kubernetes.io/worker": ""}
    return replace(plain, **{"labels": labels, "taints": wanted_taints(member, plain), **more})


def whole(desired: Desired, **hosts: HostView) -> Seen:
    """The cluster as it is wanted, with these hosts in the place of theirs."""
    views = {one.uid: host(one.uid, joined=True) for one in desired.members}
    nodes = {one.uid: node(one) for one in desired.members}
    return Seen(formed=True, version=V1, nodes=nodes, hosts={**views, **hosts})


def bare(desired: Desired, **hosts: HostView) -> dict[str, HostView]:
    return {**{one.uid: host(one.uid) for one in desired.members}, **hosts}


def test_the_first_control_plane_that_is_up_is_formed_first() -> None:
    desired = cluster("w1")
    assert next_step(desired, Seen(formed=False, hosts=bare(desired))) == Step("init", ("cp1",))
    away = bare(desired, cp1=host("cp1", up=False))
    assert next_step(desired, Seen(formed=False, hosts=away)) == Step("init", ("cp2",))


def test_nothing_is_formed_on_workers_alone() -> None:
    desired = cluster("w1")
    hosts = {"w1": host("w1")}
    assert next_step(desired, Seen(formed=False, hosts=hosts)) is None


def test_one_control_plane_joins_at_a_time_and_all_workers_with_it() -> None:
    desired = cluster("w1", "w2")
    hosts = bare(desired, cp1=host("cp1", joined=True))
    nodes = {"cp1": node(desired.members[0])}
    seen = Seen(formed=True, version=V1, nodes=nodes, hosts=hosts)
    assert next_step(desired, seen) == Step("join", ("cp2", "w1", "w2"))


def test_a_host_on_which_a_step_was_interrupted_is_reset_first() -> None:
    desired = cluster()
    step = next_step(desired, whole(desired, cp3=host("cp3", joined=False)))
    assert step is not None
    assert (step.kind, step.hosts) == ("reset", ("cp3",))


def test_a_host_that_was_reset_is_forgotten_and_joins_again() -> None:
    desired = cluster("w1")
    seen = whole(desired, w1=host("w1"))
    step = next_step(desired, seen)
    assert step is not None
    assert (step.kind, step.node) == ("forget", "w1")
    gone = replace(seen, nodes={name: one for name, one in (seen.nodes or {}).items() if name != "w1"})
    assert next_step(desired, gone) == Step("join", ("w1",))


def test_a_host_that_is_away_stays_a_member() -> None:
    desired = cluster("w1")
    seen = whole(desired, w1=host("w1", up=False, joined=True))
    nodes = {**(seen.nodes or {}), "w1": replace((seen.nodes or {})["w1"], ready=False)}
    assert next_step(desired, replace(seen, nodes=nodes)) is None


def test_a_host_of_another_cluster_is_not_touched() -> None:
    desired = cluster("w1")
    seen = whole(desired, w1=host("w1", cluster="other"))
    step = next_step(desired, seen)
    assert step is not None
    assert step.kind == "forget"
    assert next_step(desired, replace(seen, nodes={k: v for k, v in (seen.nodes or {}).items() if k != "w1"})) is None


def test_a_control_plane_is_replaced_by_adding_first() -> None:
    before, after = cluster(), cluster(planes=("cp1", "cp2", "cp4"))
    seen = whole(before, cp4=host("cp4"))
    assert next_step(after, seen) == Step("join", ("cp4",))
    joined = replace(
        seen,
        hosts={**seen.hosts, "cp4": host("cp4", joined=True)},
        nodes={**(seen.nodes or {}), "cp4": node(after.members[2])},
    )
    assert next_step(after, joined) == Step("leave", ("cp3",), node="cp3")


def test_a_control_plane_does_not_leave_while_the_others_are_no_majority() -> None:
    after = cluster(planes=("cp1", "cp2"))
    seen = whole(cluster())
    nodes = {**(seen.nodes or {}), "cp2": replace((seen.nodes or {})["cp2"], ready=False)}
    assert next_step(after, replace(seen, nodes=nodes)) is None
    assert next_step(after, seen) == Step("leave", ("cp3",), node="cp3")


def test_workers_leave_before_control_planes() -> None:
    seen = whole(cluster("w1"))
    step = next_step(cluster(planes=("cp1", "cp2")), seen)
    assert step is not None
    assert step.hosts == ("w1",)


def test_an_upgrade_goes_node_by_node_and_control_planes_first() -> None:
    desired = cluster("w1", layers=layers(V2))
    seen = whole(desired)
    for uid in (*PLANES, "w1"):
        assert next_step(desired, seen) == Step("upgrade", (uid,), node=uid)
        seen = replace(seen, hosts={**seen.hosts, uid: host(uid, version=V2)})
    assert next_step(desired, seen) is None


def test_an_upgrade_waits_while_another_node_is_not_well() -> None:
    desired = cluster("w1", layers=layers(V2))
    seen = whole(desired)
    ill = {**(seen.nodes or {}), "w1": replace((seen.nodes or {})["w1"], ready=False)}
    assert next_step(desired, replace(seen, nodes=ill)) is None
    itself = {**(seen.nodes or {}), "cp1": replace((seen.nodes or {})["cp1"], ready=False)}
    assert next_step(desired, replace(seen, nodes=itself)) == Step("upgrade", ("cp1",), node="cp1")


def test_another_image_of_the_system_is_an_upgrade_too() -> None:
    desired = cluster(layers=layers(V1, "registry/os:2"))
    assert next_step(desired, whole(desired)) == Step("upgrade", ("cp1",), node="cp1")


def test_keys_that_changed_are_written_on_every_host_that_is_up() -> None:
    desired = cluster("w1")
    wanted = replace(desired, ssh_keys=("ssh-ed25519 AAAA",))
    seen = whole(desired, w1=host("w1", up=False, joined=True))
    assert next_step(wanted, seen) == Step("adjust", PLANES)
    assert next_step(desired, seen) is None


def test_nothing_is_done_while_no_api_server_answers() -> None:
    desired = cluster(layers=layers(V2))
    assert next_step(desired, replace(whole(desired), nodes=None)) is None


def test_labels_and_taints_of_the_pool_are_put_right() -> None:
    desired = cluster("w1")
    tainted = replace(desired.members[-1], taints=(("dedicated", "till", "NoSchedule"),), labels={"role": "checkout"})
    wanted = replace(desired, members=(*desired.members[:-1], tainted))
    assert next_step(wanted, whole(desired)) == Step("adjust", ("w1",))
    assert not differs(tainted, node(tainted, labels={**node(tainted).labels, "role": "checkout"}))


def test_a_node_that_somebody_cordoned_stays_so_and_one_that_we_drained_does_not() -> None:
    worker = Member("w1", "worker-pool", control_plane=False)
    assert not differs(worker, node(worker, unschedulable=True))
    assert differs(worker, node(worker, unschedulable=True, annotations={DRAINED: "yes"}))


def test_a_control_plane_that_does_not_work_keeps_its_own_taint() -> None:
    plane = Member("cp1", "control-plane-pool", control_plane=True, works=False)
    own = ("node-role.kubernetes.io/control-plane", "", "NoSchedule")
    unready = ("node.kubernetes.io/not-ready", "", "NoExecute")
    assert wanted_taints(plane, NodeView("cp1", True, taints=frozenset({own, unready}))) == {own, unready}
    works = replace(plane, works=True)
    assert wanted_taints(works, NodeView("cp1", True, taints=frozenset({own, unready}))) == {unready}


def test_layers_come_last() -> None:
    desired = cluster()
    assert next_step(desired, replace(whole(desired), layers_due=True)) == Step("layers")
    newer = cluster(layers=layers(V2))
    step = next_step(newer, replace(whole(newer), layers_due=True))
    assert step is not None
    assert step.kind == "upgrade"


def test_a_cluster_that_is_deleted_resets_every_host_that_is_up() -> None:
    desired = replace(cluster("w1"), deleting=True)
    seen = whole(desired, w1=host("w1", up=False, joined=True))
    step = next_step(desired, seen)
    assert step is not None
    assert (step.kind, step.hosts) == ("reset", PLANES)
    assert next_step(desired, Seen(formed=True, hosts={"w1": host("w1", up=False, joined=True)})) is None


def test_what_the_controller_says_is_understood() -> None:
    item = {
        "uid": "c1",
        "name": "store",
        "revision": 3,
        "deleting": False,
        "network": {
            "controlPlaneEndpoint": {"type": "VIP", "host": "10.0.0.10"},
            "sshKeys": ["k"],
            "ntpServers": ["n"],
        },
        "pools": [
            {"name": "cp", "controlPlane": True, "asWorker": False, "hosts": [{"uid": "h1"}]},
            {
                "name": "w",
                "controlPlane": False,
                "labels": {"a": "b"},
                "taints": [{"key": "k", "value": "v", "effect": "NoExecute"}],
                "hosts": [{"uid": "h2"}],
            },
        ],
        "layers": [{"name": "edge-k8s", "layer": "k8s", "version": V1, "manifests": [{"name": "m", "content": "x"}]}],
    }
    desired = understand(item)
    assert (desired.vip, desired.ssh_keys, desired.ntp_servers) == ("10.0.0.10", ("k",), ("n",))
    assert [(one.uid, one.control_plane, one.works) for one in desired.members] == [
        ("h1", True, False),
        ("h2", False, True),
    ]
    assert desired.members[1].taints == (("k", "v", "NoExecute"),)
    assert desired.kubernetes is not None
    assert desired.kubernetes.manifests == ("x",)


@pytest.mark.parametrize("values", ["", "not: [closed", "a list", "pack: text"])
def test_values_that_are_no_mapping_have_no_settings(values: str) -> None:
    assert Layer("p", "n", "os", "spectro", "1", values=values).mapping("pack", "drain") == {}
