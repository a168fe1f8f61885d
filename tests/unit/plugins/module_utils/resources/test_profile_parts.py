# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of cluster profiles: values and presets, rules of variables, versions of packs, files, undoing."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ansible_collections.palette.edge.plugins.module_utils._reconcile import Plan, Step, StepFailedError
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import (
    AmbiguousError,
    ConflictError,
    InputError,
    PaletteError,
    RejectedError,
    UnavailableError,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import (
    HIDDEN,
    Connection,
    Scope,
    Session,
)
from ansible_collections.palette.edge.plugins.module_utils.resources import _packs as packs
from ansible_collections.palette.edge.plugins.module_utils.resources import _profile_import as imports
from ansible_collections.palette.edge.plugins.module_utils.resources import _profile_rules as rules
from ansible_collections.palette.edge.plugins.module_utils.resources import _profile_values as values
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_check import check_layers
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_read import Current
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_transfer import differences
from ansible_collections.palette.edge.plugins.module_utils.resources._profile_undo import Making, undone
from ansible_collections.palette.edge.plugins.module_utils.resources._registries import pick_registry
from ansible_collections.palette.edge.tests.unit.palette_objects import PROFILE, profile, profile_row
from ansible_collections.palette.edge.tests.unit.palette_server import ANY, PROJECT, Call, PaletteServer, error, page

SCOPE = Scope(PROJECT)


@pytest.fixture
def session(palette: PaletteServer) -> Session:
    return Session(Connection(host=palette.host, api_key=palette.key))


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a: {{.spectro.var.one}}", ["one"]),
        ("a: '{{ .spectro.var.one }}-{{ .spectro.var.two }}-{{- .spectro.var.one -}}'", ["one", "two"]),
        ('a: "{{ .spectro.var.with-dash | default \\"x\\" }}"', ["with-dash"]),
        ("a: {{ .spectro.macro.one }} .spectro.var.none {{ .spectro.system.cluster.name }}", []),
        ("", []),
    ],
)
def test_variables_of_a_text(text: str, names: list[str]) -> None:
    assert values.variables_in(text) == names


def test_values_are_text_or_a_mapping() -> None:
    assert values.values_text(None, option="v") is None
    assert values.values_text("\na: 1\n", option="v") == "a: 1"
    assert values.values_text("  a: 1\n  b: 2\n", option="v") == "  a: 1\n  b: 2"
    assert values.values_text({"a": {"b": "x\ny\n"}}, option="v") == "a:\n  b: |\n    x\n    y"
    for wrong in (3, ["a"], True):
        with pytest.raises(InputError, match="v: neither YAML text nor a mapping"):
            values.values_text(wrong, option="v")


def preset(name: str, add: str = "", *remove: str, group: str = "") -> dict[str, Any]:
    return {"name": name, "displayName": name.title(), "add": add, "remove": list(remove), "group": group}


OFFERED = [
    preset("proxy", "charts:\n  c:\n    proxy: true\n", "charts.c.port", "charts.c.list", group="p"),
    preset("bare", "charts:\n  c:\n    proxy: false\n", group="p"),
    preset("uri", "options:\n  other: {{ .spectro.var.x }}\n", "options.system.uri"),
    preset("gone", "", "a.b.c", "charts"),
]


@pytest.mark.parametrize(
    ("text", "wanted", "result"),
    [
        (
            "charts:\n  c:\n    port: 1\n    keep: x # why\n",
            ["proxy"],
            {"charts": {"c": {"keep": "x", "proxy": True}}},
        ),
        ("charts: 1", ["Proxy"], {"charts": {"c": {"proxy": True}}}),
        ("", ["bare"], {"charts": {"c": {"proxy": False}}}),
        ("charts:\n  c: {}\na: 1\n", ["gone"], {"a": 1}),
        ("charts: {c: {}}", ["gone"], None),
    ],
)
def test_presets_are_merged(text: str, wanted: list[str], result: Any) -> None:
    made = values.with_presets(text, wanted, OFFERED, pack="p", option="o")
    assert yaml.safe_load(made) == result
    assert values.with_presets(made, wanted, OFFERED, pack="p", option="o") == made


