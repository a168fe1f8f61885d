# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the session with Palette, the same for modules, inventory and lookups."""

from __future__ import annotations


class ModuleDocFragment:
    """``palette.edge.palette`` for everything; ``palette.edge.palette.plugin`` adds the environment for plugins."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - Palette's API host, as a bare host name (C(api.spectrocloud.com)) or as a URL.
      - Falls back to the environment variables E(PALETTE_HOST) and E(SPECTROCLOUD_HOST), then to
        C(api.spectrocloud.com), Palette's own service.
      - An empty value, here or in the environment, counts as not given.
    type: str
  api_key:
    description:
      - API key of a Palette user.
      - Falls back to the environment variables E(PALETTE_API_KEY) and E(SPECTROCLOUD_APIKEY).
      - Prefer the environment or an AWX credential; it never appears in results, diffs or logs.
    type: str
  project:
    description:
      - Name or UID of the Palette project to work in.
      - Falls back to the environment variables E(PALETTE_PROJECT) and E(SPECTROCLOUD_PROJECT), then to C(Default).
    type: str
  scope:
    description:
      - V(project) works in O(project); V(tenant) works on what belongs to the whole tenant, and O(project) is not used.
    type: str
    choices: [project, tenant]
    default: project
  validate_certs:
    description:
      - Whether Palette's certificate is verified. Turn it off for a short test only; O(ca_path) is the better answer.
      - Falls back to the environment variable E(PALETTE_VALIDATE_CERTS), then to V(true).
    type: bool
  ca_path:
    description:
      - File (or folder) with the certificates of the authorities that may vouch for Palette, for an installation of
        your own. An empty file counts as not given.
      - Falls back to the environment variable E(PALETTE_CA_PATH).
    type: path
  timeout:
    description:
      - Seconds to wait for a connection, and for the answer to one request.
      - Falls back to the environment variable E(PALETTE_TIMEOUT), then to V(30).
    type: float
  retry_timeout:
    description:
      - Seconds in all during which one request is tried again, after an answer that says "too many requests", or
        "unavailable" where repeating is safe. V(0) never tries again.
      - Falls back to the environment variable E(PALETTE_RETRY_TIMEOUT), then to V(120).
    type: float
requirements:
  - requests
notes:
  - Proxies are taken from the environment (E(HTTPS_PROXY), E(NO_PROXY)).
  - The session keeps under Palette's request limits by itself and honours C(Retry-After).
"""

    # Only options of text: an empty variable would turn into "false" or an error for the others before the plugin
    # sees it. Those are read by the session itself, where empty means not given.
    PLUGIN = r"""
options:
  host:
    env:
      - name: SPECTROCLOUD_HOST
      - name: PALETTE_HOST
    vars:
      - name: palette_host
  api_key:
    env:
      - name: SPECTROCLOUD_APIKEY
      - name: PALETTE_API_KEY
    vars:
      - name: palette_api_key
  project:
    env:
      - name: SPECTROCLOUD_PROJECT
      - name: PALETTE_PROJECT
  ca_path:
    vars:
      - name: palette_ca_path
"""
