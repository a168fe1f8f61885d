#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: registration_sheet
short_description: Make a printable sheet of QR codes for Edge hosts that register on site
description:
  - Makes a sheet with a label for each Edge host, as HTML, as PDF or both. A label has the host's ID, site, name and address,
    and a QR code that leads to the registration application with the ID of the host.
  - Works on the control node, from the inventory or from given labels, and asks no host.
  - The same hosts give the same files to the byte. There is no date on the sheet, and no secret.
  - All sheets are made before the first file is written, and each file is replaced in one piece.
author:
  - The palette.edge authors (@palette-edge)
attributes:
  check_mode:
    description: Can run in check mode and predict the change without writing anything.
    support: full
  diff_mode:
    description: Shows the labels before and after, a line each; of a PDF its size.
    support: full
  idempotent:
    description: A second run with the same options changes nothing, with the same versions of the libraries.
    support: full
  platform:
    description: Runs on the control node.
    support: full
    platforms: posix
options:
  registration_url:
    description:
      - The URL of the registration application, as hosts have it in C(stylus.site.registrationURL).
      - C({id}) in it stands for the ID of the host. Without it the ID is added as the parameter O(id_parameter) of its query.
      - A URL with a user or password is refused.
    type: str
    required: true
  id_parameter:
    description:
      - The parameter of the URL from which the application takes the ID. The default is that of the sample application that
        engineers of the vendor publish. The vendor's documentation does not name it, so try one label first.
    type: str
    default: appliance-id
  dest:
    description: The folder for the files, made when it is missing. A relative one is where Ansible was started.
    type: path
    required: true
  name:
    description: Name of the files without C(.html) and C(.pdf).
    type: str
    default: registration-sheet
  per_site:
    description: Whether each site has a sheet of its own, whose name is O(name), C(-) and the name of the site.
    type: bool
    default: false
  formats:
    description:
      - What to make. The HTML is one file that needs nothing else and prints at its real size. The PDF has the fonts that every
        viewer has, and so no signs but those of Western European languages.
    type: list
    elements: str
    choices: [html, pdf]
    default: [html, pdf]
  hosts:
    description:
      - Names of hosts in the inventory. Without them and without O(labels), all hosts of the play are taken.
      - Of each host the variables C(edge_host_id), C(edge_host_name), C(edge_site_name) and C(edge_host_address), else
        C(edge_host_initial_address), are printed. The inventory P(palette.edge.sites#inventory) sets them.
    type: list
    elements: str
  labels:
    description: The labels, where they do not come from the inventory.
    type: list
    elements: dict
    suboptions:
      id:
        description: ID of the Edge host.
        type: str
        required: true
      name:
        description: Name of the host.
        type: str
        default: ""
      site:
        description: Name of its site.
        type: str
        default: ""
      address:
        description: Its address.
        type: str
        default: ""
  label_format:
    description:
      - How the labels lie on the page. V(a4_3x7) has 3 columns of 7 labels of 63.5 x 38.1 mm on A4.
      - The others are V(a4_3x8) with 63.5 x 33.9 mm, V(a4_2x7) with 99.1 x 38.1 mm, V(a4_2x4) with 99.1 x 67.7 mm,
        V(letter_3x10) with 2 5/8 x 1 inch and V(letter_2x5) with 4 x 2 inches.
    type: str
    choices: [a4_3x7, a4_3x8, a4_2x7, a4_2x4, letter_3x10, letter_2x5]
    default: a4_3x7
  layout:
    description: Other figures than those of O(label_format), in millimetres. Labels that do not fit on the page are refused.
    type: dict
    suboptions:
      page:
        description: Size of the paper.
        type: str
        choices: [A4, Letter]
      columns:
        description: Labels in a row.
        type: int
      rows:
        description: Rows on a page.
        type: int
      width:
        description: Width of a label.
        type: float
      height:
        description: Height of a label.
        type: float
      gap_x:
        description: Between two columns.
        type: float
      gap_y:
        description: Between two rows.
        type: float
      left:
        description: From the left edge of the paper to the first label. Without it the labels are in the middle.
        type: float
      top:
        description: From the top of the paper to the first label. Without it the labels are in the middle.
        type: float
  skip:
    description: How many labels of the first page stay empty, for paper of which some are used already.
    type: int
    default: 0
  border:
    description: Whether each label has a thin line around it, to cut along.
    type: bool
    default: true
requirements:
  - segno on the control node
  - reportlab on the control node, for the PDF
seealso:
  - plugin: palette.edge.sites
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: Make a sheet for all hosts of the play
  palette.edge.registration_sheet:
    registration_url: https://registration.example.com/
    dest: sheets
  run_once: true

- name: Make a sheet for each site, on larger labels of which three are used already
  palette.edge.registration_sheet:
    registration_url: https://registration.example.com/hosts/{id}
    dest: sheets
    per_site: true
    label_format: a4_2x4
    skip: 3
  run_once: true

- name: Make a sheet of hosts that are in no inventory
  palette.edge.registration_sheet:
    registration_url: https://registration.example.com/
    dest: sheets
    labels:
      - id: edge-4c4c4544-0042
        site: store-042
"""

RETURN = r"""
labels:
  description: How many labels there are.
  type: int
  returned: success
  sample: 3
files:
  description: The files of all sheets.
  type: list
  elements: str
  returned: success
  sample: [sheets/registration-sheet.html, sheets/registration-sheet.pdf]
written:
  description: Those of them that were written, or would be.
  type: list
  elements: str
  returned: success
  sample: [sheets/registration-sheet.html]
"""
