"""``python -m lab``: brings the lab up and down, shows it, and breaks it on request."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.hosts import preconditions
from lab.hosts.base import BaseRootError
from lab.hosts.config import ConfigError, load
from lab.hosts.network import NetworkError
from lab.instance import faults
from lab.instance.down import down
from lab.instance.state import Instance, LabError, find
from lab.instance.status import exports, status, table, whole
from lab.instance.up import Options, PreconditionsMissing, up
from lab.kubernetes import provider

_FAILED, _USAGE, _PRECONDITIONS = 1, 2, 3
# Of these `up` has a mind of its own, which follows from the hosts.
_ABOUT = {"open_pairing": "pairing", "heartbeat_timeout": "silence"}
_API_FAULTS = (
    *("status", "cut-after-accept", "cut-before", "slow", "heartbeat-loss"),
    *("cluster-error", "upgrade-error", "repave-approval", "certificates-expiring"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 failed, 2 bad input, 3 this machine cannot boot hosts."""
    options = _parser().parse_args(arguments)
    try:
        instance = find(options.state, options.name)
        code: int = options.run(instance, options)
    except ConfigError as error:
        return _complain(str(error), _USAGE)
    except PreconditionsMissing as error:
        lines = ["this machine cannot boot the lab's hosts:", *(f"  {line}" for line in error.missing)]
        lines.append("  --speak-only runs the lab with hosts that only speak to the controller")
        return _complain("\n".join(lines), _PRECONDITIONS)
    except (LabError, BaseRootError, NetworkError) as error:
        return _complain(str(error), _FAILED)
    except BrokenPipeError:
        # The reader went away, as `lab status | head` does; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except OSError as error:
        return _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", _FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted; 'up' goes on from here, 'down' takes away what there is", 130)
    return code


def _complain(text: str, code: int) -> int:
    print(f"lab: {text}", file=sys.stderr)
    return code


def _say(line: str) -> None:
    print(line, flush=True)


def _up(instance: Instance, options: argparse.Namespace) -> int:
    if options.speak_only and not options.config:
        raise LabError("--speak-only needs --config: a lab that has booted its hosts stays as it is")
    config = load(Path(options.config), speak_only=options.speak_only) if options.config else None
    wish = options.kubernetes
    up(instance, Options(config, port=options.port, kubernetes=wish, controller=_controller_arguments(options)), _say)
    return 0


def _controller_arguments(options: argparse.Namespace) -> dict[str, list[str]]:
    """The controller's own options among those given, by what they are about; those not given stay as before."""
    given: dict[str, list[str]] = {}
    for name in ("rate_limits", "tls", "open_pairing"):
        value, words = getattr(options, name), name.replace("_", "-")
        if value is not None:
            given[_ABOUT.get(name, name)] = [f"--{words}" if value else f"--no-{words}"]
    # The controller knows only the one of the two that is not its default.
    given |= {about: [] for about, words in given.items() if words in (["--tls"], ["--no-open-pairing"])}
    for name in ("form_seconds", "heartbeat_timeout", "seed"):
        value = getattr(options, name)
        if value is not None:
            given[_ABOUT.get(name, name)] = [f"--{name.replace('_', '-')}", str(value)]
    return given


def _down(instance: Instance, options: argparse.Namespace) -> int:
    down(instance, purge=options.purge, say=_say)
    return 0


def _status(instance: Instance, options: argparse.Namespace) -> int:
    found = status(instance)
    print(json.dumps(found, indent=2, sort_keys=True) if options.json else table(found))
    return 0 if whole(found) else _FAILED


def _env(instance: Instance, _options: argparse.Namespace) -> int:
    print(exports(instance))
    return 0


def _check(instance: Instance, _options: argparse.Namespace) -> int:
    missing = preconditions.missing(instance.state)
    print("\n".join(missing) or "this machine can boot the lab's hosts")
    return _PRECONDITIONS if missing else 0


def _fault_host(instance: Instance, options: argparse.Namespace) -> int:
    _say(faults.host_fault(instance, options.host, options.fault))
    return 0


def _fault_controller(instance: Instance, _options: argparse.Namespace) -> int:
    _say(faults.kill_controller(instance))
    return 0


def _fault_api(instance: Instance, options: argparse.Namespace) -> int:
    names = {name: name for name in ("status", "count", "path", "method", "seconds", "host", "retry_after")}
    names["cluster"] = "name"
    given = {key: getattr(options, name) for name, key in names.items() if getattr(options, name) is not None}
    body: dict[str, Any] = {"kind": options.kind, **given}
    _say(f"api: {json.dumps(faults.api_fault(instance, body) or body, sort_keys=True)}")
    return 0


