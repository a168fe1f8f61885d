"""One booted Edge host: its overlay, its boots, and the thread that keeps it running or lets it lie."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.hosts import boot, cgroups, network, rootfs
from lab.hosts.config import HostConfig
from lab.hosts.enter import INTO_GROUPS, Guest
from lab.hosts.guest import Look, leader_of, look
from lab.hosts.wanted import Journal, Wanted, WantedFile
from lab.instance.state import Instance, read_json, write_json

# nspawn ends with this when the guest rebooted: started without a unit of its own, it leaves the next start to us.
_REBOOTED = 133
_FAILED_STARTS = 3
INSTALLER_MARK = "# written by the lab"
_READY_WITHIN = 60.0
_OFF_WITHIN = 8.0
_LOOK_SOON = 0.1
_REBOOT_SIGNAL = signal.SIGRTMIN + 5

# nspawn removes what is below /run/systemd/nspawn and refuses to where /run is a disk: hence a tmpfs of its own.
_SPAWN = 'mount -t tmpfs tmpfs /run/systemd/nspawn && exec systemd-nspawn "$@"'
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class NodeParts:
    """What makes a host one that can become a node: ``releases`` is the directory of kubelets and images.

    ``cluster_paths`` are the paths of its root that belong to a cluster, and go with a reset.
    """

    releases: Path
    seen_at: str
    cluster_paths: tuple[str, ...]


class BootAgent(Protocol):
    """What a machine needs of its agent."""

    def before_boot(self, root: Path) -> None:
        """Apply the host's user-data to its root; called while the host does not run."""


