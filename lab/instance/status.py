"""What a lab looks like now: for people as a table, for programs as data, for shells as environment variables."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from lab.hosts import cgroups, registry
from lab.hosts.config import LabConfig
from lab.instance import processes
from lab.instance.kubernetes import delivered
from lab.instance.state import Instance, LabError, read_json

_MANY = 60


def status(instance: Instance) -> dict[str, Any]:
    """``{state, name, controller: {...}, hosts_supervisor: {...}, memory_mib, hosts: [{...}]}``, without secrets."""
    lab = read_json(instance.lab_json)
    data = read_json(instance.config_json).get("lab")
    config = LabConfig.from_data(data) if data else LabConfig()
    supervisor = processes.running(instance, "hosts")
    hosts = []
    for host in config.hosts:
        found = read_json(instance.hosts / host.name / "status.json") if supervisor else {}
        hosts.append({**found, "name": host.name, "id": found.get("id", host.id), "state": found.get("state", "down")})
    return {
        "state": str(instance.state),
        "name": instance.name,
        "controller": {"pid": processes.running(instance, "controller"), "url": lab.get("url")},
        "hosts_supervisor": {"pid": supervisor},
        "kubernetes": delivered(instance).says,
        "memory_mib": cgroups.memory_in_use(instance.name) >> 20,
        "hosts": hosts,
    }


def table(found: Mapping[str, Any]) -> str:
    """`status` as lines for a terminal."""
    lines = [f"lab {found['name']} in {found['state']}"]
    for part, words in (("controller", found["controller"].get("url") or ""), ("hosts_supervisor", "")):
        pid = found[part]["pid"]
        state = f"running (pid {pid}) {words}".rstrip() if pid else "not running"
        lines.append(f"{part.replace('_', ' ')}: {state}")
    lines.append(f"kubernetes: {found['kubernetes']}")
    rows = [("HOST", "STATE", "ADDRESS", "BOOT", "AGENT")]
    for host in found["hosts"][:_MANY]:
        boot = str(host.get("boot_id") or host.get("pid") or "-")[:8]
        agent = f"{host['agent']}: {host.get('agent_says', '')}" if host.get("agent") else "-"
        says = f" [{host['says']}]" if host.get("says") else ""
        rows.append((host["name"], f"{host['state']}{says}", str(host.get("address") or "-"), boot, agent))
    if found["hosts"]:
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            padded = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
            lines.append("  ".join([*padded, row[4]]).rstrip())
    if len(found["hosts"]) > _MANY:
        lines.append(f"... and {len(found['hosts']) - _MANY} more (--json shows all)")
    if found["memory_mib"]:
        lines.append(f"memory of the hosts: {found['memory_mib']} MiB")
    return "\n".join(lines)


def whole(found: Mapping[str, Any]) -> bool:
    """Whether everything that belongs to the lab runs."""
    hosts = found["hosts"]
    return (
        bool(found["controller"]["pid"])
        and (not hosts or bool(found["hosts_supervisor"]["pid"]))
        and all(host["state"] in ("running", "speaking") for host in hosts)
    )


def environment(instance: Instance) -> dict[str, str]:
    """The variables with which Ansible and the collection reach this lab. Raises LabError before the first `up`."""
    lab = read_json(instance.lab_json)
    if not lab.get("url") or not lab.get("api_key"):
        raise LabError(f"there is no lab in {instance.state}: 'up' makes one")
    variables = {
        "PALETTE_LAB_STATE": str(instance.state),
        "PALETTE_HOST": str(lab["url"]),
        "PALETTE_API_KEY": str(lab["api_key"]),
        "PALETTE_CA_PATH": str(instance.ca) if instance.ca.exists() else "",
    }
    delivery = delivered(instance)
    if delivery.directory is not None and delivery.versions:
        variables["PALETTE_LAB_KUBERNETES"] = " ".join(delivery.versions)
        if delivery.distribution == "kubeadm":
            variables["PALETTE_LAB_KUBECTL"] = str(delivery.directory / delivery.versions[-1] / "kubectl")
    if lab.get("netns"):
        proxy = f"nsenter --net={instance.netns} socat - TCP:%h:%p"
        known_hosts = str(instance.private_key.parent / "known_hosts").replace("%", "%%")
        arguments = ["-o", f"ProxyCommand={proxy}", "-o", f'UserKnownHostsFile="{known_hosts}"']
        arguments += ["-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"]
        variables |= {
            "ANSIBLE_REMOTE_USER": "kairos",
            "ANSIBLE_PRIVATE_KEY_FILE": str(instance.private_key),
            "ANSIBLE_SSH_COMMON_ARGS": shlex.join(arguments),
            "ANSIBLE_PARAMIKO_PROXY_COMMAND": proxy,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(registry.ssh_connections(instance)),
        }
    return {key: value for key, value in variables.items() if value}


def exports(instance: Instance) -> str:
    """`environment` as lines for ``eval``."""
    return "\n".join(f"export {key}={shlex.quote(value)}" for key, value in environment(instance).items())
