"""`ngp ci apply`: after the merge, apply the bundles that were reviewed with the pull request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.ci import applying, results, reviewed_bundles, workflow_commands
from ngp.ci.results import ApplyResult
from ngp.commands import bundle_applies, bundles, options, pipelines, reporting
from ngp.views import documents

if TYPE_CHECKING:
    from ngp.ci.pipeline import Pipeline
    from ngp.reports.report import Report
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
    channel = pipeline.channel("apply", 0, pipeline.event.head or pipeline.checked_out)
    reviewed_bundles.require_merged(pipeline, channel, pull_request)
    found, expected = reviewed_bundles.find(pipeline, channel, environments or (), pull_request)
    for name in found:
        channel.report_pending(name)
    done = []
    for one in applying.apply_each(found, partial(_one, pipeline, (identity, parallelism))):
        results.report_apply(pipeline, channel, one)
        done.append(one)
    channel.finish(expected)
    totals = results.publish_applies(pipeline, done)
    if not found:
        pipeline.say("nothing to apply: this change has no bundle")
    if as_json:
        documents.write(results.apply_document(channel.number, done, totals.exit_code))
    return totals.exit_code


def _one(pipeline: Pipeline, running: tuple[Sequence[str] | None, int], name: str, bundle: Bundle) -> ApplyResult:
    pipeline.command([workflow_commands.group(f"apply {name}")])
    done = applying.apply_one(pipeline, name, bundle, lambda: _apply(pipeline, name, bundle, running))
    pipelines.close(pipeline, name, done.findings)
    return done


def _apply(pipeline: Pipeline, name: str, bundle: Bundle, running: tuple[Sequence[str] | None, int]) -> Report:
    """Apply one bundle and write its reports."""
    from ngp.commands.running import RunOptions
    from ngp.reports import making

    context, path, (identities, parallelism) = options.context(), bundle.archive.path, running
    reports = reporting.require(context, pipeline.reports(f"{name}.apply"))
    reports.locate = pipeline.located
    asked = bundle_applies.BundleApply(
        RunOptions(parallelism=parallelism),
        has_headlines=False,
        identities=identities,
        reports=reports,
        opened=lambda run: pipeline.command(workflow_commands.masks(making.facts(run).secrets)),
    )
    result, _ = bundle_applies.apply(context, path, asked)
    return reporting.record(context, reports, applying.report(reports, result, path.name))
