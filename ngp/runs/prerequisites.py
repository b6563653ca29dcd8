"""Checks the prerequisites of a run without changing anything: for `ngp doctor`, and before an apply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ngp.catalogue import support
from ngp.environments import resolving, state_locations
from ngp.environments.environment import Environment, Platform, StateKind, Target
from ngp.errors import Finding, MissingError, NgpError, UsageError
from ngp.rendering import templates
from ngp.runs import access, preflight
from ngp.sandbox import emulator, server
from ngp.state import bucket
from ngp.terraform import binary, child_environ, lockfile, mirror

if TYPE_CHECKING:
    from ngp.aws.session import Session
    from ngp.settings import Settings

_AWS = "/hashicorp/aws"  # at whichever registry


@dataclass(frozen=True)
class Prerequisite:
    """A prerequisite. `says` describes what was found; `findings` are problems with their fixes, none if it is met."""

    name: str
    says: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_ok(self) -> bool:
        return not self.findings


def check(platform: Platform, environment: Environment | None, settings: Settings) -> Iterator[Prerequisite]:
    """Check everything that runs in `platform` and in `environment` need. Never raises an NgpError."""
    yield _looked("shell", lambda: _shell(settings))
    yield _looked("terraform", lambda: _terraform(platform, settings))
    yield _looked("providers", lambda: _providers(platform, settings))
    yield _looked("templates", lambda: _templates(platform))
    if environment is None or environment.target is Target.SANDBOX:
        yield _looked("sandbox", lambda: _sandbox(platform))
    if environment is not None and environment.target is Target.AWS:
        yield from _account(platform, environment, settings)
    if environment is not None:
        yield from _support(platform, environment)


def _looked(name: str, look: Callable[[], str]) -> Prerequisite:
    try:
        return Prerequisite(name, look())
    except NgpError as error:
        return Prerequisite(name, error.findings[0].what, error.findings)


def _shell(settings: Settings) -> str:
    child_environ.require_clean(settings.environ)
    return "no variable changes what Terraform does"


def _find(platform: Platform, settings: Settings) -> binary.Binary:
    return binary.find(
        platform.terraform, platform.terraform_version, settings.environ, cwd=platform.path, cache=settings.cache
    )


def _terraform(platform: Platform, settings: Settings) -> str:
    found = _find(platform, settings)
    product = "opentofu" if found.is_opentofu else "terraform"
    bundled = " (bundled)" if found.bundled else ""
    return f"{found.flavour} {found.version}{bundled}, {' '.join(found.argv)}{describe_support(product, found.version)}"


def _providers(platform: Platform, settings: Settings) -> str:
    lock = lockfile.load(platform.path / lockfile.NAME)
    found = _find(platform, settings)
    places_ = mirror.Places(settings.environ, settings.home, settings.cache)
    source = mirror.find(lock, found.platform, places_, flavour=found.flavour)
    locked = ", ".join(f"{one.address.rpartition('/')[2]} {one.version}" for one in lock)
    endings = "".join(describe_support("aws-provider", one.version) for one in lock if one.address.endswith(_AWS))
    if source is None:
        return f"{locked}: no mirror on this machine has it; the first run fetches it from the registry{endings}"
    return f"{locked} from {source.folder or source.origin}{endings}"


def describe_support(product: str, version: str) -> str:
    """Describe the end of support of a tool. It is not a finding: the platform chooses the version, and it works."""
    today = support.today()
    text, end = support.describe(product, version, today), support.find(product, version)
    works = "it works, but " if end and end.days_left(today) < 0 else ""
    return f"; {works}{text}" if text else ""


def _templates(platform: Platform) -> str:
    found = [str(path.relative_to(platform.path)) for path in templates.overrides(platform.path)]
    return f"the platform replaces {', '.join(found)}" if found else "ngp's own"


def _sandbox(platform: Platform) -> str:
    running = server.status(platform.workspace.path)
    if running is not None:
        return f"{running.engine} runs at {running.url}"
    emulator.require()
    return f"{emulator.NAME} is installed; it is started and seeded when a run needs it"


def _support(platform: Platform, environment: Environment) -> Iterator[Prerequisite]:
    """Check versions of the environment whose support ends within half a year; close to the end it is a finding."""
    try:
        resolved = resolving.resolve(platform, environment.name)
    except UsageError:
        return  # `modules` says so
    today = support.today()
    ends = preflight.ends(resolved)
    for end, units in ends:
        late = end.days_left(today) <= support.FAIL_DAYS
        todo = f"upgrade {', '.join(units)}: see its page; the dates are from {end.product.source}"
        what = f"{end.describe(today)}, for {', '.join(units)}"
        yield Prerequisite("support", what, (Finding(what, why="", todo=todo),) if late else ())
    if not ends:
        yield Prerequisite(
            "support", f"no software that the modules install loses standard support within {support.WARN_DAYS} days"
        )


def _account(platform: Platform, environment: Environment, settings: Settings) -> Iterator[Prerequisite]:
    session: list[Session] = []

    def credentials() -> str:
        session.append(access.open_real(environment, settings).session)
        session[0].require_account(environment.account)
        return f"account {environment.account}, {environment.region}"

    first = _looked("credentials", credentials)
    yield first
    if not first.is_ok:
        return  # the other checks would report the same
    yield _looked("hosted zone", lambda: f"{environment.domain} is {require_zone(environment, session[0])}")
    if platform.state is StateKind.S3:
        yield _looked("state bucket", lambda: _bucket(platform, environment, session[0]))
    yield from _preflight(platform, environment, session[0])


def _preflight(platform: Platform, environment: Environment, session: Session) -> Iterator[Prerequisite]:
    """Check the preflight items in the manifests of the environment's modules."""
    try:
        resolved = resolving.resolve(platform, environment.name)
    except UsageError:
        yield Prerequisite("modules", f"not checked, the environment is incomplete: ngp validate {environment.name}")
        return
    for quota, names in preflight.quotas(resolved).items():
        looked = _looked("quota", partial(preflight.describe_quota, session, quota))
        yield replace(looked, says=f"{looked.says}, for {', '.join(names)}")
    for product, names in preflight.products(resolved).items():
        looked = _looked("marketplace", partial(preflight.describe_terms, session, product))
        yield replace(looked, says=f"{looked.says}, for {', '.join(names)}")


def require_zone(environment: Environment, session: Session) -> str:
    """Return the id of the hosted zone of the environment's domain. Raises MissingError if there is none."""
    zone = session.hosted_zone(environment.domain)
    if zone is None:
        raise MissingError(
            f"account {environment.account} has no public hosted zone for {environment.domain}",
            where=str(environment.path / "environment.yaml"),
            why="modules find it by the domain and add their records to it",
            todo=f"aws route53 create-hosted-zone --name {environment.domain} --caller-reference ngp, "
            "and delegate the domain to its name servers",
        )
    return zone


def _bucket(platform: Platform, environment: Environment, session: Session) -> str:
    plan = bucket.plan(session, state_locations.locate(platform, environment, ""))
    if not plan.is_empty:
        what = f"does not exist in {plan.region}" if not plan.exists else f"lacks {', '.join(plan.lacks)}"
        todo = f"ngp state bootstrap {environment.name}" + ("" if plan.exists else " (or the first `ngp apply`)")
        raise MissingError(f"the state bucket {plan.bucket} {what}", todo=todo)
    return f"s3://{plan.bucket}"
