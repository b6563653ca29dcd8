"""All modules of this repository before Terraform: formatted, valid, their own tests pass; and what machines boot with.

The tests of a module that starts machines get one more run in a copy: it fails, and tells the user data in its message.
"""

import base64
import email
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.prerequisites import CLOUD_INIT

ROOT = Path(__file__).parents[2]
# What holds a module's user data, and a word of the run that is repeated
BOOTING = {
    "dcos": ("user_data", "user_data"),
    "elk": ("collector_user_data", "collector_user_data"),
    "monitoring": ("user_data", "user_data"),
    "network": ("manager_user_data", "create_manager"),
    "openvpn": ("user_data", "the_longest_boot_script"),
    "swarm": ("user_data", "user_data_fits"),
}
TOLD = re.compile(r"USER-DATA (\S+)")
pytestmark = [pytest.mark.integration, pytest.mark.terraform, pytest.mark.slow]


@pytest.fixture(scope="module")
def checked(tmp_path_factory, ngp_in):
    """What `ngp module check` finds in all modules, and the user data by module."""
    path = tmp_path_factory.mktemp("catalogue")
    shutil.copytree(ROOT / "modules", path / "modules", ignore=shutil.ignore_patterns(".terraform*"))
    shutil.copy(ROOT / ".terraform.lock.hcl", path)
    (path / "ngp.yaml").write_text("name: catalogue\n")
    for name, (local, word) in BOOTING.items():
        tests = path / "modules" / name / "tests" / f"{name}.tftest.hcl"
        runs = [f"run {each}" for each in re.split(r"(?m)^run (?=\")", tests.read_text())[1:]]
        run = re.sub(
            r'run "\w+" \{', 'run "tells_its_user_data" {', next(each for each in runs if word in each), count=1
        )
        run = re.split(r"\n  assert \{", run)[0]
        message = f'"USER-DATA ${{base64encode(jsonencode(local.{local}))}}"'
        more = (
            f"\n  assert {{\n    condition     = length(local.{local}) < 0\n    error_message = {message}\n  }}\n}}\n"
        )
        tests.write_text(f"{tests.read_text()}\n{run.rstrip()}\n{more}")
    faults = ngp_in(path).call("module", "check", "--json").document["findings"]
    told = {fault["module"]: TOLD.search(fault["why"] or "") for fault in faults if "USER-DATA" in (fault["why"] or "")}
    return (
        [fault for fault in faults if "USER-DATA" not in (fault["why"] or "")],
        {name: json.loads(base64.b64decode(found[1])) for name, found in told.items()},
    )


def test_every_module_passes_its_own_tests(checked):
    assert checked[0] == []


@pytest.mark.cloud_init
@pytest.mark.parametrize("name", BOOTING)
def test_cloud_init_takes_what_machines_boot_with(checked, name, tmp_path):
    said = checked[1][name]
    parts = [part for text in (said.values() if isinstance(said, dict) else [said]) for part in split(text)]
    configs = {shape(part): part for part in parts if part.startswith("#cloud-config\n")}
    scripts = [part for part in parts if part.startswith("#!")]
    assert len(configs) + len(scripts) > 0
    assert all(part.startswith(("#cloud-config\n", "#!")) for part in parts)
    for config in configs.values():
        file = tmp_path / "user-data"
        file.write_text(config)
        done = subprocess.run([CLOUD_INIT, "schema", "--config-file", file], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), config
    for script in scripts:
        words = [Path(sys.executable).parent / "shellcheck", "--exclude", "SC1091,SC2034,SC2329", "-"]
        assert subprocess.run(words, input=script, capture_output=True, text=True).stdout == ""


def test_every_module_that_starts_machines_is_looked_at():
    texts = {path: "".join(each.read_text() for each in path.glob("*.tf")) for path in (ROOT / "modules").iterdir()}
    assert sorted(path.name for path, text in texts.items() if "user_data" in text) == sorted(BOOTING)


def split(text):
    """The parts of mail; of anything else, the text."""
    if not text.startswith("Content-Type: multipart/"):
        return [text]
    return [part.get_payload().lstrip() for part in email.message_from_string(text).get_payload()]


def shape(config):
    """What of a configuration cloud-init looks at: all but what it writes into files."""
    data = yaml.safe_load(config)
    for file in data.get("write_files", []):
        file["content"] = ""
    return json.dumps(data)
