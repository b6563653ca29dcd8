"""Rules for wiring: the manifest names existing things, and everything can be previewed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ngp.catalogue import hcl
from ngp.catalogue.module import Effect
from ngp.catalogue.rules.source import Fault, ModuleSource, address, code, inner
from ngp.errors import Finding, nearest

# Data sources that look up by name what another unit may make → arguments that identify it otherwise.
_LOOKUPS: Mapping[str, frozenset[str]] = {
    "aws_autoscaling_group": frozenset(),
    "aws_autoscaling_groups": frozenset(),
    "aws_cloudwatch_log_group": frozenset(),
    "aws_db_instance": frozenset(),
    "aws_db_subnet_group": frozenset(),
    "aws_ecr_repository": frozenset(),
    "aws_ecs_cluster": frozenset(),
    "aws_efs_file_system": frozenset({"file_system_id"}),
    "aws_eip": frozenset({"id", "public_ip"}),
    "aws_eips": frozenset(),
    "aws_eks_cluster": frozenset(),
    "aws_elasticache_cluster": frozenset(),
    "aws_elasticache_replication_group": frozenset(),
    "aws_iam_instance_profile": frozenset(),
    "aws_iam_role": frozenset(),
    "aws_iam_roles": frozenset(),
    "aws_instance": frozenset({"instance_id"}),
    "aws_instances": frozenset(),
    "aws_internet_gateway": frozenset({"internet_gateway_id"}),
    "aws_key_pair": frozenset({"key_pair_id"}),
    "aws_kms_alias": frozenset(),
    "aws_lambda_function": frozenset(),
    "aws_launch_template": frozenset({"id"}),
    "aws_lb": frozenset({"arn"}),
    "aws_lb_listener": frozenset({"arn", "load_balancer_arn"}),
    "aws_lb_target_group": frozenset({"arn"}),
    "aws_lbs": frozenset(),
    "aws_nat_gateway": frozenset({"id"}),
    "aws_nat_gateways": frozenset(),
    "aws_opensearch_domain": frozenset(),
    "aws_rds_cluster": frozenset(),
    "aws_route_table": frozenset({"route_table_id", "gateway_id", "subnet_id"}),
    "aws_route_tables": frozenset(),
    "aws_s3_bucket": frozenset(),
    "aws_secretsmanager_secret": frozenset({"arn"}),
    "aws_security_group": frozenset({"id"}),
    "aws_security_groups": frozenset(),
    "aws_sns_topic": frozenset(),
    "aws_sqs_queue": frozenset(),
    "aws_ssm_parameter": frozenset(),
    "aws_subnet": frozenset({"id"}),
    "aws_subnets": frozenset(),
    "aws_vpc": frozenset({"id"}),
    "aws_vpc_endpoint": frozenset({"id"}),
    "aws_vpcs": frozenset(),
}
# Inputs that name things: another value replaces them; one note covers them all.
NAMING = frozenset({"project", "environment", "region", "domain_name", "pre_tag", "post_tag", "unit"})
_META = frozenset({"count", "for_each", "provider", "depends_on", "with_decryption", "tags"})
_REFERENCE = re.compile(r"(?<![\w.])[a-z][a-z0-9_]*\.[A-Za-z_][\w-]*")
# Arguments of a launch template itself: they make no new version.
_OF_ALL_VERSIONS = frozenset({"default_version", "tags", "update_default_version"})
_AWS_OWN = re.compile(r'"(/aws/|alias/aws/)')


def manifest(source: ModuleSource) -> Iterator[Fault]:
    """Require that what the manifest names exists and can be used so."""
    module, manifest = source.module, source.module.manifest
    yield from _known(source, "requires", manifest.requires, module.variables, "input")
    yield from _known(source, "generated", manifest.generated, module.variables, "input")
    yield from _known(source, "provides", manifest.provides, module.outputs, "output")
    yield from _known(source, "reveal", manifest.reveal.values(), module.outputs, "output")
    yield from _known(source, "show", manifest.show, module.outputs, "output")
    resources = {address(block) for kind in ("resource", "data") for block in source.of(kind)}
    yield from _known(source, "data", manifest.data, resources, "resource")
    yield from _known(source, "quorum", manifest.quorum, resources, "resource")
    for check in manifest.ready:
        is_name = check.kind != "command" and "{" not in check.target
        names = [check.target] if is_name else re.findall(r"\{([^{}]*)\}", check.target)
        yield from _known(source, "ready", names, module.outputs, "output")
    conditions = [item.partition(":")[2] for item in manifest.preflight if item.startswith("marketplace:")]
    yield from _known(source, "preflight", (each.partition("=")[0] for each in conditions), module.variables, "input")
    public = (
        ("provides", manifest.provides, "a sensitive output is never wired; give its secret's ARN"),
        ("show", manifest.show, "`ngp apply` shows no sensitive output; name its secret's ARN under `reveal`"),
    )
    for key, outputs, why in public:
        for name in outputs:
            if name in module.outputs and module.outputs[name].sensitive:
                yield source.fault(key, f"`{name}` is sensitive", str(module.outputs[name].place), why=why)
    for name in manifest.generated:
        if name in module.variables and not module.variables[name].ephemeral:
            place = str(module.variables[name].place)
            yield source.fault("generated", f"`{name}` is not ephemeral", place, why="state must never hold it")


def upgrades(source: ModuleSource) -> Iterator[Fault]:
    """Require that upgrade notes match the module, and that data is replaced only with a way to keep it."""
    manifest = source.module.manifest
    yield from _known(source, "upgrade", manifest.upgrade, source.module.variables, "input")
    resources = {address(block) for block in source.of("resource")}
    precious = {*manifest.data, *manifest.quorum}
    for name, upgrade in manifest.upgrade.items():
        key = f"upgrade.{name}"
        yield from _known(source, key, upgrade.resources, resources, "resource")
        if upgrade.effect is Effect.REPLACE and not upgrade.resources:
            what = f"`{key}` replaces, and names no resources"
            yield source.fault("upgrade", what, source.manifest.where(key), todo="name those that it replaces")
        if upgrade.effect is Effect.REPLACE and not upgrade.note and not precious.isdisjoint(upgrade.resources):
            lost = ", ".join(f"`{each}`" for each in upgrade.resources if each in precious)
            todo = "explain in its `note` how to do it without loss"
            yield source.fault("upgrade", f"`{key}` replaces {lost}", source.manifest.where(key), todo=todo)


def renewals(source: ModuleSource) -> Iterator[Fault]:
    """An input that reaches the template of machines which AWS then renews is not said to change in place."""
    upgrade = source.module.manifest.upgrade
    for template in source.of("resource", "aws_launch_template"):
        follower = next(_followers(source, address(template)), None)
        if follower is None:
            continue
        for name in sorted(_taken(source, template) & source.module.variables.keys() - NAMING):
            if name not in upgrade or upgrade[name].effect is Effect.IN_PLACE:
                what = f"`{name}` is part of `{address(template)}`, whose machines `{address(follower)}` renews"
                todo = f"say so in module.yaml: upgrade.{name} with the effect rolling"
                place = str(source.module.variables[name].place)
                yield Fault(source.module.name, "renewal", Finding(what, place, "", todo), f"var.{name}")


def counts(source: ModuleSource) -> Iterator[Fault]:
    """Refuse `count` and `for_each` that depend on a wired input, which may be unknown in a preview."""
    required = set(source.module.manifest.requires)
    for block in (*source.of("resource"), *source.of("data"), *source.of("module")):
        for attribute in _repetitions(block):
            for name in sorted(source.inputs(attribute.code, but_lengths=True) & required):
                what = f"`{attribute.name}` of `{address(block)}` depends on `{name}`"
                why = "another unit feeds it, so a preview may not know it; its length is known"
                yield source.fault("wired-count", what, attribute.where, why=why)


def lookups(source: ModuleSource) -> Iterator[Fault]:
    """Refuse lookups by name of what another unit makes: a preview would find the old one, or none."""
    own = {address(block) for block in source.of("resource")}
    for block in source.of("data", *_LOOKUPS):
        attributes = block.body.attributes
        asked = [each for name, each in attributes.items() if name not in _META]
        by_identity = not _LOOKUPS[block.labels[0]].isdisjoint(attributes)
        by_given = bool(asked) and all(_is_given(each) for each in asked) and not block.body.of("filter")
        by_own = any(not own.isdisjoint(_REFERENCE.findall(each.text)) for each in asked)
        if not by_identity and not by_given and not by_own:
            what = f"`{address(block)}` looks up by name what another unit may make"
            todo = "take its id as an input, and name that under `requires`"
            yield source.fault("lookup", what, block.where, todo=todo)


def _followers(source: ModuleSource, template: str) -> Iterator[hcl.Block]:
    """Yield what replaces machines when a launch template has a new version."""
    for block in source.of("resource", "aws_eks_node_group", "aws_autoscaling_group"):
        renews = block.labels[0] == "aws_eks_node_group" or any(inner(block.body, "instance_refresh"))
        if renews and any(_follows(source, each, template) for each in inner(block.body, "launch_template")):
            yield block


def _follows(source: ModuleSource, named: hcl.Block, template: str) -> bool:
    """Whether a new version of the template is a difference here: `$Latest` is always the same text."""
    version = named.body.attributes.get("version")
    texts = [version.code, *(source.locals[each].code for each in source.locals_in(version.code))] if version else []
    found = re.compile(rf"(?<![\w.]){re.escape(template)}(\[[^\]]*\])?\.(latest|default)_version\b")
    return any(found.search(text) for text in texts)


def _taken(source: ModuleSource, template: hcl.Block) -> set[str]:
    """The inputs that make a new version of a template, but for what its lifecycle ignores."""
    told = [each.body.attributes.get("ignore_changes") for each in template.body.of("lifecycle")]
    ignored = _OF_ALL_VERSIONS | {name for each in told if each for name in re.findall(r"\w+", each.text)}
    parts = [each.code for name, each in template.body.attributes.items() if name not in ignored]
    parts += [code(each.body) for each in template.body.blocks if {each.type, *each.labels}.isdisjoint(ignored)]
    return source.inputs("\n".join(parts))


def _known(source: ModuleSource, key: str, names: Iterable[str], known: Iterable[str], kind: str) -> Iterator[Fault]:
    there, rule = set(known), key.partition(".")[0]
    for name in names:
        if name not in there:
            where = source.manifest.where(key)
            yield source.fault(rule, f"`{key}` names `{name}`, which is no {kind}", where, todo=nearest(name, there))


def _repetitions(block: hcl.Block) -> Iterator[hcl.Attribute]:
    attributes = block.body.attributes
    yield from (attributes[name] for name in ("count", "for_each") if name in attributes)


def _is_given(attribute: hcl.Attribute) -> bool:
    """Whether the operator or a wire says the name itself, or it is one of AWS's own."""
    is_input = re.fullmatch(r"(var|each)\.[\w.-]+(\[\d+\])?", attribute.text) is not None
    return is_input or _AWS_OWN.match(attribute.text) is not None
