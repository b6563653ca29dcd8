"""`ngp module`: list, show, make, add, check and document the modules of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from ngp import files, shipped
from ngp.catalogue import hcl, loading
from ngp.commands import checking, completion, options
from ngp.environments import platforms
from ngp.errors import NgpError, UsageError
from ngp.views import documents, modules, terminal
from ngp.workspace import Workspace

if TYPE_CHECKING:
    from ngp.catalogue.module import Catalogue
    from ngp.catalogue.terraform_checks import TerraformChecker
    from ngp.commands.options import Context
    from ngp.environments.environment import Platform
    from ngp.rendering.scaffold import ModuleRequest

app = typer.Typer(help="List, show, make, add, check and document the modules of the catalogue.", no_args_is_help=True)

NewName = Annotated[str, typer.Argument(metavar="NAME", help="the new module's name")]
Title = Annotated[str, typer.Option("--title", help="name for people; by default made from NAME")]
Category = Annotated[
    str, typer.Option("--category", help="heading below which it is offered", autocompletion=completion.categories)
]
Summary = Annotated[str, typer.Option("--summary", help="one sentence: what it makes")]
Requires = Annotated[
    list[str] | None,
    typer.Option("--requires", metavar="INPUT", help="an output of another module that it needs; repeatable"),
]
SourceAddress = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="a folder, or a Git address: git::https://HOST/REPOSITORY//FOLDER?ref=TAG"),
]
AddedName = Annotated[str, typer.Option("--module-name", "--name", help="its name here; by default made from SOURCE")]
Ref = Annotated[str, typer.Option("--ref", help="tag, branch or commit of the repository; by default its HEAD")]
CheckPages = Annotated[bool, typer.Option("--check", help="write nothing; exit 1 and list what is stale")]
WithTerraform = Annotated[bool, typer.Option("--terraform/--no-terraform", help="formatting, validate and tests too")]


@app.command("list")
def list_modules(as_json: options.AsJson = False) -> None:
    """List the modules of the catalogue."""
    context = options.context()
    catalogue = _catalogue(context)
    found = catalogue.modules.values()
    for name, findings in catalogue.broken.items():
        for finding in findings:
            terminal.say(context.settings, f"warning: the module `{name}` cannot be read: {finding}", always=True)
    if as_json:
        documents.write({"schema": "ngp.module.list/1", "modules": [modules.summary(module) for module in found]})
    else:
        modules.show_list(found, context.settings)


@app.command()
def show(name: options.ModuleName, as_json: options.AsJson = False) -> None:
    """Show what a module needs and gives: its inputs, outputs and manifest."""
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
    """Make a new module that works at once: files, manifest, a Terraform test and a page."""
    from ngp.errors import require
    from ngp.rendering import module_pages, scaffold

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    catalogue = loading.load(platform.path / "modules", platform.cache)
    require(scaffold.check_name(catalogue, name))
    request = scaffold.ModuleRequest(name, title, category, summary, tuple(requires or ()))
    request = _complete(request, catalogue, may_ask=context.settings.is_interactive and not no_input)
    with files.lock(platform.workspace.platform_lock, purpose=f"ngp module new {name}"):
        written = files.write_all(scaffold.render(platform.path, catalogue, request))
        files.write_all(module_pages.collect(platform.path / "modules", [name], platform.cache))
    if as_json:
        paths = [path.relative_to(platform.path) for path in written]
        documents.write({"schema": "ngp.module.new/1", "name": name, "written": paths})
        return
    for path in written:
        terminal.say(context.settings, f"wrote {path.relative_to(platform.path)}")
    terminal.say(context.settings, f"next: ngp module check {name} && ngp render, then ngp configure ENV")


@app.command()
def add(
    source: SourceAddress,
    name: AddedName = "",
    ref: Ref = "",
    auto_approve: options.AutoApprove = False,
    as_json: options.AsJson = False,
) -> None:
    """Add somebody else's module as a copy, pinned by commit and checksum; again at another ref: renew the copy."""
    from ngp.catalogue import vendored
    from ngp.environments import remotes
    from ngp.errors import NgpError
    from ngp.rendering import adoption

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    address = remotes.parse(source, ref, context.cwd, platform.path)
    name = name or address.default_name
    catalogue = loading.load(platform.path / "modules", platform.cache)
    with remotes.open_source(platform, address) as fetched:
        request = adoption.AdoptionRequest(name, str(address), fetched.commit, vendored.collect(fetched.folder))
        found = adoption.prepare(platform.path, catalogue, request)
    if found.changes:
        modules.show_changes(name, found.changes, context.settings)
        if not (auto_approve or options.confirm(context, "Renew the copy?")):
            raise NgpError("the copy was not changed", why="you answered no")
    with files.lock(platform.workspace.platform_lock, purpose=f"ngp module add {name}"):
        written = files.write_all(dict(found.files))
        files.remove_all(found.removed)
    done = {
        verb: [path.relative_to(platform.path) for path in paths]
        for verb, paths in (("wrote", written), ("removed", found.removed))
    }
    if as_json:
        documents.write(modules.adoption_document(name, found, done))
    else:
        modules.show_adoption(name, found, done, context.settings)


