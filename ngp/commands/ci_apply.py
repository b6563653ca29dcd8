"""`ngp ci apply`: after the merge, apply the bundles that were reviewed with the pull request."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.ci import comment, locations, statuses, workflow_commands
from ngp.commands import bundle_applies, bundles, ci_bundles, options, pipelines, reporting
from ngp.environments import documents, resolving
from ngp.errors import Finding, NgpError
from ngp.views import documents as views
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.commands.pipelines import Pipeline
    from ngp.reports.report import Report
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.uses import UsedError

_REPORTS = ("html", "md", "json", "xml")
Number = Annotated[
    int,
    typer.Option(
        "--pull-request", metavar="NUMBER", min=0, help="the merged pull request; by default that of the commit"
    ),
]


@dataclass(frozen=True)
class _Done:
    """What became of one bundle."""

    environment: str
    exit_code: int
    bundle: str  # the name of its file
    findings: tuple[Finding, ...] = ()
    report: Report | None = None
    earlier: Finding | None = None  # says that it was applied before
    digest: str = ""


def apply(
    environments: options.EnvironmentNames = None,
    out_dir: pipelines.Folder = "",
    pull_request: Number = 0,
    identity: bundles.Identities = None,
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    as_json: options.AsJson = False,
) -> int:
    """Apply the bundles of the merged pull request, without a question: people approved them and the merge.

    ngp takes them from the folder of `ngp ci plan`, else from the state bucket, and stops after the first failure.
    """
    pipeline = pipelines.begin(options.context(), out_dir)
    pipeline.require_platform()
    head = pipeline.event.head or pipeline.checked_out
    channel = pipeline.channel("apply", 0, head)
    ci_bundles.require_merged(pipeline, channel, pull_request)
    found, expected = _find(pipeline, channel, environments, pull_request)
    for name in found:
        channel.report_pending(name)
    done = list(_apply_each(pipeline, channel, found, running=(identity, parallelism)))
    channel.finish(expected)
    totals = pipeline.publish([one.report for one in done if one.report], [one.exit_code for one in done])
    if not found:
        terminal.say(pipeline.context.settings, "nothing to apply: this change has no bundle", always=True)
    if as_json:
        rows = [{"environment": one.environment, "exit_code": one.exit_code, "bundle": one.bundle,
                 "findings": one.findings or tuple(filter(None, [one.earlier]))} for one in done]  # fmt: skip
        about = {"schema": "ngp.ci.apply/1", "number": channel.number, "exit_code": totals.exit_code}
        views.write({**about, "environments": rows})
    return totals.exit_code


def _find(
    pipeline: Pipeline, channel: Channel, environments: Sequence[str] | None, pull_request: int
) -> tuple[Mapping[str, Bundle], Collection[str]]:
    """Return the bundles, and the environments that all jobs apply; the status says why they cannot be found."""
    merged = ci_bundles.find_merged(channel, pull_request)
    channel.number, channel.merged_head = (merged.number, merged.head) if merged else (pull_request, "")
    channel.begin(())
    try:
        return ci_bundles.collect(pipeline, channel, list(dict.fromkeys(environments or _ordered(pipeline))))
    except NgpError as error:
        pipeline.fail(channel, error.findings)
        raise


def _ordered(pipeline: Pipeline) -> list[str]:
    """Return all environments, the protected ones last: they get what worked elsewhere."""
    platform = pipeline.platform
    return sorted(documents.names(platform), key=lambda name: name in platform.protected)


def _apply_each(
    pipeline: Pipeline, channel: Channel, found: Mapping[str, Bundle], running: tuple[Sequence[str] | None, int]
) -> Iterator[_Done]:
    for name, bundle in found.items():
        pipeline.command([workflow_commands.group(f"apply {name}")])
        done = replace(_one(pipeline, name, bundle, running), digest=bundle.digest)
        pipeline.command([workflow_commands.END])
        pipeline.annotate(done.findings)
        for one in done.findings:
            terminal.say(pipeline.context.settings, f"error: {name}: {one}", style="red", always=True)
        _report(pipeline, channel, done)
        yield done
        if done.exit_code:
            return


def _one(pipeline: Pipeline, name: str, bundle: Bundle, running: tuple[Sequence[str] | None, int]) -> _Done:
    """Apply one bundle and write its reports."""
    from ngp.commands.running import RunOptions
    from ngp.reports import making
    from ngp.runs.bundle.uses import UsedError
    from ngp.runs.results import exit_code

    context, path, (identities, parallelism) = pipeline.context, bundle.archive.path, running
    reports = reporting.require(context, [str(pipeline.folder / f"{name}.apply.{kind}") for kind in _REPORTS])
    asked = bundle_applies.BundleApply(
        RunOptions(parallelism=parallelism),
        has_headlines=False,
        identities=identities,
        reports=reports,
        opened=lambda run: pipeline.command(workflow_commands.masks(making.facts(run).secrets)),
    )
    try:
        result, _ = bundle_applies.apply(context, path, asked)
    except NgpError as error:
        if isinstance(error, UsedError):
            return _used(pipeline, name, bundle, error)
        return _Done(name, error.exit_code, path.name, error.findings)
    code = exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by)
    fact = reports.bundle and replace(reports.bundle, file=path.name)
    made = making.of_run(result, replace(reports.facts or making.RunFacts(), bundle=fact), exit_code=code)
    code = reports.put(context, made, code)
    return _Done(name, code, path.name, report=replace(made, exit_code=code))


def _used(pipeline: Pipeline, name: str, bundle: Bundle, error: UsedError) -> _Done:
    """Return what it means that a bundle was applied before: success if all of it was, from the files that are here."""
    from ngp.runs.bundle import verifying

    file, earlier = bundle.archive.path.name, error.findings[0]
    other = tuple(verifying.find_other_files(bundle.statement, resolving.resolve(pipeline.platform, name)))
    if error.is_complete and not other:
        return _Done(name, 0, file, earlier=earlier)
    return _Done(name, error.exit_code, file, (*error.findings, *other), earlier=earlier)


def _report(pipeline: Pipeline, channel: Channel, done: _Done) -> None:
    url, report = channel.event.run_url, pipeline.located(done.report)
    status = statuses.of_refusal("apply", done.environment, done.exit_code, url)
    if done.earlier is not None:  # the comment shows what became of that apply
        if not done.exit_code:
            what = done.earlier.what
            text = f"{done.environment}: {what}, so there is nothing left to do"
            terminal.say(pipeline.context.settings, text, always=True)
            status = statuses.of_earlier("apply", done.environment, what, url)
        channel.report(done.environment, "", status)
        return
    about = comment.Marker(done.environment, done.digest, channel.head)
    if report is not None:
        channel.report(done.environment, comment.render(report, about, url), statuses.of_report("apply", report, url))
        return
    body = comment.render_refused(about, locations.findings(done.findings, pipeline.prefix), link=url)
    channel.report(done.environment, body, status)
