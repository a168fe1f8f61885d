# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of clusters on the lab's controller: changes of profiles and settings, cut after each write, and repaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils.resources import _moments
from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, cut_in_turn, lab_server
from ansible_collections.palette.edge.tests.unit.module_runner import failure, run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment

__all__ = ["environment"]
Result = dict[str, Any]
LAYERS: list[dict[str, Any]] = [
    {"name": "edge-native-byoi", "version": "2.1.0"},
    {"name": "edge-k3s", "version": "1.30.4"},
    {"name": "cni-calico", "version": "3.28.0"},
    {
        "name": "greeting",
        "type": "manifest",
        "manifests": [
            {"name": "cm", "content": "kind: ConfigMap\ntext: '{{.spectro.var.who}}'"},
            {"name": "other", "content": "kind: Other"},
        ],
    },
]
ADDON = [{"name": "extra", "type": "manifest", "manifests": [{"name": "cm", "content": "kind: Extra"}]}]
WHO = {"name": "who", "default_value": "world", "required": True}
PIN = {"name": "pin", "default_value": "canary-pin", "sensitive": True}
SITE = {"name": "site", "default_value": "none", "immutable": True, "regex": "^[a-z0-9-]+$"}
FIRST = {"name": "edge-store", "version": "1.0.0", "variables": {"who": "you", "pin": "canary-4711", "site": "s-042"}}


def cluster(**options: Any) -> Result:
    return run_module("cluster", {"name": "store-042", "retry_timeout": 5, **options})


def done(result: Result) -> Result:
    assert not result.get("failed"), result
    return result


def settles(**options: Any) -> Result:
    """Check, run, run: what check mode says is done, and then nothing is left to do."""
    said = run_module("cluster", {"name": "store-042", **options}, check=True)
    did = done(cluster(**options))
    assert said["changed"] is did["changed"] is True
    assert said["steps"] == did["steps"]
    assert said["repave"] == did["repave"]
    again = done(cluster(**options))
    assert again["changed"] is False, again["steps"]
    return did


def prepare(lab: LabServer) -> None:
    """Two versions of a profile, two of an add-on, and a cluster of the first one that runs."""
    lab.hosts("edge-1", "edge-2")
    first: Result = {"name": "edge-store", "packs": LAYERS, "variables": [WHO, PIN, SITE]}
    newer = [*LAYERS[:1], {"name": "edge-k3s", "version": "1.31.1"}, *LAYERS[2:]]
    done(run_module("cluster_profile", first))
    done(run_module("cluster_profile", {**first, "version": "1.1.0", "packs": newer}))
    for version in ("1.0.0", "1.2.0"):
        done(run_module("cluster_profile", {"name": "extra", "type": "add-on", "version": version, "packs": ADDON}))
    pool = {"name": "control-plane-pool", "control_plane": True, "hosts": [{"uid": "edge-1"}]}
    formed = cluster(vip="10.42.0.10", profiles=[FIRST, {"name": "extra", "version": "1.0.0"}], node_pools=[pool])
    assert done(formed)["cluster"]["state"] == "Running"


@pytest.fixture
def lab(environment: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LabServer]:
    with lab_server(tmp_path, environment) as made:
        environment.setattr(_moments, "utc_now", lambda: dt.datetime.fromtimestamp(made.world.now, tz=dt.timezone.utc))
        prepare(made)
        yield made


def fault(lab: LabServer, kind: str) -> None:
    lab.world.lab.faults.append({"kind": kind})


def found(*parts: str) -> Result:
    (one,) = done(run_module("cluster_info", {"name": "store-042", "gather": list(parts)}))["clusters"]
    return dict(one)


def test_profiles_from_one_version_to_the_next(lab: LabServer) -> None:
    newer = {**FIRST, "version": "1.1.0"}
    did = settles(profiles=[newer])
    assert did["repave"]["required"] is True
    assert "edge-k3s 1.30.4 is replaced by edge-k3s 1.31.1" in did["repave"]["reasons"][0]
    assert [one["version"] for one in did["cluster"]["profiles"]] == ["1.1.0", "1.0.0"]
    back = {**FIRST, "version": "1.0.0"}
    text = failure("cluster", {"name": "store-042", "profiles": [back]})
    assert "profiles[0].version: 1.0.0 of edge-store is lower than 1.1.0, which is attached" in text
    settles(profiles=[back], allow_downgrade=True)


