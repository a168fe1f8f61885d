# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cluster profiles against the lab's controller: versions cut and refused half way, copies, files, packs and rules."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.tests.unit.lab_controller import Reply, World
from ansible_collections.palette.edge.tests.unit.lab_http import LabServer, cut_in_turn, lab_server
from ansible_collections.palette.edge.tests.unit.module_runner import failure, run_module
from ansible_collections.palette.edge.tests.unit.palette_fixtures import environment
from lab.controller import catalogue

__all__ = ["environment"]

OS = {"name": "edge-native-byoi", "version": "2.1.0"}
K3S = {"name": "edge-k3s", "version": "1.30.4"}
CALICO = {"name": "cni-calico", "version": "3.28.0"}
GREETING = {
    "name": "greeting",
    "type": "manifest",
    "manifests": [{"name": "cm", "content": "kind: ConfigMap\ndata: {who: '{{ .spectro.var.who }}'}\n"}],
}
PACKS: list[dict[str, Any]] = [OS, K3S, CALICO]
WHO = {"name": "who", "default_value": "you"}
SECRET = {"name": "secret", "default_value": "canary-of-the-profile", "sensitive": True}


@pytest.fixture
def lab(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[LabServer]:
    with lab_server(tmp_path / "lab", environment) as server:
        yield server


def run(module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
    result = run_module(module, options, check=check)
    assert not result.get("failed"), result
    return result


def settles(lab: LabServer, module: str, **options: Any) -> dict[str, Any]:
    """Check, run, run: what was said is done, and then there is nothing more to do."""
    before = len(lab.writes)
    said = run(module, check=True, **options)
    assert len(lab.writes) == before
    did = run(module, **options)
    assert (said["changed"], did["changed"]) == (True, True)
    assert said.get("steps") == did.get("steps")
    stays(module, **options)
    return did


def stays(module: str, **options: Any) -> None:
    for check in (True, False):
        again = run(module, check=check, **options)
        assert not again["changed"], (again.get("steps"), again.get("diff"))


def profile(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {"name": "edge", "version": version, "packs": PACKS, **more}


def stored(lab: LabServer, name: str = "edge") -> Any:
    """What profiles there are, without UIDs and times."""
    found = []
    for one in lab.world.lab.store.all("profile"):
        if one["metadata"]["name"] == name:
            spec, own = one["spec"], one["_lab"]
            template = spec.get("draft") or spec["published"]
            texts = [(key["name"], own["manifests"][key["uid"]]) for p in template["packs"] for key in p["manifests"]]
            packs = [(pack["name"], pack["version"], pack["values"]) for pack in template["packs"]]
            state = "draft" if spec.get("draft") else "published"
            described = one["metadata"]["annotations"].get("description", "")
            found.append((spec["version"], state, described, own["variables"], packs, sorted(texts)))
    return sorted(found, key=str)


def content(version: str, name: str = "edge") -> dict[str, Any]:
    found = run("cluster_profile_info", name=name, version=version, gather=["content"])
    (one,) = found["cluster_profiles"]
    return dict(one)


# -- versions: the order of writes, and what is left when they end early -----------------------------------------------


def next_version(**more: Any) -> dict[str, Any]:
    """Options of a version that has new and unused variables, other layers, and another description."""
    values = 'cluster:\n  config: |\n    node-label: ["site={{ .spectro.var.site }}"]\nport: {{ .spectro.var.port }}\n'
    variables = [
        {"name": "site", "default_value": "042", "regex": "^[0-9]{3}$", "required": True},
        {"name": "port", "default_value": "6443", "format": "number"},
        WHO,
    ]
    packs = [OS, {**K3S, "values": values}, CALICO, GREETING]
    return profile("1.1.0", packs=packs, variables=variables, description="the next one", retry_timeout=5, **more)


def first_version(dummy: LabServer) -> None:
    variables = [WHO, {"name": "unused"}]
    assert run("cluster_profile", **profile(packs=[*PACKS, GREETING], variables=variables))["changed"]


def test_a_new_version_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def change() -> dict[str, Any]:
        return run_module("cluster_profile", next_version())

    writes = cut_in_turn(tmp_path, environment, prepare=first_version, run=change, state=stored)
    assert writes == 6


def test_the_order_of_a_new_version(lab: LabServer) -> None:
    first_version(lab)
    did = settles(lab, "cluster_profile", **next_version())
    label = "of cluster profile edge 1.1.0"
    assert did["steps"] == [
        "create cluster profile edge 1.1.0 as a copy of version 1.0.0",
        f"set the variables site, port {label}",
        f"set the layers edge-k3s {label}",
        f"remove the variables unused {label}",
        f"set description {label}",
        "publish cluster profile edge 1.1.0",
    ]
    old, new = content("1.0.0"), content("1.1.0")
    assert [one["name"] for one in old["variables"]] == ["who", "unused"]
    assert sorted(one["name"] for one in new["variables"]) == ["port", "site", "who"]


def test_a_new_version_that_wildcards_bring(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def prepare(dummy: LabServer) -> None:
        run("cluster_profile", **profile(packs=[OS, {**K3S, "version": "1.29.x"}, CALICO]))

    def change() -> dict[str, Any]:
        wild = {"name": "edge-k3s", "version": "1.x"}
        return run_module("cluster_profile", {**profile("1.1.0", packs=[OS, wild, CALICO]), "retry_timeout": 5})

    assert cut_in_turn(tmp_path, environment, prepare=prepare, run=change, state=stored) == 3


@pytest.mark.parametrize(
    ("method", "end"),
    [("PATCH", "/variables"), ("PUT", ""), ("DELETE", "/variables"), ("PATCH", "/metadata"), ("PATCH", "/publish")],
)
def test_a_refused_version_is_undone(lab: LabServer, method: str, end: str) -> None:
    first_version(lab)
    was = stored(lab)
    refuse(lab, method, end, 400)
    text = failure("cluster_profile", next_version())
    assert "The half-made cluster profile edge 1.1.0 was removed again: correct it and run again" in text
    assert "Step " in text
    assert "A second run carries on" not in text
    assert stored(lab) == was
    mend(lab)
    settles(lab, "cluster_profile", **next_version())


@pytest.mark.parametrize("status", [500, 503, 429, 401])
def test_what_is_no_refusal_is_not_undone(lab: LabServer, status: int) -> None:
    first_version(lab)
    refuse(lab, "PUT", "", status)
    text = failure("cluster_profile", {**next_version(), "retry_timeout": 0})
    assert "was removed again" not in text
    assert "A second run carries on from there" in text
    assert [one[0] for one in stored(lab)] == ["1.0.0", "1.1.0"]
    mend(lab)
    assert run("cluster_profile", **next_version())["changed"]
    stays("cluster_profile", **next_version())


def test_what_another_run_began_is_not_undone(lab: LabServer) -> None:
    first_version(lab)
    refuse(lab, "PUT", "", 503)
    failure("cluster_profile", {**next_version(), "retry_timeout": 0})
    refuse(lab, "PUT", "", 400)
    text = failure("cluster_profile", next_version())
    assert "was removed again" not in text
    assert [one[0] for one in stored(lab)] == ["1.0.0", "1.1.0"]


def test_a_version_that_cannot_even_be_undone(lab: LabServer) -> None:
    first_version(lab)
    refuse(lab, "PUT", "", 400)
    lab.world.lab.faults.append({"kind": "status", "status": 403, "method": "DELETE", "path": "/v1/clusterprofiles"})
    result = run_module("cluster_profile", {**next_version(), "variables": None, "packs": [OS, K3S, GREETING]})
    assert "The half-made cluster profile edge 1.1.0 could not be removed again" in result["msg"]
    assert result["changed"] is True


def refuse(lab: LabServer, method: str, end: str, status: int) -> None:
    """From now on requests of this method, to a version and what is below it, are answered with a status."""
    world = lab.world

    def send(verb: str, path: str, *more: Any, **params: Any) -> Reply:
        if verb == method and re.fullmatch(f"/v1/clusterprofiles/[0-9a-f]+{end}", path):
            body = {"code": "Refused", "message": "not like this", "details": "", "ref": "r"}
            return Reply(status, {}, json.dumps(body).encode())
        return World.send(world, verb, path, *more, **params)

    vars(world)["send"] = send


def mend(lab: LabServer) -> None:
    """What was refused is not any more."""
    del vars(lab.world)["send"]


# -- packs -------------------------------------------------------------------------------------------------------------


def test_a_published_version_keeps_what_a_wildcard_brought(lab: LabServer, environment: pytest.MonkeyPatch) -> None:
    wild = [OS, {**K3S, "version": "1.30.x"}, {**CALICO, "version": "3.*"}]
    settles(lab, "cluster_profile", **profile(packs=wild))
    assert [one["version"] for one in content("1.0.0")["packs"]] == ["2.1.0", "1.30.4", "3.28.0"]
    newer = {**catalogue.STATES, "edge-k3s": replace(catalogue.STATES["edge-k3s"], versions=("1.30.4", "1.30.9"))}
    environment.setattr(catalogue, "STATES", newer)
    assert run("pack_info", name="edge-k3s", version="1.30.x")["packs"][0]["version"] == "1.30.9"
    stays("cluster_profile", **profile(packs=wild))
    settles(lab, "cluster_profile", **profile("1.1.0", packs=wild))
    assert content("1.1.0")["packs"][1]["version"] == "1.30.9"
    did = settles(lab, "cluster_profile", **profile(packs=[OS, {**K3S, "version": "1.30.9"}, CALICO]))
    assert did["diff"]["before"]["packs"] == {"edge-k3s": {"version": "1.30.4"}}


def test_a_draft_takes_the_newest(lab: LabServer, environment: pytest.MonkeyPatch) -> None:
    wild = [OS, {**K3S, "version": "1.30.*"}]
    settles(lab, "cluster_profile", **profile(packs=wild, publish=False))
    newer = {**catalogue.STATES, "edge-k3s": replace(catalogue.STATES["edge-k3s"], versions=("1.30.4", "1.30.9"))}
    environment.setattr(catalogue, "STATES", newer)
    settles(lab, "cluster_profile", **profile(packs=wild, publish=False))
    assert content("1.0.0")["packs"][1]["version"] == "1.30.9"


@pytest.mark.parametrize(
    ("pack", "text"),
    [
        (
            {"name": "edge-k3z", "version": "1.0.0"},
            "packs[0].name: no registry that this key can see has a pack 'edge-k3z'. Those that come near: edge-k3s",
        ),
        (
            {"name": "store-agent", "version": "1.2.3"},
            "several registries, say which: Company Packs (newest 1.3.0), Public Repo (newest 1.10.0)",
        ),
        (
            {"name": "till-printer", "version": "1.0.0", "registry": "Public Repo"},
            "packs[0].name: the registry Public Repo has no pack 'till-printer'",
        ),
        (
            {"name": "edge-k3s", "version": "1.28.x"},
            "packs[0].version: the pack edge-k3s has no version '1.28.x'. There are: 1.31.1, 1.30.4, 1.29.9",
        ),
        (
            {"name": "cni-cilium-oss", "version": "1.16.0", "presets": ["huble"]},
            "packs[0].presets: the pack cni-cilium-oss has no preset 'huble'. Those that come near: hubble",
        ),
        (
            {"name": "cni-cilium-oss", "version": "1.16.0", "presets": ["kube-proxy", "no-kube-proxy"]},
            "packs[0].presets: kube-proxy and no-kube-proxy are alternatives of proxy: give one of them",
        ),
        (
            {**K3S, "values": "a: {{ .spectro.var.nobody }}"},
            "packs[0].values: edge-k3s uses the variable nobody, which the profile does not declare (declared: who)",
        ),
        (
            {"name": "m", "type": "manifest", "manifests": [{"name": "cm", "content": "x: '{{.spectro.var.no_one}}'"}]},
            "packs[0].manifests (cm): m uses the variable no_one, which the profile does not declare (declared: who)",
        ),
    ],
)
def test_layers_that_are_not_to_be_had(lab: LabServer, pack: dict[str, Any], text: str) -> None:
    for check in (True, False):
        said = failure("cluster_profile", {"name": "edge", "packs": [pack], "variables": [WHO]}, check=check)
        assert text in said
    assert lab.writes == []


def test_a_wildcard_means_no_release_candidate(lab: LabServer) -> None:
    found = run("pack_info", name="till-printer", version="1.x")["packs"]
    assert [(one["registry"], one["versions"]) for one in found] == [("Company Packs", ["1.0.0"])]
    every = run("pack_info", name="till-printer")["packs"]
    assert every[0]["versions"] == ["1.0.0", "1.0.0-rc.1", "0.9.0"]


def test_values_are_compared_by_meaning(lab: LabServer) -> None:
    written = '# ours\ncharts:\n  cilium:\n    b: "x"\n    a: {{ .spectro.var.who }}\n'
    cilium = {"name": "cni-cilium-oss", "version": "1.16.0"}
    settles(lab, "cluster_profile", **profile(packs=[{**cilium, "values": written}], variables=[WHO]))
    for same in (
        "charts: {cilium: {a: {{.spectro.var.who}}, b: x}}",
        "charts:\n  cilium:\n    a:   {{ .spectro.var.who }}\n    b: x # another comment",
    ):
        stays("cluster_profile", **profile(packs=[{**cilium, "values": same}], variables=[WHO]))
    mapping = {"charts": {"cilium": {"a": "{{ .spectro.var.who }}", "b": "x"}}}
    did = settles(lab, "cluster_profile", **profile(packs=[{**cilium, "values": mapping}], variables=[WHO]))
    # In quotes it is text for certain, and a template alone may be a number.
    assert "'{{ .spectro.var.who }}'" in content("1.0.0")["packs"][0]["values"]
    assert did["diff"]["after"]["packs"]["cni-cilium-oss"]["values"][-2].strip() == "a: '{{ .spectro.var.who }}'"


def test_presets(lab: LabServer) -> None:
    cilium = {"name": "cni-cilium-oss", "version": "1.16.0"}
    given = {**cilium, "presets": ["no-kube-proxy", "Hubble"]}
    settles(lab, "cluster_profile", **profile(packs=[given]))
    wanted = {"kubeProxyReplacement": True, "k8sServicePort": 6443, "hubble": {"enabled": True}}
    assert yaml.safe_load(content("1.0.0")["packs"][0]["values"]) == {"charts": {"cilium": wanted}}
    own = {**given, "values": {"charts": {"cilium": {"nodePort": 1, "x": 2}}}}
    settles(lab, "cluster_profile", **profile(packs=[own]))
    values = content("1.0.0")["packs"][0]["values"]
    assert yaml.safe_load(values) == {"charts": {"cilium": {"x": 2, **wanted}}}
    found = run("pack_info", name="cni-cilium-oss", gather=["values", "presets"])["packs"][0]
    assert [one["name"] for one in found["presets"]] == ["kube-proxy", "no-kube-proxy", "hubble"]
    assert found["default_values"].startswith("charts:")


def test_registries_and_charts(lab: LabServer) -> None:
    chart = {"name": "price-tags", "type": "helm", "version": "2.1.0"}
    image = {"name": "anything", "type": "oci", "version": "0.1.0", "registry": "Company OCI", "values": "a: 1"}
    options = {"name": "extra", "type": "add-on", "cloud": "all", "packs": [chart, image]}
    settles(lab, "cluster_profile", **options)
    listed = run("registry_info", gather=["sync"])["registries"]
    assert [one["name"] for one in listed] == ["Company Charts", "Company OCI", "Company Packs", "Public Repo"]
    assert [one["sync_supported"] for one in listed] == [True, False, True, True]
    assert [one["name"] for one in run("registry_info", kind="helm")["registries"]] == ["Company Charts"]
    assert [one["name"] for one in run("project_info", name="Default")["projects"]] == ["Default"]
    everything = run("pack_info")["packs"]
    assert {"Company Packs", "Public Repo", "Company Charts"} == {one["registry"] for one in everything}


# -- variables ---------------------------------------------------------------------------------------------------------

EVERY_KIND: list[dict[str, Any]] = [
    {"name": "a_number", "format": "number", "default_value": "1.5"},
    {"name": "a_boolean", "format": "boolean", "default_value": "true"},
    {"name": "an_address", "format": "ipv4", "default_value": "10.0.0.1", "immutable": True},
    {"name": "a_network", "format": "ipv4cidr", "default_value": "10.0.0.0/16"},
    {"name": "an_ipv6", "format": "ipv6", "default_value": "fd00::1"},
    {"name": "a_version", "format": "version", "default_value": "1.2.3"},
    {"name": "a_base64", "format": "base64", "default_value": "aGVsbG8="},
    {"name": "some_lines", "input_type": "multiline", "default_value": "a\nb", "description": "several"},
    {
        "name": "a_choice",
        "input_type": "dropdown",
        "options": [{"value": "small"}, {"value": "large", "label": "Large", "description": "more"}],
        "default_value": "small",
    },
    {"name": "a_site", "regex": "^[0-9]{3}$", "default_value": "042", "required": True, "display_name": "Site"},
    {"name": "not_shown", "hidden": True, "default_value": "x"},
    SECRET,
]


def test_variables_of_every_kind(lab: LabServer) -> None:
    settles(lab, "cluster_profile", **profile(variables=EVERY_KIND))
    larger = [{**one, "default_value": "large"} if one["name"] == "a_choice" else one for one in EVERY_KIND]
    settles(lab, "cluster_profile", **profile(variables=larger))
    stays("cluster_profile", **profile(variables=[{"name": one["name"]} for one in EVERY_KIND]))
    shown = {one["name"]: one for one in content("1.0.0")["variables"]}
    assert "default_value" not in shown["secret"]
    assert [one["value"] for one in shown["a_choice"]["options"]] == ["small", "large"]
    # In a new version, as they are.
    settles(lab, "cluster_profile", **profile("1.1.0", variables=EVERY_KIND))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ({"format": "number", "default_value": "many"}, "'many' is not a number"),
        ({"format": "boolean", "default_value": "yes"}, "'yes' is not true or false"),
        ({"format": "ipv4", "default_value": "10.0.0.256"}, "is not an IPv4 address"),
        ({"format": "ipv4cidr", "default_value": "10.0.0.1"}, "is not an IPv4 network"),
        ({"format": "ipv6", "default_value": "10.0.0.1"}, "is not an IPv6 address"),
        ({"format": "version", "default_value": "newest"}, "is not a version"),
        ({"format": "base64", "default_value": "***"}, "is not base64"),
        ({"regex": "^[0-9]{3}$", "default_value": "42"}, "'42' does not match its regex ^[0-9]{3}$"),
        ({"regex": "[", "default_value": "42"}, "is no regular expression"),
        ({"input_type": "dropdown"}, "has none to choose from"),
        ({"options": [{"value": "a"}]}, "set input_type to dropdown"),
        ({"input_type": "dropdown", "options": [{"value": "a"}, {"value": "a"}]}, "a value of v is given twice"),
        (
            {"input_type": "dropdown", "options": [{"value": "a"}], "default_value": "b"},
            "'b' is none of its options (a)",
        ),
        ({"name": "two words", "default_value": "b"}, "has signs that cannot stand in .spectro.var.NAME"),
        ({"display_name": "who"}, "'who' is borne by who and v"),
        ({"sensitive": True, "regex": "^x", "default_value": "canary-rule"}, "it does not match its regex ^x"),
    ],
)
def test_variables_that_miss_their_rule(lab: LabServer, variable: dict[str, Any], text: str) -> None:
    for check in (True, False):
        said = failure("cluster_profile", profile(variables=[WHO, {"name": "v", **variable}]), check=check)
        assert text in said
        assert "variables[1]." in said
        assert "canary" not in said
    assert lab.writes == []


def test_a_variable_that_is_still_used_stays(lab: LabServer) -> None:
    run("cluster_profile", **profile(packs=[*PACKS, GREETING], variables=[WHO]))
    writes = len(lab.writes)
    for more in ({}, {"version": "1.1.0"}):
        text = failure("cluster_profile", {"name": "edge", "variables": [], **more})
        assert "variables: who is still used by the manifests (cm) of greeting" in text
    assert len(lab.writes) == writes


# -- drafts, copies and files ------------------------------------------------------------------------------------------


def test_a_draft_and_its_publishing(lab: LabServer) -> None:
    did = settles(lab, "cluster_profile", **profile(publish=False))
    assert did["steps"] == ["create cluster profile edge 1.0.0 as a draft"]
    assert (did["cluster_profile"]["published"], did["cluster_profile"]["draft"]) == (False, True)
    settles(lab, "cluster_profile", **profile(publish=False, description="drafted"))
    published = settles(lab, "cluster_profile", **profile())
    assert published["steps"] == ["publish cluster profile edge 1.0.0"]
    settles(lab, "cluster_profile", **profile(packs=[OS, K3S], publish=False))
    seen = run("cluster_profile_info", name="edge")["cluster_profiles"][0]
    assert (seen["published"], seen["draft"]) == (False, True)
    settles(lab, "cluster_profile", **profile("1.1.0", publish=False))


def test_tags_and_description_of_a_draft_stay_a_draft(lab: LabServer) -> None:
    run("cluster_profile", **profile(publish=False))
    did = settles(lab, "cluster_profile", name="edge", tags={"a": "1"}, publish=False)
    assert did["steps"] == ["set tags of cluster profile edge 1.0.0"]


def copied(tmp_path: Path, lab: LabServer) -> dict[str, Any]:
    run("cluster_profile", **profile(packs=[*PACKS, GREETING], variables=[WHO, SECRET]))
    project(lab, "south")
    del tmp_path
    return {"name": "edge", "target_project": "south"}


def project(lab: LabServer, name: str) -> None:
    lab.world.ok("POST", "/v1/projects", {"metadata": {"name": name}}, scope="")


def test_a_copy_in_another_project(tmp_path: Path, lab: LabServer) -> None:
    options = copied(tmp_path, lab)
    did = settles(lab, "cluster_profile_copy", **options)
    assert did["steps"] == [
        "create cluster profile edge 1.0.0 in project south as a copy of edge 1.0.0",
        "publish cluster profile edge 1.0.0 in project south",
    ]
    seen = run("cluster_profile_info", name="edge", project="south", gather=["content"])["cluster_profiles"][0]
    assert seen["published"]
    assert seen["packs"][3]["manifests"] == content("1.0.0")["packs"][3]["manifests"]
    settles(lab, "cluster_profile_copy", **options, target_version="1.5.0", publish=False)
    settles(lab, "cluster_profile_copy", name="edge", target_scope="tenant")
    settles(lab, "cluster_profile_copy", name="edge", target_name="edge-two")
    run("cluster_profile", name="edge", packs=[OS, K3S, GREETING], variables=[WHO])
    writes = len(lab.writes)
    text = failure("cluster_profile_copy", options)
    assert "edge 1.0.0 in project south is there already and is another one: layers (" in text
    assert "variable secret. Give another target_version or target_name, or delete it" in text
    assert "the copy would be the profile itself" in failure("cluster_profile_copy", {"name": "edge"})
    assert "name: no cluster profile 'egde'" in failure("cluster_profile_copy", {**options, "name": "egde"})
    assert "has no version 9.0.0. There are: 1.0.0" in failure("cluster_profile_copy", {**options, "version": "9.0.0"})
    assert "target_project: no project 'west'" in failure("cluster_profile_copy", {**options, "target_project": "west"})
    assert len(lab.writes) == writes


def test_a_copy_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    def prepare(lab: LabServer) -> None:
        copied(tmp_path, lab)

    def copy() -> dict[str, Any]:
        return run_module("cluster_profile_copy", {"name": "edge", "target_project": "south", "retry_timeout": 5})

    assert cut_in_turn(tmp_path, environment, prepare=prepare, run=copy, state=stored) == 2


def test_a_copy_that_is_refused_is_undone(tmp_path: Path, lab: LabServer) -> None:
    options = copied(tmp_path, lab)
    refuse(lab, "PATCH", "/publish", 400)
    assert "in project south) failed" in failure("cluster_profile_copy", options)
    assert len(stored(lab)) == 1


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_export_and_import(tmp_path: Path, lab: LabServer, kind: str) -> None:
    options = copied(tmp_path, lab)
    path = tmp_path / f"edge.{kind}"
    export = {"name": "edge", "version": "1.0.0", "dest": str(path)}
    said = run("cluster_profile_export", check=True, **export)
    assert said["changed"]
    assert not path.exists()
    did = run("cluster_profile_export", **export)
    assert (did["changed"], did["sensitive"]) == (True, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stays("cluster_profile_export", **export)
    path.chmod(0o644)
    assert run("cluster_profile_export", **export)["changed"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    whole = json.loads(path.read_text()) if kind == "json" else yaml.safe_load(path.read_text())
    assert whole["spec"]["template"]["packs"][1]["name"] == "edge-k3s"

    south = {"src": str(path), "project": options["target_project"], "variable_defaults": {"secret": "canary-other"}}
    done = settles(lab, "cluster_profile_import", **south)
    assert done["steps"] == ["import and publish cluster profile edge 1.0.0"]
    assert "canary" not in json.dumps(done)
    settles(lab, "cluster_profile_import", **south, name="shop", version="3.0.0", publish=False)
    stays("cluster_profile_import", src=str(path))
    seen = run("cluster_profile_info", name="edge", project="south", gather=["content"])["cluster_profiles"][0]
    assert seen["packs"] == content("1.0.0")["packs"]
    assert seen["variables"] == content("1.0.0")["variables"]


def test_an_export_without_secrets_is_for_all(tmp_path: Path, lab: LabServer) -> None:
    run("cluster_profile", **profile())
    path = tmp_path / "edge.yaml"
    before = os.umask(0o022)
    try:
        assert run("cluster_profile_export", name="edge", dest=str(path))["changed"]
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    # The same said otherwise.
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text())) + "# noted\n")
    stays("cluster_profile_export", name="edge", dest=str(path))
    run("cluster_profile", **profile(packs=[OS, {**K3S, "values": "a: 1"}]))
    changed = run("cluster_profile_export", name="edge", dest=str(path))
    assert changed["changed"]
    assert "a: 1" in changed["diff"]["after"]


def test_an_import_cut_after_each_write(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    path = tmp_path / "edge.json"

    def prepare(lab: LabServer) -> None:
        copied(tmp_path, lab)
        run("cluster_profile_export", name="edge", dest=str(path))

    def bring() -> dict[str, Any]:
        return run_module("cluster_profile_import", {"src": str(path), "version": "2.0.0", "retry_timeout": 5})

    assert cut_in_turn(tmp_path, environment, prepare=prepare, run=bring, state=stored) == 1


def test_registries_of_another_palette(tmp_path: Path, lab: LabServer) -> None:
    run(
        "cluster_profile",
        **profile(packs=[OS, {"name": "store-agent", "version": "1.2.3", "registry": "Company Packs"}]),
    )
    path = tmp_path / "edge.json"
    run("cluster_profile_export", name="edge", dest=str(path))
    text = path.read_text().replace("Public Repo", "Elsewhere").replace("Company Packs", "Ours")
    path.write_text(
        text.replace("5eecc89d0b150045ae661cef", "uid-elsewhere").replace("5eecc89d0b150045ae661cf0", "uid-ours")
    )
    options = {"src": str(path), "name": "other"}
    writes = len(lab.writes)
    said = failure("cluster_profile_import", options)
    assert "registries: Elsewhere does not have edge-native-byoi 2.1.0 here; these have it: Public Repo; " in said
    assert "Ours does not have store-agent 1.2.3 here; these have it: Company Packs, Public Repo" in said
    assert "is of the registry Nobody" in failure("cluster_profile_import", {**options, "registries": {"Nobody": "x"}})
    assert len(lab.writes) == writes
    mapping = {"Elsewhere": "Public Repo", "uid-ours": "Company Packs"}
    did = settles(lab, "cluster_profile_import", **options, registries=mapping)
    assert did["registries"] == {"edge-native-byoi": "Public Repo", "store-agent": "Company Packs"}
    versions = [(one["name"], one["version"]) for one in content("1.0.0", "other")["packs"]]
    assert versions == [("edge-native-byoi", "2.1.0"), ("store-agent", "1.2.3")]


def test_files_that_are_no_profile(tmp_path: Path, lab: LabServer) -> None:
    run("cluster_profile", **profile(packs=[*PACKS, GREETING], variables=[WHO, {**SECRET, "required": True}]))
    path = tmp_path / "edge.yaml"
    run("cluster_profile_export", name="edge", dest=str(path))
    whole = yaml.safe_load(path.read_text())
    writes = len(lab.writes)

    def said(change: Any, **more: Any) -> str:
        path.write_text(change if isinstance(change, str) else yaml.safe_dump(change))
        return failure("cluster_profile_import", {"src": str(path), "name": "other", **more})

    def variables(*listed: Any) -> Any:
        return {**whole, "spec": {**whole["spec"], "variables": list(listed)}}

    assert "secret is a secret that the file does not have: give it" in said(whole)
    assert "is neither JSON nor YAML" in said("a: [")
    assert "it has no spec.template" in said("a: 1")
    assert "src.manifests (cm): greeting uses the variable who" in said(variables())
    rule = variables({"name": "who", "regex": "^x"})
    assert "the default of who misses its rule: 'y'" in said(rule, variable_defaults={"who": "y"})
    assert "the profile has no variable 'hwo'" in said(rule, variable_defaults={"hwo": "x"})
    assert "version: '1' is not of the form" in said(rule, version="1")
    assert "cannot be read: No such file" in failure("cluster_profile_import", {"src": str(tmp_path / "none")})
    path.write_text(yaml.safe_dump(whole))
    run("cluster_profile", **profile(packs=[*PACKS[:2], GREETING], variables=[WHO]))
    text = failure("cluster_profile_import", {"src": str(path), "variable_defaults": {"secret": "canary-x"}})
    assert "cluster profile edge 1.0.0 is there already and is another one: layers (" in text
    assert "canary" not in text
    assert len([one for one in lab.writes[writes:] if "import" in one[1]]) == 0


def test_the_diff_is_short(lab: LabServer) -> None:
    lines = [f"  key{number}: {number}" for number in range(200)]
    many = "\n".join(["a:", *lines])
    run("cluster_profile", **profile(packs=[OS, {**K3S, "values": many}]))
    changed = many.replace("key100: 100", "key100: {{ .spectro.var.who }}")
    did = run("cluster_profile", check=True, **profile(packs=[OS, {**K3S, "values": changed}], variables=[WHO]))
    shown = did["diff"]["after"]["packs"]["edge-k3s"]["values"]
    assert shown == ["...", *lines[98:100], "  key100: {{ .spectro.var.who }}", *lines[101:103]]
    assert did["diff"]["before"]["packs"]["edge-k3s"]["values"] == ["...", *lines[98:103]]
