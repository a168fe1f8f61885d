# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent on a host is doing after its installation: its units, its port, and what its journal says in other words.

How the real agent words its complaints is not documented. The rules look for what such lines have in common; a line that
none of them knows is told as it is.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.palette.edge.plugins.module_utils.user_data._secrets import hide_text
from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, Output, quote

AGENT, INIT = "spectro-stylus-agent", "spectro-init"


@dataclass(frozen=True)
class Rule:
    """A line that matches means this. `final` when waiting cannot mend it."""

    pattern: re.Pattern[str]
    means: str
    final: bool = False


def _rule(pattern: str, means: str, *, final: bool = False) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), means, final)


RULES = (
    _rule(
        r"(token).{0,60}(invalid|unknown|expired|not found|inactive|does not exist|missing|revoked)"
        r"|(invalid|unknown|expired|wrong|inactive).{0,40}token|EdgeTokenInvalid",
        "Palette refuses the registration token; give one that is active, and that of this tenant",
        final=True,
    ),
    _rule(
        r"project.{0,80}(not found|unknown|does not exist|invalid|no such)|(unknown|invalid).{0,30}project",
        "Palette does not know the project; give one that is there, or a token with a default project",
        final=True,
    ),
    _rule(
        r"no #cloud-config|cannot unmarshal|yaml: |did not find expected|user-data is not used",
        "the user-data is not understood",
        final=True,
    ),
    _rule(r"no space left on device", "the disk of the host is full", final=True),
    _rule(
        r"certificate has expired or is not yet valid", "a certificate does not fit the host's clock; set its time"
    ),
    _rule(r"x509|unknown authority|certificate verify failed", "the host does not trust a certificate; give caCerts"),
    _rule(r"no such host|name resolution|could not resolve|server misbehaving", "a name is not resolved on the host"),
    _rule(r"proxyconnect|proxy authentication|\b407\b", "the proxy refuses the host"),
    _rule(r"manifest.?unknown|pull access denied|unauthorized.*(image|pull|blob)", "an image cannot be pulled"),
    _rule(r"connection refused|i/o timeout|deadline exceeded|not reached|no route to host|network is unreachable",
          "something is not reached over the network"),
)  # fmt: skip


@dataclass(frozen=True)
class AgentState:
    """The agent of a host at one moment. `init` is the state of the unit that installs a package, if there is one."""

    agent: str = ""
    init: str = ""
    init_restarts: int = 0
    units: int = 0
    set_up: bool = False
    listens: bool = False
    lines: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return self.agent == "active"

    def told(self) -> str:
        """The state in words."""
        if not self.units:
            return "no unit of the agent is on the host"
        words = f"{AGENT} is {self.agent or 'not there'}"
        if self.init and not self.set_up:
            words += f", {INIT} (which installs the package) is {self.init}"
            words += f" after {self.init_restarts} failures" if self.init_restarts else ""
        return words


def script(root: str, port: int) -> str:
    """What tells the state of the agent installed at `root`; `port` is that of its Local UI."""
    return f"""{PRELUDE}
r={quote(root.rstrip("/"))}; n=0
for u in /etc/systemd/system/spectro-*.service; do [ -e "$u" ] && n=$((n + 1)); done
say units "$n"
say agent "$(systemctl is-active {AGENT} 2>/dev/null)"
if [ -e /etc/systemd/system/{INIT}.service ]; then
  say init "$(systemctl is-active {INIT} 2>/dev/null)"
  say restarts "$(systemctl show -p NRestarts --value {INIT} 2>/dev/null)"
fi
[ -e "$r/opt/spectrocloud/state/setup_done" ] && say set_up yes
grep -qi ":{port:04X} [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null && say listens yes
set -- -u {INIT} -u "spectro-palette-agent-*" -u {AGENT} -u spectro-stylus-operator
journalctl -b --no-pager -q -o cat -n 25 "$@" 2>/dev/null | tr -cd "\\11\\12\\40-\\176" | cut -c 1-400 |
  while IFS= read -r l; do say line "$l"; done
{END}"""


def read_state(output: Output, secrets: t.Iterable[str] = ()) -> AgentState:
    """The answer of the script; its lines without what is or looks like a secret."""
    restarts, units = output.first("restarts"), output.first("units")
    known = tuple(secrets)
    return AgentState(
        agent=output.first("agent"),
        init=output.first("init"),
        init_restarts=int(restarts) if restarts.isdigit() else 0,
        units=int(units) if units.isdigit() else 0,
        set_up=bool(output.first("set_up")),
        listens=bool(output.first("listens")),
        lines=tuple(hide_text(line.strip(), known) for line in output.all("line") if line.strip()),
    )


def trouble(lines: t.Sequence[str]) -> tuple[Rule, str] | None:
    """The rule that explains the latest line that any rule knows, and that line. A later success ends a trouble."""
    for line in reversed(lines):
        if re.search(r"registered as|registration (succeeded|successful)|successfully registered", line, re.IGNORECASE):
            return None
        for rule in RULES:
            if rule.pattern.search(line):
                return rule, line
    return None