def test_values_and_manifests_of_this_cluster(lab: LabServer) -> None:
    own = {**FIRST, "pack_values": {"cni-calico": {"a": {"b": 1}}}}
    settles(profiles=[own])
    assert done(cluster(profiles=[{**FIRST, "pack_values": {"cni-calico": "a: {b: 1} # same"}}]))["changed"] is False
    settles(profiles=[{**FIRST, "manifests": {"greeting": {"cm": "kind: ConfigMap\ntext: ours"}}}])
    # What was set before, and is not given now, is still there.
    assert done(cluster(profiles=[own]))["changed"] is False
    (one,) = lab.world.lab.store.all("cluster")
    greeting = next(
        pack
        for template in one["spec"]["clusterProfileTemplates"]
        for pack in template["packs"]
        if pack["name"] == "greeting"
    )
    assert sorted(greeting["_lab"]["manifests"].values()) == ["kind: ConfigMap\ntext: ours", "kind: Other"]


def test_add_ons_come_and_go(lab: LabServer) -> None:
    gone = settles(profiles=[{"name": "extra", "state": "absent"}])
    assert gone["steps"] == ["detach the profile extra from the cluster store-042"]
    settles(profiles=[{"name": "extra", "version": "1.2.0"}])
    settles(profiles=[FIRST], purge_profiles=True)
    text = failure("cluster", {"name": "store-042", "profiles": [{"name": "edge-store", "state": "absent"}]})
    assert "profiles[0]: the profile edge-store brings the infrastructure layers and cannot be detached" in text


def test_variables(lab: LabServer) -> None:
    def wrong(**variables: Any) -> str:
        return failure("cluster", {"name": "store-042", "profiles": [{**FIRST, "variables": variables}]}, check=True)

    assert done(cluster(profiles=[{**FIRST, "variables": {"pin": "canary-other"}}]))["changed"] is False
    did = settles(profiles=[{**FIRST, "variables": {"who": "them", "pin": "canary-other"}}])
    assert did["diff"]["after"]["profiles"] == {"edge-store": {"variables": {"who": "them"}}}
    assert "profiles[0].variables: whom is not declared by the cluster profile edge-store 1.0.0" in wrong(whom="x")
    assert "who is required and cannot be empty" in wrong(who="")
    assert "site: 'A B' does not match its regex ^[a-z0-9-]+$" in wrong(site="A B")
    assert "site is immutable: it is 's-042' since the profile was attached" in wrong(site="s-043")
    assert found("variables")["variables"][0]["variables"] == {"who": "them", "pin": "<hidden>", "site": "s-042"}


def test_two_profiles_with_one_pack(lab: LabServer) -> None:
    twin = [{**ADDON[0], "name": "greeting"}]
    done(run_module("cluster_profile", {"name": "twin", "type": "add-on", "packs": twin}))
    writes = len(lab.writes)
    text = failure("cluster", {"name": "store-042", "profiles": [{"name": "twin", "version": "1.0.0"}]})
    assert "twin 1.0.0 and edge-store 1.0.0 both have the pack greeting" in text
    assert len(lab.writes) == writes


def test_download_now_and_install_later(lab: LabServer) -> None:
    newer = {**FIRST, "version": "1.1.0"}
    did = settles(profiles=[newer], apply="later")
    assert did["steps"] == ["attach edge-store to the cluster store-042, to be installed later"]
    seen = found("updates")
    assert seen["updates"]["staged"] is True
    assert "changes are staged to be installed later" in seen["progress"]
    # Without saying so, what is staged stays staged.
    assert done(cluster(profiles=[newer]))["changed"] is False
    assert settles(apply="now")["steps"] == ["install what is staged for the cluster store-042"]
    assert found("updates")["updates"]["staged"] is False


