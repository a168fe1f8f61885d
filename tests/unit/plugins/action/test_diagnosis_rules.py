# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each known failure by a sample of what a host says then, and hosts that are well, of which nothing may be said."""

from __future__ import annotations

import calendar
import re
import time
from pathlib import Path

import pytest
import yaml

from ansible_collections.palette.edge.plugins.plugin_utils._diagnosis import Evidence, diagnose
from ansible_collections.palette.edge.plugins.plugin_utils._diagnosis_rules import RULES

NOW = float(calendar.timegm((2026, 11, 21, 12, 0, 0)))
_TEXT = re.sub(
    r"\{now([+-]\d+)?\}",
    lambda found: str(int(NOW) + int(found[1] or 0)),
    Path(__file__).with_name("diagnosis_samples.yml").read_text(),
)
DATA = yaml.safe_load(_TEXT)
CURED = {
    # What has been cured since is told only at the beginning of a log.
    "logs/var/log/kube-init.log": "[ERROR SystemVerification]: kernel release 4.18.0 is unsupported\n"
    + "[init] fine\n" * 301,
    "logs/var/log/pods/kube-system_kube-vip-a/kube-vip/0.log": "lookup kubernetes on 127.0.0.53:53: no such host\n"
    + "ok\n" * 60,
}
APPLIANCE: dict[str, str] = {**DATA["well"]["appliance"], **CURED}
LINUX: dict[str, str] = DATA["well"]["linux"]
SAMPLES = [(one["rule"], one["section"], one["line"]) for one in DATA["samples"]]
REPLACED = [(one["rule"], one["well"], {one["section"]: one["text"]}) for one in DATA["replaced"]]


def found(texts: dict[str, str], *, now: float = NOW, began: float = 0.0) -> list[str]:
    return [finding.rule for finding in diagnose(Evidence(texts, now=now, began=began), RULES)]


@pytest.mark.parametrize("texts", [APPLIANCE, LINUX, {}, dict.fromkeys(APPLIANCE, "")])
def test_no_false_alarm(texts: dict[str, str]) -> None:
    assert found(texts) == []


@pytest.mark.parametrize(("rule", "section", "line"), SAMPLES)
def test_a_sample_of_each_failure(rule: str, section: str, line: str) -> None:
    """It is recognised in the midst of a host that is well otherwise, and nothing else with it."""
    before = APPLIANCE.get(section, "") if section != "boot/cmdline" else ""
    assert found({**APPLIANCE, section: f"{before}{line}\n"}) == [rule]
    assert found({section: f"{line}\n"}) == [rule]


@pytest.mark.parametrize(("rule", "well", "sections"), REPLACED)
def test_a_sample_of_what_no_line_shows(rule: str, well: str, sections: dict[str, str]) -> None:
    assert found({**{"appliance": APPLIANCE, "linux": LINUX}[well], **sections}) == [rule]


def test_every_rule_has_a_sample_and_words() -> None:
    sampled = {rule for rule, *dummy in [*SAMPLES, *REPLACED]}
    assert {rule.name for rule in RULES} == sampled
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.means.endswith((".", ")")), rule.name
        assert rule.do.endswith("."), rule.name
        assert bool(rule.pattern) == bool(rule.where) != bool(rule.check), rule.name
        assert rule.severity in {"error", "warning"}
        assert rule.source in {"documented", "field", "general"}


def test_what_a_finding_tells() -> None:
    texts = {
        "state/df": "/dev/a ext4 9 9 0 99% /a\n/dev/b ext4 9 9 0 98% /b\n",
        "state/files": "/var/tmp 700 root:root\n",
    }
    findings = diagnose(Evidence(texts, now=NOW), RULES)
    assert [(one.rule, one.severity) for one in findings] == [("disk-full", "error"), ("var-tmp-closed", "warning")]
    assert findings[0].seen == "/b is 98 % full (and 1 more)"
    assert findings[0].as_data()["where"] == "state/df"
    long = diagnose(Evidence({"journal/kernel": "Out of memory: Killed process " + "x" * 900}, now=NOW), RULES)
    assert len(long[0].seen) == 200


def test_a_slow_answer_is_no_wrong_clock() -> None:
    """The time is told at the beginning of an answer that may take a minute."""
    texts = {"state/time": f"{NOW - 70:.0f}\n"}
    assert found(texts) == ["clock-wrong"]
    assert found(texts, began=NOW - 75) == []


def test_the_rules_are_quick_on_long_logs() -> None:
    line = "2026-11-21T12:00:00+0000 edge-1 kubelet[1]: " + "abcdefgh 0123456789 /x/y:z " * 8 + "\n"
    texts = {
        f"{name}": line * 2000 for name in ("journal/stylus-agent", "journal/kubelet", "logs/var/log/kube-init.log")
    }
    began = time.process_time()
    assert found(texts) == []
    assert time.process_time() - began < 5
