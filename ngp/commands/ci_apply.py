"""`ngp ci apply`: after the merge, apply the bundles that were reviewed with the pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.ci import results, reviewed_bundles, workflow_commands
from ngp.ci.results import ApplyResult
from ngp.commands import bundle_applies, bundles, options, pipelines, reporting
from ngp.errors import NgpError
from ngp.views import documents

if TYPE_CHECKING:
    from ngp.ci.channel import Channel
    from ngp.ci.pipeline import Pipeline
    from ngp.runs.bundle.opening import Bundle

Number = Annotated[
    int,
    typer.Option(
        "--pull-request", metavar="NUMBER", min=0, help="the merged pull request; by default that of the commit"
    ),
]


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
    reviewed_bundles.require_merged(pipeline, channel, pull_request)
    found, expected = reviewed_bundles.find(pipeline, channel, environments or (), pull_request)
    for name in found:
        channel.report_pending(name)
    done = list(_apply_each(pipeline, channel, found, running=(identity, parallelism)))
    channel.finish(expected)
    totals = results.publish_applies(pipeline, done)
    if not found:
        pipeline.say("nothing to apply: this change has no bundle")
    if as_json:
        documents.write(results.apply_document(channel.number, done, totals.exit_code))
    return totals.exit_code


def _apply_each(
    pipeline: Pipeline, channel: Channel, found: Mapping[str, Bundle], running: tuple[Sequence[str] | None, int]
) -> Iterator[ApplyResult]:
    for name, bundle in found.items():
        pipeline.command([workflow_commands.group(f"apply {name}")])
        done = replace(_one(pipeline, name, bundle, running), digest=bundle.digest)
        pipelines.close(pipeline, name, done.findings)
        results.report_apply(pipeline, channel, done)
        yield done
        if done.exit_code:
            return


def _one(pipeline: Pipeline, name: str, bundle: Bundle, running: tuple[Sequence[str] | None, int]) -> ApplyResult:
    """Apply one bundle and write its reports."""
    from ngp.commands.running import RunOptions
    from ngp.reports import making
    from ngp.runs.bundle.uses import UsedError
    from ngp.runs.results import exit_code

    context, path, (identities, parallelism) = options.context(), bundle.archive.path, running
    reports = reporting.require(context, pipeline.reports(f"{name}.apply"))
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
            return results.of_used(pipeline, name, bundle, error)
        return ApplyResult(name, error.exit_code, path.name, error.findings)
    code = exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by)
    fact = reports.bundle and replace(reports.bundle, file=path.name)
    made = making.of_run(result, replace(reports.facts or making.RunFacts(), bundle=fact), exit_code=code)
    code = reports.put(context, made, code)
    return ApplyResult(name, code, path.name, report=replace(made, exit_code=code))
