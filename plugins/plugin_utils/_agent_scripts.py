# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell of an installation of the agent: looking, taking files in, and the job that outlives the connection.

The job is a transient unit of systemd. It leaves its exit code in a file that is there whole or not at all, so that a run
which comes later knows how it ended.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.palette.edge.plugins.plugin_utils._script import END, PRELUDE, quote

UNITS = "/etc/systemd/system"
PACKAGE_USER_DATA = "/var/lib/spectro/userdata"
JOB = "palette-edge-agent"
REMOVED = "/run/palette-edge/agent-removed"
PROXIES = ("http_proxy", "https_proxy", "no_proxy")
PROXY: dict[str, t.Any] = {
    "http": {"type": "str"},
    "https": {"type": "str"},
    "no_proxy": {"type": "list", "elements": "str"},
}
"""The option `proxy` of the actions that have a host fetch something."""


def look(folder: str, root: str) -> str:
    """The lines that tell how the host is; `folder` is ours, `root` the agent's install root."""
    return f"""
[ "$(id -u)" = 0 ] || die "only root may look after the agent, and this is $(id -un): become root"
d={quote(folder)}; r={quote(root.rstrip("/"))}
[ -r "$d/record.json" ] && base64 < "$d/record.json" | while IFS= read -r l; do say record "$l"; done
for u in {UNITS}/spectro-*.service; do [ -e "$u" ] && say unit "${{u##*/}}"; done
[ -e "$r/opt/spectrocloud/state/setup_done" ] && say set_up yes
[ -e {PACKAGE_USER_DATA} ] && say package_user_data yes
u="$r/opt/spectrocloud/scripts/spectro-uninstall.sh"; [ -r "$u" ] && say uninstaller "$u"
[ -e {REMOVED} ] && say removed yes
systemctl is-active --quiet {JOB} 2>/dev/null && say job yes
[ -r "$d/job/rc" ] && say rc "$(cat "$d/job/rc")"
[ -r /proc/sys/crypto/fips_enabled ] && say fips "$(cat /proc/sys/crypto/fips_enabled)"
say cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
command -v getenforce >/dev/null 2>&1 && say selinux "$(getenforce)"
command -v getsebool >/dev/null 2>&1 && say rsync_full_access "$(getsebool rsync_full_access 2>/dev/null)"
command -v docker >/dev/null 2>&1 && say docker yes
command -v systemd-run >/dev/null 2>&1 || die "there is no systemd-run on the host: agent mode needs systemd"
"""


def prepare(folder: str, login: str) -> str:
    """A script that makes our folder and, in it, one that the user who logs in may put a file into (`@dir`)."""
    return f"""{PRELUDE}umask 077
d={quote(folder)}
e=$(mkdir -p "$d/bin" "$d/scratch" "$d/job" 2>&1) || die "cannot make $d: ${{e##*: }}"
chmod 0711 "$d"
printf "#!/bin/sh\\nexit 0\\n" > "$d/scratch/.try" && chmod 0700 "$d/scratch/.try" || die "cannot write in $d"
"$d/scratch/.try" 2>/dev/null || die "programs may not be run from $d (noexec): name another directory"
rm -f "$d/scratch/.try"
find "$d" -maxdepth 1 -name ".incoming-*" -mmin +60 -exec rm -rf {{}} + 2>/dev/null
i=$(mktemp -d "$d/.incoming-XXXXXX") || die "cannot make a directory in $d"
u=${{SUDO_USER:-${{DOAS_USER:-{quote(login)}}}}}
[ -z "$u" ] || id -u "$u" >/dev/null 2>&1 && chown "${{u:-root}}" "$i"
say dir "$i"
{END}"""


def fetch(incoming: str) -> str:
    """A script that has the host itself download files; `fetch_payload` is its standard input."""
    return f"""{PRELUDE}umask 077
i={quote(incoming)}
set -- --fail --silent --show-error --location --retry 2 --connect-timeout 20
get() {{
  n=$1; u=$2; shift 2
  e=$(printf "url = \\"%s\\"\\n" "$u" | curl --config - "$@" --output "$i/$n" 2>&1) && return
  rm -rf "$i"; die "the host could not fetch $n: $(printf "%s" "$e" | tail -n 1)"
}}
while IFS= read -r l; do
  case "$l" in
    "-- "*) l=${{l#-- }}; get "${{l%% *}}" "${{l#* }}" "$@" ;;
    *=*) export "$l" ;;
  esac
done
{END}"""


def fetch_payload(urls: t.Mapping[str, str], environment: t.Mapping[str, str]) -> bytes:
    """The addresses of files by name, and the proxy: neither is on a command line, as both may hold a password."""
    return exports(environment) + "".join(f"-- {name} {url}\n" for name, url in urls.items()).encode()


