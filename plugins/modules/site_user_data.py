#!/usr/bin/python
# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation only: the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: site_user_data
short_description: The site layer of an Edge host's user-data
description:
  - Makes the site user-data of one Edge host from options, checks it as a whole, compares it with what the host has,
    and writes it in one piece, with mode V(0600), owned by root.
  - Everything wrong is told at once, each with option, value and remedy, before the host is contacted.
  - The comparison is by meaning. Order of keys, comments and quoting of a file written by hand are no difference.
  - The file is written as a whole; keys that another hand added are removed. What the installer's own user-data says
    needs no
    repetition, as Palette merges the layers.
  - The diff is YAML of both sides. Every secret in it is hidden, and one that is replaced by another reads C(<hidden,
    changed>).
  - Palette's agent reads user-data when the host boots, so a change takes effect with a reboot, which is left to
    M(palette.edge.host_reboot). RV(reboot_required) says when one is due. With each change, a note with the boot ID is
      written under
    C(/run/palette-edge), which a reboot wipes, so that a run that ended between writing and rebooting is made up for by
      the next one.
  - With O(confirm_within), a change that one could lock oneself out with gets a way back. Until
    M(palette.edge.site_user_data_confirmation) confirms it, the host keeps a copy of its old user-data, and takes it
    again by itself, with a reboot, when the time from the boot is over; a power cut in between does not keep it from
    that.
  - What C(stylus.site.network) has no words for (MTU, VLANs, search domains, more than one name server of a NIC)
    becomes files of systemd-networkd, which a step of the stage C(initramfs) writes to C(/run/systemd/network) at
    each boot. Their names begin with C(00-palette-edge-), so that they come before the agent's own for the same NIC.
  - A change of tags alone asks for no reboot. Tags of a registered host are set through Palette
    (M(palette.edge.edge_host)), and a node of a cluster is not taken away for them.
notes:
  - "B(What is proven about the place.) The documentation of Palette Edge says that site user-data is read at the first boot
    of a site, from a medium labelled C(cidata), and is then found as C(user-data) in C(/oem) or C(/run/stylus); C(/run)
    does not survive a reboot, hence the default of O(path). That an installed appliance reads a C(/oem/user-data) that
      was changed
    later is what the documentation suggests and the lab of this collection does. It is unproven on a real appliance;
      try it on one
    host, or set O(path) to what your agent reads."
  - "On a host in agent mode the user-data is the file or URL that was given to C(palette-agent-install.sh) as
    C(USERDATA); set O(path) to it."
  - "User-data stays on the host, the registration token in it too, and survives a reset. Mode V(0600) keeps it from
    other users;
    Trusted Boot encrypts it."
  - "For a UKI or read-only image O(path) must lie on a writable partition; C(/oem) does."
  - "That the files for systemd-networkd win over what the agent writes is how systemd-networkd works: of several
    files that fit a NIC, the first by name counts. It is unproven on a real appliance whose images configure the
    network in another way."
  - "The way back is a folder C(/oem/.palette-way-back) and a layer C(/oem/99_palette_way_back.yaml), whose stage
    C(boot) starts the timer. It is in force from the boot on; a host that is never rebooted goes nowhere. That
    C(/oem) holds layers whose stages are run at each boot is documented for Kairos; the whole is proven on hosts of
    this collection's lab, and on no appliance."
  - "Whether Palette appends or replaces lists when it merges layers (certificates, registries) is not documented. Give
    a list in one layer only."
author:
  - The palette.edge authors (@palette-edge)
extends_documentation_fragment:
  - palette.edge.on_host
  - palette.edge.on_host.reach
attributes:
  check_mode:
    description: Can run in check mode and predict the change without writing anything.
    support: full
  diff_mode:
    description: Returns the YAML of both sides, with secrets hidden.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
