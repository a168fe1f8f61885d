# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that looks at what a host must have before work on it begins. It judges nothing.

Hosts have few tools. A tool that tells whether a port answers is only used after it said "refused" about a port of the
host itself where nothing listens; without any such tool the outcome is UNKNOWN, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.palette.edge.plugins.plugin_utils._script import quote

_AT_ONCE = 24
"""Attempts that run beside each other on a host."""

# The program timeout may be missing, and its options differ: so a limit is kept by the shell itself.
_HELPERS = r"""
lim() {
  s=$1; shift
  "$@" </dev/null & p=$!
  ( sleep "$s"; kill "$p" ) >/dev/null 2>&1 &
  w=$!
  wait "$p" 2>/dev/null; r=$?
  kill "$w" 2>/dev/null
  return "$r"
}
line() { printf "%s" "$1" | tr "\n\r" "  " | tail -c 300; }
has() { command -v "$1" >/dev/null 2>&1; }
say container "$(systemd-detect-virt --container 2>/dev/null || :)"
if [ -r /sys/class/dmi/id/product_uuid ]; then
  u=; IFS= read -r u < /sys/class/dmi/id/product_uuid || :; say product_uuid "$u"
fi
[ -r /etc/resolv.conf ] && while read -r k v x; do
  [ "$k" = nameserver ] && say nameserver "$v"
done < /etc/resolv.conf
if [ -r /proc/swaps ]; then
  say told swaps
  n=0; while read -r l; do n=$((n+1)); [ "$n" -gt 1 ] && say swap "${l%% *}"; done < /proc/swaps
fi
[ -r /proc/net/tcp ] && say told sockets
for d in /sys/block/*; do
  case "${d##*/}" in loop*|ram*|zram*|dm-*|md*|sr*|fd*|nbd*) continue ;; esac
  v=; [ -r "$d/size" ] && IFS= read -r v < "$d/size" && say block "$v"
done
say cgroup "$(stat -fc %T /sys/fs/cgroup 2>/dev/null)"
for d in /etc/kubernetes/kubelet.conf /var/lib/rancher/k3s/agent /var/lib/rancher/rke2/agent; do
  [ -e "$d" ] && { say cluster "$d"; break; }
done
say synchronised "$(timedatectl show -p NTPSynchronized --value 2>/dev/null)"
listeners() {
  for f in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$f" ] && while read -r a b c d e; do [ "$d" = 0A ] && say "$1" "${b##*:}"; done < "$f"
  done
  :
}
"""

_CONNECT = r"""
con() {
  case "$1" in
    bash) exec bash -c "exec 3<>/dev/tcp/$2/$3" ;;
    nc-z) exec nc -z -v -w "$z" "$2" "$3" ;;
    nc-v) exec nc -v -w "$z" "$2" "$3" ;;
    nc) exec nc -w "$z" "$2" "$3" ;;
    curl) case "$2" in *:*) set -- "$1" "[$2]" "$3" ;; esac
      exec curl -v -o /dev/null --noproxy "*" --connect-timeout "$z" -m "$z" "http://$2:$3/" ;;
  esac
}
tool=
for c in bash nc-z nc-v nc curl; do
  has "${c%%-*}" || continue
  o=$(lim 2 con "$c" 127.0.0.1 1 2>&1); r=$?
  case "$r $o" in 0\ *|*efused*) tool=$c; break ;; esac
done
say tool "$tool"
try() {
  o=$(lim "$((z+1))" con "$tool" "$2" "$3" 2>&1); r=$?
  case "$o" in *"Connected to "*|*" succeeded"*) r=0 ;; esac
  say "$4" "$1 $r $(line "$o")"
}
"""

# No login is sent to the proxy: it would be seen in the list of processes.
_VIA = r"""
via() {
  case "$tool" in
    bash) o=$(lim "$((z+2))" bash -c "exec 3<>/dev/tcp/$2/$3 || exit 1
      printf \"CONNECT $4:$5 HTTP/1.1\r\nHost: $4:$5\r\n\r\n\" >&3; IFS= read -r l <&3; printf %s \"\$l\"" 2>&1); r=$? ;;
    curl) o=$(lim "$((z+2))" curl -s -o /dev/null -p -x "http://$2:$3" -m "$((z+1))" \
      -w "HTTP/1.1 %{http_connect} " "http://$4:$5/" 2>&1); r=$? ;;
    *) o=; r=126 ;;
  esac
  say via "$1 $r $(line "$o")"
}
"""

