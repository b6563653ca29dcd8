"""Shell scripts that hosts run as root: the steps of a deploy, its lock and its records. Pure.

A host needs sshd, apt and sudo only (flock is in Debian's essential util-linux). The scripts write to /var/lib/ngp:

deploy.lock   who deploys now: id, who, action and time, divided by tabs; there from the first step to the last
deploy.guard  locked by flock while a step runs, so a step that goes on after ngp was killed is seen
deploys.tsv   what was deployed, a line for each package: time, who, id, action, package, version
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ngp.packages.names import DebianPackage

FOLDER = "/var/lib/ngp"
LOCKED = 75  # exit code: somebody else deploys (EX_TEMPFAIL of sysexits.h)
NO_PACKAGE = 100  # apt's own exit code for an error
HELD, INSTALLED, DEPLOYED = "ngp-lock", "ngp-installed", "ngp-deployed"  # first fields of lines for ngp
_GUARD_WAIT_S = 10  # another step of the same deploy that ends, on a slow disk
_UNSAFE = re.compile(r"[^\w.@:+-]+", re.ASCII)
_LOCK_WAIT_S, _LOCK_PAUSE_S = 120, 2  # for apt's own locks, which apt-daily.service takes when it likes
# Nobody answers: a changed configuration file stays as the host has it. LANGUAGE is for messages only: a database that
# a package makes takes its locale from LC_ALL
_APT = f"env DEBIAN_FRONTEND=noninteractive LANGUAGE=en apt-get -o DPkg::Lock::Timeout={_LOCK_WAIT_S}"
_KEEP = "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"


class DeployStep(Enum):
    """A step of a deploy, done on all hosts before the next."""

    UPDATE = "update"
    INSTALL = "install"
    AUTOREMOVE = "autoremove"
    CLEAN = "clean"


@dataclass(frozen=True)
class Claim:
    """A deploy in its lock and records; characters that names do not allow are replaced."""

    id: str
    who: str
    action: str  # deploy or install

    @property
    def fields(self) -> str:
        """The fields, separated by tabs."""
        return "\t".join(_UNSAFE.sub("_", word) or "_" for word in (self.id, self.who, self.action))


def step(which: DeployStep, packages: Sequence[DebianPackage], claim: Claim, folder: str = FOLDER) -> str:
    """Return the command of a step; it ends with LOCKED if the claim has lost the lock."""
    return _as_root(f"{_guarded(folder, _GUARD_WAIT_S)}\n{_require_mine(claim)}\n{_act(which, packages, claim)}")


def take(claim: Claim, steal: str = "", folder: str = FOLDER) -> str:
    """Return the command that takes the lock, or ends with LOCKED and a line about who holds it.

    The lock with the id `steal` is taken over, unless a step of its deploy still runs.
    """
    return _as_root(
        f"""mkdir -p {shlex.quote(folder)} && chmod 755 {shlex.quote(folder)} || exit 1
{_guarded(folder, 0)}
if [ -s deploy.lock ]; then
  holder=$(cut -f1 deploy.lock)
  if [ "$holder" != {shlex.quote(steal)} ]; then tell_holder; exit {LOCKED}; fi
fi
printf '%s\\t%s\\n' {shlex.quote(claim.fields)} "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >deploy.lock.new &&
  mv deploy.lock.new deploy.lock"""
    )


def release(claim: Claim, folder: str = FOLDER) -> str:
    """Return the command that releases the lock if the claim still has it."""
    mine = shlex.quote(claim.fields.partition("\t")[0])
    return _as_root(
        f"""{_guarded(folder, _GUARD_WAIT_S)}
[ "$(cut -f1 deploy.lock 2>/dev/null)" != {mine} ] || rm -f deploy.lock"""
    )


def versions(names: Sequence[str], folder: str = FOLDER) -> str:
    """Return the command that prints what is installed and what was deployed; without names, of all ever deployed."""
    records = shlex.quote(f"{folder}/deploys.tsv")
    wanted = shlex.join(names) or f"$(cut -f5 {records} 2>/dev/null | sort -u)"
    form = shlex.quote(f"{INSTALLED}\\t${{Package}}\\t${{Version}}\\t${{db:Status-Status}}\\n")
    script = f"""set -f
