"""`ngp ci apply`: after the merge, apply the bundles that were reviewed with the pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.ci import comment, statuses, workflow_commands
from ngp.ci.events import Kind
from ngp.commands import bundle_applies, bundles, completion, options, pipelines, reporting
from ngp.environments import documents
from ngp.errors import Finding, MissingError, NgpError, RefusedError
from ngp.views import documents as views
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.commands.pipelines import Pipeline
    from ngp.reports.report import Report

_REPORTS = ("html", "md", "json", "xml")
_BEFORE_MERGE = (Kind.PULL_REQUEST, Kind.MERGE_QUEUE, Kind.COMMENT)
Environments = Annotated[
    list[str] | None,
    typer.Argument(metavar="ENV", help="only these environments", autocompletion=completion.environments),
]
Number = Annotated[
    int, typer.Option("--pull-request", metavar="NUMBER", min=0, help="of which one; by default that of the commit")
]


@dataclass(frozen=True)
class _Done:
    """What became of one bundle."""

    environment: str
    exit_code: int
    bundle: str
    findings: tuple[Finding, ...] = ()
    report: Report | None = None
    earlier: Finding | None = None  # says that it was applied before


def apply(
    environments: Environments = None,
    out_dir: pipelines.Folder = "",
    pull_request: Number = 0,
    identity: bundles.Identities = None,
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    as_json: options.AsJson = False,
) -> int:
    """Apply the bundles of the pull request that was merged; the merge and their approvals are the yes.

    They are taken from the folder of `ngp ci plan`, else from the state bucket. The first that fails ends it.
    """
    pipeline = pipelines.begin(options.context(), out_dir)
    _require_merged(pipeline)
    head = pipeline.event.head or pipeline.checked_out
    channel = pipeline.channel("apply", 0, head)
    channel.number = pull_request or _number(channel, head)
    names = list(dict.fromkeys(environments or _ordered(pipeline)))
    channel.begin(())
    found = _collect(pipeline, channel, names)
    for name in found:
        channel.tell_pending(name)
    done = list(_apply_each(pipeline, channel, found, running=(identity, parallelism)))
    channel.finish(list(found))
    totals = pipeline.publish([one.report for one in done if one.report], [one.exit_code for one in done])
    if not found:
        terminal.say(pipeline.context.settings, "nothing to apply: the change has no bundle", always=True)
    if as_json:
        rows = [{"environment": one.environment, "exit_code": one.exit_code, "bundle": one.bundle,
                 "findings": one.findings or tuple(filter(None, [one.earlier]))} for one in done]  # fmt: skip
        about = {"schema": "ngp.ci.apply/1", "number": channel.number, "exit_code": totals.exit_code}
        views.write({**about, "environments": rows})
    return totals.exit_code


def _ordered(pipeline: Pipeline) -> list[str]:
    """Return all environments, the protected ones last: they get what worked elsewhere."""
    platform = pipeline.platform
    return sorted(documents.names(platform), key=lambda name: name in platform.protected)


def _require_merged(pipeline: Pipeline) -> None:
    """Raise RefusedError (3) in a pipeline of a change that is not merged, whoever started it."""
    event = pipeline.event
    if event.kind in _BEFORE_MERGE or event.is_fork:
        what = "nothing is applied before the merge"
        why = f"this pipeline was started by: {event.kind.value.replace('_', ' ')}"
        raise RefusedError(what, why=why, todo="run it on a push to the default branch")


def _number(channel: Channel, commit: str) -> int:
    """Return the number of the pull request that brought a commit, 0 where there is none or several."""
    if not commit:
        return 0
    found = channel.attempt("the pull request cannot be found", lambda: channel.forge.merged(commit)) or ()
    return found[0].number if len(found) == 1 else 0


def _collect(pipeline: Pipeline, channel: Channel, names: Sequence[str]) -> Mapping[str, Path]:
    """Return the bundles by environment: the files that are there, else those that the comments name."""
    found = {name: pipeline.folder / f"{name}.bundle" for name in names}
    found = {name: path for name, path in found.items() if path.is_file()}
    for name in names:
        digest = channel.bundle(name)
        if name not in found and digest:
            found[name] = _fetch(pipeline, name, digest)
    missing = [name for name in names if name in channel.commented and name not in found]
    if missing:
        what = f"the change of {', '.join(missing)} was merged without a plan"
        raise MissingError(what, todo="plan and apply it by hand: `ngp apply ENV` shows the plan first")
    return found


def _fetch(pipeline: Pipeline, environment: str, digest: str) -> Path:
    """Fetch a kept bundle. Raises MissingError (69) where nothing keeps it."""
    from ngp.commands import reading
    from ngp.environments.environment import BundleKeeping
    from ngp.runs.bundle.library import Library

    path = pipeline.folder / f"{environment}.bundle"
    if pipeline.platform.bundles is BundleKeeping.FILES:
        todo = "keep the folder of `ngp ci plan` as an artifact and bring it here, or set `bundles: state` in ngp.yaml"
        raise MissingError(f"the bundle {digest[:12]} of {environment} is not here", where=str(path), todo=todo)
    with reading.open_region(pipeline.context, environment) as region:
        Library(region.resolved, region.session).fetch(digest, path)
    return path


def _apply_each(
    pipeline: Pipeline, channel: Channel, found: Mapping[str, Path], running: tuple[Sequence[str] | None, int]
) -> Iterator[_Done]:
    for name, path in found.items():
        pipeline.command([workflow_commands.group(f"apply {name}")])
        done = _one(pipeline, name, path, running)
        pipeline.command([workflow_commands.END, *workflow_commands.errors(done.findings)])
        for one in done.findings:
            terminal.say(pipeline.context.settings, f"error: {name}: {one}", style="red", always=True)
        _tell(pipeline, channel, done)
        yield done
        if done.exit_code:
            return


def _one(pipeline: Pipeline, name: str, path: Path, running: tuple[Sequence[str] | None, int]) -> _Done:
    """Apply one bundle and write its reports."""
    from ngp.commands.running import Wish
    from ngp.reports import making
    from ngp.runs.bundle.uses import UsedError
    from ngp.runs.results import exit_code

    context, (identities, parallelism) = pipeline.context, running
    reports = reporting.require(context, [str(pipeline.folder / f"{name}.apply.{kind}") for kind in _REPORTS])
    asked = bundle_applies.Application(
        Wish(parallelism=parallelism), has_headlines=False, identities=identities, reports=reports
    )
    try:
        result, _ = bundle_applies.apply(context, path, asked)
    except NgpError as error:
        earlier = error.findings[0] if isinstance(error, UsedError) else None
        if isinstance(error, UsedError) and error.is_complete:
            return _Done(name, 0, path.name, earlier=earlier)
        return _Done(name, error.exit_code, path.name, error.findings, earlier=earlier)
    code = exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by)
    fact = reports.bundle and replace(reports.bundle, file=path.name)
    made = making.of_run(result, replace(reports.facts or making.Facts(), bundle=fact), exit_code=code)
    code = reports.put(context, made, code)
    return _Done(name, code, path.name, report=replace(made, exit_code=code))


def _tell(pipeline: Pipeline, channel: Channel, done: _Done) -> None:
    url, report = channel.event.run_url, done.report
    status = statuses.of_refusal("apply", done.environment, done.exit_code, url)
    if done.earlier is not None:  # the comment shows what became of that apply
        if not done.exit_code:
            what = done.earlier.what
            text = f"{done.environment}: {what}; nothing is left to do"
            terminal.say(pipeline.context.settings, text, always=True)
            status = statuses.of_earlier("apply", done.environment, what, url)
        channel.tell(done.environment, "", status)
        return
    digest = channel.bundle(done.environment)
    about = comment.Marker(done.environment, digest, channel.head)
    if report is not None:
        channel.tell(done.environment, comment.render(report, about, url), statuses.of_report("apply", report, url))
        return
    body = comment.render_refused(about, done.findings, link=url)
    channel.tell(done.environment, body, status)
