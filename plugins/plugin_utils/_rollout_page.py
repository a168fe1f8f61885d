# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a rollout: one file that needs nothing else, for a browser, light or dark, wide or narrow."""

from __future__ import annotations

import html
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.palette.edge.plugins.plugin_utils._rollout import (
    FAILED,
    GOOD,
    NOT_STARTED,
    RUNNING,
    WAITING,
    Record,
    moment,
)

_REFRESH = 15
"""Seconds after which a page of a rollout that still runs loads itself again."""

# Kind of a result -> its sign: nobody has to tell colours apart.
_SIGNS = {"good": "✓", "same": "=", "bad": "✗", "busy": "…", "idle": "–"}
_KINDS = {
    "upgraded": "good",
    "would change": "good",
    "unchanged": "same",
    "no change": "same",
    "skipped": "same",
    FAILED: "bad",
    "would fail": "bad",
    RUNNING: "busy",
    WAITING: "idle",
    NOT_STARTED: "idle",
}
_HEADS = ("site", "result", "from", "to", "repaved", "seconds", "when", "message")
_STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b2330; --soft: #566173; --line: #dde1e8;
  --good: #17784a; --same: #4a6a94; --bad: #b3261e; --busy: #8a5a00; --idle: #737c8b; --track: #edf0f4; }