def test_macros_and_dotted_keys_survive_a_preset() -> None:
    text = 'options:\n  system.uri: a\n  port: {{ .spectro.var.port }}\n  name: "{{ .spectro.var.name }}"\n'
    made = values.with_presets(text, ["uri"], OFFERED, pack="p", option="o")
    assert made == (
        'options:\n  port: {{ .spectro.var.port }}\n  name: "{{ .spectro.var.name }}"\n  other: {{ .spectro.var.x }}'
    )


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        ("", ["prox"], "o: the pack p has no preset 'prox'. Those that come near: proxy"),
        ("", ["proxy", "bare"], "o: proxy and bare are alternatives of p: give one of them"),
        ("- a", ["proxy"], "o: the values of p are no mapping, so the preset proxy cannot be put in"),
        ("a: [", ["proxy"], "o: the values of p, or its preset proxy, are no YAML: "),
    ],
)
def test_presets_that_cannot_be(text: str, wanted: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        values.with_presets(text, wanted, OFFERED, pack="p", option="o")
    assert str(caught.value).startswith(said.strip())


def test_only_the_lines_that_change() -> None:
    old = [f"k{number}: {number}" for number in range(50)]
    new = [*old]
    new[10], new[40] = "k10: x", "k40: y"
    left, right = values.changed_lines("\n".join(old), "\n".join(new))
    assert right == ["...", "k8: 8", "k9: 9", "k10: x", *old[11:13], "...", *old[38:40], "k40: y", *old[41:43]]
    assert len(left) == len(right)
    assert values.changed_lines("", "a\nb") == ([], ["a", "b"])
    assert values.changed_lines("", "\n".join(old))[1][-1] == "... and 30 lines more"
    assert values.changed_lines("a\nb", "a\nc") == (["a", "b"], ["a", "c"])


# -- versions of packs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "newest"),
    [
        ("1.30.x", "1.30.10"),
        ("1.30.*", "1.30.10"),
        ("1.x", "1.31.0-rev2"),
        ("1.x.x", "1.31.0-rev2"),
        ("*", "2.0.0"),
        ("1.31.0", "1.31.0"),
        ("1.3.x", None),
    ],
)
def test_wildcards(wanted: str, newest: str | None) -> None:
    offered = ["1.30.4", "1.30.10", "1.31.0", "1.31.0-rc.1", "1.31.0-rev2", "2.0.0", "2.1.0-beta"]
    fitting = [one for one in offered if packs.fits(one, wanted)]
    assert (packs.newest(fitting) if fitting else None) == newest
    assert packs.is_wildcard(wanted) is (wanted != "1.31.0")


def test_registries_of_one_name() -> None:
    listed = [
        {"name": "Ours", "uid": "1", "kind": "pack"},
        {"name": "Ours", "uid": "2", "kind": "helm"},
        {"name": "Other", "uid": "3", "kind": "oci"},
    ]
    assert pick_registry(listed, "Ours", pack_type="helm", option="r") == "2"
    assert pick_registry(listed, "Ours", pack_type="spectro", option="r") == "1"
    assert pick_registry(listed, "3", pack_type="helm", option="r") == "3"
    with pytest.raises(InputError, match=r"r: 2 registries are named 'Ours': give one of their UIDs \(1, 2\)"):
        pick_registry(listed, "Ours", pack_type="oci", option="r")


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", ["1", "-1.5", "+2", ".5", "1e3"], ["", "one", "1,5", "0x1"]),
        ("boolean", ["true", "false"], ["True", "yes", "1"]),
        ("ipv4", ["10.0.0.1"], ["10.0.0", "fd00::1", "10.0.0.1/24"]),
        ("ipv4cidr", ["10.0.0.0/16", "10.0.0.1/24"], ["10.0.0.0", "10.0.0.0/33", "fd00::/8"]),
        ("ipv6", ["fd00::1", "::"], ["10.0.0.1", "fd00::g"]),
        ("version", ["1.2.3", "v1.30.4", "1.2.3-rc.1+build"], ["newest", "1.2.3.4", "1."]),
        ("base64", ["aGVsbG8=", ""], ["aGVsbG8", "not base64!"]),
        ("string", ["anything"], []),
    ],
)
def test_formats(kind: str, good: list[str], bad: list[str]) -> None:
    variable = {"name": "v", "format": kind}
    assert [one for one in good if rules.value_problem(variable, one)] == []
    assert [one for one in bad if not rules.value_problem(variable, one)] == []


@pytest.mark.parametrize("pattern", ["[[:alpha:]]+", r"\pL+", r"\z", "(?U)a+"])
def test_expressions_that_only_palette_knows_are_left_to_it(pattern: str) -> None:
    one = {"name": "v", "regex": pattern, "defaultValue": "1"}
    rules.check_variables([], [one], [one])


def test_what_palette_has_taken_is_not_questioned() -> None:
    odd = {"name": "v", "format": "number", "defaultValue": "many"}
    rules.check_variables([odd], [odd], [])
    with pytest.raises(InputError, match=r"variables\[0\]\.default_value: the default of v misses its rule"):
        rules.check_variables([odd], [odd], [odd])
    known = {"name": "s", "isSensitive": True, "required": True, "defaultValue": "*****"}
    given = {"name": "s", "isSensitive": True, "required": True, "description": "new"}
    rules.check_variables([known], [given], [given])
    with pytest.raises(InputError, match="the required variable s needs one"):
        rules.check_variables([], [given], [given])


# -- files -------------------------------------------------------------------------------------------------------------