# Whether the host trusts who answers: curl says so by exit code and words, openssl by words.
_TLS = r"""
tls() {
  h=$2; case "$2" in *:*) h="[$2]" ;; esac
  if has curl; then
    if [ -n "$4" ]; then set -- "$@" -x "http://$4:$5"; else set -- "$@" x --noproxy "*"; fi
    n=$1 p=$3; shift 5; [ "$1" = x ] && shift
    o=$(lim "$((z+3))" curl -sS -o /dev/null -m "$((z+2))" "$@" "https://$h:$p/" 2>&1); r=$?
  elif has openssl; then
    n=$1 p=$3; if [ -n "$4" ]; then set -- -proxy "$4:$5"; else set --; fi
    o=$(lim "$((z+3))" openssl s_client -connect "$h:$p" "$@" -verify_return_error -brief 2>&1); r=$?
  else n=$1; o=; r=127; fi
  say tls "$n $r $(line "$o")"
}
"""

_RESOLVE = r"""
name() {
  if has getent; then o=$(lim "$((z+2))" getent hosts "$2" 2>&1); r=$?
  elif has nslookup; then o=$(lim "$((z+2))" nslookup "$2" 2>&1); r=$?
  else o=; r=127; fi
  say name "$1 $r $(line "$o")"
}
"""

# A neighbour that was there a while ago is remembered; whether it still is shows after the kernel has asked again.
_NEIGHBOUR = r"""
neighbour() {
  has ip || { say neighbour "$1 unknown"; return; }
  for l in $(ip -o addr show 2>/dev/null | while read -r a b c d e; do printf "%s\n" "${d%%/*}"; done); do
    [ "$l" = "$2" ] && { say neighbour "$1 own"; return; }
  done
  g=$(ip route get "$2" 2>/dev/null | head -n 1)
  case "$g" in ""|*" via "*) say neighbour "$1 far"; return ;; esac
  n=0
  while :; do
    l=$(ip neigh show "$2" 2>/dev/null | head -n 1)
    case "$l" in *STALE*|*DELAY*|*PROBE*|*INCOMPLETE*) ;; *) break ;; esac
    n=$((n+1)); [ "$n" -gt 12 ] && break
    sleep 1
  done
  say neighbour "$1 on-link $(line "$l")"
}
vacant() {
  [ -n "$tool" ] && try "$1" "$2" 6443 vacant || { has ping && lim 2 ping -c 1 "$2" >/dev/null 2>&1; }
  neighbour "$1" "$2"
}
"""

_DISK = r"""
disk() {
  d=$2
  while [ ! -e "$d" ] && [ "$d" != / ]; do d=${d%/*}; d=${d:-/}; done
  o=$(df -Pk "$d" 2>/dev/null | tail -n 1)
  set -- "$1" $o
  m=$7; k=
  [ -r /proc/mounts ] && while read -r a b c e f; do [ "$b" = "$m" ] && k="$c $e"; done < /proc/mounts
  say disk "$1 $3 $5 $m ${k:--}"
}
"""

_SERVICE = r"""
service() {
  if has systemctl; then
    say service "$1 $(systemctl is-active "$2" 2>/dev/null | head -n 1) $(systemctl is-enabled "$2" 2>/dev/null | head -n 1)"
  else say service "$1 unknown unknown"; fi
}
"""

# Whom an earlier check left listening is known by its name. In brackets, so that nobody's own command line matches.
_STOP = r"""
stopped=
for f in $(grep -l "palette-edge[-]listener" /proc/[0-9]*/cmdline 2>/dev/null); do
  f=${f#/proc/}; kill "${f%%/*}" 2>/dev/null && stopped=yes
done
[ -n "$stopped" ] && { sleep 0.3 2>/dev/null || sleep 1; }
"""