def test_a_repave_that_waits_for_approval(lab: LabServer) -> None:
    fault(lab, "repave-approval")
    newer = {**FIRST, "version": "1.1.0"}
    waited = cluster(profiles=[newer])
    assert waited["failed"] is True
    assert waited["changed"] is True
    assert "waits for the approval of a repave (edge-k3s 1.30.4 is replaced by edge-k3s 1.31.1" in waited["msg"]
    assert "approve it with palette.edge.cluster_repave" in waited["msg"]
    text = failure("cluster", {"name": "store-042", "description": "new"})
    assert "takes no change before" in text
    review = done(run_module("cluster_repave", {"name": "store-042", "approved": False}))
    assert (review["changed"], review["cluster_repave"]["state"]) == (False, "Pending")
    said = run_module("cluster_repave", {"name": "store-042"}, check=True)
    did = done(run_module("cluster_repave", {"name": "store-042"}))
    assert said["steps"] == did["steps"] == ["approve the repave of the cluster store-042"]
    assert done(run_module("cluster_repave", {"name": "store-042"}))["changed"] is False
    assert done(cluster(profiles=[newer]))["changed"] is False


@pytest.mark.parametrize("wait", [True, False])
def test_a_change_that_approves_its_repave(lab: LabServer, wait: bool) -> None:
    fault(lab, "repave-approval")
    newer = {**FIRST, "version": "1.1.0"}
    did = settles(profiles=[newer], approve_repave=True, wait=wait)
    assert did["steps"][-1] == "approve the repave of the cluster store-042"
    assert found("repave")["repave"]["state"] == "Approved"


def test_settings(lab: LabServer) -> None:
    settles(pause_agent_upgrades=True)
    settles(pause_agent_upgrades=False)
    soon = dt.datetime.fromtimestamp(lab.world.now + 3600, tz=dt.timezone.utc)
    settles(os_patch={"after": soon.isoformat(), "schedule": "0 3 * * 0"})
    lab.sleep(7200)
    # That time is past now, and what was said of it is still what is there.
    assert done(cluster(os_patch={"after": soon.isoformat()}))["changed"] is False
    settles(os_patch={"after": ""})
    text = failure("cluster", {"name": "store-042", "os_patch": {"after": soon.isoformat()}})
    assert "os_patch.after: " in text
    assert "is not ten minutes ahead" in text
    text = failure("cluster", {"name": "store-042", "timezone": "Europe/Berlim"})
    assert "timezone: there is no time zone 'Europe/Berlim'. Those that come near: Europe/Berlin" in text
    text = failure("cluster", {"name": "store-042", "os_patch": {"schedule": "daily"}})
    assert "os_patch.schedule: 'daily' is no cron expression" in text
    settles(ssh_keys=["ssh-ed25519 AAAA me\n"], ntp_servers=["a"])


def test_agent_upgrades_of_a_project(lab: LabServer) -> None:
    for paused in (True, False):
        did = done(run_module("agent_upgrades", {"paused": paused}))
        assert (did["changed"], did["agent_upgrades"]) == (True, {"paused": paused})
        assert done(run_module("agent_upgrades", {"paused": paused}))["changed"] is False


def test_certificates(lab: LabServer) -> None:
    name = {"name": "store-042"}
    seen = done(run_module("cluster_certificates", name))
    assert seen["changed"] is False
    assert seen["cluster_certificates"]["days_left"] > 300
    fault(lab, "certificates-expiring")
    assert run_module("cluster_certificates", name, check=True)["changed"] is True
    did = done(run_module("cluster_certificates", name))
    assert (did["changed"], did["cluster_certificates"]["days_left"] > 300) == (True, True)
    assert done(run_module("cluster_certificates", name))["changed"] is False
    assert done(run_module("cluster_certificates", {**name, "force": True}))["changed"] is True


def test_a_failure_that_stays_ends_the_wait_and_tells_events(lab: LabServer) -> None:
    fault(lab, "upgrade-error")
    broken = cluster(profiles=[{**FIRST, "version": "1.1.0"}])
    assert broken["failed"] is True
    assert "does not go on by itself" in broken["msg"]
    assert "Latest events: " in broken["msg"]
    assert "\n" not in broken["msg"]


