#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: installer_media
short_description: A variant of an installer ISO, with user-data, content bundles and a cluster definition inside
description:
  - Makes an installer ISO out of one that EdgeForge built, without building it anew. What the variant has inside lies where
    EdgeForge puts it, so the installer finds it.
  - The variant boots like its base, from a CD and from a disk, by BIOS and by UEFI. After writing, the boot records are
    read back and compared with those of the base (El Torito entries and what they load, boot code of the MBR, GPT and EFI
    system partition). An image that lost one is not put in its place.
  - The ISO is written beside its place under another name, flushed to the disk, looked at, and renamed. A full disk, a
    killed run or a power cut leaves the old ISO as it was, and what is left of the new one is used again by the next run.
  - The same base and the same files give the same ISO, to the byte, whoever builds it and when, as long as the release of
    xorriso is the same.
  - A second run makes the image once more, in memory piece by piece, and compares it with the file. It writes nothing when
    they are the same. So nothing is taken for granted, neither by date nor by a note of an earlier run.
  - Images of any size are worked on as a stream.
author:
  - The palette.edge authors (@palette-edge)
requirements:
  - The program C(xorriso), 1.5.4 or later, on the host that runs the module (Debian's package C(xorriso)).
  - PyYAML there, for O(user_data) (Debian's package C(python3-yaml)).
extends_documentation_fragment:
  - palette.edge.attributes
attributes:
  platform:
    description: What the task's host must be.
    support: full
    platforms: linux
options:
  base:
    description:
      - The installer ISO to start from, a file on the host that runs the module.
      - It stays as it is. Its label, its date and its UUID are those of the variant too, as it may boot by them.
    type: path
    required: true
  dest:
    description:
      - The ISO to write. Its directory must be there, with room for the new file beside the old one.
      - Only its owner can read the file (C(0600)) when its user-data holds a secret, be it of O(user_data) or of the base.
        Otherwise it keeps its mode.
    type: path
    required: true
  user_data:
    description:
      - A file on that host with the installer's user-data. It takes the place of the base's.
      - It is judged by the rules of M(palette.edge.user_data), as one layer of two. Nothing is written when something is wrong
        with it. What is doubtful is a warning.
      - Everything in it stays on the Edge host for good. Keep secrets for the site's user-data, see M(palette.edge.site_media).
    type: path
  content_bundles:
    description:
      - Files on that host, C(NAME.tar.zst), as C(palette content build) writes them.
      - They take the place of those of the base; an empty list removes these.
      - Each is cut into pieces of 3 GB, as EdgeForge does it.
    type: list
    elements: path
  cluster_definition:
    description: A file on that host, C(NAME.tgz). It takes the place of the base's.
    type: path
  checksum:
    description: Whether there is to be a file O(dest) plus C(.sha256) beside it, as C(sha256sum --check) reads it.
    type: bool
    default: true
notes:
  - What an option leaves out stays as the base has it.
  - "User-data is put at C(/files-iso/config.yaml), or at C(/config.yaml) where the base has it there or is an installer for
    Trusted Boot; bundles at C(/opt/spectrocloud/content), the cluster definition at
    C(/opt/spectrocloud/clusterconfig/spc.tgz)."
seealso:
  - module: palette.edge.site_media
  - module: palette.edge.user_data
"""

EXAMPLES = r"""
- name: An installer for the stores, with everything that they need inside
  palette.edge.installer_media:
    base: /srv/canvos/build/palette-edge-installer.iso
    dest: /srv/media/store-installer.iso
    user_data: /srv/media/user-data.yml
    content_bundles:
      - /srv/content/edge-store.tar.zst
    cluster_definition: /srv/content/edge-store.tgz
  register: media

- name: Say how it boots
  ansible.builtin.debug:
    msg: "{{ media.dest }} boots by {{ media.boot_records | join(', ') }}"

- name: The same installer without the bundle
  palette.edge.installer_media:
    base: /srv/canvos/build/palette-edge-installer.iso
    dest: /srv/media/small-installer.iso
    content_bundles: []
"""

RETURN = r"""
dest:
  description: The ISO, symbolic links followed.
  type: str
  returned: success
  sample: /srv/media/store-installer.iso
changes:
  description: What changed or would change, of V(created), V(content), V(mode) and V(checksum).
  type: list
  elements: str
  returned: success
  sample: [content, checksum]
differs_at:
  description: The first file of the old image that is not as it should be, when its content changes and it lies in a file.
  type: str
  returned: success
  sample: /files-iso/config.yaml
boot_records:
  description: By what the base and the variant boot, of V(bios), V(uefi), V(mbr) (from a disk by BIOS) and V(gpt).
  type: list
  elements: str
  returned: success
  sample: [bios, uefi, mbr, gpt]
user_data_path:
  description: Where the user-data lies on the medium.
  type: str
  returned: when O(user_data) is given
  sample: /files-iso/config.yaml
content_bundles:
  description: The bundles on the medium, with their size in bytes.
  type: dict
  returned: success
  sample:
    edge-store.tar.zst: 5368709120
mode:
  description: Mode of the file.
  type: str
  returned: success
  sample: "0600"
size:
  description: Bytes of the ISO.
  type: int
  returned: when the ISO is there at the end
  sample: 6657199308
sha256:
  description: SHA-256 of the ISO.
  type: str
  returned: success, unless in check mode the ISO would change
  sample: 5d7108f27e148c22c29bfd3e8d20331e985801d3bbe87f81a5c1726a8490279a
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.palette.edge.plugins.module_utils.media._content import contents_of, file_of
from ansible_collections.palette.edge.plugins.module_utils.media._errors import MediaError
from ansible_collections.palette.edge.plugins.module_utils.media._installer import Outcome, make

ARGUMENTS: dict[str, Any] = {
    "base": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
    "user_data": {"type": "path"},
    "content_bundles": {"type": "list", "elements": "path"},
    "cluster_definition": {"type": "path"},
    "checksum": {"type": "bool", "default": True},
}


def work(module: AnsibleModule) -> Outcome:
    """Looks at everything that was given, then makes the medium."""
    params, here = module.params, os.uname().nodename
    xorriso = module.get_bin_path("xorriso")
    if not xorriso:
        raise MediaError(
            f"xorriso is not installed on {here}. Install it there (Debian's package xorriso) and run again"
        )
    contents = contents_of(params["user_data"], params["content_bundles"], params["cluster_definition"], host=here)
    return make(
        base=file_of("base", params["base"], here),
        dest=params["dest"],
        contents=contents,
        checksum=params["checksum"],
        xorriso=xorriso,
        check_mode=module.check_mode,
    )


def result_of(outcome: Outcome) -> dict[str, Any]:
    """What the module returns."""
    result: dict[str, Any] = {
        "changed": bool(outcome.changes),
        "changes": outcome.changes,
        "dest": outcome.place,
        "differs_at": outcome.differs_at,
        "boot_records": outcome.boot_records,
        "content_bundles": outcome.bundles,
        "mode": f"{outcome.mode:04o}",
    }
    if outcome.user_data_place:
        result["user_data_path"] = outcome.user_data_place
    if outcome.size:
        result["size"] = outcome.size
    if outcome.sha256:
        result["sha256"] = outcome.sha256
    if outcome.diff:
        before, after = outcome.diff
        header = {"before_header": outcome.place, "after_header": outcome.place}
        result["diff"] = {**header, "before": before, "after": after}
    return result


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        outcome = work(module)
    except MediaError as error:
        module.fail_json(msg=str(error))
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(**result_of(outcome))


if __name__ == "__main__":
    main()
