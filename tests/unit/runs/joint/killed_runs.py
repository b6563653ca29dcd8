"""What a killed joint run of the units `a` and `b` leaves: its record, its joint state, its locks in S3."""

import json
import threading
from pathlib import Path
from types import SimpleNamespace

from ngp.runs.joint import record
from ngp.runs.joint.record import JointRecord, JointStage, UnitRecord
from ngp.state import storing
from ngp.workspace import Workspace
from tests.doubles.buckets import Bucket

RUN = "20261129-100000-apply-dev-abcd"
KEYS = {name: f"environments/dev/{name}.tfstate" for name in "ab"}
LOCKS = {name: f"{key}.tflock" for name, key in KEYS.items()}
THEIRS = json.dumps({"ID": "theirs", "Who": "ann@host", "Operation": "OperationTypePlan", "Created": "today"})


def resource(unit, name, id_="1"):
    instance = {"schema_version": 0, "attributes": {"id": id_}}
    return {"module": f"module.{unit}", "mode": "managed", "type": "t", "name": name, "instances": [instance]}


def state(lineage, serial, *resources, outputs=None):
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.14.0",
            "serial": serial,
            "lineage": lineage,
            "outputs": outputs or {},
            "resources": list(resources),
            "check_results": None,
        }
    )


class KilledRun:
    """`a` had a state with `old` and the output `gone`, `b` had none; the killed apply made `new` in both."""

    def __init__(self, path):
        self.bucket, self.notes = Bucket(), []
        self.workspace = Workspace(path / ".ngp")
        self.folder = self.workspace.runs / RUN
        (self.folder / "tree/root").mkdir(parents=True)
        gone = {"gone": {"value": "0", "type": "string"}}
        self.bucket.objects[KEYS["a"]] = state("line-a", 5, resource("a", "old"), outputs=gone)
        made = [resource("a", "old"), resource("a", "new"), resource("b", "new")]
        self.joint = self.folder / "tree/root/terraform.tfstate"
        self.joint.write_text(state("ours", 4, *made, outputs={"a__id": {"value": "1", "type": "string"}}))
        for name, key in LOCKS.items():
            self.bucket.objects[key] = json.dumps({"ID": f"lock-{name}"})
        self.units = {"a": self._unit("a", 5, self.bucket.etag(KEYS["a"])), "b": self._unit("b", 0, storing.ABSENT)}
        self.keep()

    def _unit(self, name, serial, version):
        return UnitRecord("bucket", KEYS[name], "eu", "", f"line-{name}", serial, version, f"lock-{name}")

    def keep(self, stage=JointStage.APPLYING, **more):
        made = JointRecord(RUN, "apply", "dev", stage, "ours", "123456789012", self.units, root="tree/root", **more)
        record.save(self.folder, made)

    @property
    def record(self):
        return record.load(self.folder)

    def context(self, *accepted, folder=Path("/another/run")):
        return SimpleNamespace(
            resolved=SimpleNamespace(platform=SimpleNamespace(workspace=self.workspace)),
            name="dev",
            folder=folder,
            access=SimpleNamespace(session=self.bucket),
            terraform=SimpleNamespace(binary=SimpleNamespace(version="1.14.0")),
            request=SimpleNamespace(accepts_lost=accepted, options=SimpleNamespace(lock_timeout="")),
            stop=threading.Event(),
            emit=lambda note: self.notes.append(note.text),
            data=lambda *_: self.folder / "data",
        )

    def stored(self, name):
        """The state of a unit: lineage, serial, names of its resources, outputs; None if there is none."""
        if KEYS[name] not in self.bucket.objects:
            return None
        found = json.loads(self.bucket.objects[KEYS[name]])
        names = sorted(one["name"] for one in found["resources"])
        return found["lineage"], found["serial"], names, sorted(found["outputs"])

    @property
    def locks(self):
        return sorted(name for name, key in LOCKS.items() if key in self.bucket.objects)
