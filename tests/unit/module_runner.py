# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules in this process as ansible-core runs them: JSON in, JSON on standard output, every secret masked."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any
from unittest import mock

from ansible.module_utils import basic

MODULES = "ansible_collections.palette.edge.plugins.modules"


@contextmanager
def module_arguments(arguments: dict[str, Any]) -> Iterator[None]:
    """What the next AnsibleModule reads, on every supported core."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # core 2.18 and older
        encoded = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        with mock.patch.object(basic, "_ANSIBLE_ARGS", encoded):
            yield
    else:
        with patch_module_args(arguments):
            yield


def run_module(name: str, options: dict[str, Any], *, check: bool = False, diff: bool = True) -> dict[str, Any]:
    """The result of a module. Its way out is the real one, so that ``no_log`` does its work."""
    module = importlib.import_module(f"{MODULES}.{name}")
    arguments = {**options, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_verbosity": 4}
    output = io.StringIO()
    warned: list[str] = []
    # Where a warning goes to differs between the cores when a module runs in this process.
    told = mock.patch.object(basic.AnsibleModule, "warn", lambda dummy, text, **more: warned.append(text))
    with told, module_arguments(arguments), redirect_stdout(output):
        try:
            module.main()
        except SystemExit:
            pass
        else:
            raise AssertionError(f"{name} ended without a result")
    result: dict[str, Any] = json.loads(output.getvalue())
    return {**result, "warnings": warned}


def failure(name: str, options: dict[str, Any], **how: Any) -> str:
    """The message of a module that must fail, in one line and without a traceback."""
    result = run_module(name, options, **how)
    assert result.get("failed"), f"{name} did not fail: {result}"
    assert "\n" not in result["msg"], result["msg"]
    assert "Traceback" not in json.dumps(result), result
    return str(result["msg"])