class Machine:
    """A host that is booted. `run` is the body of its thread; `stop` ends it and powers the host off."""

    def __init__(
        self,
        *,
        instance: Instance,
        host: HostConfig,
        base: Path,
        journal: Journal,
        booting: threading.Semaphore,
        stopping: threading.Event,
        installer_user_data: str,
        authorized_key: str,
        node: NodeParts | None = None,
    ) -> None:
        self.host = host
        self.directory = instance.hosts / host.name
        self.root = self.directory / "root"
        self.wanted = WantedFile(self.directory)
        self._instance, self._base = instance, base
        self._journal, self._booting, self._stopping = journal, booting, stopping
        self._installer_user_data, self._authorized_key = installer_user_data, authorized_key
        self._node = node
        self._removed = threading.Event()
        self._leader: int | None = None
        self._seen: Look | None = None
        self._plugged = False
        self._boots = self._reboots = 0
        self._resets = int(read_json(self.directory / "reset.json").get("done") or 0)

    def sight(self) -> Look | None:
        """The host as it was seen last, at most a second ago, or None while it is down."""
        return self._seen

    def guest(self) -> Guest | None:
        """The way into the host while it is up and its network is whole."""
        leader, seen = self._leader, self._seen
        if leader is None or seen is None or not seen.ready or seen.recovery:
            return None
        return Guest(self.host.name, leader, cgroups.existing(self._instance.name, self.host.machine))

    def stop(self) -> None:
        """End the thread: the host is powered off."""
        self._removed.set()

    def _ending(self) -> bool:
        return self._stopping.is_set() or self._removed.is_set()

    def _prepare(self) -> None:
        """Make the host's directories and its root, with the lab's key and the installer layer of the user-data."""
        for name in ("up", "work", "root"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        if not os.path.ismount(self.root):
            # Options are paths relative to the directory, so that no ',' or ':' of a path can spoil them.
            lower = self.directory / "lower"
            lower.unlink(missing_ok=True)
            lower.symlink_to(self._base)
            command = ["mount", "-t", "overlay", "overlay", "-o", "lowerdir=lower,upperdir=up,workdir=work", "root"]
            done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False)
            if done.returncode:
                raise OSError(f"the overlay of host {self.host.name} was refused: {' '.join(done.stderr.split())}")
        home = (self.root / "home/kairos").lstat()
        folder = rootfs.inside(self.root, "home/kairos/.ssh")
        folder.mkdir(mode=0o700, exist_ok=True)
        rootfs.put(self.root, "home/kairos/.ssh/authorized_keys", self._authorized_key, mode=0o600)
        for path in (folder, rootfs.inside(self.root, "home/kairos/.ssh/authorized_keys")):
            os.chown(path, home.st_uid, home.st_gid, follow_symlinks=False)
        # A host for agent mode never saw a medium of EdgeForge.
        installer = "" if self.host.agent_mode else rootfs.present(self.root, "oem/90_custom.yaml")
        if installer is None or INSTALLER_MARK in installer:
            rootfs.put(self.root, "oem/90_custom.yaml", self._installer_user_data, mode=0o600)
        if self._node is not None:
            # A real file system: containerd's overlays cannot lie on the overlay that is the host's root.
            (self.directory / "containerd").mkdir(mode=0o700, exist_ok=True)

    def _reset(self, number: int) -> None:
        """Take away what a cluster left on the host, which does not run."""
        boot.wipe(self.root, self._node.cluster_paths if self._node else ())
        if self._node is not None:
            shutil.rmtree(self.directory / "containerd")
            (self.directory / "containerd").mkdir(mode=0o700)
        (self.directory / "node.json").unlink(missing_ok=True)
        write_json(self.directory / "reset.json", {"done": number})
        self._resets = number

    def _load(self) -> None:
        """What the boot loader does on a real host: boot what was asked for, once."""
        if self.host.agent_mode:
            return
        entry = boot.take_entry(self.root)
        if entry == boot.RESET:
            boot.wipe(self.root)
            self._reset(self._resets)
            entry = boot.ACTIVE
        boot.prepare(self.root, entry)
        self._journal.note(boot=entry)

    def run(self, agent: BootAgent) -> None:
        """Boot the host, boot it again when it reboots, and leave it off when that is what was wanted."""
        seen, failures, resting = self.wanted.read().boots, 0, False
        while not self._ending():
            wanted = self.wanted.read()
            if wanted.boots != seen:
                seen, failures, resting = wanted.boots, 0, False
            if not wanted.power or resting:
                if not wanted.power:
                    self._journal.note(state="killed", address=None, boot_id=None, pid=None)
                self._stopping.wait(0.2)
                continue
            code, words = self._boot_reporting(agent)
            if self._ending():
                self._journal.note(state="off", address=None, boot_id=None, pid=None)
            elif code == _REBOOTED or not self.wanted.read().power or self.wanted.read().resets != self._resets:
                failures = 0
            elif code == 0:
                resting = True
                self._journal.note(state="off", says="powered off", address=None, boot_id=None, pid=None)
            else:
                failures += 1
                resting = failures >= _FAILED_STARTS
                self._journal.note(state="failed", says=words, address=None, boot_id=None, pid=None)
                self._stopping.wait(1.0)

    def _boot_reporting(self, agent: BootAgent) -> tuple[int, str]:
        """One boot to its end: (status, what to say of it when it failed)."""
        try:
            code = self._boot_once(agent)
        except OSError as error:
            return -1, f"the host cannot be started: {error}"
        return code, f"systemd-nspawn ended with status {code}: {self._last_words()}"

    def _boot_once(self, agent: BootAgent) -> int:
        with self._booting:
            if self._ending():
                return 0
            self._journal.note(state="starting", says=None, address=None, boot_id=None, boots=self._boots + 1)
            self._prepare()
            wanted = self.wanted.read()
            self._reboots = wanted.reboots
            if self._resets != wanted.resets:
                self._reset(wanted.resets)
            self._load()
            process = self._start(agent)
            self._boots += 1
            try:
                self._attend(process, until_ready=True)
            except BaseException:
                self._put_away(process)
                raise
        try:
            self._attend(process, until_ready=False)
        finally:
            self._put_away(process)
        return process.returncode

    def _put_away(self, process: subprocess.Popen[bytes]) -> None:
        """Leave nothing of a boot that has ended, or that went wrong here."""
        self._leader = self._seen = None
        self._plugged = False
        if process.poll() is None:
            process.kill()
            process.wait()
        self._clear_groups()

    def _start(self, agent: BootAgent) -> subprocess.Popen[bytes]:
        agent.before_boot(self.root)
        name, machine = self._instance.name, self.host.machine
        groups = [str(group) for group in cgroups.create(name, machine)]
        command = ["sh", "-c", INTO_GROUPS, "sh", *groups, "--"]
        # Should the supervisor be killed, its hosts power themselves off instead of running on unattended.
        command += ["setpriv", "--pdeathsig", "TERM", "nsenter", f"--net={self._instance.netns}"]
        command += ["unshare", "--mount", "--propagation", "slave", "sh", "-c", _SPAWN, "sh"]
        command += ["--boot", "--quiet", "--register=no", "--keep-unit", f"--machine={machine}"]
        command += [f"--directory={self.root}", f"--network-bridge={network.BRIDGE}", "--link-journal=no"]
        command += [
            f"--network-veth-extra={network.extra_cable(machine, at)}:host{at}" for at in range(1, self.host.nics)
        ]
        command += ["--resolv-conf=off", "--timezone=off", "--console=pipe"]
        if self._node is not None:
            # runc's session keyring; kubelet's look at the kernel's messages, of which it shall see none of the machine's.
            command += ["--system-call-filter=keyctl", "--bind=/dev/null:/dev/kmsg"]
            command += [f"--bind={_escaped(self.directory / 'containerd')}:/var/lib/containerd"]
            command += [f"--bind-ro={_escaped(self._node.releases)}:{self._node.seen_at}"]
        Path("/run/systemd/nspawn").mkdir(parents=True, exist_ok=True)
        with (self.directory / "console.log").open("wb") as console:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                cwd="/",
                env=_ENVIRONMENT,
            )

    def _attend(self, process: subprocess.Popen[bytes], *, until_ready: bool) -> None:
        """Stay with a running host until it is ready (or takes too long), or until it has ended."""
        deadline = time.monotonic() + _READY_WITHIN
        before, look_again, cable = self.wanted.read(), 0.0, True
        while process.poll() is None:
            wanted = self.wanted.read()
            if self._ending():
                self._power_off(process)
                return
            if not wanted.power or wanted.resets != self._resets:
                self._cut_power(process)
            if wanted != before or time.monotonic() >= look_again:
                before = wanted
                cable = self._look(process.pid, wanted, cable)
                seen = self._seen
                if until_ready and seen is not None and (seen.ready or not wanted.link):
                    return
                # Looking costs a dozen files; a host that is well is looked at once a second.
                look_again = time.monotonic() + (1.0 if seen is not None and seen.ready else _LOOK_SOON)
            if until_ready and time.monotonic() > deadline:
                return
            self._stopping.wait(_LOOK_SOON if until_ready else 0.25)

    def _look(self, pid: int, wanted: Wanted, cable: bool) -> bool:
        """Look at the host and do to it what is wanted; returns whether its cable is whole."""
        if self._leader is None:
            self._leader = leader_of(pid)
        if self._leader is None:
            return cable
        # The host's process 1 is there before its NICs are.
        self._plugged = self._plugged or network.plug_in(self._instance.name, self.host.machine, self.host.nics)
        now = self._seen = look(self._leader, self._seen)
        if wanted.reboots != self._reboots:
            self._reboots = wanted.reboots
            os.kill(self._leader, _REBOOT_SIGNAL)
        state = "running" if now.ready else "cut" if now.listening and not now.carrier else "starting"
        self._journal.note(state=state, pid=pid, address=now.address or None, boot_id=now.boot_id or None)
        return self._keep_cable(now, wanted, cable)

    def _keep_cable(self, now: Look, wanted: Wanted, cable: bool) -> bool:
        """Cut or mend the cable as wanted; each boot brings a new and whole one. Returns how it is now."""
        if (
            now.mac
            and cable != wanted.link
            and network.set_link(self._instance.name, self.host.machine, up=wanted.link)
        ):
            return wanted.link
        return cable

    def _power_off(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(timeout=_OFF_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _cut_power(self, process: subprocess.Popen[bytes]) -> None:
        """End everything in the host at once. Ending nspawn alone would leave the guest without its master."""
        if self._leader is not None:
            _kill(self._leader)
            try:
                process.wait(timeout=_OFF_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
        else:
            process.kill()

    def _clear_groups(self) -> None:
        for pid in cgroups.members(self._instance.name, self.host.machine):
            _kill(pid)
        cgroups.remove(self._instance.name, self.host.machine)

    def _last_words(self) -> str:
        console = self.directory / "console.log"
        lines = console.read_text(errors="replace").splitlines() if console.is_file() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
