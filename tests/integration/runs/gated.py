"""An apply that stands still in the middle, until its test lets it go on."""

import json
import time
from contextlib import suppress
from pathlib import Path

from ngp.runs.joint import record

EARLY = '\nresource "terraform_data" "early" {\n  input = "early"\n}\n'


class Gated:
    """The small platform with its states in S3, and an apply that stands still in the middle of `app`."""

    def __init__(self, lent, folder):
        self.lent, self.here, self.gate = lent, folder / "here", folder / "gate"
        app = lent.path / "modules/app/app.tf"
        app.write_text(
            app.read_text().replace("input = var", "depends_on = [terraform_data.early]\n  input = var") + EARLY
        )
        command = f"touch {self.here}; until [ -e {self.gate} ]; do sleep 0.1; done"
        base = 'base = {\n  cidr = "10.0.0.0/16"\n}\n'
        lent.write("environments/dev/terraform.tfvars", f'{base}app = {{\n  command = "{command}"\n}}\n')
        lent.render()
        self.said = folder / "said"
        self.process = None

    def start(self, *argv):
        with self.said.open("ab") as said:
            self.process = self.lent.ngp.start("apply", "dev", "--auto-approve", *argv, output=said)
        return self.process

    def await_home(self):
        self.await_(self.here.exists)

    def await_(self, condition, within_s=120):
        deadline = time.monotonic() + within_s
        while not condition():
            assert self.process is None or self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.05)

    def end(self):
        """Open the gate and wait for the end; its exit code."""
        self.gate.touch()
        return self.process.wait(timeout=180)

    def state(self, key):
        text = self.lent.session.object(self.lent.bucket, key)
        return None if text is None else json.loads(text)

    def resources(self, key):
        return {one["name"] for one in (self.state(key) or {"resources": []})["resources"]}

    def locks(self):
        return [key for key in self.lent.session.keys(self.lent.bucket, "") if key.endswith(".tflock")]

    def runs(self):
        return sorted((self.lent.path / ".ngp/runs").glob("*-apply-dev-*"))

    def record(self):
        return record.load(self.runs()[0])

    def left(self):
        """What must be gone when every state is at its place."""
        names = ("tree", "unsaved", "complete-*.tfstate")
        return [*self.locks(), *(path for name in names for path in self.lent.path.glob(f".ngp/runs/*/{name}"))]

    def terraforms(self):
        """What Terraform runs for this platform, by pid."""
        found = []
        for one in Path("/proc").iterdir():
            with suppress(OSError):
                is_terraform = one.name.isdigit() and (one / "exe").readlink().name.startswith("terraform")
                if is_terraform and (one / "cwd").readlink().is_relative_to(self.lent.path):
                    found.append(int(one.name))
        return found

    def providers(self, endpoint):
        """The providers that are told of this endpoint, by pid."""
        found = []
        for one in Path("/proc").iterdir():
            with suppress(OSError):
                is_provider = one.name.isdigit() and (one / "exe").readlink().name.startswith("terraform-provider-")
                if is_provider and endpoint.encode() in (one / "environ").read_bytes():
                    found.append(int(one.name))
        return found
