"""`ngp module`: list, show, make, add, check and document the modules of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from ngp.catalogue import loading
from ngp.commands import checking, completion, options
from ngp.environments import platforms
from ngp.errors import NgpError, UsageError
from ngp.views import documents, modules, terminal

if TYPE_CHECKING:
    from ngp.catalogue.module import Catalogue
    from ngp.catalogue.terraform_checks import TerraformChecker
    from ngp.commands.options import Context
    from ngp.environments.environment import Platform

app = typer.Typer(
    help="List, show, create, add, check and document the modules of the catalogue.", no_args_is_help=True
)

NewName = Annotated[str, typer.Argument(metavar="NAME", help="the new module's name")]
Title = Annotated[str, typer.Option("--title", help="title for people; by default from NAME")]
Category = Annotated[
    str,
    typer.Option("--category", help="group of the module in lists and questions", autocompletion=completion.categories),
]
Summary = Annotated[str, typer.Option("--summary", help="one sentence: what the module creates")]
Requires = Annotated[
    list[str] | None,
    typer.Option("--requires", metavar="INPUT", help="output of another module that this one needs; repeatable"),
]
SourceAddress = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="a folder, or a Git address: git::https://HOST/REPOSITORY//FOLDER?ref=TAG"),
]
AddedName = Annotated[str, typer.Option("--module-name", "--name", help="name of the copy; by default from SOURCE")]
Ref = Annotated[str, typer.Option("--ref", help="tag, branch or commit of the repository; by default its HEAD")]
CheckPages = Annotated[
    bool, typer.Option("--check", help="write nothing; list stale files, and exit with 1 if there are any")
]
WithTerraform = Annotated[
    bool, typer.Option("--terraform/--no-terraform", help="also check the format, and run terraform validate and test")
]


@app.command("list")
def list_modules(as_json: options.AsJson = False) -> None:
    """List the modules of the catalogue."""
    context = options.context()
    catalogue = _catalogue(context)
    modules.print_broken(catalogue, context.settings)
    if as_json:
        documents.write(modules.list_document(catalogue.modules.values()))
    else:
        modules.show_list(catalogue.modules.values(), context.settings)


@app.command()
def show(name: options.ModuleName, as_json: options.AsJson = False) -> None:
    """Show the inputs, outputs and manifest of a module."""
    context = options.context()
    catalogue = _catalogue(context)
    known = catalogue.modules
    if name not in known:
        raise UsageError(catalogue.missing(name))
    if as_json:
        documents.write(modules.document(known[name]))
    else:
        modules.show(known[name], context.settings)


@app.command()
def new(
    name: NewName,
    title: Title = "",
    category: Category = "",
    summary: Summary = "",
    requires: Requires = None,
    no_input: options.NoInput = False,
    as_json: options.AsJson = False,
) -> None:
    """Create a module that works at once: files, manifest, a Terraform test and a page."""
    from ngp.rendering import scaffold
    from ngp.views import module_questions

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    request = scaffold.ModuleRequest(name, title, category, summary, tuple(requires or ()))
    may_ask = context.settings.is_interactive and not no_input
    written = scaffold.create(platform, request, module_questions.complete if may_ask else None)
    paths = [path.relative_to(platform.path) for path in written]
    if as_json:
        documents.write({"schema": "ngp.module.new/1", "name": name, "written": paths})
    else:
        modules.print_new(name, paths, context.settings)


@app.command()
def add(
    source: SourceAddress,
    name: AddedName = "",
    ref: Ref = "",
    auto_approve: options.AutoApprove = False,
    as_json: options.AsJson = False,
) -> None:
    """Add somebody else's module as a copy, pinned by commit and checksum; with another ref, update the copy."""
    from ngp.environments import remotes
    from ngp.rendering import adopting

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))

    def agree(name: str, changes: Sequence[str]) -> bool:
        modules.show_changes(name, changes, context.settings)
        return auto_approve or options.confirm(context, "Renew the copy?")

    done = adopting.adopt(platform, remotes.parse(source, ref, context.cwd, platform.path), name, agree)
    if as_json:
        documents.write(modules.adoption_document(done))
    else:
        modules.show_adoption(done, context.settings)


@app.command()
def docs(names: options.ModuleNames = None, check: CheckPages = False, as_json: options.AsJson = False) -> int:
    """Write the generated part of modules' pages: inputs, outputs, resources, network rules, permissions."""
    from ngp.rendering import module_pages

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    found = module_pages.update(platform, names or (), write=not check)
    if as_json:
        shown = {"modules": found.modules, "written": not check, "stale": found.stale}
        documents.write({"schema": "ngp.module.docs/1", **shown})
    else:
        modules.show_pages(found.stale, context.settings, written=not check)
    return NgpError.exit_code if check and found.stale else 0


@app.command()
def check(
    names: options.ModuleNames = None,
    terraform: WithTerraform = True,
    as_json: options.AsJson = False,
) -> int:
    """Check modules against the rules of the catalogue, then with Terraform; exit with 1 on any finding."""
    from ngp.catalogue import checks
    from ngp.rendering import module_pages

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    path = platform.path / "modules"
    checked = list(names or [folder.name for folder in loading.folders(path)])
    follow = modules.CheckProgress(len(checked), context.settings)
    with _judge(platform, context) if terraform else nullcontext() as judge:
        faults = checks.check(path, checked, judge, [module_pages.freshness(path, platform.cache)], follow.on_checked)
    if as_json:
        documents.write(modules.faults_document(faults, checked))
    else:
        modules.show_faults(faults, checked, context.settings)
    return NgpError.exit_code if faults else 0


@app.command()
def contracts(since: options.Since = "", show_all: options.ShowAll = False, as_json: options.AsJson = False) -> int:
    """Compare inputs and outputs of modules with a commit; list the units that break, and exit with 1 if any do."""
    from ngp.review import baseline
    from ngp.review import contracts as review
    from ngp.views import contracts as view

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    found = review.compare(platform, baseline.load(platform, since))
    if as_json:
        documents.write(view.document(found))
    else:
        view.show(found, context.settings, whole=show_all)
    return NgpError.exit_code if found.broken else 0


def _catalogue(context: Context) -> Catalogue:
    """The platform's catalogue; outside a platform, that which comes with ngp."""
    catalogue, is_own = platforms.load_catalogue(context.cwd, context.settings.cache)
    if not is_own:
        terminal.say(context.settings, "outside a platform: these are the modules that come with ngp")
    return catalogue


@contextmanager
def _judge(platform: Platform, context: Context) -> Iterator[TerraformChecker]:
    from ngp.catalogue.terraform_checks import TerraformChecker
    from ngp.terraform import child_environ, lockfile

    child_environ.require_clean(context.settings.environ)
    with checking.open_terraform(platform, context) as terraform:
        yield TerraformChecker(terraform, platform.path / lockfile.NAME)
