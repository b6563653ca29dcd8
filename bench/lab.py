"""The benchmark's workplace: folders, programs, the region, and the environment variables of its processes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench import api, platforms
from bench.api import Api
from bench.measuring import Command
from bench.platforms import Kind
from ngp import processes, shipped
from ngp.terraform import binary, lockfile, mirror

TERRAFORM, TOFU, TERRAGRUNT, TERRAMATE = "terraform", "tofu", "terragrunt", "terramate"
NGP = Path(sys.executable).with_name("ngp")
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_REGISTRIES = ("registry.terraform.io", "registry.opentofu.org")


@dataclass
class Lab:
    """A workplace. `folder` belongs to the benchmark and is deleted with it; nothing else is written. `programs` are on
    PATH."""

    folder: Path
    programs: Mapping[str, str]
    stack: ExitStack = field(default_factory=ExitStack)

    def has(self, *programs: str) -> bool:
        return all(name in self.programs for name in programs)

    @property
    def cache(self) -> Path:
        """The user's cache folder of ngp."""
        return self.folder / "cache" / "ngp"

    @cached_property
    def api(self) -> Api:
        """The region, started on first use."""
        started = api.start(self.folder / "api", os.environ)
        self.stack.callback(started.stop)
        started.warm_up()
        return started

    @cached_property
    def terraform(self) -> binary.Binary:
        """Terraform as ngp finds it."""
        return binary.find("terraform", "", self.plain, cwd=self.folder, cache=self.folder / "versions")

    @cached_property
    def mirror(self) -> Path:
        """The folder of provider packages on this machine, equal for all contestants."""
        lock = lockfile.load(shipped.lock_file())
        home = Path.home()
        places = mirror.Places({}, home, home / ".cache" / "ngp")
        found = mirror.provide(lock, self.terraform, places).folder
        assert found is not None
        return found

    @cached_property
    def plain(self) -> dict[str, str]:
        """Environment variables without those of the shell, except PATH."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        quiet = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "NO_COLOR": "1"}
        return {**kept, **quiet, "HOME": str(home), "XDG_CACHE_HOME": str(self.folder / "cache")}

    @cached_property
    def ours(self) -> dict[str, str]:
        """The environment variables of ngp, which finds the region itself."""
        return {**self.plain, "NGP_PROVIDER_MIRROR": str(self.mirror)}

    @cached_property
    def theirs(self) -> dict[str, str]:
        """The environment variables of the peers: the same packages, linked and not copied, and the same region."""
        held = self.folder / "mirror"
        for locked in lockfile.load(shipped.lock_file()):
            package = mirror.package(self.mirror, locked, self.terraform.platform)
            assert package is not None
            for registry in _REGISTRIES:  # OpenTofu asks its own
                link = held / registry / package.relative_to(self.mirror / _REGISTRIES[0])
                link.parent.mkdir(parents=True)
                link.symlink_to(package)
        configuration = self.folder / "terraform.rc"
        configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{held}"\n  }}\n}}\n')
        own = {"TF_CLI_CONFIG_FILE": str(configuration), "TG_TF_PATH": TERRAFORM, "TG_NON_INTERACTIVE": "true"}
        return {**self.plain, **own, **self.api.environ(self.plain)}

    def make(self, count: int, kinds: Iterable[Kind]) -> dict[Kind, Path]:
        """Make the platforms of `count` units, each a Git repository."""
        print(f"making platforms of {count} units", file=sys.stderr, flush=True)
        made = platforms.make(self.folder / f"{count}-units", count, kinds)
        for folder in made.values():
            platforms.commit(folder)
        return made

    def ngp(self, platform: Path, *words: str) -> Command:
        """Return a command line of ngp that needs no provider."""
        return self.peer(platform, str(NGP), *words)

    def peer(self, platform: Path, *words: str) -> Command:
        """Return a command line of a peer that needs no provider."""
        return Command(words, platform, self.plain, self.folder / "logs" / f"{Path(words[0]).name}.log")

    def says(self, *words: str) -> str:
        """Return the output of a command of ngp, "" if there is no such command."""
        done = processes.run(processes.ProcessRequest((str(NGP), *words), self.folder, self.plain))
        return done.stdout if done.exit_code == 0 else ""

    @cached_property
    def has_pool(self) -> bool:
        return bool(self.says("pool", "--help"))


@contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """Yield a lab in `folder`, which must be empty; the region stops with it."""
    names = (TERRAFORM, TOFU, TERRAGRUNT, TERRAMATE)
    programs = {name: path for name in names if (path := shutil.which(name))}
    with ExitStack() as stack:
        yield Lab(folder, programs, stack)


def forget(*folders: Path) -> None:
    """Delete folders with their contents."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
