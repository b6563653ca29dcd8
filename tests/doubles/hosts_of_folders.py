"""Hosts that are folders of this machine: their scripts run in a real shell, with an apt of their own."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ngp.hosts.host import Host
from ngp.packages import scripts

APT = """#!/bin/sh
echo "apt-get $*" >>"$STATE/calls"
echo "apt says $*"
for one; do last=$one; done
busy=nothing-is
[ ! -f "$STATE/busy" ] || read -r busy times <"$STATE/busy" || :
case "$*" in *" $busy"*)
  if [ "$times" -gt 0 ]; then
    echo "$busy $((times - 1))" >"$STATE/busy"
    echo "E: Could not get lock /var/lib/apt/lists/lock" >&2
    exit 100
  fi;;
esac
case "$*" in *"$(cat "$STATE/broken" 2>/dev/null || echo nothing-is)"*) echo "E: broken" >&2; exit 100;; esac
case "$*" in *" install "*)
  name=${last%%=*}; version=${last#*=}; [ "$version" != "$last" ] || version=9
  printf '%s\\t%s\\n' "$name" "$version" >"$STATE/installed";;
esac
"""
CACHE = "#!/bin/sh\nprintf 'shop\\nshop-worker\\n'\n"
QUERY = """#!/bin/sh
case "$2" in
*ngp-installed*) sed 's/^/ngp-installed\\t/; s/$/\\tinstalled/' "$STATE/installed";;
*) cat "$STATE/installed";;
esac
"""


@dataclass
class Outcome:
    host: Host
    exit: int | None
    problem: str = ""
    todo: str = ""


@dataclass
class Machines:
    """`run` is what a deploy needs; `at(host)` is the folder of a host."""

    folder: Path
    ran: list = field(default_factory=list)
    before: list = field(default_factory=list)  # called before each command, with the hosts

    def make(self, *names):
        for name, text in {"apt-get": APT, "apt-cache": CACHE, "dpkg-query": QUERY}.items():
            (self.folder / "bin").mkdir(exist_ok=True)
            (self.folder / "bin" / name).write_text(text)
            (self.folder / "bin" / name).chmod(0o755)
        for name in names:
            (self.folder / name).mkdir()
        return [Host(name=name, id=f"i-{name}", environment="qa") for name in names]

    def at(self, host):
        return self.folder / getattr(host, "name", host)

    def run(self, hosts, command, emit):
        self.ran.append([host.name for host in hosts])
        for each in self.before:
            each(hosts)
        return [self._run(host, command, emit) for host in hosts]

    def _run(self, host, command, emit):
        if (self.at(host) / "dead").exists():
            return Outcome(host, None, "no answer", "start it")
        env = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "STATE": str(self.at(host))}
        own = command.replace(scripts.FOLDER, str(self.at(host) / "ngp"))
        done = subprocess.run(own, shell=True, env=env, capture_output=True, text=True, check=False)
        for line in (done.stdout + done.stderr).splitlines():
            emit(host, line)
        return Outcome(host, done.returncode)

    def calls(self, host):
        path = self.at(host) / "calls"
        return [line.split(" ")[-1] for line in path.read_text().splitlines()] if path.exists() else []
