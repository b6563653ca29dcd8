"""An open pipeline: its event, its forge, the folder for its files, and its channel."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Stop
from typing import TYPE_CHECKING

from ngp import files
from ngp.ci import bases, comment, connecting, events, locations, outputs, workflow_commands
from ngp.ci.channel import Channel
from ngp.ci.events import CISystem, Event
from ngp.environments import platforms, workspaces
from ngp.environments.environment import Platform
from ngp.errors import Finding, NgpError, UsageError
from ngp.reports import markdown
from ngp.reports.report import Report

if TYPE_CHECKING:
    from ngp.forges.forge import Forge
    from ngp.settings import Settings

OUTPUTS = "outputs.env"
_REPORTS = ("html", "md", "json", "xml")
_SUMMARY = 900_000  # bytes: GitHub drops a summary above 1 MiB


@dataclass(frozen=True)
class PipelineCaller:
    """The caller of a pipeline. `say` prints messages, `log` a raw line; setting `stop` ends the wait for AWS."""

    settings: Settings
    cwd: Path
    say: Callable[[str], None]
    log: Callable[[str], None]
    stop: Stop | None = None


@dataclass(frozen=True)
class Pipeline:
    """An open pipeline: its event, its output folder, and its forge."""

    caller: PipelineCaller
    platform: Platform
    event: Event
    forge: Forge
    folder: Path
    checked_out: str
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    prefix: str = ""  # the platform's folder in the repository: "" or path/to/platform/
    wrong: UsageError | None = None  # why ngp.yaml cannot or must not be read: `platform` has its folder only

    @property
    def say(self) -> Callable[[str], None]:
        """Tells people on stderr."""
        return self.caller.say

    @property
    def is_github(self) -> bool:
        return self.event.system is CISystem.GITHUB

    @property
    def commit(self) -> str:
        """The commit that the pipeline is about: the event's, that of the comment that orders it, or HEAD."""
        return self.event.head or self.event.ordered or self.checked_out

    def require_platform(self) -> None:
        """Raise UsageError (64) where ngp.yaml cannot be read."""
        if self.wrong is not None:
            raise self.wrong

    def warn(self, text: str) -> None:
        """Say a warning on stderr; what fails here fails no plan."""
        self.say(f"warning: {text}")

    def channel(self, verb: str, number: int, head: str) -> Channel:
        """Return the channel for a pull request and the commit of the results."""
        return Channel(self.forge, self.event, verb, number, head, self.warn)

    def command(self, lines: Iterable[str]) -> None:
        """Write workflow commands into the log, on GitHub only."""
        shown = list(lines) if self.is_github else []
        if shown:
            for line in (workflow_commands.resume(self.token), *shown, workflow_commands.stop(self.token)):
                self.caller.log(line)

    def annotate(self, found: Iterable[Finding], level: str = "error") -> None:
        """Show findings at their files and lines, on GitHub only."""
        self.command(workflow_commands.errors(locations.findings(found, self.prefix), level))

    def fail(self, channel: Channel, found: Sequence[Finding]) -> None:
        """Tell in comment, status, summary and annotations why nothing could be planned or applied."""
        located = locations.findings(found, self.prefix)
        channel.fail(located)
        self.summarize([comment.list_findings("ngp did not start", located)])
        self.annotate(found)

    def located(self, report: Report) -> Report:
        """Return a report with places as CI systems take them: relative to the top of the repository."""
        return locations.of_report(report, self.prefix)

    def publish(self, reports: Sequence[Report], codes: Iterable[int], texts: Sequence[str] = ()) -> outputs.Totals:
        """Write outputs and the summary of the job; return the totals.

        The places of the reports are located. `texts` are the parts of the summary for what has no report.
        """
        totals = outputs.total(reports, codes)
        totals = replace(totals, bundles=tuple(str(self.folder / name) for name in totals.bundles))
        text = outputs.render(totals)
        self.put(OUTPUTS, text)
        if self.is_github:
            self._append("GITHUB_OUTPUT", text)
        room = (_SUMMARY if not texts else _SUMMARY // 2) // max(len(reports), 1)
        self.summarize([*(markdown.render(one, room) for one in reports), *comment.fitting(texts, _SUMMARY // 2)])
        for one in reports:
            self.command(workflow_commands.of_report(one))
        return totals

    def summarize(self, texts: Sequence[str]) -> None:
        """Add texts to the summary of the job, on GitHub only."""
        if self.is_github:
            self._append("GITHUB_STEP_SUMMARY", "\n".join(texts))

    def reports(self, name: str) -> list[str]:
        """Return the files of the reports that are called `name`."""
        return [str(self.folder / f"{name}.{kind}") for kind in _REPORTS]

    def bundle(self, environment: str) -> Path:
        """Return the file of the bundle of an environment."""
        return self.folder / f"{environment}.bundle"

    def drop_bundle(self, environment: str) -> None:
        """Delete the bundle of an environment: of an earlier pipeline, or of a plan that must not be applied."""
        self.bundle(environment).unlink(missing_ok=True)

    def put(self, name: str, text: str) -> None:
        """Write a file of the folder. Raises NgpError (1) on failure."""
        try:
            files.write(self.folder / name, text)
        except OSError as error:
            raise NgpError(f"cannot write {name}", where=str(self.folder), why=error.strerror or "") from None

    def _append(self, variable: str, text: str) -> None:
        path = self.caller.settings.environ.get(variable, "")
        if not path or not text:
            return
        try:
            with Path(path).open("a", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            self.warn(f"cannot write {variable}: {error.strerror}")


def open_pipeline(caller: PipelineCaller, folder: str) -> tuple[Pipeline, str]:
    """Read the event and reach the forge, also where ngp.yaml cannot be read: people are to be told.

    Return the pipeline, and why its forge is only a folder ("" if it is not). Raises UsageError (64) for an event that
    cannot be read, and for a folder that cannot be made.
    """
    environ, cwd = caller.settings.environ, caller.cwd
    event = events.read(environ)
    platform, wrong = _load(platforms.find(cwd), is_fork=event.is_fork)
    path = cwd / folder if folder else platform.workspace.pipeline
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("cannot create the output folder", where=str(path), why=error.strerror or "") from None
    forge, why = connecting.connect(event, environ, path)
    head, prefix = bases.head(platform), bases.prefix(platform)
    return Pipeline(caller, platform, event, forge, path, head, prefix=prefix, wrong=wrong), why


def _load(path: Path, *, is_fork: bool) -> tuple[Platform, UsageError | None]:
    workspaces.require_own(path)
    try:
        if is_fork:
            bases.require_no_links_outside(path)
        return platforms.load(path), None
    except UsageError as error:
        return Platform(path, path.name), error
