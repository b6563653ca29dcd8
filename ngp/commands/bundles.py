"""Shared by commands with bundles: recognises a bundle on the command line, and makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ngp.commands.options import Context
from ngp.views import terminal

if TYPE_CHECKING:
    from ngp.commands.running import OpenRun
    from ngp.reports.recording import ReportRequest
    from ngp.runs.bundle.opening import Bundle
    from ngp.runs.bundle.requests import BundleRequest
    from ngp.runs.planning import Finish
    from ngp.runs.results import RunResult, Verb

Out = Annotated[
    str, typer.Option("--out", metavar="FILE", help="write a bundle: the plan and everything it was made from")
]
DEFAULT_EXPIRES = "24h"
Expires = Annotated[str, typer.Option("--expires", metavar="TIME", help="how long the bundle is valid: 90m, 24h, 3d")]
EncryptTo = Annotated[
    list[str] | None,
    typer.Option(
        "--encrypt-to",
        metavar="RECIPIENT",
        help="encrypt the values in the bundle for this age or SSH public key, or a file of keys; repeatable",
    ),
]
Identities = Annotated[
    list[str] | None,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="private key (age or SSH) that opens an encrypted bundle; by default the keys in ~/.ssh; repeatable",
    ),
]


def named(context: Context, word: str, units: Sequence[str] | None) -> Path | None:
    """Return the bundle that a command line names instead of an environment, or None. Raises as `find_whole`."""
    from ngp.runs.bundle import requests

    return requests.find_whole(context.cwd, word, units or (), context.terraform_args)


def prepare(
    context: Context, out: str, expires: str, key: str, recipients: Sequence[str] | None
) -> BundleRequest | None:
    """Return the bundle that the options ask for, None for none. Raises UsageError as `requests.prepare`."""
    from ngp.runs.bundle import requests

    given = requests.BundleOptions(out, expires, key, recipients, expires != DEFAULT_EXPIRES)
    return requests.prepare(given, context.settings, context.cwd)


def finish(wanted: BundleRequest | None, context: Context, now: OpenRun, verb: Verb) -> Finish | None:
    """Return what makes the wanted bundle of a plan that went well, None where none is wanted."""
    if wanted is None:
        return None
    from ngp.runs.bundle import requests

    say = partial(terminal.say, context.settings, always=True)
    return wanted.finish(now.run, verb, requests.Maker(context.settings, context.cwd, say, now.follow.pause))


def print_bundle(
    wanted: BundleRequest | None, context: Context, result: RunResult, reports: ReportRequest
) -> tuple[RunResult, dict[str, Any]]:
    """Say which bundle was written, also to the reports; return the result with it, and what a JSON document says."""
    from ngp.views import bundles as view

    if wanted is None:
        return result, {}
    view.print_made(wanted, result, context.settings)
    stated = wanted.statement
    if wanted.archive is None or stated is None:
        return result, {"bundle": None}
    reports.name_bundle(wanted.out, wanted.archive.digest, stated)
    return replace(result, bundle=wanted.word), {"bundle": view.fields(wanted.out, wanted.archive.digest, stated)}


def read(context: Context, path: Path, identities: Sequence[str] | None) -> Bundle:
    """Open a bundle with the named keys, or those of ~/.ssh if it is sealed."""
    from ngp.runs.bundle import requests

    return requests.read(path, identities or (), context.settings, context.cwd)