options:
  state:
    description: Whether the site layer is to be there.
    type: str
    choices: [present, absent]
    default: present
  path:
    description: Absolute path of the site layer on the host. See the notes for what is known about it.
    type: str
    default: /oem/user-data
  palette_endpoint:
    description:
      - Host name of Palette's API, with a port if need be, without scheme and path (C(stylus.site.paletteEndpoint)).
      - Required for a centrally managed host, unless O(partial=true).
    type: str
  registration_token:
    description:
      - The secret of a registration token (C(stylus.site.edgeHostToken)).
      - This or O(registration_token_name) is required for a centrally managed host, unless O(partial=true) or O(extra) gives
        C(stylus.site.registrationURL).
    type: str
  registration_token_name:
    description:
      - Name of a registration token whose secret is looked up in Palette, on the controller, as
        P(palette.edge.registration_token#lookup) does it with the connection of the environment or the variables.
    type: str
  registration_token_wait:
    description: Seconds to wait for a token of that name that is not there yet, because another job is about to make it.
    type: int
    default: 0
  registration_token_later:
    description:
      - In check mode only, do without O(registration_token), because the run that is being predicted would make it.
        A token that the host has is then taken to stay.
    type: bool
    default: false
  partial:
    description: The installer's user-data gives the endpoint and the token, so that they may be missing here.
    type: bool
    default: false
  project:
    description:
      - Project that the host registers in, when it is not the token's own, by name (C(stylus.site.projectName)),
        or by UID, 24 hexadecimal digits (C(stylus.site.projectUid)).
    type: str
  management_mode:
    description: Whether Palette manages the host or it is managed locally (C(stylus.managementMode)). The agent's own
      default is V(central).
    type: str
    choices: [central, local]
  host_id:
    description:
      - Edge host ID, the UID of the host in Palette (C(stylus.site.name)), of at most 128 characters. V($random) lets
        the agent make one.
      - Without O(host_name) it is the host name too.
    type: str
  host_name:
    description: Host name of the operating system, later the name of the node (C(stylus.site.hostName)), by RFC 1123.
    type: str
  tags:
    description: Tags of the host in Palette (C(stylus.site.tags)). Numbers and booleans become strings.
    type: dict
  proxy:
    description: Proxy for the operating system and the agent, not for the workloads.
    type: dict
    suboptions:
      http:
        description: URL of the proxy for HTTP (C(stylus.site.network.httpProxy)). A password in it is hidden in diffs.
        type: str
      https:
        description: URL of the proxy for HTTPS (C(stylus.site.network.httpsProxy)).
        type: str
      no_proxy:
        description: Addresses, networks and domain suffixes that are reached without it (C(stylus.site.network.noProxy)).
        type: list
        elements: str
  ca_certificates:
    description: Further CA certificates as PEM text (C(stylus.site.caCerts)). A bundle is taken apart.
    type: list
    elements: str
  ntp_servers:
    description:
      - Time servers of this host (C(stylus.site.ntpServers)). A later change of them for the whole cluster overwrites these.
    type: list
    elements: str
  nameserver:
    description: Address of one name server for all NICs (C(stylus.site.network.nameserver)).
    type: str
  interfaces:
    description:
      - NICs by name (C(stylus.site.network.interfaces)). Without any, all of them use DHCP.
      - >-
        Each has the keys C(type) (V(static), V(dhcp), or V(none) for a NIC that only bears VLANs; by default static
        with an address, else dhcp), C(address) (with prefix length, C(10.0.10.25/24)), C(gateway) (one of all NICs),
        C(nameservers) (list), C(search) (list of domains), C(mtu) (576 to 65535) and C(vlans).
      - >-
        C(vlans) is a map from ID (1 to 4094) to the same keys, but for C(vlans) and V(none). The VLAN's interface is
        called C(NIC.ID). A host whose kernel knows no VLANs is refused.
    type: dict
  users:
    description:
      - Accounts of the operating system by name (C(stylus.site.users)).
      - >-
        Each has the keys C(groups) (list), C(passwd) (a hash for preference; hidden in diffs), C(password_expiry)
        (YYYY-MM-DD),
        C(lock_passwd) (bool) and C(ssh_authorized_keys) (list).
    type: dict
  confirm_within:
    description:
      - Seconds from the boot within which M(palette.edge.site_user_data_confirmation) has to confirm a change of
        network, accounts or stages, before the host takes its old user-data back. V(0) goes without a way back.
      - Give it time for the boot's later part, for the agent, and for your run to find the host.
    type: int
    default: 0
  retry:
    description: Whether to write a user-data again that the host took back before. Without, it is refused, and says why.
    type: bool
    default: false
  extra:
    description:
      - Anything else that user-data takes, in its own words, merged last and so with the last word, such as C(stages),
        C(install) or
        C(stylus.externalRegistries). Maps are merged, lists replaced; a null takes a key out.
      - Its types are checked too. A key under C(stylus) that the documentation does not name is written, with a warning.
    type: dict
seealso:
  - module: palette.edge.host_reboot
  - module: palette.edge.site_user_data_confirmation
  - module: palette.edge.host_configuration_info
  - plugin: palette.edge.registration_token
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Configure a host of a store
  palette.edge.site_user_data:
    addresses: [10.42.0.11/24, 10.42.0.101]
    palette_endpoint: palette.example.com
    registration_token_name: store-042
    host_id: edge-store-042-1
    host_name: store-042-1
    tags:
      site: store-042
    interfaces:
      host0:
        address: 10.42.0.11/24
        gateway: 10.42.0.1
        nameservers: [10.42.0.1]
    ntp_servers: [ntp.example.com]
    proxy:
      http: http://proxy.example.com:3128
      https: http://proxy.example.com:3128
      no_proxy: [10.42.0.0/24, .example.com]
  become: true
  register: site_layer

- name: Reboot when that is needed
  palette.edge.host_reboot:
    addresses: [10.42.0.11]
  become: true
  when: site_layer.reboot_required

- name: Another address, a second NIC and a VLAN, with a way back
  palette.edge.site_user_data:
    addresses: [10.42.0.12/24, 10.42.0.11]
    partial: true
    host_id: edge-store-042-1
    confirm_within: 600
    interfaces:
      eth0:
        address: 10.42.0.12/24
        gateway: 10.42.0.1
        nameservers: [10.42.0.1, 10.42.0.2]
        search: [store-042.example.com]
        mtu: 9000
        vlans:
          42:
            address: 10.42.42.12/24
            mtu: 1500
      eth1:
        address: 10.43.0.12/24
  become: true
  register: site_layer

- name: A locally managed host, with its own stage
  palette.edge.site_user_data:
    management_mode: local
    host_id: edge-lab-1
    extra:
      stylus:
        enableMultiNode: true
      stages:
        initramfs:
          - name: Account for the operators
            users:
              ops:
                groups: [sudo]
                ssh_authorized_keys: [ssh-ed25519 AAAA... ops]
  become: true
"""

RETURN = r"""
address:
  description: The address at which the host answered.
  type: str
  returned: success
  sample: 10.42.0.101
path:
  description: Path of the site layer, symbolic links followed.
  type: str
  returned: success
  sample: /oem/user-data
changes:
  description: What changed or would change, of V(content), V(owner), V(group), V(mode) and V(removed).
  type: list
  elements: str
  returned: success
  sample: [content]
reboot_required:
  description: Whether the host has yet to boot with what is (or in check mode would be) on it, by this run or an
    earlier one.
  type: bool
  returned: success
  sample: true
confirmation_required:
  description: Whether M(palette.edge.site_user_data_confirmation) has to confirm what is written, by this run or an
    earlier one.
  type: bool
  returned: success
  sample: true
sha256:
  description: Checksum of what lies there now, or in check mode would; V(-) for nothing.
  type: str
  returned: success
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
user_data:
  description: The site layer as a mapping, secrets hidden.
  type: dict
  returned: success
  sample:
    stylus:
      site:
        edgeHostToken: <hidden>
        name: edge-store-042-1
edge_host_facts:
  description: Facts of the host, as M(palette.edge.host_facts) returns them, before any change.
  type: dict
  returned: success
  sample:
    boot_id: 416f4d72-04ba-4542-9670-7e9002850c51
    host_name: store-042-1
    addresses: [10.42.0.11/24]
"""
