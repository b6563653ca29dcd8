"""Terraform's command lines, built with python-terraform, which runs nothing here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import python_terraform
from python_terraform import IsFlagged

# its debug lines hold variables and outputs
logging.getLogger("python_terraform").disabled = True

Argv = tuple[str, ...]


@dataclass(frozen=True)
class InitOptions:
    backend: bool = True
    plugin_folder: Path | None = None
    readonly_lock: bool = True
    json: bool = True


@dataclass(frozen=True)
class PlanOptions:
    """Options of a plan. Values come from `var_files` only. `extra` are words that the operator gave after ``--``."""

    out: Path | None = None
    destroy: bool = False
    refresh: bool = True
    refresh_only: bool = False
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    var_files: tuple[Path, ...] = ()
    lock: bool = True
    lock_timeout: str = ""  # 30s
    parallelism: int = 0  # 0: Terraform's own (10)
    detailed_exitcode: bool = False
    extra: tuple[str, ...] = ()

    def words(self, *, leaving_out: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the options that shape the plan as words of a command line, without the targets of `leaving_out`."""
        return (
            *(f"-target={one}" for one in self.targets if one not in leaving_out),
            *(f"-replace={one}" for one in self.replace),
            *(() if self.refresh else ("-refresh=false",)),
            *(("--", *self.extra) if self.extra else ()),
        )


@dataclass(frozen=True)
class ApplyOptions:
    """Options for applying a saved plan, which contains targets and values itself."""

    lock: bool = True
    lock_timeout: str = ""
    parallelism: int = 0
    extra: tuple[str, ...] = ()


def init(prefix: Argv, options: InitOptions) -> Argv:
    # -reconfigure: the location follows from the environment's facts, and Terraform must never copy a state
    argv: Argv = _Words(prefix).init(
        backend=options.backend,
        reconfigure=IsFlagged if options.backend else None,
        json=_flag(options.json),
        lockfile="readonly" if options.readonly_lock else None,
        plugin_dir=options.plugin_folder,
    )
    return argv


def validate(prefix: Argv) -> Argv:
    return _Words(prefix).cmd("validate", json=IsFlagged, no_color=IsFlagged)


def plan(prefix: Argv, options: PlanOptions) -> Argv:
    argv: Argv = _Words(prefix).plan(
        options.extra,
        detailed_exitcode=_flag(options.detailed_exitcode),
        json=IsFlagged,
        out=options.out,
        destroy=_flag(options.destroy),
        refresh=None if options.refresh else False,
        refresh_only=_flag(options.refresh_only),
        target=list(options.targets),
        replace=list(options.replace),
        var_file=list(options.var_files),
        **_locking(options),
    )
    return argv


def apply(prefix: Argv, plan_file: Path, options: ApplyOptions) -> Argv:
    argv: Argv = _Words(prefix).apply((*options.extra, str(plan_file)), json=IsFlagged, **_locking(options))
    return argv


def show(prefix: Argv, plan_file: Path | None = None) -> Argv:
    words = [str(plan_file)] if plan_file else []
    return _Words(prefix).cmd("show", *words, json=IsFlagged, no_color=IsFlagged)


def output(prefix: Argv) -> Argv:
    return _Words(prefix).cmd("output", json=IsFlagged, no_color=IsFlagged)


def console(prefix: Argv, var_files: Sequence[Path] = ()) -> Argv:
    return _Words(prefix).cmd("console", var_file=list(var_files))


def providers_lock(
    prefix: Argv, platforms: Sequence[str], *, mirror: Path | None = None, providers: Sequence[str] = ()
) -> Argv:
    return _Words(prefix).cmd(
        "providers lock", *providers, no_color=IsFlagged, platform=list(platforms), fs_mirror=mirror
    )


def fmt(prefix: Argv, paths: Sequence[str], *, check: bool = False, recursive: bool = False) -> Argv:
    """Return the command line. `paths` are files or folders, or ``-`` for standard input."""
    return _Words(prefix).cmd("fmt", *paths, no_color=IsFlagged, check=_flag(check), recursive=_flag(recursive))


def version(prefix: Argv) -> Argv:
    return _Words(prefix).cmd("version", json=IsFlagged)


def run_tests(prefix: Argv, *, filters: Sequence[str] = (), folder: str = "", verbose: bool = False) -> Argv:
    return _Words(prefix).cmd(
        "test",
        json=IsFlagged,
        no_color=IsFlagged,
        filter=list(filters),
        test_directory=folder or None,
        verbose=_flag(verbose),
    )


class _Words(python_terraform.Terraform):  # type: ignore[misc]  # the library has no types
    """Builds words with python-terraform: it maps options to arguments, and cannot start a process."""

    def __init__(self, prefix: Argv) -> None:
        self._prefix = prefix
        super().__init__(terraform_bin_path=prefix[0])

    def cmd(self, cmd: str, *args: str, **options: Any) -> Argv:
        """Return the arguments instead of running them."""
        return tuple(self.generate_cmd_string(cmd, *args, **options))

    def generate_cmd_string(self, cmd: str, *args: str, **options: Any) -> list[str]:
        # the library's apply() adds it; a saved plan is applied without a question
        options.pop("auto-approve", None)
        if any(isinstance(value, dict) for value in options.values()):
            raise TypeError("values go by var file, never by option")
        return [*self._prefix, *super().generate_cmd_string(cmd, *args, **options)[1:]]

    def _generate_default_options(self, options: dict[str, Any]) -> dict[str, Any]:
        # the library's own add empty variables, which become a temporary file each time
        return {"no_color": IsFlagged, "input": False} | options

    def _generate_default_args(self, words: Any) -> list[str]:
        return list(words) if isinstance(words, tuple) else [words] if words else []

    def read_state_file(self, file_path: str | None = None) -> None:
        """Do nothing: the library would read a state in the working directory."""

    def __getattr__(self, item: str) -> Any:
        raise AttributeError(item)  # the library makes a command of every name


def _flag(on: bool) -> Any:  # noqa: FBT001  one value in, one out
    return IsFlagged if on else None


def _locking(options: PlanOptions | ApplyOptions) -> dict[str, Any]:
    return {
        "lock": None if options.lock else False,
        "lock_timeout": options.lock_timeout or None,
        "parallelism": options.parallelism or None,
    }
