"""`ngp ci`: the commands of pipelines. Each subcommand has its own file; this one only registers them."""

from __future__ import annotations

import typer

from ngp.commands import ci_apply, ci_init, ci_matrix, ci_plan, pipelines

app = typer.Typer(help="Plan, comment on and apply changes in a CI pipeline; list its jobs.")

app.command()(pipelines.shielded(ci_plan.plan))
app.command()(pipelines.shielded(ci_apply.apply))
app.command()(ci_matrix.matrix)
app.command()(ci_init.init)