def test_what_can_be_gathered(lab: LabServer) -> None:
    seen = found("machines", "certificates", "events", "repave", "variables", "updates")
    assert [one["edge_host"] for one in seen["machines"]] == ["edge-1"]
    assert seen["certificates"][0]["authority"] in ("etcd-ca", "kubernetes")
    assert seen["events"]
    assert seen["repave"]["state"] == ""
    assert seen["updates"] == {"staged": False, "profiles": []}


def test_a_change_of_profile_and_settings_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def change() -> Result:
        return cluster(
            description="Store 42",
            timezone="Europe/Berlin",
            ssh_keys=["ssh-ed25519 AAAA me"],
            pause_agent_upgrades=True,
            profiles=[{**FIRST, "version": "1.1.0"}, {"name": "extra", "state": "absent"}],
        )

    def state(lab: LabServer) -> Any:
        (one,) = lab.world.lab.store.all("cluster")
        (config,) = lab.world.lab.store.all("config")
        profiles = [(one["name"], one["profileVersion"]) for one in one["spec"]["clusterProfileTemplates"]]
        values = sorted(one["_lab"]["variables"].values(), key=str)
        settings = one["spec"]["clusterConfig"]
        annotations = one["metadata"]["annotations"]
        return profiles, values, settings, annotations, config["spec"]["clusterConfig"], one["status"]["state"]

    assert cut_in_turn(tmp_path, environment, prepare=prepare, run=change, state=state) == 6


def test_installing_what_is_staged_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def staged(lab: LabServer) -> None:
        prepare(lab)
        done(cluster(profiles=[{**FIRST, "version": "1.1.0"}], apply="later"))

    def state(lab: LabServer) -> Any:
        (one,) = lab.world.lab.store.all("cluster")
        return one["status"]["spcApply"], one["status"]["state"]

    run = {"prepare": staged, "run": lambda: cluster(apply="now"), "state": state}
    assert cut_in_turn(tmp_path, environment, **run) == 1


def test_a_change_that_approves_its_repave_cut_after_each_write(
    tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    def asking(lab: LabServer) -> None:
        prepare(lab)
        fault(lab, "repave-approval")

    def state(lab: LabServer) -> Any:
        (one,) = lab.world.lab.store.all("cluster")
        profiles = [(one["name"], one["profileVersion"]) for one in one["spec"]["clusterProfileTemplates"]]
        return profiles, one["status"]["repave"], one["status"]["state"]

    def change() -> Result:
        return cluster(profiles=[{**FIRST, "version": "1.1.0"}], approve_repave=True)

    assert cut_in_turn(tmp_path, environment, prepare=asking, run=change, state=state) == 2


def test_a_new_cluster_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def ready(lab: LabServer) -> None:
        lab.hosts("edge-1")
        done(run_module("cluster_profile", {"name": "edge-store", "packs": LAYERS, "variables": [WHO, PIN, SITE]}))

    def create() -> Result:
        pool = {"name": "control-plane-pool", "control_plane": True, "hosts": [{"uid": "edge-1"}]}
        return cluster(vip="10.42.0.10", profiles=[FIRST], node_pools=[pool], pause_agent_upgrades=True)

    def state(lab: LabServer) -> Any:
        rows = lab.world.lab.store.all("cluster")
        return [(one["metadata"]["name"], one["metadata"]["annotations"], one["status"]["state"]) for one in rows]

    assert cut_in_turn(tmp_path, environment, prepare=ready, run=create, state=state) == 2


def test_a_deletion_is_forced_after_its_delay(lab: LabServer, environment: pytest.MonkeyPatch) -> None:
    # Long enough that the normal way does not end.
    environment.setattr(lab.world.lab, "options", replace(lab.world.lab.options, form_seconds=1e6))
    text = failure("cluster", {"name": "store-042", "state": "absent", "force_delete": True, "force_delete_delay": 5})
    assert "force_delete_delay: 5 minutes are too few" in text
    first = cluster(state="absent", wait=False)
    assert done(first)["steps"] == ["delete the cluster store-042"]
    assert done(cluster(state="absent", wait=False))["changed"] is False
    lab.sleep(600)
    did = done(cluster(state="absent", force_delete=True))
    assert (did["changed"], did["steps"]) == (True, ["force the deletion of the cluster store-042"])
    assert done(cluster(state="absent"))["changed"] is False
