# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan, then apply: order, lost answers, failures half way, the diff, and what counts as the same."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.palette.edge.plugins.module_utils._reconcile import (
    Plan,
    Step,
    StepFailedError,
    apply,
    differing,
    readable,
    same,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._errors import (
    AmbiguousError,
    ConflictError,
    NotFoundError,
    PaletteError,
    RejectedError,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import TENANT


def step(says: str = "do it", **more: Any) -> Step:
    return Step(says=says, method=more.pop("method", "POST"), path=more.pop("path", "/v1/x"), scope=TENANT, **more)


class Sender:
    """Answers in order; an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[Step] = []

    def __call__(self, one: Step) -> Any:
        self.sent.append(one)
        if not self.answers:
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_steps_go_in_order_and_bind_uids() -> None:
    send = Sender({"uid": "u1"}, None, {"uid": "u2"})
    bound = apply(Plan(steps=[step(binds="it"), step(path="/v1/{it}/a"), step(path="/v1/{it}/b", binds="other")]), send)
    assert [one.path for one in send.sent] == ["/v1/x", "/v1/u1/a", "/v1/u1/b"]
    assert bound == {"it": "u1", "other": "u2"}


@pytest.mark.parametrize("answer", [None, {}, [], "text", {"uid": None}])
def test_answers_without_a_uid_bind_nothing(answer: Any) -> None:
    assert apply(Plan(steps=[step(binds="it")]), Sender(answer)) == {}


def test_a_lost_answer_is_looked_up_and_not_sent_again() -> None:
    send = Sender(AmbiguousError("lost"))
    assert apply(Plan(steps=[step(binds="it", settle=lambda: "found")]), send) == {"it": "found"}
    assert len(send.sent) == 1


def test_a_lost_answer_of_a_write_that_was_not_carried_out_is_sent_once_more() -> None:
    send = Sender(AmbiguousError("lost"), {"uid": "u"})
    assert apply(Plan(steps=[step(binds="it", settle=lambda: None)]), send, sleep=lambda _seconds: None) == {"it": "u"}
    assert len(send.sent) == 2


def test_lost_answers_end_it_after_a_look_before_each_further_try() -> None:
    send = Sender(*(AmbiguousError(f"lost {number}") for number in range(9)))
    slept: list[float] = []
    looks = []
    with pytest.raises(StepFailedError, match="lost 3"):
        apply(Plan(steps=[step(settle=lambda: looks.append(len(send.sent)))]), send, sleep=slept.append)
    assert looks == [1, 2, 3]
    assert len(send.sent) == 4
    assert slept == [1.0, 2.0, 4.0]


def test_a_lost_answer_that_nobody_can_look_up_stands() -> None:
    send = Sender(AmbiguousError("lost"))
    with pytest.raises(StepFailedError) as caught:
        apply(Plan(steps=[step()]), send)
    assert isinstance(caught.value.cause, AmbiguousError)
    assert len(send.sent) == 1


def test_what_is_gone_already_is_removed() -> None:
    assert apply(Plan(steps=[step(gone_is_done=True)]), Sender(NotFoundError("gone"))) == {}
    with pytest.raises(StepFailedError):
        apply(Plan(steps=[step()]), Sender(NotFoundError("gone")))


def test_a_failure_half_way_tells_what_was_done() -> None:
    send = Sender(None, None, RejectedError("no", status=400))
    with pytest.raises(StepFailedError) as caught:
        apply(Plan(steps=[step("make a"), step("make b"), step("make c"), step("make d")]), send)
    text = "Step 3 of 4 (make c) failed: no Done before it: make a; make b. A second run carries on from there"
    assert str(caught.value) == text
    assert caught.value.done == ["make a", "make b"]
    assert caught.value.facts == {"status": 400}
    assert len(send.sent) == 3


def test_a_failure_of_the_only_step_is_just_told() -> None:
    with pytest.raises(StepFailedError) as caught:
        apply(Plan(steps=[step()]), Sender(ConflictError("no")))
    assert str(caught.value) == "no"
    assert caught.value.done == []


def test_a_failure_in_a_later_stage_tells_of_the_earlier_one() -> None:
    with pytest.raises(StepFailedError) as caught:
        apply(Plan(steps=[step("set it")]), Sender(RejectedError("no")), done=[step("copy it")])
    assert caught.value.done == ["copy it"]
    assert "Step 2 of 2 (set it)" in str(caught.value)


def test_errors_are_one_line_with_facts_that_say_something() -> None:
    error = PaletteError("two\n  lines", status=400, ref="", code=None)
    assert str(error) == "two lines"
    assert error.facts == {"status": 400}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, False),
        (None, 0),
        (None, ""),
        (None, []),
        (None, {}),
        ({"a": 0, "b": {"c": ""}}, {}),
        ({"a": [{"b": None}]}, {"a": [{}]}),
        ([1, (2, 3)], [1, [2, 3]]),
        ("x", "x"),
    ],
)
def test_the_same_for_palette(one: Any, other: Any) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), ([1], [1, 2]), ([1, 2], [2, 1]), ({"a": 1}, {}), ("1", 1), ({"a": 1}, [1]), ("", "x"), (False, True)],
)
def test_not_the_same_for_palette(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)


def test_only_what_is_desired_is_compared() -> None:
    assert differing({"a": 1, "b": 2}, {"a": 1}) == {}
    assert differing({"a": 1}, {"a": 2, "c": 3, "d": ""}) == {"a": 2, "c": 3}


def test_readable_texts() -> None:
    assert readable({"a": "x\ny\n", "b": ["one\n"], "c": 1}) == {"a": ["x", "y"], "b": ["one\n"], "c": 1}