def take_in(incoming: str, folder: str, digests: t.Mapping[str, str]) -> str:
    """A script that checks files that arrived, and puts them in their folder; what is not as pinned goes away."""
    calls = ""
    for name, digest in digests.items():
        machine = {"amd64": "3e", "arm64": "b7"}.get(name.rpartition("-")[2], "")
        calls += f"take {quote(name)} {digest} {machine or '-'} {'0600' if name.endswith('.tar') else '0700'}\n"
    return f"""{PRELUDE}umask 077
i={quote(incoming)}; d={quote(folder)}
trap "rm -rf \\"\\$i\\"" EXIT
chown 0:0 "$i" || die "cannot take $i over"
mkdir -p "$d" || die "cannot make $d"
take() {{
  f=$i/$1
  [ -f "$f" ] || die "nothing arrived for $1"
  chown 0:0 "$f" && chmod "$4" "$f" || die "cannot take $f over"
  h=$(sha256sum < "$f") || die "sha256sum failed on $f"
  [ "${{h%% *}}" = "$2" ] || die "$1 has the SHA-256 ${{h%% *}}, and $2 is pinned; it was removed"
  [ "$(head -c 1 "$f")" != "<" ] || die "$1 is a web page (HTML), not the file; it was removed"
  if [ "$(head -c 4 "$f" | od -An -tx1 | tr -d " ")" = 7f454c46 ]; then
    m=$(head -c 19 "$f" | tail -c 1 | od -An -tx1 | tr -d " ")
    [ "$m" = "$3" ] || die "$1 is a program for another architecture; it was removed"
  fi
  mv -f "$f" "$d/$1" || die "cannot put $d/$1 in its place"
}}
{calls}sync
{END}"""


def start(folder: str) -> str:
    """A script that puts files into our folder and starts the job, unless it runs.

    They come as lines NAME MODE BASE64 on standard input. The shell's own printf writes them, so no secret is on a command line.
    """
    return f"""{PRELUDE}umask 077
d={quote(folder)}
e=$(mkdir -p "$d/bin" "$d/scratch" "$d/job" 2>&1) || die "cannot make $d: ${{e##*: }}"
chmod 0711 "$d"
systemctl is-active --quiet {JOB} && die "another job of this kind runs on the host; run again when it has ended"
rm -f "$d/job/rc" "$d/job/user-data" "$d/job/environment" "$d"/job/*.new "$d"/bin/*.new "$d"/*.new
while read -r n m c; do
  [ -n "$m" ] || continue
  printf "%s" "$c" | base64 -d > "$d/$n.new" && chmod "$m" "$d/$n.new" && mv -f "$d/$n.new" "$d/$n" \\
    || {{ rm -f "$d/$n.new"; die "cannot write $d/$n: is the disk full?"; }}
done
: > "$d/job/log"; sync
systemctl reset-failed {JOB} 2>/dev/null
# As after a login, what the installer leaves running stays.
set -- --quiet --collect --unit={JOB} --description="palette.edge: agent mode" --property=KillMode=process
e=$(systemd-run "$@" /bin/bash "$d/job/run.sh" 2>&1) || die "the job cannot be started: ${{e##*: }}"
{END}"""


def attend(folder: str, *, seconds: int) -> str:
    """A script that waits for the end of the job for so long, and tells how it is."""
    return f"""{PRELUDE}
d={quote(folder)}; n=0
while [ "$n" -lt {seconds} ] && [ ! -e "$d/job/rc" ] && systemctl is-active --quiet {JOB}; do sleep 1; n=$((n + 1)); done
systemctl is-active --quiet {JOB} && say job yes
[ -r "$d/job/rc" ] && say rc "$(cat "$d/job/rc")"
[ -r "$d/job/log" ] && tail -n 15 "$d/job/log" | tr -cd "\\11\\12\\40-\\176" | while IFS= read -r l; do say log "$l"; done
{END}"""


def forget(folder: str) -> str:
    """A script that removes all that is ours, and notes for this boot only that the agent was taken off in it."""
    return (
        f"{PRELUDE}d={quote(folder)}; m={REMOVED}\n"
        'mkdir -p "${m%/*}" && : > "$m" || die "cannot write $m"\n'
        f'rm -rf "$d" || die "cannot remove $d"\nsync\n{END}'
    )


# ---- what runs on the host as a file of its own, so that it may use any quotes ----------------------------------------


