"""A chain of six units with thirty cheap resources, whose apply is killed at random moments, and what is left then."""

import itertools
import json
import os
import random
import shutil
import signal
import textwrap
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ngp.aws import access
from ngp.aws.session import Session
from tests.harness import new_account

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
UNITS = [f"link-{number}" for number in range(1, 7)]
RESOURCES = 5 * len(UNITS)
EVERYTHING = sorted(f"/{unit}/{name}" for unit in UNITS for name in ("first", "second", "third"))
_ENDED_S = 180.0
MODULE = {
    "module.yaml": """
        title: Link
        summary: A link of a chain
        category: network
        requires: [upstream]
        provides: [name]
        """,
    # the pauses spread the making over time: a kill meets any moment of it
    "link.tf": """
        terraform {
          required_providers {
            aws = {
              source = "hashicorp/aws"
            }
          }
        }

        resource "aws_ssm_parameter" "first" {
          name  = "/${var.label}/first"
          type  = "String"
          value = "after ${var.upstream}"
        }

        resource "terraform_data" "pause" {
          triggers_replace = [aws_ssm_parameter.first.name]

          provisioner "local-exec" {
            command = "sleep ${var.pause_s}"
          }
        }

        resource "aws_ssm_parameter" "second" {
          name  = "/${var.label}/second"
          type  = "String"
          value = terraform_data.pause.id
        }

        resource "terraform_data" "rest" {
          triggers_replace = [aws_ssm_parameter.second.name]

          provisioner "local-exec" {
            command = "sleep ${var.pause_s}"
          }
        }

        resource "aws_ssm_parameter" "third" {
          name  = "/${var.label}/third"
          type  = "String"
          value = terraform_data.rest.id
        }
        """,
    "link-variables.tf": """
        variable "label" {
          description = "What it is called"
          type        = string
        }

        variable "upstream" {
          description = "What it hangs on"
          type        = string
          default     = ""
        }

        variable "pause_s" {
          description = "How long it takes between two resources"
          type        = number
          default     = 0.4
        }
        """,
    "link-output.tf": """
        output "name" {
          description = "Its name"
          value       = aws_ssm_parameter.third.name
        }
        """,
    "link.dummy": """
        # What it is called
        label = "link"
        """,
}