def exported(**spec: Any) -> dict[str, Any]:
    pack = {
        "name": "k3s",
        "type": "spectro",
        "version": "1.0.0",
        "registry": {"metadata": {"name": "Public", "uid": "p"}},
    }
    template = {"cloudType": "edge-native", "type": "cluster", "packs": [pack]}
    return {"metadata": {"name": "edge"}, "spec": {"version": "1.0.0", "template": template, **spec}}


def test_secrets_of_a_file_are_hidden() -> None:
    secret = {"name": "s", "isSensitive": True, "defaultValue": "canary-file"}
    lines, secrets = imports.hidden(json.dumps(exported(variables=[secret]), indent=1))
    assert secrets == ["canary-file"]
    assert "canary" not in "".join(lines)
    assert HIDDEN in "".join(lines)
    assert imports.hidden("no profile") == (["no profile"], [])


def test_a_mask_is_no_secret() -> None:
    variables = [{"name": "s", "isSensitive": True, "defaultValue": "*****"}]
    made = imports.adapted(exported(variables=variables), name=None, version=None, defaults={})
    assert made["spec"]["variables"] == [{"name": "s", "isSensitive": True}]
    given = imports.adapted(exported(variables=variables), name="n", version="2.0.0", defaults={"s": "x"})
    assert given["spec"]["variables"][0]["defaultValue"] == "x"
    assert (given["metadata"]["name"], given["spec"]["version"]) == ("n", "2.0.0")


@pytest.mark.parametrize(
    ("matching", "mapping", "said"),
    [
        ([], {}, "registries: no registry that this key can see has k3s 1.0.0"),
        ([("a", "Mirror")], {}, "registries: Public does not have k3s 1.0.0 here; these have it: Mirror"),
        (
            [("a", "Public"), ("b", "Public")],
            {},
            "registries: 2 registries named Public have k3s, give a UID: Public (a), Public (b)",
        ),
    ],
)
def test_registries_that_are_not_found_again(
    matching: list[tuple[str, str]], mapping: dict[str, str], said: str
) -> None:
    listed = [{"uid": uid, "name": name} for uid, name in matching]
    with pytest.raises(InputError) as caught:
        imports.map_registries(exported(), mapping, matches={"k3s": listed}, known=[])
    assert str(caught.value) == said


def test_a_registry_by_name_or_uid() -> None:
    listed = [{"uid": "a", "name": "Public"}, {"uid": "b", "name": "Mirror"}]
    for mapping, uid in (({}, "a"), ({"Public": "Mirror"}, "b"), ({"p": "b"}, "b")):
        made, dummy = imports.map_registries(exported(), mapping, matches={"k3s": listed}, known=[])
        assert imports.packs_of(made)[0]["registry"]["metadata"]["uid"] == uid


def test_what_two_profiles_differ_in() -> None:
    one = imports.as_whole(exported())
    other = exported(variables=[{"name": "v"}])
    other["spec"]["template"]["type"] = "infra"
    other["spec"]["template"]["packs"][0] |= {"version": "1.1.0", "values": "a: 1"}
    assert differences(one, one) == []
    assert differences(one, imports.as_whole(other)) == ["type", "version of k3s", "values of k3s", "variable v"]
    filled = exported(
        variables=[{"name": "v", "format": "string", "inputType": "text", "displayName": "v", "hidden": False}]
    )
    assert differences(imports.as_whole(exported(variables=[{"name": "v"}])), imports.as_whole(filled)) == []


# -- Palette's own opinion ---------------------------------------------------------------------------------------------


def layers_plan() -> Plan:
    manifests = [{"name": "a", "content": "b", "uid": "u"}]
    body = {"spec": {"template": {"packs": [{"name": "m", "manifests": manifests}], "type": "cluster"}}}
    return Plan(steps=[Step("set", "PUT", "/v1/clusterprofiles/x", SCOPE, body)])


def opinion(*errors: dict[str, str], status: int = 200, reply: Any = None) -> Call:
    packs = [{"name": "m", "manifests": [{"name": "a", "content": "b"}]}]
    body = {"cloudType": "edge-native", "type": "cluster", "packs": packs}
    answer = {"packs": {"results": [{"name": "m", "errors": list(errors)}]}} if reply is None else reply
    return Call("POST", "/v1/clusterprofiles/validate/packs", answer, status, body=body)


def test_layers_that_palette_refuses(palette: PaletteServer, session: Session) -> None:
    undefined = {"code": "PackVariablesUndefined", "message": "x"}
    palette.expect(opinion(undefined), opinion(undefined, {"code": "Odd", "message": "it needs an OS."}))
    made = layers_plan()
    assert check_layers(session, SCOPE, made, cloud="edge-native", kind="cluster") is made
    with pytest.raises(InputError, match="packs: Palette refuses the layer m: it needs an OS"):
        check_layers(session, SCOPE, made, cloud="edge-native", kind="cluster")


