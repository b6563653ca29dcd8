import os
from dataclasses import dataclass

import pytest

from tests.harness import Ngp
from tests.integration.packages import machines
from tests.integration.packages.machines import WEB
from tests.prerequisites import missing

HOST = """\
  {name}:
    environment: lab
    cluster: web
    address: {address}
    port: {port}
    user: root
    packages: [shop]
    host_keys: ["{host_key}"]
"""


@dataclass(frozen=True)
class Lab:
    """A platform whose hosts.yaml names the machines. `run` runs ngp in it, `look` a script in a machine."""

    ngp: Ngp
    real: machines.Machines
    home: object

    @property
    def folder(self):
        return self.ngp.cwd

    def run(self, *words, **env):
        return self.ngp.run(*words, env={"HOME": str(self.home), "SSH_AUTH_SOCK": "", **env})

    def look(self, name, script):
        return self.real.look(WEB[name], script)


@pytest.fixture(autouse=True)
def own_sandbox():
    """No sandbox runs in these platforms: their machines are those of hosts.yaml."""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    lacks = machines.missing()
    if lacks:
        missing(f"{lacks} (for machines with a real sshd and apt)")
    folder = tmp_path_factory.mktemp("machines")
    script = "test ! -e /srv/refuses"
    machines.publish(folder / "repository", [("shop", "1.0-1", script), ("shop", "1.1-1", script)])
    made = machines.Machines(folder, tuple(WEB.values()))
    try:
        made.start(folder / "repository")
        yield made
    finally:
        made.stop()


@pytest.fixture
def lab(real, tmp_path):
    home, platform = tmp_path / "home", tmp_path / "platform"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    (home / ".ssh" / "config").write_text(f"IdentityFile {real.folder}/own\nIdentitiesOnly yes\n")
    platform.mkdir()
    (platform / "ngp.yaml").write_text("name: shop\n")
    entries = [HOST.format(name=name, address=WEB[name], port=real.port, host_key=real.host_key) for name in WEB]
    (platform / "hosts.yaml").write_text("hosts:\n" + "".join(entries))
    assert os.geteuid() == 0
    return Lab(Ngp(platform), real, home)