@dataclass
class Chain:
    """The platform, its account in the sandbox, and what can be seen of both from outside."""

    path: Path
    home: Path
    ngp: object
    account: str
    session: Session
    proxy: bool = True
    is_local: bool = False  # where its states are
    env: dict = field(default_factory=dict)

    @property
    def environ(self):
        return {"HOME": str(self.home), "NGP_PROVIDER_PROXY": "1" if self.proxy else "0", **self.env}

    @property
    def bucket(self):
        return f"chain-tfstate-{self.account}-{REGION}"

    def start(self, *argv):
        """`ngp` at work, its output in a file of the platform: nobody reads a pipe here."""
        with (self.path / "said").open("ab") as said:
            return self.ngp.start(*argv, env=self.environ, output=said)

    def run(self, *argv):
        return self.ngp.run(*argv, env=self.environ)

    def journals(self):
        return sorted((self.path / ".ngp" / "runs").glob("*/journal.jsonl"))

    def entered(self, phase="apply"):
        """The units that entered a phase in the last run."""
        lines = self.journals()[-1].read_text().splitlines() if self.journals() else []
        events = [json.loads(line) for line in lines if line.endswith("}")]
        return [one["unit"] for one in events if one["kind"] == "unit_entered" and one["phase"] == phase]

    def records(self):
        """What the joint runs wrote down, oldest first."""
        return [json.loads(path.read_text()) for path in sorted(self.path.glob(".ngp/runs/*/joint.json"))]

    def stage(self):
        """How far the last joint run is; "" before there is one."""
        try:
            return self.records()[-1]["stage"]
        except (IndexError, ValueError):  # not written yet, or just being written
            return ""

    def joint_files(self):
        """What must be gone when every state is at its place."""
        kept = ("tree", "unsaved", "complete-*.tfstate")
        return [path for name in kept for path in self.path.glob(f".ngp/runs/*/{name}")]

    def locks(self):
        """The units whose state is locked."""
        if self.is_local:
            return [path.name for path in self.path.glob(".ngp/state/dev/.*.lock.info")]
        keys = self.session.keys(self.bucket, "")
        return [Path(key).name.partition(".")[0] for key in keys if key.endswith(".tflock")]

    def made(self):
        """The parameters that exist."""
        found, more = [], {}
        while True:
            page = self.session.call("ssm", "describe_parameters", **more) or {}
            found += [one["Name"] for one in page.get("Parameters", ()) if one["Name"].startswith("/link-")]
            if not page.get("NextToken"):
                return sorted(found)
            more = {"NextToken": page["NextToken"]}

    def states(self):
        """The text of each unit's state, by unit."""
        if self.is_local:
            paths = self.path.glob(".ngp/state/dev/*.tfstate")
            return {path.stem: text for path in paths if (text := path.read_text())}
        keys = [key for key in self.session.keys(self.bucket, "") if key.endswith(".tfstate")]
        return {Path(key).stem: self.session.object(self.bucket, key).decode() for key in keys}

    def known(self):
        """The parameters that the states know."""
        return sorted(
            each["attributes"]["name"]
            for text in self.states().values()
            for one in json.loads(text)["resources"]
            if one["type"] == "aws_ssm_parameter"
            for each in one["instances"]
        )

    def processes(self):
        """What runs for this platform, by pid: its own HOME is in the environment of all of it."""
        mark, found = f"HOME={self.home}".encode(), {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and entry.name != str(os.getpid()):
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found[int(entry.name)] = (entry / "exe").readlink().name
                except OSError:
                    continue
        return found

    def terraforms(self):
        return [pid for pid, program in self.processes().items() if program.startswith("terraform")]

    def end(self):
        """Kill what a test that failed may have left."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def await_end(self, within_s=_ENDED_S):
        """Wait until nothing runs any more; return what does all the same."""
        deadline = time.monotonic() + within_s
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.processes()


def recover(chain):
    """Do what ngp says after a kill; check each of its words against what is there. Return what was lost."""
    before = (chain.made(), chain.states(), chain.locks())
    planned = chain.run("plan", "dev")
    is_open = chain.stage() != "ended"
    assert planned.exit_code == (5 if is_open else 0), planned.stderr
    assert (chain.made(), chain.states(), chain.locks()) == before, "a plan changes nothing"
    lost, after = [], chain.run("apply", "dev", "--auto-approve")
    if after.exit_code == 3:
        lost = chain.records()[0]["lost"]
        assert lost
        assert all(f"{address} may exist, but no state contains it" in after.stderr for address in lost), after.stderr
        assert {_address(name) for name in set(chain.made()) - set(chain.known())} <= set(lost), "all that is lost"
        assert chain.locks() == [], "who imports needs them"
        for name in set(chain.made()) - set(chain.known()):
            chain.session.call("ssm", "delete_parameter", Name=name)
        accepted = [word for address in lost for word in ("--accept-lost", address)]
        after = chain.run("apply", "dev", "--auto-approve", *accepted)
    assert after.exit_code == 0, after.stdout + after.stderr
    assert chain.made() == chain.known() == EVERYTHING
    assert chain.locks() == []
    assert chain.joint_files() == []
    assert chain.run("plan", "dev", "-detailed-exitcode").exit_code == 0, "nothing is left to do"
    return lost


def _address(name):
    """The address of the parameter `/link-1/first`."""
    _, unit, resource = name.split("/")
    return f"module.{unit}.aws_ssm_parameter.{resource}"


def lay_chain(folder, ngp_in, sandbox, pause_s=0.4, is_local=False):
    """A platform of its own in an account of its own of the shared sandbox, rendered."""
    account, path = new_account(), folder / "platform"
    for name, text in MODULE.items():
        write(path / "modules" / "link" / name, text)
    wires = "".join(f"  {unit}: {{upstream: {upstream}.name}}\n" for upstream, unit in itertools.pairwise(UNITS))
    units = "".join(f"  {unit}: {{module: link}}\n" for unit in UNITS)
    facts = f'target: sandbox\naccount: "{account}"\nregion: {REGION}\ndomain: chain.example.test\n'
    write(path / "ngp.yaml", "name: chain\n" + ("state: local\n" if is_local else ""))
    write(path / "environments/dev/environment.yaml", f"{facts}units:\n{units}wiring:\n{wires}")
    first = '  upstream = "nothing"\n'
    values = "".join(
        f'{unit} = {{\n  label = "{unit}"\n  pause_s = {pause_s}\n{first if unit == UNITS[0] else ""}}}\n'
        for unit in UNITS
    )
    write(path / "environments/dev/terraform.tfvars", values)
    shutil.copy2(ROOT / ".terraform.lock.hcl", path / ".terraform.lock.hcl")
    write(path / ".ngp/sandbox/running.json", json.dumps(asdict(sandbox)))  # lent: it must not be stopped from here
    home = folder / "home"
    home.mkdir()
    session = Session(access.sandbox({}, sandbox.url, REGION, account))
    chain = Chain(path, home, ngp_in(path), account, session, is_local=is_local)
    done = chain.run("render")
    assert done.exit_code == 0, done.stderr
    return chain


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"))


STAGES = ("locking", "planned", "applying", "applying", "applying", "saving")  # when something is killed
_ORDER = ("", "locking", "planned", "applying", "saving", "saved", "ended")


@dataclass
class Kill:
    """One kill and what was left: locks, resources that no state knows, processes."""

    victim: str
    proxy: bool
    is_local: bool
    seed: int
    stage: str = ""  # of the run at its kill
    locks: int = 0
    unsaved: int = 0  # resources that are in no state before the next apply
    lost: int = 0  # objects that the next apply names
    processes: int = 0
    said: str = ""  # by ngp
    recovered: bool = False


def kill(chain, victim, seed):
    """Apply, kill `victim` (ngp, terraform or both) at a random moment, and look when nothing runs any more.

    "hurried" kills nothing itself: it is Ctrl-C twice.
    """
    chance = random.Random(seed)
    started = chain.start("apply", "dev", "--auto-approve")
    stage = "applying" if victim in ("terraform", "hurried") else chance.choice(STAGES)
    goal = chance.randint(1, len(UNITS)) if stage == "applying" else 0
    deadline = time.monotonic() + 600
    while started.poll() is None and time.monotonic() < deadline:
        if _ORDER.index(chain.stage()) >= _ORDER.index(stage) and len(chain.entered()) >= goal:
            break
        time.sleep(0.02)
    time.sleep(chance.uniform(0.0, {"applying": 2.0, "locking": 2.0}.get(stage, 0.2)))
    terraforms, at = chain.terraforms(), chain.stage()
    if victim in ("ngp", "both"):
        started.kill()
    for pid in terraforms if victim in ("terraform", "both") else ():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if victim == "hurried":
        started.send_signal(signal.SIGINT)
        time.sleep(chance.uniform(0.1, 1.0))
        started.send_signal(signal.SIGINT)
    started.wait()
    left = chain.await_end()
    found = Kill(victim, chain.proxy, chain.is_local, seed, at, processes=len(left), locks=len(chain.locks()))
    found.said = " ".join((chain.path / "said").read_text().split())  # a table breaks its lines
    found.unsaved = len(set(chain.made()) - set(chain.known()))
    return found
