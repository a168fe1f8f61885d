# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: registration_token
short_description: Secret of a registration token
description:
  - Returns the secret of registration tokens, on the controller, for whoever writes it into user-data.
  - A lookup, and not a result of a module, because results are logged and secrets must not be.
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.palette
  - palette.edge.palette.plugin
options:
  _terms:
    description: Names or UIDs of tokens.
    required: true
  wait:
    description:
      - Seconds to wait for a token that is not there yet, because another job is about to make it.
    type: int
    default: 0
seealso:
  - plugin: palette.edge.registration_token
    plugin_type: module
"""

EXAMPLES = r"""
- name: Write the site layer of the user-data
  palette.edge.site_user_data:
    palette_endpoint: palette.example.com
    registration_token: "{{ lookup('palette.edge.registration_token', 'store-042') }}"
"""

RETURN = r"""
_raw:
  description: The secrets, in the order of the names.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.palette.edge.plugins.module_utils.palette._errors import MissingError, PaletteError
from ansible_collections.palette.edge.plugins.module_utils.palette._options import (
    DEFAULTS,
    ENVIRONMENT,
    connection_from,
)
from ansible_collections.palette.edge.plugins.module_utils.palette._session import (
    HAS_REQUESTS,
    Session,
    session_for,
)
from ansible_collections.palette.edge.plugins.module_utils.resources._registration_token import secret


class LookupModule(LookupBase):
    """Secrets of registration tokens."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """The secret of each named token."""
        self.set_options(var_options=variables, direct=kwargs)
        if not HAS_REQUESTS:
            raise AnsibleLookupError(
                "palette.edge.registration_token needs the Python library requests on the controller"
            )
        options = {name: self.get_option(name) for name in sorted({*ENVIRONMENT, *DEFAULTS})}
        try:
            session = session_for(connection_from(options))
            return [self._secret(session, str(term)) for term in terms]
        except PaletteError as error:
            raise AnsibleLookupError(str(error)) from None

    def _secret(self, session: Session, name: str) -> str:
        end = session.clock() + float(self.get_option("wait"))
        while True:
            try:
                return secret(session, name)
            except MissingError:
                if session.clock() >= end:
                    raise
                session.sleep(2)