def _fault_list(instance: Instance, _options: argparse.Namespace) -> int:
    lines = faults.host_faults(instance)
    lines += [f"api: {json.dumps(fault, sort_keys=True)}" for fault in faults.api_faults(instance)]
    _say("\n".join(lines) or "no faults")
    return 0


def _fault_clear(instance: Instance, _options: argparse.Namespace) -> int:
    _say("\n".join(faults.clear(instance)) or "no faults")
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--state", metavar="DIR", help="the lab's state directory ($PALETTE_LAB_STATE, else .lab in the repository)"
    )
    common.add_argument("--name", help="the lab's name and that of its network namespace (palette-lab)")
    parser = argparse.ArgumentParser(prog="python -m lab", description="A small Palette for one machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("up", parents=[common], help="start whatever is missing and wait until it answers")
    one.add_argument("--config", metavar="FILE", help="the lab's network and hosts (lab.yml); default: as before")
    one.add_argument("--speak-only", action="store_true", help="boot no hosts; their agents speak to the controller")
    one.add_argument("--port", type=_port, help="port on 127.0.0.1; 0 = any free one (default: as before, else 0)")
    one.add_argument(
        "--kubernetes",
        metavar="WHAT",
        type=_wish,
        help="what forms clusters: auto, built, official=DIR|URL,VERSION..., k3s=PATH, none (default: as before, else auto)",
    )
    one.add_argument("--rate-limits", action=argparse.BooleanOptionalAction, help="keep Palette's rate limits")
    one.add_argument("--form-seconds", type=float, metavar="S", help="how long a cluster takes to form")
    one.add_argument("--seed", type=int, help="what UIDs are made from")
    one.add_argument("--heartbeat-timeout", type=float, metavar="S", help="how long a healthy host may be silent")
    one.add_argument(
        "--open-pairing",
        action=argparse.BooleanOptionalAction,
        help="pre-registered hosts pair without a token (default: when some hosts only speak)",
    )
    one.add_argument("--tls", action=argparse.BooleanOptionalAction, help="HTTPS with a CA of the lab's own (default)")
    one.set_defaults(run=_up)

    one = commands.add_parser("down", parents=[common], help="take everything down")
    one.add_argument("--purge", action="store_true", help="remove the state directory too")
    one.set_defaults(run=_down)

    one = commands.add_parser("status", parents=[common], help="show the controller and the hosts")
    one.add_argument("--json", action="store_true", help="as JSON")
    one.set_defaults(run=_status)

    one = commands.add_parser("env", parents=[common], help='print variables: eval "$(python -m lab env)"')
    one.set_defaults(run=_env)

    one = commands.add_parser("check", parents=[common], help="say what this machine lacks to boot hosts")
    one.set_defaults(run=_check)

    fault = commands.add_parser("fault", help="break something")
    _fault_parsers(fault.add_subparsers(required=True, metavar="WHAT"), common)
    return parser


def _fault_parsers(what: Any, common: argparse.ArgumentParser) -> None:
    one = what.add_parser("host", parents=[common], help="a host: " + ", ".join(faults.HOST_FAULTS))
    one.add_argument("host", metavar="NAME")
    one.add_argument("fault", choices=faults.HOST_FAULTS)
    one.set_defaults(run=_fault_host)

    one = what.add_parser("controller", parents=[common], help="the controller: kill")
    one.add_argument("fault", choices=("kill",))
    one.set_defaults(run=_fault_controller)

    one = what.add_parser("api", parents=[common], help="the API: " + ", ".join(_API_FAULTS))
    one.add_argument("kind", choices=_API_FAULTS)
    one.add_argument("--status", type=int, help="HTTP status to answer with")
    one.add_argument("--count", type=int, help="how many requests are hit")
    one.add_argument("--path", help="only requests whose path begins so")
    one.add_argument("--method", help="only requests with this method")
    one.add_argument("--seconds", type=float, help="slow: how much")
    one.add_argument("--retry-after", type=int, metavar="S", help="status: the header of that name")
    one.add_argument("--host", help="heartbeat-loss: the ID of the Edge host")
    one.add_argument("--cluster", help="faults of clusters: the name of the cluster")
    one.set_defaults(run=_fault_api)

    one = what.add_parser("list", parents=[common], help="the faults in force")
    one.set_defaults(run=_fault_list)
    one = what.add_parser("clear", parents=[common], help="switch all faults off")
    one.set_defaults(run=_fault_clear)


def _wish(text: str) -> str:
    try:
        return provider.check(text)
    except provider.ProviderError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port")
    return int(text)