set -- {wanted}
for one; do dpkg-query -W -f={form} "$one" 2>/dev/null; done
[ ! -f {records} ] || sed 's/^/{DEPLOYED}\\t/' {records}"""
    return f"sh -c {shlex.quote(script)}"


def _as_root(script: str) -> str:
    """Return a command for any login shell that runs a script as root. sudo never asks: nobody could answer."""
    quoted = shlex.quote(f"umask 022\n{script}")
    chosen = f'if [ "$(id -u)" = 0 ]; then exec sh -c {quoted}; else exec sudo -n sh -c {quoted}; fi'
    return f"sh -c {shlex.quote(chosen)}"


def _guarded(folder: str, wait_s: int) -> str:
    """Hold the guard in this script; what the script starts does not inherit it, for a daemon would keep it."""
    return f"""cd {shlex.quote(folder)} || exit {LOCKED}
tell_holder() {{ printf '{HELD}\\t'; cat deploy.lock 2>/dev/null || echo; }}
exec 9>>deploy.guard || exit 1
flock -w {wait_s} 9 || {{ tell_holder; exit {LOCKED}; }}"""


def _require_mine(claim: Claim) -> str:
    mine = shlex.quote(claim.fields.partition("\t")[0])
    return f'[ "$(cut -f1 deploy.lock 2>/dev/null)" = {mine} ] || {{ tell_holder; exit {LOCKED}; }}'


def _act(which: DeployStep, packages: Sequence[DebianPackage], claim: Claim) -> str:
    if which is DeployStep.INSTALL:
        return _install(packages, claim)
    words = {DeployStep.UPDATE: "-qq update", DeployStep.AUTOREMOVE: "-qy autoremove", DeployStep.CLEAN: "-q clean"}[
        which
    ]
    return f"{_waiting(f'{_APT} {words}')}\nexit $code"


def _waiting(apt: str) -> str:
    """Run apt until it has its locks, and set `code`. Its own time limit does not count for lists and archives.

    Its errors go through a pipe as they come, for the disk may be full; those of a lock it lacks are held back. The
    reader ends with apt: a daemon that apt starts may keep the pipe open.
    """
    return f"""exec 3>&1
end=$(($(date +%s) + {_LOCK_WAIT_S})) is_told=
while :; do
  held=$({{ {apt} </dev/null 2>&1 >&3 3>&- 9>&-; printf '\\nngp-exit %s\\n' $?; }} | {{
    trap '' PIPE # it reads on if nobody listens any more: apt would be killed
    out=2
    while IFS= read -r line; do
      case $line in
      ("") continue ;;
      ("ngp-exit "*) exit "${{line#ngp-exit }}" ;;
      ("E: Could not get lock "*) out=1 ;;
      esac
      printf '%s\\n' "$line" >&$out
    done
    exit 1
  }})
  code=$?
  [ $code != 0 ] && [ "$held" ] && [ "$(date +%s)" -lt $end ] || break
  [ "$is_told" ] || echo "waiting up to {_LOCK_WAIT_S} s for the locks of another apt" >&2
  is_told=1
  sleep {_LOCK_PAUSE_S}
done
[ -z "$held" ] || printf '%s\\n' "$held" >&2"""


def _install(packages: Sequence[DebianPackage], claim: Claim) -> str:
    """Install, then record the versions that dpkg has now.

    apt takes a name that it does not know for a pattern, or for a name with `+` behind it; so it is looked up before.
    """
    downgrade = "--allow-downgrades " if any(one.version for one in packages) else ""
    names = shlex.join(one.name for one in packages)
    form = shlex.quote("${Package}\\t${Version}\\n")
    return f"""for one in {names}; do
  apt-cache pkgnames "$one" | grep -Fqx -e "$one" || {{ echo "there is no package $one" >&2; exit {NO_PACKAGE}; }}
done
{_waiting(f"{_APT} -qy {downgrade}{_KEEP} install {shlex.join(str(one) for one in packages)}")}
[ $code = 0 ] || exit $code
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
dpkg-query -W -f={form} {names} | while IFS='\t' read -r name version; do
  printf '%s\\t%s\\t%s\\t%s\\n' "$now" {shlex.quote(claim.fields)} "$name" "$version"
done >>deploys.tsv"""
