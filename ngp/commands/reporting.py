"""Shared by commands with reports: the option, the check before a run, and the writing after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.commands.options import Context
from ngp.errors import Failure, MissingError, NgpError, RefusedError, UsageError
from ngp.views import findings, terminal

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.policies.verdict import Verdict
    from ngp.reports.making import RunFacts
    from ngp.reports.report import BundleFact, Report
    from ngp.review.affected import Affected
    from ngp.runs.bundle.statement import Statement
    from ngp.runs.context import RunContext
    from ngp.runs.results import RunResult, Verb

Judge = Callable[["RunResult"], "Verdict"]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="write a report; the extension selects the format: .html for people, .md, .json, .xml (JUnit); repeatable",
    ),
]


@dataclass
class ReportRequest:
    """The requested reports, and facts that are known while the run is open."""

    paths: tuple[Path, ...]
    facts: RunFacts | None = field(default=None, init=False)
    platform: Path | None = field(default=None, init=False)
    bundle: BundleFact | None = field(default=None, init=False)
    judge_with: Judge | None = field(default=None, init=False)
    policy: Verdict | None = field(default=None, init=False)

    @contextmanager
    def covering(self, context: Context, verb: Verb, environment: str) -> Iterator[None]:
        """Write the reports of a run that an error ends: a guard, a lock, an interruption.

        Wrong input (64) and a missing prerequisite (69) end it before it begins, and are not reported.
        """
        try:
            yield
        except Failure as error:
            if self.paths and error.exit_code not in (UsageError.exit_code, MissingError.exit_code):
                from ngp.reports import making

                self.put(context, making.of_failure(verb, environment, error), error.exit_code)
            raise

    def prepare(self, resolved: Resolved, commit: str | None = None) -> None:
        """Compile the policies that a reported plan is held to; with a commit those that hold there.

        Raises UsageError (64) or MissingError (69).
        """
        if self.paths:
            from ngp.policies import checking

            policies = checking.prepare(resolved) if commit is None else checking.prepare_at(resolved, commit)
            self.judge_with = lambda result: checking.check(resolved, result, policies)

    def judge(self, context: Context, result: RunResult, exit_code: int) -> int:
        """Check a plan against the policies and print denials; return the exit code, which is 3 then."""
        if self.judge_with is None:
            return exit_code
        self.policy = self.judge_with(result)
        for one in self.policy.violations:
            terminal.say(context.settings, findings.block(one.finding, word=one.severity.value), always=True)
        return refused(self.policy, exit_code)

    def observe(self, run: RunContext, affected: Affected | None = None) -> None:
        """Note what only an open run knows: its secrets, its journal and its Terraform."""
        if not self.paths:
            return
        from ngp.reports import making, timeline

        self.platform = run.resolved.platform.path
        affected = affected or _affected(run.resolved)
        started = timeline.started(run.folder / "journal.jsonl", run.request.verb)
        self.facts = replace(making.facts(run, affected), started=started)

    def name_bundle(self, path: Path, digest: str, statement: Statement) -> None:
        """Note the bundle that holds the plan."""
        if self.paths:
            from ngp.reports.report import BundleFact

            self.bundle = BundleFact(str(path), digest, statement.expires.isoformat())

    def note(self, resolved: Resolved) -> None:
        """Note the environment of a command that runs nothing."""
        if self.paths and self.facts is None:
            from ngp.reports import making

            self.platform, self.facts = resolved.platform.path, making.RunFacts(resolved)

    def write(self, context: Context, result: RunResult, exit_code: int) -> int:
        """Write the reports of a run; return the exit code, at least 1 if one cannot be written."""
        if not self.paths:
            return exit_code
        return self.put(context, self.make(result, exit_code), exit_code)

    def make(self, result: RunResult, exit_code: int) -> Report:
        """Return the report of a run."""
        from ngp.reports import causes, making
        from ngp.review import baseline

        known = replace(self.facts or making.RunFacts(), bundle=self.bundle, policy=self.policy)
        if known.resolved is not None:
            known = replace(
                known, causes=causes.Finder(known.resolved, baseline.find(known.resolved.platform)).of_run(result)
            )
        return making.of_run(result, known, exit_code=exit_code)

    def put(self, context: Context, made: Report, exit_code: int = 0) -> int:
        """Write a report that is made already."""
        from ngp.reports import files

        try:
            files.write(made, self.paths, self.platform)
        except NgpError as error:  # the run is over, and what became of it counts
            terminal.say(context.settings, f"error: {error}", style="red", always=True)
            return exit_code or 1
        terminal.say(context.settings, f"wrote {', '.join(path.name for path in self.paths)}")
        return exit_code


def require(context: Context, names: Sequence[str] | None) -> ReportRequest:
    """Return the reports that are asked for. Raises UsageError (64) for a file that cannot be written."""
    if not names:
        return ReportRequest(())
    from ngp.reports import files

    return ReportRequest(files.require_writable(names, context.cwd))


def refused(verdict: Verdict, exit_code: int) -> int:
    """Return the exit code of a run with a verdict: 3 for a denial, unless something worse has happened."""
    return int(RefusedError.exit_code) if verdict.denials and exit_code in (0, 2) else exit_code


def _affected(resolved: Resolved) -> Affected | None:
    """What Git says has changed since the default branch, None where it cannot say."""
    from ngp.review import narrowing

    try:
        return narrowing.collect(resolved.platform, [resolved], "")
    except NgpError:
        return None