@media (prefers-color-scheme: dark) { :root { --page: #12161d; --card: #1a202a; --ink: #e7ebf1; --soft: #a3adbc;
  --line: #2f3846; --good: #5cc791; --same: #8fb0de; --bad: #ff8a80; --busy: #e8b04a; --idle: #8a95a5; --track: #252d39; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1.25rem 3rem; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 78rem; margin: 0 auto; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; }
small, .soft { color: var(--soft); font-weight: 400; }
.verdict { font-size: 1.05rem; margin: .8rem 0 1.1rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0 0 1rem; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .55rem .9rem;
  min-width: 7rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.share { display: flex; height: .7rem; margin-bottom: 1.5rem; border-radius: .35rem; overflow: hidden; gap: 2px;
  background: var(--track); }
.share i { display: block; background: currentColor; }
.good { color: var(--good); } .same { color: var(--same); } .bad { color: var(--bad); }
.busy { color: var(--busy); } .idle { color: var(--idle); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody:last-child tr:last-child > * { border-bottom: 0; }
tr.wave th { padding-top: 1.1rem; font-size: 1.05rem; } tr.wave small { padding-left: .4rem; font-size: .85rem; }
thead th { font-size: .8rem; color: var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; white-space: nowrap; }
td.what { white-space: nowrap; font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.time { min-width: 9rem; width: 18%; } td.version { white-space: nowrap; }
.track { position: relative; height: .65rem; margin-top: .35rem; border-radius: .3rem; background: var(--track); }
.track i { position: absolute; top: 0; bottom: 0; min-width: 3px; border-radius: .3rem; background: currentColor; }
td.more { min-width: 18rem; width: 30%; overflow-wrap: anywhere; } td.more p { margin: 0 0 .3rem; }
ul.plain { margin: 0; padding-left: 1.1rem; color: var(--soft); }
@media print { body { padding: 0; } .scroll { overflow: visible; } }
"""


def page(records: Sequence[Record], *, now: float, over: bool, title: str) -> str:
    """The page as HTML.

    :param over: whether the rollout has ended; until then the page loads itself again.
    """
    text = html.escape
    waves: dict[str, list[Record]] = {}
    for one in records:
        waves.setdefault(one.wave or "still to come", []).append(one)
    began = min((one.began for one in records if one.began), default=now)
    ended = max((one.ended for one in records), default=0.0) if over else now
    span = max(ended - began, 1.0)
    until = f"{_clock(ended) if over and ended else 'now'}, {_span(span)}{'' if over else ', still running'}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "" if over else f'<meta http-equiv="refresh" content="{_REFRESH}">',
        f"<title>{text(title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{text(title)}</h1>",
        f'<p class="soft">{_clock(began)} to {until}. As data: <code>report.json</code></p>',
        f'<p class="verdict">{_verdict(records, over=over)}</p>',
        _tiles(records),
    ]
    heads = "".join(f"<th>{one}</th>" for one in _HEADS)
    parts.append(f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>')
    for name, listed in waves.items():
        done = sum(one.result in GOOD for one in listed)
        wave = f"{text(name)} <small>{done} of {len(listed)} done</small>"
        parts.append(f'<tbody><tr class="wave"><th scope="rowgroup" colspan="{len(_HEADS)}">{wave}</th></tr>')
        parts += [_row(one, began=began, span=span, now=now) for one in listed]
        parts.append("</tbody>")
    parts.append("</table></div>")
    parts.append("</main></body></html>\n")
    return "\n".join(part for part in parts if part)


def _verdict(records: Sequence[Record], *, over: bool) -> str:
    failed = [one for one in records if _KINDS.get(one.result) == "bad"]
    left = [one for one in records if one.result in (NOT_STARTED, WAITING)]
    if failed:
        names = ", ".join(html.escape(one.site) for one in failed[:8]) + (" …" if len(failed) > 8 else "")
        more = f" {len(left)} not started; run again to go on." if left and over else ""
        return f'<b class="bad">✗ {len(failed)} failed:</b> {names}.{more}'
    if not over:
        return f'<b class="busy">… {sum(one.result in GOOD for one in records)} of {len(records)} sites done</b>'
    if left:
        return f'<b class="busy">… {len(left)} not started</b>'
    return f'<b class="good">✓ All {len(records)} sites are as their files say</b>' if not _predicted(records) else ""


def _predicted(records: Sequence[Record]) -> bool:
    return any(one.result in ("would change", "no change", "would fail") for one in records)


def _tiles(records: Sequence[Record]) -> str:
    found: dict[str, int] = {}
    for result in _KINDS:
        number = sum(one.result == result for one in records)
        if number:
            found[result] = number
    repaved = sum(one.repaved for one in records)
    tiles = "".join(f'<li><b class="{_KINDS[result]}">{number}</b>{result}</li>' for result, number in found.items())
    tiles += f"<li><b>{repaved}</b>repaved</li>"
    shares = "".join(
        f'<i class="{_KINDS[one]}" style="flex:{number}" title="{one}"></i>' for one, number in found.items()
    )
    return f'<ul class="tiles"><li><b>{len(records)}</b>sites</li>{tiles}</ul><div class="share">{shares}</div>'


def _row(record: Record, *, began: float, span: float, now: float) -> str:
    text = html.escape
    kind = _KINDS.get(record.result, "idle")
    track = ""
    if record.began:
        left = 100 * (record.began - began) / span
        width = 100 * ((record.ended or now) - record.began) / span
        when = f"{_clock(record.began)} to {_clock(record.ended) or 'now'}"
        track = f'<div class="track {kind}" title="{when}"><i style="left:{left:.2f}%;width:{width:.2f}%"></i></div>'
    seconds = f"{record.seconds:.0f}" if record.seconds else ""
    again = f' <span class="soft">(run {record.attempts})</span>' if record.attempts > 1 else ""
    return (
        f'<tr><th scope="row">{text(record.site)}</th>'
        f'<td class="what {kind}">{_SIGNS[kind]} {text(record.result)}</td>'
        f'<td class="version">{text(record.from_version)}</td><td class="version">{text(record.to_version)}</td>'
        f"<td>{'yes' if record.repaved else 'no' if record.ended else ''}</td>"
        f'<td class="number">{seconds}</td><td class="time">{track}</td>'
        f'<td class="more">{_paragraph(record.message)}{again}{_list(record.reasons)}</td></tr>'
    )


def _paragraph(message: str) -> str:
    return f"<p>{html.escape(message)}</p>" if message else ""


def _list(lines: Sequence[str]) -> str:
    return f'<ul class="plain">{"".join(f"<li>{html.escape(one)}</li>" for one in lines)}</ul>' if lines else ""


def _clock(seconds: float) -> str:
    return moment(seconds).replace("T", " ").replace("Z", " UTC")


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def as_data(
    records: Sequence[Record], *, rows: Sequence[Mapping[str, t.Any]], counts: Mapping[str, int], over: bool
) -> t.Any:
    """The same for programs."""
    began = min((one.began for one in records if one.began), default=0.0)
    ended = max((one.ended for one in records), default=0.0) if over else 0.0
    return {"began": moment(began), "ended": moment(ended), "counts": dict(counts), "sites": list(rows)}