@app.command()
def docs(names: options.ModuleNames = None, check: CheckPages = False, as_json: options.AsJson = False) -> int:
    """Write the generated part of modules' pages: inputs, outputs, resources, network rules, rights."""
    from ngp.errors import NgpError
    from ngp.rendering import module_pages

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    pages = module_pages.collect(platform.path / "modules", names or (), platform.cache)
    stale = {path: text for path, text in pages.items() if hcl.read(path) != text}
    if not check:
        with files.lock(platform.workspace.platform_lock, purpose="ngp module docs"):
            files.write_all(stale)
    paths = [str(path.relative_to(platform.path)) for path in stale]
    if as_json:
        modules_ = [path.parent.name for path in pages]
        documents.write({"schema": "ngp.module.docs/1", "modules": modules_, "written": not check, "stale": paths})
    else:
        modules.show_pages(paths, context.settings, written=not check)
    return NgpError.exit_code if check and stale else 0


@app.command()
def check(
    names: options.ModuleNames = None,
    terraform: WithTerraform = True,
    as_json: options.AsJson = False,
) -> int:
    """Hold modules against the rules of the catalogue, then ask Terraform; exit 1 where something is found."""
    from ngp.catalogue import checks
    from ngp.rendering import module_pages

    context = options.context()
    platform = platforms.load(platforms.find(context.cwd))
    path = platform.path / "modules"
    checked = list(names or [folder.name for folder in loading.folders(path)])
    follow = modules.CheckProgress(len(checked), context.settings)
    with _judge(platform, context) if terraform else nullcontext() as judge:
        faults = checks.check(path, checked, judge, [module_pages.freshness(path, platform.cache)], follow.tell)
    if as_json:
        documents.write(modules.faults_document(faults, checked))
    else:
        amount = terminal.amount(len(checked), "module")
        passed = f"{amount} checked, nothing found" if checked else "there are no modules"
        modules.show_faults(faults, context.settings, passed=passed)
    return 1 if faults else 0


@app.command()
def contracts(since: options.Since = "", show_all: options.ShowAll = False, as_json: options.AsJson = False) -> int:
    """Compare inputs and outputs of modules with a commit, and list the units that break (1)."""
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
    try:
        path = platforms.find(context.cwd)
    except UsageError:
        terminal.say(context.settings, "outside a platform: these are the modules that come with ngp")
        return loading.load(shipped.modules(), context.settings.cache / "facts")
    return loading.load(path / "modules", Workspace.of(path).facts)


@contextmanager
def _judge(platform: Platform, context: Context) -> Iterator[TerraformChecker]:
    from ngp.catalogue.terraform_checks import TerraformChecker
    from ngp.terraform import lockfile, surroundings

    surroundings.require_clean(context.settings.environ)
    with checking.open_terraform(platform, context) as terraform:
        yield TerraformChecker(terraform, platform.path / lockfile.NAME)


def _complete(request: ModuleRequest, catalogue: Catalogue, *, may_ask: bool) -> ModuleRequest:
    """The request with an answer to everything: asked at a terminal, else an error that names the flags."""
    from dataclasses import replace

    from ngp.errors import Finding, require

    title = request.title or request.name.replace("-", " ").capitalize()
    missing = [word for word in ("category", "summary") if not getattr(request, word)]
    if not missing or not may_ask:
        require(Finding(f"a module has a {word}", todo=f"give it with `--{word}`") for word in missing)
        return replace(request, title=title)
    return _ask(request, catalogue, title)


def _ask(request: ModuleRequest, catalogue: Catalogue, title: str) -> ModuleRequest:
    from dataclasses import replace

    from ngp.views import asking

    def check(answer: str) -> list[str]:
        return [] if answer.strip() and answer.isprintable() else ["one line of text is needed"]

    other = "another one"
    categories = sorted({module.manifest.category for module in catalogue.modules.values()})
    category = request.category or asking.pick("Category", [*categories, other])
    if category == other:
        category = asking.fill("Category", check)
    provided: dict[str, str] = {}
    for module in catalogue.modules.values():
        for name in module.manifest.provides:
            provided[name] = f"{provided[name]}, {module.name}" if name in provided else module.name
    provided = dict(sorted(provided.items()))
    return replace(
        request,
        title=request.title or asking.fill("Title", check, title),
        category=category,
        summary=request.summary or asking.fill("Summary (one sentence: what it makes)", check),
        requires=request.requires or tuple(asking.tick("What it needs of other modules", provided)),
    )
