# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sheets of labels: every QR code is decoded again, from the HTML and from the PDF as it would be printed."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

pytest.importorskip("segno")
pytest.importorskip("reportlab")

from ansible_collections.palette.edge.plugins.action import registration_sheet
from ansible_collections.palette.edge.plugins.plugin_utils import _sheet as sheet

URL = "https://registration.example.com/"
LONGEST = "edge-" + "0123456789abcdef" * 7 + "-XYZ_end123"
Run = t.Callable[..., dict[str, t.Any]]


def decoded_from_pdf(path: Path, *, dots: int = 200) -> list[str]:
    """What a reader finds on the rendered pages, at so many dots per inch."""
    zxing, pdfium = pytest.importorskip("zxingcpp"), pytest.importorskip("pypdfium2")
    document = pdfium.PdfDocument(str(path))
    try:
        images = [page.render(scale=dots / 72).to_pil() for page in document]
    finally:
        document.close()
    return [code.text for image in images for code in zxing.read_barcodes(image, formats=zxing.BarcodeFormat.QRCode)]


def decoded_from_html(text: str) -> list[str]:
    """What a reader finds in the paths of the page, each drawn for itself with no more white than the page has."""
    zxing, image_module = pytest.importorskip("zxingcpp"), pytest.importorskip("PIL.Image")
    found = []
    for side, path in re.findall(r'viewBox="0 0 (\d+) \d+" shape-rendering="crispEdges">\s*<path d="([^"]+)"/>', text):
        picture = image_module.new("L", (int(side) + 8, int(side) + 8), 255)
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
            picture.paste(0, (int(x) + 4, int(y) + 4, int(x) + 4 + int(length), int(y) + 5))
        (code,) = zxing.read_barcodes(picture.resize((picture.width * 4, picture.height * 4), 0))
        found.append(code.text)
    return found


def labels(count: int, **more: str) -> list[dict[str, str]]:
    return [
        {
            "id": f"edge-{n:03}-4c4c4544-0042",
            "name": f"store-{n // 3:03}-{n % 3 + 1}",
            "site": f"store-{n // 3:03}",
            "address": f"10.{n // 3}.0.{n % 3 + 11}",
            **more,
        }
        for n in range(count)
    ]


@pytest.fixture
def run(lab: t.Any, tmp_path: Path) -> Run:
    def task(
        *, check: bool = False, hostvars: t.Any = None, hosts_of_play: t.Any = (), **args: t.Any
    ) -> dict[str, t.Any]:
        variables = {"hostvars": hostvars or {}, "ansible_play_hosts_all": list(hosts_of_play)}
        return t.cast(
            "dict[str, t.Any]",
            lab.run(
                registration_sheet, check=check, task_vars=variables,
                **{"registration_url": URL, "dest": str(tmp_path), **args},
            ),
        )  # fmt: skip

    return task


