"""The reports of a run: what is known while it is open, the verdict on its plan, and the files at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ngp.errors import Failure, Finding, MissingError, NgpError, UsageError
from ngp.policies.verdict import Verdict

if TYPE_CHECKING:
    from ngp.environments.resolving import Resolved
    from ngp.reports.making import RunFacts
    from ngp.reports.report import BundleFact, Report
    from ngp.review.affected import Affected
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.statement import Statement
    from ngp.runs.context import RunContext
    from ngp.runs.results import RunResult, Verb
    from ngp.settings import Settings

Judge = Callable[["RunResult"], Verdict]


@dataclass(frozen=True)
class WrittenReports:
    """The report files of a run; none if no report was requested, or if `error` says why they were not written."""

    paths: tuple[Path, ...] = ()
    error: NgpError | None = None

    def exit_code(self, code: int) -> int:
        """Return the exit code of a run that ended with `code`: at least 1 if a report could not be written."""
        return code or 1 if self.error else code


@dataclass
class ReportRequest:
    """The requested reports, and facts that are known while the run is open. Without `paths` it records nothing.

    `locate` leads the places of every report to where its readers look for them.
    """

    paths: tuple[Path, ...] = ()
    locate: Callable[[Report], Report] = field(default=lambda made: made, repr=False)
    facts: RunFacts | None = field(default=None, init=False)
    platform: Path | None = field(default=None, init=False)
    bundle: BundleFact | None = field(default=None, init=False)
    judge_with: Judge | None = field(default=None, init=False)
    policy: Verdict | None = field(default=None, init=False)

    def prepare(self, resolved: Resolved, commit: str | None = None) -> None:
        """Compile the policies for the reported plan, with a commit those of that commit.

        Raises UsageError (64) or MissingError (69).
        """
        if self.paths:
            from ngp.policies import checking

            policies = checking.prepare(resolved) if commit is None else checking.prepare_at(resolved, commit)
            self.judge_with = lambda result: checking.check(resolved, result, policies)

    def judge(self, result: RunResult) -> Verdict:
        """Check a plan against the policies, and keep the verdict; return an empty one if nothing was prepared."""
        if self.judge_with is None:
            return Verdict(())
        self.policy = self.judge_with(result)
        return self.policy

    @property
    def is_denied(self) -> bool:
        """Whether a policy denies the judged plan."""
        return self.policy is not None and bool(self.policy.denials)

    def observe(self, run: RunContext, affected: Affected | None = None, flags: tuple[Finding, ...] = ()) -> None:
        """Note what only an open run knows: its secrets, its journal and its Terraform.

        `flags` are changed files that reviewers must check.
        """
        if not self.paths:
            return
        from ngp.reports import making, timeline

        self.platform = run.resolved.platform.path
        affected = affected or _affected(run.resolved)
        started = timeline.started(run.folder / "journal.jsonl", run.request.verb)
        self.facts = replace(making.facts(run, affected), started=started, flags=flags)

    def name_bundle(self, path: Path, digest: str, statement: Statement) -> None:
        """Note the bundle that holds the plan."""
        if self.paths:
            from ngp.reports.report import BundleFact

            self.bundle = BundleFact(str(path), digest, statement.expires.isoformat())

    def show_bundle_as(self, name: str) -> None:
        """Name the file of the bundle as its readers find it; "" if nobody may apply it."""
        if self.bundle is not None:
            self.bundle = replace(self.bundle, file=name) if name else None

    def note(self, resolved: Resolved) -> None:
        """Note the environment of a command that runs nothing."""
        if self.paths and self.facts is None:
            from ngp.reports import making

            self.platform, self.facts = resolved.platform.path, making.RunFacts(resolved)

    def write(self, result: RunResult, exit_code: int) -> WrittenReports:
        """Write the reports of a run."""
        return self.put(self.make(result, exit_code)) if self.paths else WrittenReports()

    def write_failure(self, verb: Verb, environment: str, error: Failure) -> WrittenReports:
        """Write the reports of a run that an error ended: a guard, a lock, an interruption.

        Wrong input (64) and a missing prerequisite (69) end it before it begins, and are not reported.
        """
        if not self.paths or error.exit_code in (UsageError.exit_code, MissingError.exit_code):
            return WrittenReports()
        from ngp.reports import making

        return self.put(making.of_failure(verb, environment, error))

    def write_bundle(self, bundle: Bundle, result: RunResult, settings: Settings) -> WrittenReports:
        """Write the reports of the plan in a bundle, with what the platform here knows of it."""
        if not self.paths:
            return WrittenReports()
        from ngp.reports import making

        known = making.facts_of_bundle(bundle, result, settings.cwd, settings.environ)
        self.platform = known.resolved.platform.path if known.resolved else None
        return self.put(making.of_bundle(result, bundle, known))

    def make(self, result: RunResult, exit_code: int) -> Report:
        """Return the report of a run."""
        from ngp.reports import causes, making
        from ngp.review import baseline

        known = replace(self.facts or making.RunFacts(), bundle=self.bundle, policy=self.policy)
        if known.resolved is not None:
            finder = causes.Finder(known.resolved, baseline.find(known.resolved.platform))
            known = replace(known, causes=finder.of_run(result))
        return making.of_run(result, known, exit_code=exit_code)

    def put(self, made: Report) -> WrittenReports:
        """Write a report that is made already, with its places located. The run is over, so a failure is a value."""
        from ngp.reports import files

        try:
            files.write(self.locate(made), self.paths, self.platform)
        except NgpError as error:
            return WrittenReports(error=error)
        return WrittenReports(self.paths)


def _affected(resolved: Resolved) -> Affected | None:
    """What Git says has changed since the default branch, None where it cannot say."""
    from ngp.review import narrowing

    try:
        return narrowing.collect(resolved.platform, [resolved], "")
    except NgpError:
        return None
