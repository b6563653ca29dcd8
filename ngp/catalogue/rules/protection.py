"""Rules for protection: public access, TLS, and the retention of logs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ngp.catalogue import hcl
from ngp.catalogue.rules.source import Fault, ModuleSource, address, inner, literal

_TLS = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]|FS-1-2-Res)")
_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
# resource type → the attribute that must not be true
_PRIVATE: Mapping[str, str] = {
    "aws_db_instance": "publicly_accessible",
    "aws_rds_cluster_instance": "publicly_accessible",
    "aws_dms_replication_instance": "publicly_accessible",
    "aws_mq_broker": "publicly_accessible",
    "aws_redshift_cluster": "publicly_accessible",
}
# resource type → its attribute for TLS, and the allowed values
_SPOKEN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "aws_api_gateway_domain_name": ("security_policy", ("TLS_1_2",)),
    "aws_apigatewayv2_domain_name": ("domain_name_configuration.security_policy", ("TLS_1_2",)),
    "aws_cloudfront_distribution": ("viewer_certificate.minimum_protocol_version", ("TLSv1.2_2021", "TLSv1.3_2025")),
    "aws_opensearch_domain": (
        "domain_endpoint_options.tls_security_policy",
        ("Policy-Min-TLS-1-2-2019-07", "Policy-Min-TLS-1-2-PFS-2023-10"),
    ),
}


def publicity(source: ModuleSource) -> Iterator[Fault]:
    """Refuse public buckets, databases and clusters, and policies for everybody."""
    for block in source.of("resource", "aws_s3_bucket"):
        kept = [each for each in of_bucket(source, block, "public_access_block")]
        if not any(all(literal(each.body, name) is True for name in _BLOCKS) for each in kept):
            todo = f"an aws_s3_bucket_public_access_block with {', '.join(_BLOCKS)} = true"
            yield source.flaw(block, "public-access", f"`{address(block)}` may become public", todo=todo)
    for block in source.of("resource", *_PRIVATE):
        name = _PRIVATE[block.labels[0]]
        if literal(block.body, name) is not False and name in block.body.attributes:
            yield source.flaw(block, "public-access", f"`{address(block)}` has no `{name} = false`")
    for block in source.of("data", "aws_iam_policy_document"):
        yield from _principals(source, block)


def callers(source: ModuleSource) -> Iterator[Fault]:
    """Refuse functions, routes and machines that everybody can call."""
    for block in source.of("resource", "aws_lambda_function_url"):
        if literal(block.body, "authorization_type") != "AWS_IAM":
            yield source.flaw(block, "public-access", f"`{address(block)}` answers everybody", todo="AWS_IAM")
    for block in source.of("resource", "aws_lambda_permission"):
        yield from _callers(source, block)
    for block in source.of("resource", "aws_apigatewayv2_route"):
        if source.value(block.body, "authorization_type") not in (..., "AWS_IAM", "JWT", "CUSTOM"):
            yield source.flaw(block, "public-access", f"`{address(block)}` answers everybody", todo="AWS_IAM, JWT")
    for block in source.of("resource", "aws_subnet", "aws_default_subnet"):
        if source.value(block.body, "map_public_ip_on_launch") not in (None, False):
            what = f"what starts in `{address(block)}` has a public address"
            yield source.flaw(block, "public-access", what, todo="give one to those that need it")


def transport(source: ModuleSource) -> Iterator[Fault]:
    """Require TLS 1.2 or newer."""
    for block in source.of("resource", "aws_lb_listener"):
        yield from _listener(source, block)
    for block in source.of("resource", *_SPOKEN):
        path, allowed = _SPOKEN[block.labels[0]]
        if source.value(block.body, path) not in allowed:
            what = f"`{address(block)}` does not ask for TLS 1.2"
            yield source.flaw(block, "tls", what, todo=f"{path} = {' or '.join(allowed)}")
    for block in source.of("resource", "aws_s3_bucket"):
        texts = (each.source for each in source.scanned)
        if not of_bucket(source, block, "policy") or not any("aws:SecureTransport" in text for text in texts):
            what = f"`{address(block)}` answers without TLS"
            yield source.flaw(block, "tls", what, todo="a policy that denies where aws:SecureTransport is false")


def retention(source: ModuleSource) -> Iterator[Fault]:
    """Require that logs expire and that the module makes their log groups."""
    for block in source.of("resource", "aws_cloudwatch_log_group"):
        if source.value(block.body, "retention_in_days") in (None, 0, "0", ""):
            what = f"`{address(block)}` keeps its events for ever"
            yield source.flaw(block, "log-retention", what, todo="retention_in_days = var.log_retention_days")


def of_bucket(source: ModuleSource, bucket: hcl.Block, kind: str) -> list[hcl.Block]:
    """Yield the resources of one kind that belong to a bucket."""
    named = re.compile(rf"\b{re.escape(address(bucket))}\b")
    return [
        each
        for each in source.of("resource", f"aws_s3_bucket_{kind}")
        if "bucket" in each.body.attributes and named.search(each.body.attributes["bucket"].code)
    ]


def _callers(source: ModuleSource, block: hcl.Block) -> Iterator[Fault]:
    """A service may call a function for its own account only, else somebody else's may have it called."""
    principal = str(source.value(block.body, "principal"))
    if principal == "*":
        yield source.flaw(block, "public-access", f"everybody may call what `{address(block)}` is for")
    elif principal.endswith(".amazonaws.com") and not any(
        source.has(block.body, name) for name in ("source_arn", "source_account")
    ):
        what = f"`{address(block)}` lets {principal} call for any account"
        yield source.flaw(block, "public-access", what, todo="source_arn or source_account")


def _principals(source: ModuleSource, block: hcl.Block) -> Iterator[Fault]:
    for statement in inner(block.body, "statement"):
        everybody = [each for each in inner(statement.body, "principals") if _is_everybody(source, each)]
        is_bound = any(True for _ in source.given(statement.body, "condition"))
        if everybody and not is_bound and literal(statement.body, "effect") != "Deny":
            yield source.flaw(block, "public-access", f"`{address(block)}` allows everybody", where=statement.where)


def _is_everybody(source: ModuleSource, principals: hcl.Block) -> bool:
    value = source.value(principals.body, "identifiers")
    return isinstance(value, list) and "*" in value


def _listener(source: ModuleSource, block: hcl.Block) -> Iterator[Fault]:
    protocol = source.value(block.body, "protocol")
    if protocol in ("HTTPS", "TLS") and not _TLS.match(str(source.value(block.body, "ssl_policy"))):
        what = f"`{address(block)}` lets old TLS in"
        yield source.flaw(block, "tls", what, todo='ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"')
    if protocol == "HTTP" and source.value(block.body, "default_action.redirect.protocol") != "HTTPS":
        what = f"`{address(block)}` answers without TLS"
        yield source.flaw(block, "tls", what, todo="redirect to HTTPS, or give the reason")
