# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sheet of labels as an HTML page and as a PDF, both from the same places and the same text."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence

from ansible_collections.palette.edge.plugins.plugin_utils._sheet import PAGES, Format, Placed, SheetError

try:
    from reportlab.lib.units import mm
    from reportlab.pdfgen.canvas import Canvas

    HAS_REPORTLAB = True
except ImportError:
    HAS_REPORTLAB = False

_STYLE = """\
@page {{ size: {page}; margin: 0; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #fff; color: #000; -webkit-print-color-adjust: exact; print-color-adjust: exact; }}
.page {{ position: relative; width: {width:g}mm; height: {height:g}mm; overflow: hidden; break-after: page; }}
.page:last-child {{ break-after: auto; }}
.label, .text, svg {{ position: absolute; }}
.label {{ width: {label_width:g}mm; height: {label_height:g}mm; border: {border}; }}
.text {{ font-family: "Liberation Mono", "DejaVu Sans Mono", "Courier New", Courier, monospace; line-height: 1;
  white-space: pre; }}
@media screen {{ .page {{ margin: 5mm auto; outline: 1px solid #bbb; }} }}
"""


def as_html(pages: Sequence[Sequence[Placed]], form: Format, *, title: str, border: bool) -> str:
    """The sheet as one page of HTML that needs nothing else."""
    width, height = PAGES[form.page]
    style = _STYLE.format(
        page=form.page,
        width=width,
        height=height,
        label_width=form.width,
        label_height=form.height,
        border="0.1mm solid #bbb" if border else "none",
    )
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        f'<head><meta charset="utf-8"><title>{html.escape(title)}</title>',
        f"<style>\n{style}</style></head>",
        "<body>",
    ]
    for page in pages:
        lines.append('<div class="page">')
        for placed in page:
            lines += _html_label(placed)
        lines.append("</div>")
    return "\n".join([*lines, "</body>", "</html>", ""])


def _html_label(placed: Placed) -> list[str]:
    code = placed.code
    side = code.modules * placed.module
    # One path: a row of rectangles for each row of modules.
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for y, x, length in code.runs)
    told = html.escape(placed.label.told)
    where = f"left:{placed.code_x:.2f}mm;top:{placed.code_y:.2f}mm;width:{side:.2f}mm;height:{side:.2f}mm"
    lines = [
        f'<div class="label" style="left:{placed.x:.2f}mm;top:{placed.y:.2f}mm" data-label="{told}"></div>',
        f'<svg style="{where}" viewBox="0 0 {code.modules} {code.modules}" shape-rendering="crispEdges">',
        f'<path d="{path}"/></svg>',
    ]
    for text in placed.texts:
        where = f"left:{text.x:.2f}mm;top:calc({text.y:.2f}mm - {text.size * 0.8:.2f}pt);font-size:{text.size:g}pt"
        bold = ";font-weight:bold" if text.bold else ""
        lines.append(f'<div class="text" style="{where}{bold}">{html.escape(text.text)}</div>')
    return lines


def labels_in(text: str) -> list[str]:
    """The labels of a page that :func:`as_html` made, a line each."""
    return [html.unescape(found) for found in re.findall(r'data-label="([^"]*)"', text)]


def as_pdf(pages: Sequence[Sequence[Placed]], form: Format, *, title: str, border: bool) -> bytes:
    """The sheet as a PDF, with the fonts that every viewer has. Raises SheetError for text that they have no signs for."""
    width, height = PAGES[form.page]
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(width * mm, height * mm), invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor("")
    canvas.setCreator("palette.edge")
    canvas.setProducer("palette.edge")
    for page in pages:
        for placed in page:
            _pdf_label(canvas, placed, form, height, border=border)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _pdf_label(canvas: Canvas, placed: Placed, form: Format, height: float, *, border: bool) -> None:
    if border:
        canvas.setLineWidth(0.1 * mm)
        canvas.setStrokeGray(0.73)
        canvas.rect(placed.x * mm, (height - placed.y - form.height) * mm, form.width * mm, form.height * mm)
    path, module = canvas.beginPath(), placed.module
    for y, x, length in placed.code.runs:
        left, bottom = placed.code_x + x * module, height - placed.code_y - (y + 1) * module
        path.rect(left * mm, bottom * mm, length * module * mm, module * mm)
    canvas.drawPath(path, stroke=0, fill=1)
    for text in placed.texts:
        try:
            text.text.encode("cp1252")
        except UnicodeEncodeError as error:
            sign = text.text[error.start]
            raise SheetError(
                f"formats: the fonts of a PDF have no {sign!r}, which is on the label of {placed.label.id}; make the sheet as"
                " html alone, and print that"
            ) from None
        canvas.setFont("Courier-Bold" if text.bold else "Courier", text.size)
        canvas.drawString(text.x * mm, (height - text.y) * mm, text.text)
