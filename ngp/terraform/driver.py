"""Runs Terraform's commands: takes a root and options, returns a result, and emits events meanwhile."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ngp import processes, supervised
from ngp.errors import MissingError, NgpError, StoppedError
from ngp.terraform import commands, documents, events, fingerprints, plans, rescue, states
from ngp.terraform.attempts import Attempt, Attempts, Go
from ngp.terraform.binary import Binary
from ngp.terraform.commands import ApplyOptions, Argv, InitOptions, PlanOptions
from ngp.terraform.events import Event
from ngp.terraform.results import Result, as_diagnostic, lock_holder
from ngp.terraform.streams import Stream

CONSOLE_LINE = 60_000  # Terraform reads its console's input by lines of at most 64 KiB
# A stopped apply ends the calls under way and writes its state; killing it sooner would lose what it made. The
# operator's second Ctrl-C is `supervised.hurry`.
_APPLY_GRACE_S = 600.0
_RESERVE = 4 << 20  # for the output of an apply: on a full disk the state itself
_FULL = "Terraform could not write its state, so nothing was begun"
_PLAN, _APPLY = PlanOptions(), ApplyOptions()
_NOTHING = processes.ProcessResult(0, "", "", 0.0)
_STOPPED = processes.ProcessResult(1, "", "", 0.0, stopped=True)
# starts providers; init gets their addresses so that it installs none
SERVED = frozenset({"init", "validate", "plan", "apply", "show", "console", "test"})
# changes nothing, or undoes it when stopped (tests): need not outlive a killed ngp
_TIED = SERVED - {"apply"} | {"output", "fmt", "providers", "version"}


@dataclass(frozen=True)
class Root:
    """A Terraform root and the folder (TF_DATA_DIR) of its init. Only one process at a time may use `data`.

    `cwd` is the value of `path.cwd` if it is not `path`: a copy uses the folder of its original.
    """

    path: Path
    data: Path
    cwd: Path | None = None


@dataclass(frozen=True)
class Watch:
    """Observers of a call.

    `on_event` is called from another thread, in order. Every line of both streams is appended to `log`, with secrets
    redacted. `unit` identifies the call if ngp is killed.
    """

    on_event: Callable[[Event], None] | None = None
    log: Path | None = None
    unit: str = ""


_QUIET = Watch()


@dataclass(frozen=True)
class Terraform:
    """A binary and the environment of its children (from `child_environ.build`).

    `plugin_folder` is a provider mirror (from `mirror.find`) that holds what the lock file names; None leaves
    Terraform to find its providers. `serving` is the way to providers that run already (from `serving.open_serving`).
    A set `stop` ends every call gracefully (one SIGINT, a wait) and lets no further call start.
    `calls` is the private folder that holds the output of calls under way (`supervised.SupervisedCall`).

    Calls that stream return a Result, also for a failure. Calls that read (show_plan, output, console, …) return the
    value, and raise NgpError with Terraform's own words, or StoppedError where `stop` ended them.
    """

    binary: Binary
    environ: Mapping[str, str]
    plugin_folder: Path | None = None
    serving: Attempts | None = None
    stop: threading.Event | None = None
    calls: Path | None = None

    def init(self, root: Root, *, backend: bool = True, watch: Watch = _QUIET) -> Result:
        """Initialise `root`, or skip it (`skipped`) if nothing that init reads has changed.

        A lock file in the root is used read-only, so providers must be those that it names.
        """
        about = (*self.binary.argv, self.binary.version, "served" if self._is_served else str(self.plugin_folder or ""))
        fingerprint = fingerprints.compute(root.path, about=about)
        if fingerprints.is_current(root.data, fingerprint, backend=backend, root=root.path):
            return Result(0, skipped=True)
        options = InitOptions(backend, self.plugin_folder, (root.path / ".terraform.lock.hcl").is_file())
        result = self._stream(root, commands.init(self.binary.argv, options), watch=watch)
        if result.is_ok:
            fingerprints.save(root.data, fingerprint, backend=backend)
        return result

    def validate(self, root: Root, *, watch: Watch = _QUIET) -> Result:
        """Validate an initialised root; the findings are its diagnostics."""
        outcome = self._outcome(root, commands.validate(self.binary.argv), watch=watch)
        try:
            found = tuple(events.diagnostic(one) for one in documents.parse(outcome.stdout)["diagnostics"])
        except (ValueError, KeyError, TypeError):
            found = () if outcome.stopped else (as_diagnostic(outcome.stdout + outcome.stderr, outcome.exit_code),)
        for diagnostic in found if watch.on_event else ():
            watch.on_event(diagnostic)  # type: ignore[misc]  # exists: see the line above
        return Result(outcome.exit_code, found, outcome.stopped, outcome.timed_out, outcome.duration_s)

    def plan(
        self,
        root: Root,
        options: PlanOptions = _PLAN,
        *,
        secrets: Mapping[str, str] | None = None,
        watch: Watch = _QUIET,
    ) -> Result:
        """Plan the root. `has_changes` says whether there is something to apply, including outputs."""
        argv = commands.plan(self.binary.argv, replace(options, detailed_exitcode=True))
        result = self._stream(root, argv, secrets=secrets, watch=watch)
        return replace(result, exit_code=0, has_changes=True) if result.exit_code == 2 else result

    def apply(
        self,
        root: Root,
        plan_file: Path,
        options: ApplyOptions = _APPLY,
        *,
        secrets: Mapping[str, str] | None = None,
        watch: Watch = _QUIET,
    ) -> Result:
        """Apply a saved plan. `secrets` must contain its ephemeral values again."""
        argv = commands.apply(self.binary.argv, plan_file, options)
        result = self._stream(root, argv, secrets=secrets, watch=watch)
        return replace(result, errored_state=rescue.save(root.path, result.dumped), dumped="")

    def test(self, root: Root, *, filters: Sequence[str] = (), folder: str = "", watch: Watch = _QUIET) -> Result:
        """Run the root's Terraform tests; their events are UnknownEvents (``test_run``, ``test_summary``, …)."""
        argv = commands.run_tests(self.binary.argv, filters=filters, folder=folder)
        return self._stream(root, argv, watch=watch)

    def show_plan(self, root: Root, plan_file: Path, *, watch: Watch = _QUIET) -> plans.Plan:
        """Read a saved plan with sensitive leaves masked. Raises RefusedError (3) for changes of an unknown kind."""
        plan = plans.parse(self._json(root, commands.show(self.binary.argv, plan_file), watch))
        plans.require_known(plan)
        return plan

    def output(self, root: Root, *, watch: Watch = _QUIET) -> dict[str, states.StateOutput]:
        """Read the outputs of the root's state through Terraform, for backends that ngp cannot read."""
        return states.outputs(self._json(root, commands.output(self.binary.argv), watch))

    def console(self, root: Root, expression: str, *, var_files: Sequence[Path] = (), watch: Watch = _QUIET) -> str:
        """Evaluate one expression (one line) in the root's state and values; return Terraform's text."""
        if "\n" in expression or len(expression.encode()) > CONSOLE_LINE:
            # tried: of several lines only the last is answered, of a longer one nothing
            raise ValueError(f"the console reads one line of at most {CONSOLE_LINE} bytes")
        argv = commands.console(self.binary.argv, var_files)
        return self._text(root, argv, watch=watch, stdin=f"{expression}\n")

    def evaluate(self, root: Root, expression: str, *, var_files: Sequence[Path] = ()) -> Any:
        """Evaluate an expression to plain data: objects, lists, strings, ints, and Decimals for other numbers."""
        text = self.console(root, f"base64encode(jsonencode({expression}))", var_files=var_files)
        try:
            return documents.parse(base64.b64decode(text.strip().strip('"'), validate=True).decode())
        except ValueError as error:
            raise NgpError(f"`{expression}` has no value that can be shown: {text.strip()}") from error

    def providers_lock(
        self, root: Root, platforms: Sequence[str], *, mirror: Path | None = None, watch: Watch = _QUIET
    ) -> None:
        """Renew the root's lock file for these platforms, from the registry or only from `mirror`."""
        self._text(root, commands.providers_lock(self.binary.argv, platforms, mirror=mirror), watch=watch)

    def format(self, root: Root, text: str) -> str:
        """Return `text` formatted by ``terraform fmt``. Raises NgpError if it is not HCL."""
        return self._text(root, commands.fmt(self.binary.argv, ["-"]), watch=_QUIET, stdin=text)

    def unformatted(self, root: Root) -> list[str]:
        """Return the files in and below the root, relative to it, that ``terraform fmt`` would change."""
        argv = commands.fmt(self.binary.argv, ["."], check=True, recursive=True)
        outcome = self._outcome(root, argv, watch=_QUIET)
        if outcome.stopped:
            raise StoppedError
        if outcome.exit_code not in (0, 3):
            raise self._failure(argv, outcome)
        return outcome.stdout.splitlines()

    @property
    def _is_served(self) -> bool:
        return self.serving is not None and self.serving.is_open

    def _stream(self, root: Root, argv: Argv, *, secrets: Mapping[str, str] | None = None, watch: Watch) -> Result:
        stream, outcome = Stream(None, None), _NOTHING
        variables = {f"TF_VAR_{name}": value for name, value in (secrets or {}).items()}

        def go(attempt: Attempt) -> str:
            nonlocal stream, outcome
            # output of an attempt that may be repeated is shown only once it is final
            stream = Stream(watch.on_event, watch.log, secrets=(secrets or {}).values(), hold=not attempt.is_last)
            with stream:
                outcome = self._run(root, argv, {**variables, **attempt.environ}, stream=stream, unit=watch.unit)
            return "" if outcome.exit_code in (0, 2) or outcome.stopped else stream.complaint

        self._serve(root, argv, watch, go)
        stream.release()
        found = stream.diagnostics
        failed = outcome.exit_code not in (0, 2) and not outcome.stopped
        if failed and not any(one.severity == "error" for one in found):
            found = (*found, as_diagnostic(stream.talk, outcome.exit_code))
        return Result(
            exit_code=outcome.exit_code,
            diagnostics=found,
            stopped=outcome.stopped,
            timed_out=outcome.timed_out,
            duration_s=outcome.duration_s,
            summary=stream.summary,
            lock_holder=lock_holder(found),
            dumped=stream.dumped,
        )

    def _json(self, root: Root, argv: Argv, watch: Watch) -> Any:
        text = self._text(root, argv, watch=watch)
        try:
            return documents.parse(text)
        except ValueError as error:
            raise NgpError(f"`{self._error_text(argv)}` did not print JSON: {error}") from error

    def _text(self, root: Root, argv: Argv, *, watch: Watch, stdin: str = "") -> str:
        outcome = self._outcome(root, argv, watch=watch, stdin=stdin)
        if outcome.stopped:
            raise StoppedError
        if outcome.exit_code != 0:
            raise self._failure(argv, outcome)
        return outcome.stdout

    def _outcome(self, root: Root, argv: Argv, *, watch: Watch, stdin: str = "") -> processes.ProcessResult:
        outcome = _NOTHING

        def go(attempt: Attempt) -> str:
            nonlocal outcome
            outcome = self._run(root, argv, attempt.environ, stdin=stdin)
            return "" if outcome.exit_code == 0 or outcome.stopped else outcome.stdout + outcome.stderr

        self._serve(root, argv, watch, go)
        return outcome

    def _serve(self, root: Root, argv: Argv, watch: Watch, go: Go) -> None:
        """Run Terraform with `go`, with running providers if possible, else without."""
        verb = argv[len(self.binary.argv)]
        if self.serving is None or verb not in SERVED or not self.serving.is_open:
            go(Attempt())
        elif not self.serving.run(root.path, root.data, verb, go, calls=self.calls):
            backend = fingerprints.had_backend(root.data)  # its init installed nothing
            plainly = replace(self, serving=None)
            ready = plainly.init(root, backend=backend, watch=Watch(log=watch.log))
            ready.require_prerequisites()
            go(Attempt())

    def _failure(self, argv: Argv, outcome: processes.ProcessResult) -> NgpError:
        first = as_diagnostic(outcome.stderr or outcome.stdout, outcome.exit_code)
        return NgpError(f"`{self._error_text(argv)}` failed: {first.summary.removeprefix('Error: ')}", why=first.detail)

    def _error_text(self, argv: Argv) -> str:
        return f"{self.binary.flavour} {argv[len(self.binary.argv)]}"

    def _run(
        self,
        root: Root,
        argv: Argv,
        given: Mapping[str, str],
        *,
        stdin: str = "",
        stream: Stream | None = None,
        unit: str = "",
    ) -> processes.ProcessResult:
        if self.stop is not None and self.stop.is_set():
            return _STOPPED
        verb = argv[len(self.binary.argv)]
        folder = root.cwd or self.binary.working_folder(root.path)
        if folder is not None:
            argv = (*self.binary.argv, f"-chdir={root.path}", *argv[len(self.binary.argv) :])
        grace_s = _APPLY_GRACE_S if verb == "apply" else processes.GRACE_S
        environ = {**self.environ, "TF_DATA_DIR": str(root.data), **given}
        try:
            return supervised.run(
                processes.ProcessRequest(argv, folder or root.path, environ, grace_s=grace_s, stdin=stdin),
                supervised.SupervisedCall(
                    self.calls, f"{verb} {unit}".strip(), tied=verb in _TIED, reserve=_RESERVE if verb == "apply" else 0
                ),
                on_stdout=stream.take if stream else None,
                on_stderr=stream.take_error if stream else None,
                stop=self.stop,
            )
        except supervised.NoRoomError as error:
            raise NgpError("the disk is full", where=str(error), why=_FULL, todo="free some disk space") from error
        except FileNotFoundError as error:
            raise MissingError(f"`{error.filename}` does not exist", where=str(root.path)) from error
