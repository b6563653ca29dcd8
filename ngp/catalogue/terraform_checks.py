"""Checks modules with Terraform: formatting, `validate`, tests, and whether their validations accept the dummies."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ngp import files
from ngp.catalogue import hcl
from ngp.catalogue.rules.source import Fault, ModuleSource
from ngp.errors import NgpError
from ngp.terraform import lockfile
from ngp.terraform.driver import Root, Terraform
from ngp.terraform.events import Diagnostic

# Names that the rule for names accepts and refuses.
_NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pre_tag": (("abc", "ngp-demo", "A1-b2-C3d4e5"), ("ab", "abcdefghijklm", "-abc", "abc-", "aws-x", "a_b", "")),
    "post_tag": (("abc", "one", "a-1bcd"), ("ab", "abcdefg", "-abc", "abc-", "awsx", "a.b", "")),
}


@dataclass(frozen=True)
class TerraformChecker:
    """Checks modules with Terraform. `lock` is the master lock file; without it, providers are not pinned.

    Works on copies in its own folders, so that the module's folder is unchanged.
    """

    terraform: Terraform
    lock: Path | None = None
    with_tests: bool = True

    @property
    def is_stopped(self) -> bool:
        """Whether its Terraform was stopped."""
        return self.terraform.stop is not None and self.terraform.stop.is_set()

    def judge(self, source: ModuleSource) -> Iterator[Fault]:
        """Return the faults that Terraform finds."""
        with tempfile.TemporaryDirectory(prefix="ngp-check-") as folder:
            root = self._copy(source, Path(folder))
            is_ours = source.module.manifest.source is None
            if is_ours:
                yield from self._formatting(source, root)
                yield from self._naming(source, Path(folder) / "empty")
            initialised = self.terraform.init(root, backend=False)
            if not initialised.is_ok:
                yield from _faults(source, "init", initialised.diagnostics, root)
                return
            validated = self.terraform.validate(root)
            yield from _faults(source, "validate", validated.diagnostics, root)
            if validated.is_ok and self.with_tests and is_ours:
                yield from self._tests(source, root)

    def _formatting(self, source: ModuleSource, root: Root) -> Iterator[Fault]:
        for name in self.terraform.unformatted(root):
            path = source.module.path / name
            yield from self._difference(source, root, path)
        dummy = source.module.path / f"{source.module.name}.dummy"
        if dummy.is_file():
            yield from self._difference(source, root, dummy)

    def _difference(self, source: ModuleSource, root: Root, path: Path) -> Iterator[Fault]:
        text = path.read_text(encoding="utf-8")
        try:
            wanted = self.terraform.format(root, text)
        except NgpError as error:
            yield source.fault("format", "terraform fmt cannot read this", str(path), why=error.findings[0].what)
            return
        pairs = zip(text.splitlines(), [*wanted.splitlines(), ""], strict=False)
        line = next((number for number, (is_, should) in enumerate(pairs, 1) if is_ != should), None)
        if text != wanted:
            todo = f"terraform fmt {path}" if path.suffix != ".dummy" else "align it as terraform fmt does"
            where = f"{path}:{line or len(wanted.splitlines())}"
            yield source.fault("format", "this is not formatted as terraform fmt does", where, todo=todo)

    def _naming(self, source: ModuleSource, folder: Path) -> Iterator[Fault]:
        folder.mkdir()
        for name, (good, bad) in _NAMES.items():
            conditions = _conditions(source, name)
            if not conditions:
                continue  # the rule common-inputs reports this
            together = " && ".join(f"({condition})" for condition in conditions)
            expression = f"[for v in {hcl.render([*good, *bad])} : try({together}, false)]"
            try:
                answers = self.terraform.evaluate(Root(folder, folder / "data"), expression)
            except NgpError:
                continue  # it depends on other inputs too: only its author knows valid values
            wrong = [
                f"`{each}`" for each, answer in zip((*good, *bad), answers, strict=True) if answer != (each in good)
            ]
            if wrong:
                why = "3 to 12 (pre_tag) or 3 to 6 (post_tag) letters, digits, dashes; no dash at the ends, not aws…"
                what = f"the validation of `{name}` is wrong about {', '.join(wrong)}"
                yield source.fault("naming", what, str(source.module.variables[name].place), why=why)

    def _tests(self, source: ModuleSource, root: Root) -> Iterator[Fault]:
        if not any(root.path.glob("tests/*.tftest.hcl")):
            where = str(source.module.path)
            yield source.fault(
                "tests", "the module has no tests", where, todo=f"write tests/{source.module.name}.tftest.hcl"
            )
            return
        tested = self.terraform.test(root)
        yield from _faults(source, "tests", tested.diagnostics, root)
        if not tested.is_ok and not tested.errors:
            yield source.fault("tests", "terraform test failed", str(source.module.path / "tests"))

    def _copy(self, source: ModuleSource, folder: Path) -> Root:
        path = source.module.path
        copy = folder / path.name
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns(".terraform", lockfile.NAME))
        if self.lock and self.lock.is_file():
            wanted = {lockfile.address(each) for each in source.providers}
            locked = [
                one for one in lockfile.load(self.lock) if one.address in wanted
            ]  # a read-only lock holds no more
            files.write(copy / lockfile.NAME, lockfile.render(locked))
            lockfile.readdress(copy / lockfile.NAME, self.terraform.binary.registry)
        return Root(copy, folder / "data")


def _conditions(source: ModuleSource, name: str) -> list[str]:
    """The conditions of a variable's validations on one line each, with `v` in place of the variable."""
    found = []
    for block in source.of("variable"):
        if block.labels == (name,):
            for rule in block.body.of("validation"):
                condition = rule.body.attributes.get("condition")
                text = condition.text if condition else "false"
                found.append(re.sub(rf"\bvar\.{name}\b", "v", " ".join(text.split("\n"))))
    return found


def _faults(source: ModuleSource, rule: str, diagnostics: tuple[Diagnostic, ...], root: Root) -> Iterator[Fault]:
    for one in diagnostics:
        if one.severity == "error":
            place = one.place.removeprefix(f"{root.path}/")
            where = str(source.module.path / place) if place else one.address or str(source.module.path)
            yield source.fault(rule, one.summary, where, why=one.detail)