def test_a_plan_without_layers_is_not_asked_about(session: Session) -> None:
    check_layers(session, SCOPE, Plan(steps=[Step("p", "PATCH", "/x", SCOPE)]), cloud="all", kind="add-on")


# -- undoing -----------------------------------------------------------------------------------------------------------

COPY = Step("copy it", "POST", "/v1/clusterprofiles/a/clone", SCOPE)
SET = Step("set it", "PUT", "/v1/clusterprofiles/{profile}", SCOPE)
AT = f"/v1/clusterprofiles/{PROFILE}"


def found(*, clusters: list[str] | None = None) -> list[Call]:
    rows = page([profile_row(v1_1_0=PROFILE)])
    read = Call("GET", AT, profile(version="1.1.0", draft=True, clusters=clusters or []))
    return [Call("POST", "/v1/dashboard/clusterprofiles", rows, params=ANY, body=ANY), read]


def after(session: Session, cause: PaletteError, *, failed: int = 1, born_published: bool = False) -> PaletteError:
    making = Making([Plan(steps=[COPY, SET], replan_after=1), Plan(steps=[SET])], born_published)
    whole = StepFailedError([COPY, SET], failed, cause) if failed >= 0 else cause
    return undone(session, SCOPE, name="edge-store", version="1.1.0", making=making, error=whole)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_is_undone(palette: PaletteServer, session: Session, status: int) -> None:
    palette.expect(*found(), Call("DELETE", AT, status=204))
    told = after(session, RejectedError("Could not set it: 400 Bad", status=status))
    assert str(told) == (
        "Step 2 of 2 (set it) failed: Could not set it: 400 Bad. The half-made cluster profile edge-store 1.1.0 "
        "was removed again: correct it and run again"
    )
    assert told.facts == {"status": status, "steps_undone": ["copy it"]}


@pytest.mark.parametrize(
    "cause",
    [
        AmbiguousError("cut", status=503),
        UnavailableError("cut"),
        RejectedError("an error of its own", status=500),
    ],
)
def test_what_is_not_certain_is_not_undone(session: Session, cause: PaletteError) -> None:
    assert "A second run carries on from there" in str(after(session, cause))


def test_what_somebody_else_has_made_is_not_undone(session: Session) -> None:
    """After a conflict the run looks at another one's copy, and what it thinks of that removes nothing."""
    cause = ConflictError("it is another type")
    assert after(session, cause, failed=-1) is cause
    theirs = StepFailedError([SET], 0, RejectedError("no", status=400))
    making = Making([Plan(steps=[COPY, SET], replan_after=1), Plan(steps=[SET])])
    assert undone(session, SCOPE, name="n", version="1", making=making, error=theirs) is theirs


def test_before_the_copy_there_is_nothing_to_undo(session: Session) -> None:
    cause = RejectedError("no", status=400)
    assert after(session, cause, failed=0).facts == {"status": 400}
    making = Making([Plan(steps=[SET])])
    assert undone(session, SCOPE, name="n", version="1", making=making, error=cause) is cause


def test_an_undoing_that_fails(palette: PaletteServer, session: Session) -> None:
    palette.expect(*found(), Call("DELETE", AT, error("Locked", "in use"), 423))
    told = after(session, RejectedError("no", status=400))
    assert "could not be removed again (Could not remove the half-made cluster profile edge-store 1.1.0" in str(told)
    assert told.facts["changed"] is True
    palette.expect(*found(clusters=["store-042"]))
    assert "is used by the cluster store-042 already" in str(after(session, RejectedError("no", status=400)))


def test_what_somebody_else_has_published_meanwhile_stays(palette: PaletteServer, session: Session) -> None:
    rows = page([profile_row(v1_1_0=PROFILE)])
    look = Call("POST", "/v1/dashboard/clusterprofiles", rows, params=ANY, body=ANY, times=2)
    palette.answer(look, Call("GET", AT, profile(version="1.1.0"), times=2), Call("DELETE", AT, status=204))
    refused = RejectedError("no", status=400)
    assert "somebody else has published cluster profile edge-store 1.1.0 meanwhile" in str(after(session, refused))
    # A Palette whose copies are published at once.
    assert "was removed again" in str(after(session, refused, born_published=True))


def test_plans_are_kept_and_told_of_the_copy() -> None:
    seen: list[bool] = []

    def make(dummy: Any, fresh: bool) -> Plan:
        seen.append(fresh)
        return Plan(steps=[COPY], replan_after=None if fresh else 1)

    making = Making()
    keep = making.recorded(make)
    keep(Current(None, profile(), {}, []))
    keep(Current(profile(), None, {}, []))
    assert seen == [False, True]
    assert making.born_published is True
    assert len(making.plans) == 2