def job(folder: str, body: t.Sequence[str], *, must_be: str) -> str:
    """The job's script. `must_be` is a shell test of what has to be true at its end.

    It takes user-data and proxy away, however it ends, and the files of the release when it ended well.
    """
    where = shlex.quote(folder)
    lines = [
        "#!/bin/bash",
        "# Written by palette.edge.agent_installation.",
        f"exec > {where}/job/log 2>&1 < /dev/null",
        f'finish() {{ rm -f {where}/job/user-data {where}/job/environment; echo "$1" > {where}/job/rc.new; sync;',
        f'  mv -f {where}/job/rc.new {where}/job/rc; exit "$1"; }}',
        "trap 'finish 143' TERM",
        f"cd {where}/scratch || finish 90",
        # A unit has less of an environment than a login, and what an installer makes of that nobody has tried.
        "umask 022; export HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8",
        *body,
        "rc=$?",
        f"[ $rc != 0 ] || {must_be} || {{ echo 'it ended well and did not do what it is for'; rc=91; }}",
        f"[ $rc != 0 ] || rm -rf {where}/v* {where}/scratch/*",
        "finish $rc",
    ]
    return "\n".join(lines) + "\n"


def connected_job(folder: str, script: str) -> str:
    """Runs the vendor's installer, with our curl before the host's."""
    where = shlex.quote(folder)
    body = [
        "rm -f ./palette-agent",
        f"set -a; . {where}/job/environment; set +a",
        f"export PATH={where}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        f"/bin/bash {shlex.quote(script)}",
    ]
    return job(folder, body, must_be=f"ls {UNITS}/spectro-*.service > /dev/null 2>&1")


def package_job(folder: str, package: str, root: str) -> str:
    """Unpacks the package, its units last: a host that loses power meanwhile does not install from half of it."""
    where, archive = shlex.quote(folder), shlex.quote(package)
    unpack = f"tar --extract --file {archive} --directory / --numeric-owner --no-overwrite-dir --keep-directory-symlink"
    state = shlex.quote(f"{root.rstrip('/')}/opt/spectrocloud/state/setup_done")
    body = [
        f"tar --list --file {archive} | grep -q 'var/lib/spectro/spectro-init.sh$' || {{",
        "  echo 'it is no package of the agent'; finish 92; }",
        f"{unpack} --exclude='*etc/systemd/system*' || finish $?",
        f"if [ -e {where}/job/user-data ]; then",
        f"  install -m 0600 {where}/job/user-data {PACKAGE_USER_DATA}.new && sync || finish 94",
        f"  mv -f {PACKAGE_USER_DATA}.new {PACKAGE_USER_DATA} || finish 94",
        "fi",
        # What is set up already would not be installed from the new package.
        f"rm -f {state}",
        "sync",
        f"{unpack} && systemctl daemon-reload",
    ]
    return job(folder, body, must_be=f"[ -e {UNITS}/spectro-init.service ]")


def uninstall_job(folder: str, script: str) -> str:
    """Runs the vendor's uninstaller from a copy, as it may remove itself."""
    copy = f"{shlex.quote(folder)}/scratch/uninstall.sh"
    body = [f"cp -f {shlex.quote(script)} {copy} || finish 95", f"/bin/bash {copy}"]
    return job(folder, body, must_be=f"! ls {UNITS}/spectro-*.service > /dev/null 2>&1")


def curl(folder: str) -> str:
    """Stands before the host's curl while the installer runs.

    The installer takes whatever a server answers for its program, a web page too. Here the program is a local file that
    was checked; should the installer want it from elsewhere all the same, it gets nothing.
    """
    return f"""#!/bin/sh
# Written by palette.edge.agent_installation.
for word in "$@"; do
  case "$word" in
    http://*palette-agent*|https://*palette-agent*)
      echo "palette.edge: the installer wants an unchecked program from $word; refused" >&2; exit 22 ;;
  esac
done
PATH=${{PATH#{shlex.quote(folder + "/bin")}:}}
export PATH
exec curl --fail "$@"
"""


def environment(values: t.Mapping[str, str]) -> str:
    """NAME=VALUE lines for a shell to read; proxies in both spellings."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in _both(values))


def proxy_environment(proxy: t.Mapping[str, t.Any] | None) -> dict[str, str]:
    """The option `proxy` as variables."""
    given = proxy or {}
    values = (given.get("http") or "", given.get("https") or "", ",".join(given.get("no_proxy") or []))
    return dict(zip(PROXIES, values, strict=True))


def exports(values: t.Mapping[str, str]) -> bytes:
    """The same for the standard input of `fetch`, which takes lines as they are."""
    return "".join(f"{name}={value}\n" for name, value in _both(values)).encode() or b"\n"


def _both(values: t.Mapping[str, str]) -> list[tuple[str, str]]:
    names = [(name, value) for name, value in values.items() if value]
    return names + [(name.upper(), value) for name, value in names if name in PROXIES]