# The sockets stay open in what a socket activator starts, so the kernel goes on accepting for all of the time.
_LISTEN = r"""
mark=palette-edge-; mark=${mark}listener
used() { listeners u | while read -r a b; do [ "$b" = "$1" ] && { printf used; break; }; done; }
free=
for p in $ports; do
  [ -n "$(used "$(printf "%04X" "$p")")" ] || free="$free $p"
done
if [ -n "$free" ]; then
  if has systemd-socket-activate; then
    a=; for p in $free; do a="$a -l $p"; done
    inner="sleep $hold & trap \"kill \$!\" TERM; wait"
    set -- systemd-socket-activate $a sh -c "$inner" "$mark"
  else set --; fi
  far=; has setsid && far=setsid
  [ $# -gt 0 ] && ( trap "" HUP; lim "$hold" $far "$@" ) </dev/null >/dev/null 2>&1 &
  if [ $# -eq 0 ] && has nc; then
    for p in $free; do
      inner="nc -l -p $p & trap \"kill \$!\" TERM; wait"
      ( trap "" HUP; lim "$hold" $far sh -c "$inner" "$mark" ) </dev/null >/dev/null 2>&1 &
    done
  fi
  n=0
  while [ "$n" -lt 10 ]; do
    all=yes
    for p in $free; do [ -n "$(used "$(printf "%04X" "$p")")" ] || all=; done
    [ -n "$all" ] && break
    n=$((n+1)); sleep 0.2 2>/dev/null || { sleep 1; n=$((n+4)); }
  done
fi
for p in $free; do [ -n "$(used "$(printf "%04X" "$p")")" ] && say bound "$p"; done
"""


@dataclass(frozen=True)
class Asked:
    """What is asked for, checked already: nothing in here needs a shell's care except paths."""

    commands: Sequence[str] = ()
    paths: Sequence[str] = ()
    services: Sequence[str] = ()
    names: Sequence[str] = ()
    tcp: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    proxy: tuple[str, int] | None = None
    via: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    tls: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    tls_via: Sequence[str] = ()
    addresses: Sequence[str] = ()
    listen: Sequence[int] = ()
    listen_seconds: int = 30
    stop_listening: bool = False
    seconds: int = 3


def checks_script(asked: Asked) -> str:
    """The lines between PRELUDE and END."""
    lines = ['say began "$(date +%s.%N)"', _HELPERS, f"z={asked.seconds}"]
    lines += [f"has {quote(one)} && say command {quote(one)}" for one in asked.commands]
    if asked.paths:
        lines += [_DISK, *(f"disk {number} {quote(one)}" for number, one in enumerate(asked.paths))]
    if asked.services:
        lines += [_SERVICE, *(f"service {number} {quote(one)}" for number, one in enumerate(asked.services))]
    lines += [_STOP] if asked.listen or asked.stop_listening else []
    lines.append("listeners listening")
    if asked.listen:
        lines += [f'ports="{" ".join(map(str, asked.listen))}"; hold={asked.listen_seconds}', _LISTEN]
    if asked.tcp or asked.addresses or asked.via:
        lines.append(_CONNECT)
    waiting: list[str] = []
    if asked.names:
        lines.append(_RESOLVE)
        waiting += [f"name {number} {quote(one)} &" for number, one in enumerate(asked.names)]
    waiting += [f'[ -n "$tool" ] && try {n} {host} {port} tcp &' for n, (host, port) in enumerate(asked.tcp.values())]
    if asked.proxy:
        lines.append(_VIA)
        proxy = f"{asked.proxy[0]} {asked.proxy[1]}"
        waiting += [f"via {n} {proxy} {host} {port} &" for n, (host, port) in enumerate(asked.via.values())]
    if asked.tls:
        lines.append(_TLS)
        for number, (target, (host, port)) in enumerate(asked.tls.items()):
            through = f"{asked.proxy[0]} {asked.proxy[1]}" if asked.proxy and target in asked.tls_via else '"" ""'
            waiting.append(f"tls {number} {host} {port} {through} &")
    if asked.addresses:
        lines.append(_NEIGHBOUR)
        waiting += [f"vacant {number} {one} &" for number, one in enumerate(asked.addresses)]
    for at in range(0, len(waiting), _AT_ONCE):
        # A wait for all would also wait for those that listen.
        jobs = [f'{one} j="$j $!"' for one in waiting[at : at + _AT_ONCE]]
        lines += ["j=", *jobs, 'for k in $j; do wait "$k"; done']
    lines.append('say ended "$(date +%s.%N)"')
    return "\n".join(lines) + "\n"