@pytest.mark.parametrize("label_format", list(sheet.FORMATS))
def test_every_code_is_decoded_again(run: Run, tmp_path: Path, label_format: str) -> None:
    given = [*labels(22), {"id": LONGEST, "name": "store-099-1", "site": "store-099", "address": "10.0.0.1"}]
    done = run(labels=given, label_format=label_format)
    assert done["changed"], done
    wanted = sorted(f"{URL}?appliance-id={one['id']}" for one in given)
    text = (tmp_path / "registration-sheet.html").read_text()
    assert sorted(decoded_from_html(text)) == wanted
    assert sorted(decoded_from_pdf(tmp_path / "registration-sheet.pdf")) == wanted
    assert text.count('class="page"') == -(-len(given) // sheet.FORMATS[label_format].count)


def test_everything_is_inside_of_its_label_and_the_id_is_whole() -> None:
    for name, form in sheet.FORMATS.items():
        all_labels = [sheet.Label(**one, url=sheet.url_of(URL, one["id"])) for one in labels(4)]
        all_labels.append(
            sheet.Label(LONGEST, "a" * 63, "b" * 63, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", URL + LONGEST)
        )
        width, height = sheet.PAGES[form.page]
        for page in sheet.pages(all_labels, form):
            for one in page:
                right, bottom = one.x + form.width, one.y + form.height
                assert -0.01 <= one.x < right <= width + 0.01, name
                assert -0.01 <= one.y < bottom <= height + 0.01, name
                white = sheet.QUIET * one.module
                side = one.code.modules * one.module
                assert one.x <= one.code_x - white
                assert one.code_y - white >= one.y
                assert one.code_y + side + white <= bottom
                for line in one.texts:
                    assert line.x >= one.code_x + side + white - 0.01
                    assert line.x + len(line.text) * line.size * 0.6 * 25.4 / 72 <= right
                    assert one.y + 1 < line.y < bottom
                assert "".join(line.text for line in one.texts if line.bold) == one.label.id


def test_the_same_input_is_the_same_sheet(run: Run, tmp_path: Path) -> None:
    given = labels(5)
    planned = run(labels=given, check=True, dest=str(tmp_path / "new"))
    assert (planned["changed"], planned["labels"], len(planned["written"])) == (True, 5, 2)
    assert list(tmp_path.iterdir()) == []
    assert run(labels=given, dest=str(tmp_path / "new"))["changed"]
    tmp_path = tmp_path / "new"
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["registration-sheet.html", "registration-sheet.pdf"]
    again = run(labels=given[::-1], dest=str(tmp_path))
    assert (again["changed"], again["written"]) == (False, [])
    assert "diff" not in again
    assert not re.search(rb"\b20[12][1-9]\b", before["registration-sheet.html"])
    given[2]["address"] = "10.0.0.99"
    other = run(labels=given, dest=str(tmp_path))
    assert [line for line in other["diff"][0]["after"].splitlines() if line not in other["diff"][0]["before"]] == [
        f"store-000 store-000-3 {given[2]['id']} 10.0.0.99 {URL}?appliance-id={given[2]['id']}"
    ]
    assert other["diff"][1]["after"].startswith("(PDF, ")


HOSTVARS = {
    "store-2-1": {"edge_host_id": "id-2-1", "edge_host_name": "store-2-1", "edge_site_name": "store-2",
                  "edge_host_address": "10.2.0.11/24", "edge_host_initial_address": "10.2.0.101",
                  "edge_site_registration": {"token": "canary"}, "secret": "canary"},
    "store-10-1": {"edge_host_id": "id-10-1", "edge_site_name": "store-10", "edge_host_initial_address": "10.10.0.101"},
    "store-2": {"edge_site_name": "store-2", "edge_site_hosts": []},
    "stranger": {},
}  # fmt: skip


def test_a_sheet_of_the_inventory_for_each_site(run: Run, tmp_path: Path) -> None:
    done = run(hostvars=HOSTVARS, hosts_of_play=["store-10-1", "store-2", "store-2-1"], per_site=True, formats=["html"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "registration-sheet-store-10.html",
        "registration-sheet-store-2.html",
    ]
    assert done["files"][0].endswith("store-2.html")
    text = (tmp_path / "registration-sheet-store-2.html").read_text()
    assert f'data-label="store-2 store-2-1 id-2-1 10.2.0.11 {URL}?appliance-id=id-2-1"' in text
    assert "canary" not in text
    whole = run(hostvars=HOSTVARS, hosts=["store-10-1", "store-2-1"], name="all", formats=["html"])
    assert whole["files"] == [str(tmp_path / "all.html")]
    assert ">Addr: 10.10.0.101<" in (tmp_path / "all.html").read_text()


@pytest.mark.parametrize(
    ("url", "parameter", "leads_to"),
    [
        ("https://r.example.com", "appliance-id", "https://r.example.com/?appliance-id=edge%5B1%5D"),
        ("https://r.example.com/a?b=1#top", "id", "https://r.example.com/a?b=1&id=edge%5B1%5D#top"),
        ("https://r.example.com/hosts/{id}/new", "x", "https://r.example.com/hosts/edge%5B1%5D/new"),
    ],
)
def test_where_the_code_leads(url: str, parameter: str, leads_to: str) -> None:
    assert sheet.url_of(sheet.check_url(url), "edge[1]", parameter=parameter) == leads_to


def test_an_id_of_any_signs_comes_back_as_it_is() -> None:
    host_id = "edge-Ä_`[]-ж"
    found = sheet.url_of(URL, host_id)
    assert parse_qs(urlsplit(found).query) == {"appliance-id": [host_id]}
    assert quote(host_id, safe="") in found


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"registration_url": "https://me:secret@r.example.com"}, "registration_url: carries a user or password"),
        ({"registration_url": "ftp://r.example.com"}, "is no URL like https://"),
        ({"registration_url": "https://r.example.com/ x"}, "is no URL like https://"),
        ({"registration_url": "https://r.example.com/{name}"}, "the only placeholder is {id}"),
        ({"labels": []}, "there is no host to make a label for"),
        ({"labels": [{"id": "a b", "name": "n"}]}, "the Edge host ID 'a b' (n) has characters"),
        ({"labels": [{"id": "x" * 129}]}, "has 129 characters, Palette takes 128 at most"),
        ({"labels": [{"id": "a", "name": "x"}, {"id": "a", "name": "y"}]}, "the Edge host ID a is given twice: x and y"),
        ({"labels": [{"id": "a"}], "hosts": ["a"]}, "hosts, labels: give one of them"),
        ({"hosts": ["nobody"]}, "hosts: the inventory has no nobody"),
        ({"hosts": ["stranger"]}, "hosts: stranger has no edge_host_id"),
        ({"labels": [{"id": "a"}], "per_site": True}, "per_site: the host a belongs to no site"),
        ({"labels": [{"id": "a"}], "name": "../x"}, "name: '../x' is no name of a file"),
        ({"labels": [{"id": "a"}], "skip": 21}, "skip: 21 is not between 0 and 20"),
        ({"labels": [{"id": "a"}], "layout": {"columns": 4}}, "layout: 4 x 7 labels of 63.5 x 38.1 mm"),
        ({"labels": [{"id": "a"}], "layout": {"width": 0.0}}, "layout.width: 0 is too small"),
        ({"labels": [{"id": "a"}], "layout": {"width": 12.0, "height": 12.0}}, "too small to be read: take larger labels"),
        ({"labels": [{"id": "ж"}]}, "formats: the fonts of a PDF have no 'ж'"),
        ({"labels": [{"id": "a"}], "dest": "/dev/null/sheets"}, "dest: the folder /dev/null/sheets cannot be made"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_written(
    run: Run, tmp_path: Path, args: dict[str, t.Any], words: str
) -> None:
    failed = run(hostvars=HOSTVARS, **args)
    assert failed["failed"]
    assert words in failed["msg"]
    assert "\n" not in failed["msg"]
    assert "secret" not in failed["msg"]
    assert list(tmp_path.iterdir()) == []


def test_labels_that_are_used_already_are_skipped(run: Run, tmp_path: Path) -> None:
    run(labels=labels(3), skip=20, border=False, layout={"left": 5.0})
    pages = (tmp_path / "registration-sheet.html").read_text().split('class="page"')[1:]
    assert [page.count("data-label") for page in pages] == [1, 2]
    assert 'class="label" style="left:5.00mm;top:15.15mm"' in pages[1]
    assert "border: none" in (tmp_path / "registration-sheet.html").read_text()


def test_a_missing_library_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "HAS_SEGNO", False)
    assert run(labels=labels(1))["msg"] == (
        "registration_sheet needs the Python library segno on the control node: pip install segno"
    )
