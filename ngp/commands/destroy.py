"""`ngp destroy`: what exactly goes, one question, then in reverse order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ngp.commands import options
from ngp.errors import UsageError

if TYPE_CHECKING:
    from ngp.commands.scope import Scope
    from ngp.runs.results import RunResult

PASSES_THROUGH = True


def destroy(
    environment: options.EnvironmentName = "",
    units: options.UnitNames = None,
    auto_approve: options.AutoApprove = False,
    accept_data_loss: options.AcceptDataLoss = None,
    refresh: options.Refresh = options.Switch.ON,
    lock_timeout: options.LockTimeout = "",
    parallelism: options.Parallelism = options.DEFAULT_PARALLELISM,
    accept_lost: options.AcceptLost = None,
    apart: options.Apart = False,
    show_all: options.ShowAll = False,
    as_json: options.AsJson = False,
    as_json_lines: options.AsJsonLines = False,
) -> None:
    """Destroy units, dependants first; asks for the environment's name."""
    from ngp.commands import running, scope
    from ngp.runs import destroying
    from ngp.runs.results import Verb, exit_code
    from ngp.views import documents, runs

    context = options.context()
    chosen = scope.choose(context, environment, units)
    _require_consent(context, chosen, auto_approve=auto_approve)
    wish = running.Wish(
        None, None, refresh, lock_timeout, parallelism, accept_data_loss, is_apart=apart, accepts_lost=accept_lost
    )
    with (
        running.begin(context, chosen.environment) as begun,
        running.open_run(context, Verb.DESTROY, begun, chosen.units, wish, jsonl=as_json_lines) as now,
    ):

        def agree(result: RunResult) -> bool:
            with now.follow.pause():
                runs.show_changes(result, context.settings, talk=True, whole=show_all)
                question = f"All of this goes. Type the environment's name (`{result.environment}`) to destroy it: "
                return auto_approve or options.ask(context, question, flag="--auto-approve") == result.environment

        result = destroying.destroy(now.run, agree, is_typed=not auto_approve)
    code = exit_code([unit.outcome for unit in result.units], stopped_by=result.stopped_by)
    if as_json:
        documents.write(documents.run(result, exit_code=code))
    elif not as_json_lines:
        runs.show_result(result, context.settings, whole=show_all)
    raise typer.Exit(code)


def _require_consent(context: options.Context, chosen: Scope, *, auto_approve: bool) -> None:
    """Raise UsageError where nobody can be asked, or where nothing tells the operator which environment is meant:
    a folder or a variable has chosen it, and no question shows it."""
    if not auto_approve:
        options.require_person(context, f"Destroy `{chosen.environment}`?", flag="--auto-approve")
    elif not chosen.is_named:
        raise UsageError(
            f"`--auto-approve` destroys only an environment that the command names, not `{chosen.environment}`",
            todo=f"ngp destroy {chosen.environment} --auto-approve",
        )
