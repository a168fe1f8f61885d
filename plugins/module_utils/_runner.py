# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place where modules meet the session and the plan: options in, result or one-line failure out."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleFallbackNotFound, AnsibleModule, missing_required_lib

from ._reconcile import Plan, Step, StepFailedError, apply, cause_of, readable
from .palette._errors import ConflictError, PaletteError, WaitTimeoutError
from .palette._names import scope_of
from .palette._options import connection_from, from_environment
from .palette._session import HAS_REQUESTS, Scope, Session, session_for


def environment(option: str) -> str:
    """Argument-spec fallback: the first environment variable of the option that is not empty."""
    found = from_environment(option)
    if found is None:
        raise AnsibleFallbackNotFound
    return found


CONNECTION_ARGUMENTS: dict[str, Any] = {
    "host": {"type": "str", "fallback": (environment, ["host"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (environment, ["api_key"])},
    "project": {"type": "str", "fallback": (environment, ["project"])},
    "scope": {"type": "str", "choices": ["project", "tenant"], "default": "project"},
    "validate_certs": {"type": "bool", "fallback": (environment, ["validate_certs"])},
    "ca_path": {"type": "path", "fallback": (environment, ["ca_path"])},
    "timeout": {"type": "float", "fallback": (environment, ["timeout"])},
    "retry_timeout": {"type": "float", "fallback": (environment, ["retry_timeout"])},
}


def wait_arguments(*, timeout: int = 3600, sleep: int = 10) -> dict[str, Any]:
    """The options of the ``palette.edge.wait`` fragment."""
    return {
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": timeout},
        "wait_sleep": {"type": "int", "default": sleep},
    }


class Frame:
    """A module at work: its parsed options, its session, and the ways it can end."""

    def __init__(self, arguments: Mapping[str, Any], **rules: Any) -> None:
        self.module = AnsibleModule(
            argument_spec={**CONNECTION_ARGUMENTS, **arguments}, supports_check_mode=True, **rules
        )
        self.check_mode: bool = self.module.check_mode
        if not HAS_REQUESTS:
            self.module.fail_json(msg=missing_required_lib("requests"))

    @property
    def params(self) -> dict[str, Any]:
        """The options of the module."""
        parsed: dict[str, Any] = self.module.params
        return parsed

    def hide(self, texts: Iterable[str | None]) -> None:
        """Masks texts that only the options together tell to be secrets, in the result and its copy of the options."""
        self.module.no_log_values.update(text for text in texts if text)

    def session(self) -> Session:
        """The session of the connection options."""
        options = {name: self.params[name] for name in CONNECTION_ARGUMENTS}
        return session_for(connection_from(options))

    def run(self, work: Callable[[Session, Frame], dict[str, Any]]) -> NoReturn:
        """Ends the module with the result of ``work``, or with its error as one line."""
        try:
            result = work(self.session(), self)
        except PaletteError as error:
            self.module.fail_json(msg=str(error), **_failure(error))
        except (AttributeError, KeyError, TypeError) as error:
            self.module.fail_json(msg=_unexpected(error), error="unexpected_answer")
        self.module.exit_json(**result)
        raise AssertionError  # exit_json does not return

    def scope(self, session: Session) -> Scope:
        """The scope that the options name."""
        return scope_of(session)


def send_with(session: Session) -> Callable[[Step], Any]:
    """What :func:`apply` needs to carry a step out."""

    def send(step: Step) -> Any:
        return session.request(
            step.method,
            step.path,
            scope=step.scope,
            body=step.body,
            params=step.params,
            what=step.says,
            reads=False if step.once else None,
        )

    return send


def reconcile(
    session: Session,
    frame: Frame,
    *,
    read: Callable[[], Any],
    plan: Callable[[Any], Plan],
    noun: str,
    describe: Callable[[Any], dict[str, Any]],
    wait: Callable[[], Any] | None = None,
) -> dict[str, Any]:
    """Read, plan, and unless in check mode apply, wait and read again; returns the module's result.

    :param noun: key of the result that holds the resource.
    :param describe: what Palette has, as a result without secrets; empty for an absent one.
    """
    current = read()
    planned = plan(current)
    if not frame.check_mode and planned.changed:
        try:
            _apply_in_stages(session, planned, read, plan)
        except StepFailedError as error:
            # Somebody else made it between our look and our write: adopt theirs.
            if not isinstance(error.cause, ConflictError) or error.done or read() is None:
                raise
            planned = plan(read())
            _apply_in_stages(session, planned, read, plan)
    if wait is not None and not frame.check_mode:
        wait_after(wait, changed=planned.changed)
    if frame.check_mode and planned.changed:
        resource = {**describe(current), **planned.after, **planned.predicted} if planned.after else {}
    elif planned.changed or wait is not None:
        resource = describe(read())
    else:
        resource = describe(current)
    for warning in planned.warnings:
        frame.module.warn(warning)
    return outcome(planned, noun, resource)


def wait_after(wait: Callable[[], Any], *, changed: bool) -> None:
    """Waits; when that fails, the error still tells that something was written before it."""
    try:
        wait()
    except PaletteError as error:
        error.facts["changed"] = changed
        raise


def _apply_in_stages(session: Session, planned: Plan, read: Callable[[], Any], plan: Callable[[Any], Plan]) -> None:
    if planned.replan_after is None:
        apply(planned, send_with(session), sleep=session.sleep)
        return
    done = planned.steps[: planned.replan_after]
    apply(Plan(steps=done), send_with(session), sleep=session.sleep)
    apply(plan(read()), send_with(session), done=done, sleep=session.sleep)


def outcome(plan: Plan, noun: str, resource: Any) -> dict[str, Any]:
    """The result of a module that writes: changed, the resource, the steps in words, the diff."""
    result: dict[str, Any] = {"changed": plan.changed, noun: resource, "steps": [step.says for step in plan.steps]}
    if plan.changed:
        result["diff"] = {"before": readable(plan.before), "after": readable(plan.after)}
    return result


def wait_until(
    look: Callable[[], tuple[bool, str]],
    *,
    what: str,
    timeout: float,
    sleep: float,
    clock: Callable[[], float] | None = None,
    pause: Callable[[float], None] | None = None,
) -> None:
    """Calls ``look`` until it says done; it returns (done, last state in words) and may raise TerminalStateError.

    :raises WaitTimeoutError: with the last state. The first looks follow each other faster than ``sleep`` seconds.
    """
    clock, pause = clock or time.monotonic, pause or time.sleep
    end = clock() + timeout
    gap = min(1.0, sleep)
    while True:
        done, state = look()
        if done:
            return
        if clock() + gap > end:
            raise WaitTimeoutError(
                f"Waited {timeout:g} s for {what}; last state: {state}. "
                "It may still get there: run again to wait on, or raise wait_timeout"
            )
        pause(gap)
        gap = min(float(sleep), gap * 1.3)


def _unexpected(error: Exception) -> str:
    """One line for an answer of a shape that this collection does not know, with the place for a bug report."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename.rsplit('/', maxsplit=1)[-1]}:{last.lineno}"
    return (
        f"Palette's answer has not the shape that is documented ({type(error).__name__}: {error} in {place}): "
        "does host name a Palette of a supported version? Otherwise please report this line"
    )


def _failure(error: PaletteError) -> dict[str, Any]:
    result = dict(error.facts)
    if isinstance(error, StepFailedError) and error.done:
        result["steps_done"] = error.done
        result["changed"] = True
    kind = type(cause_of(error)).__name__.removesuffix("Error")
    result["error"] = "".join("_" + sign.lower() if sign.isupper() else sign for sign in kind).lstrip("_")
    return result
