"""The rules of safety, each by a resource that breaks it and by one that does not; and what a manifest accepts."""

import pytest

WORLD = "0.0.0.0/0"
BLOCK = """resource "aws_s3_bucket_public_access_block" "x" {
  bucket                  = aws_s3_bucket.x.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
"""
TLS_ONLY = """resource "aws_s3_bucket_policy" "x" {
  bucket = aws_s3_bucket.x.id
  policy = data.aws_iam_policy_document.tls.json
}
data "aws_iam_policy_document" "tls" {
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.x.arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}
"""
BUCKET = 'resource "aws_s3_bucket" "x" {\n}\n'
DOMAIN = """resource "aws_opensearch_domain" "x" {
  encrypt_at_rest {
    enabled = true
  }
  node_to_node_encryption {
    enabled = true
  }
  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-2019-07"
  }
}
"""


@pytest.fixture
def faults(check_text):
    """`faults(text, manifest)`: the rules that a module of this text breaks, of those that hold for every module."""
    known = {"encryption", "imdsv2", "open-ingress", "public-access", "tls", "log-retention", "exceptions", "cut-name"}
    return lambda text, manifest="": [each.rule for each in check_text(text, manifest) if each.rule in known]


def resource(type_, *lines):
    return f'resource "{type_}" "x" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


def ingress(port, cidr, more=""):
    return more + resource(
        "aws_vpc_security_group_ingress_rule", f"from_port = {port}", f"to_port = {port}", f"cidr_ipv4 = {cidr}"
    )


def listener(*lines):
    return resource("aws_lb_listener", *lines)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ingress(443, f'"{WORLD}"'), []),
        (ingress(8080, f'"{WORLD}"'), ["open-ingress"]),
        (ingress("var.port", f'"{WORLD}"'), ["open-ingress"]),
        (ingress(8080, '"10.0.0.0/8"'), []),
        (ingress("local.ports[each.key]", f'"{WORLD}"', "locals {\n  ports = { http = 80, https = 443 }\n}\n"), []),
        (
            ingress("local.ports[each.key]", f'"{WORLD}"', "locals {\n  ports = { http = 80, more = 8080 }\n}\n"),
            ["open-ingress"],
        ),
        (ingress(8080, "each.value", f'locals {{\n  from = ["{WORLD}"]\n}}\n').replace("each.value", "local.from[0]"),
         ["open-ingress"]),
        (ingress(8080, "var.from[0]", f'variable "from" {{\n  default = ["{WORLD}"]\n}}\n'), ["open-ingress"]),
        (resource("aws_security_group_rule", 'type = "egress"', f'cidr_blocks = ["{WORLD}"]'), []),
        (resource("aws_security_group_rule", 'type = "ingress"', 'ipv6_cidr_blocks = ["::/0"]'), ["open-ingress"]),
    ],
)  # fmt: skip
def test_only_the_ports_of_the_web_are_open_to_the_world(faults, text, found):
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BUCKET + BLOCK + TLS_ONLY, []),
        (BUCKET + TLS_ONLY, ["public-access"]),
        (BUCKET + BLOCK.replace("policy     = true", "policy     = false") + TLS_ONLY, ["public-access"]),
        (BUCKET + BLOCK.replace("aws_s3_bucket.x.id", "aws_s3_bucket.xy.id") + TLS_ONLY, ["public-access"]),
        (BUCKET + BLOCK, ["tls"]),
        (BUCKET + BLOCK + TLS_ONLY.replace("aws:SecureTransport", "aws:SourceIp"), ["tls"]),
        (TLS_ONLY.replace('"Deny"', '"Allow"'), []),
        (TLS_ONLY.replace('"Deny"', '"Allow"').replace("condition", "another"), ["public-access"]),
        (
            TLS_ONLY.replace('"Deny"', '"Allow"').replace("condition", "another").replace('["*"]', '["*", "x"]'),
            ["public-access"],
        ),
    ],
)
def test_buckets_are_private_and_speak_tls(faults, text, found):
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (resource("aws_db_instance", "storage_encrypted = true"), []),
        (resource("aws_db_instance", "storage_encrypted = true", "publicly_accessible = false"), []),
        (resource("aws_db_instance", "storage_encrypted = true", "publicly_accessible = true"), ["public-access"]),
        (resource("aws_db_instance", "storage_encrypted = true", "publicly_accessible = var.x"), ["public-access"]),
        (resource("aws_lambda_function_url", 'authorization_type = "NONE"'), ["public-access"]),
        (resource("aws_lambda_function_url", 'authorization_type = "AWS_IAM"'), []),
        (resource("aws_lambda_permission", 'principal = "*"'), ["public-access"]),
        (resource("aws_lambda_permission", 'principal = "events.amazonaws.com"'), ["public-access"]),
        (resource("aws_lambda_permission", 'principal = "events.amazonaws.com"', "source_arn = var.x"), []),
        (resource("aws_lambda_permission", 'principal = "123456789012"'), []),
        (
            resource("aws_lambda_permission", 'principal = "events.amazonaws.com"', "source_arn = null"),
            ["public-access"],
        ),
        (
            resource("aws_lambda_permission", 'principal = "events.amazonaws.com"', 'source_account = ""'),
            ["public-access"],
        ),
        (resource("aws_apigatewayv2_route", 'route_key = "GET /"'), ["public-access"]),
        (resource("aws_apigatewayv2_route", 'authorization_type = "NONE"'), ["public-access"]),
        (resource("aws_apigatewayv2_route", 'authorization_type = "JWT"'), []),
        (resource("aws_subnet", "map_public_ip_on_launch = true"), ["public-access"]),
        (resource("aws_subnet", "map_public_ip_on_launch = false"), []),
    ],
)
def test_databases_and_functions_are_private(faults, text, found):
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (listener('protocol = "HTTPS"', 'ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"'), []),
        (listener('protocol = "HTTPS"', "ssl_policy = var.p"), ["tls"]),
        (listener('protocol = "HTTPS"', "ssl_policy = var.p")
         + 'variable "p" {\n  default = "ELBSecurityPolicy-TLS13-1-3-2021-06"\n}\n', []),
        (listener('protocol = "TLS"', 'ssl_policy = "ELBSecurityPolicy-2016-08"'), ["tls"]),
        (listener('protocol = "TLS"', 'ssl_policy = "ELBSecurityPolicy-TLS13-1-0-2021-06"'), ["tls"]),
        (listener('protocol = "TLS"', 'ssl_policy = "ELBSecurityPolicy-TLS13-1-1-2021-06"'), ["tls"]),
        (listener('protocol = "HTTPS"'), ["tls"]),
        (listener('protocol = "TCP"'), []),
        (listener("protocol = var.p") + 'variable "p" {\n  default = "HTTP"\n}\n', ["tls"]),
        (listener('protocol = "HTTP"'), ["tls"]),
        (listener('protocol = "HTTP"', "default_action {", "redirect {", 'protocol = "HTTPS"', "}", "}"), []),
        (resource("aws_api_gateway_domain_name", 'security_policy = "TLS_1_0"'), ["tls"]),
        (resource("aws_api_gateway_domain_name", 'security_policy = "TLS_1_2"'), []),
        (DOMAIN, []),
        (DOMAIN.replace("1-2-2019", "1-0-2019"), ["tls"]),
    ],
)  # fmt: skip
def test_what_is_spoken_is_tls_1_2(faults, text, found):
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (DOMAIN.replace("encrypt_at_rest", "other"), ["encryption"]),
        (DOMAIN.replace("https       = true", "https       = false"), ["encryption"]),
        (DOMAIN.replace("enabled = true", "enabled = false"), ["encryption", "encryption"]),
        (resource("aws_kms_key"), ["encryption"]),
        (resource("aws_kms_key", "enable_key_rotation = true"), []),
        (resource("aws_sqs_queue"), ["encryption"]),
        (resource("aws_sqs_queue", "sqs_managed_sse_enabled = true"), []),
        (resource("aws_sqs_queue", "sqs_managed_sse_enabled = false"), ["encryption"]),
        (resource("aws_sqs_queue", "sqs_managed_sse_enabled = null"), ["encryption"]),
        (resource("aws_sqs_queue", 'kms_master_key_id = ""'), ["encryption"]),
        (resource("aws_sqs_queue", "sqs_managed_sse_enabled = false", "kms_master_key_id = var.k"), []),
        (resource("aws_sqs_queue", "sqs_managed_sse_enabled = var.s") + 'variable "s" {\n  default = false\n}\n',
         ["encryption"]),
        (resource("aws_sqs_queue", "sqs_managed_sse_enabled = local.s") + "locals {\n  s = !true\n}\n", ["encryption"]),
        (resource("aws_sns_topic", "kms_master_key_id = var.k"), []),
        (resource("aws_sns_topic", 'kms_master_key_id = var.k != "" ? var.k : null')
         + 'variable "k" {\n  default = ""\n}\n', ["encryption"]),
        (resource("aws_ecr_repository", 'dynamic "encryption_configuration" {', "for_each = []", "content {", "}", "}"),
         ["encryption"]),
        (resource("aws_ecr_repository", "encryption_configuration {", "}"), []),
        (resource("aws_ecr_repository"), ["encryption"]),
        (resource("aws_dynamodb_table", "server_side_encryption {", "enabled = true", "}"), []),
        (resource("aws_elasticache_replication_group", "at_rest_encryption_enabled = true"), ["encryption"]),
        (resource("aws_cloudwatch_log_group"), ["log-retention"]),
        (resource("aws_cloudwatch_log_group", "retention_in_days = 0"), ["log-retention"]),
        (resource("aws_cloudwatch_log_group", "retention_in_days = var.days"), []),
        (resource("aws_cloudwatch_log_group", 'retention_in_days = "0"'), ["log-retention"]),
    ],
)  # fmt: skip
def test_what_is_kept_is_encrypted_and_logs_end(faults, text, found):
    assert faults(text) == found


KEY = "encryption aws_kms_key.x"


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        (f"exceptions: {{{KEY}: It signs, and must not change.}}\n", []),
        ("exceptions: {encryption aws_kms_key.y: Another.}\n", ["encryption", "exceptions"]),
        ("exceptions: {tls aws_kms_key.x: Another.}\n", ["encryption", "exceptions"]),
    ],
)
def test_a_finding_is_accepted_by_rule_and_address_with_its_reason(faults, manifest, found):
    assert sorted(faults(resource("aws_kms_key"), manifest)) == found


def test_a_fault_of_a_copy_is_told_with_the_words_that_accept_it(check_text):
    source = f'source: {{address: x, checksum: "h1:{"A" * 43}="}}\n'
    (todo,) = [fault.finding.todo for fault in check_text(resource("aws_kms_key"), source) if fault.about]
    assert todo.startswith("accept it in module.yaml (exceptions: {encryption aws_kms_key.x: REASON}), or")


def test_a_copy_of_somebody_elses_module_is_as_safe(faults):
    source = f'source: {{address: x, checksum: "h1:{"A" * 43}="}}\n'
    assert faults(resource("aws_kms_key") + ingress(8080, f'"{WORLD}"'), source) == ["encryption", "open-ingress"]


UNIT = "".join(f'variable "{name}" {{\n  type = string\n}}\n' for name in ("unit", "pre_tag", "environment"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ('"lb-${substr(var.unit, 0, 8)}"', ["cut-name"]),
        ("local.short", ["cut-name"]),
        ('"${substr(var.unit, 0, 8)}-${substr(sha1(var.unit), 0, 8)}"', []),
        ('"${local.short}-${local.digest}"', []),
        ('"${local.short}-${local.poor}"', ["cut-name"]),  # a digest of the short one
        ('"${local.short}-${substr(sha1(var.unit), 0, 8)}"', []),
        ('"${local.short}-${substr(sha1(local.zone), 0, 8)}"', ["cut-name"]),
        ('"${local.short}-${random_id.x.hex}"', []),
        ('"${local.short}-${random_string.x.result}"', []),
        ('"${var.unit}-${substr(local.zone, -1, 1)}"', []),  # the letter of a zone
        ('"${var.unit}-${substr(local.zone, 0, 2)}"', []),
        ('substr("${var.pre_tag}, ${local.zone}", 0, 20)', ["cut-name"]),
        ("[for each in [var.unit] : substr(each, 0, 8)][0]", ["cut-name"]),
        ("local.both", []),
        ("var.unit", []),
        # The digest is of something else, or is itself cut.
        ('"${local.short}-${substr(sha1(var.environment), 0, 8)}"', ["cut-name"]),
        ('"${substr("${var.pre_tag}-${var.unit}", 0, 8)}-${sha1(var.unit)}"', ["cut-name"]),
        ('"${substr("${var.pre_tag}-${var.unit}", 0, 8)}-${sha1("${var.environment}/${var.unit}")}"', []),
        ('"${local.short}-${substr(local.digest, 0, 5)}"', ["cut-name"]),
        ('"${local.short}-${substr(local.digest, 0, 6)}"', []),
        ('"${local.short}-${substr(lower(base64sha256(var.unit)), 0, 6)}"', []),
        ('substr("${var.unit}-${sha1(var.unit)}", 0, 20)', ["cut-name"]),
        ('substr("${var.unit}-${local.digest}", 0, 20)', ["cut-name"]),
        ('substr("${sha1(var.environment)}-${var.unit}", 0, 20)', ["cut-name"]),
        ("substr(sha1(var.unit), 0, 20)", []),
        ("substr(local.digest, 0, 4)", ["cut-name"]),
        ('format("%.8s", var.unit)', ["cut-name"]),
        ('format("%.8s-%s", var.unit, substr(sha1(var.unit), 0, 8))', []),
        ('format("%s-%08d", var.unit, 1)', []),
        ('[for each in [var.unit] : "${substr(each, 0, 8)}-${substr(sha1(each), 0, 8)}"][0]', []),
        # A text that begins with a digest keeps it.
        ('substr("${sha1(var.unit)}-${var.unit}", 0, 20)', []),
        ("substr(lower(local.digest), 0, 8)", []),
        ("substr((sha1(var.unit)), 0, 8)", []),
        ('substr("${sha1(var.unit)}", 0, 20)', []),
        ('substr(replace(base64sha256(var.unit), "/[^a-z]/", ""), 0, 8)', []),
        ('substr("${substr(sha1(var.unit), 0, 8)}-${var.unit}", 0, 32)', []),
        ('substr("${substr(sha1(var.unit), 0, 5)}-${var.unit}", 0, 32)', ["cut-name"]),
        ("substr(/* stable */ sha1(var.unit), 0, 8)", []),
        # What is shorter anyway is not cut.
        ('substr("${local.short}-${substr(sha1(var.unit), 0, 8)}", 0, 19)', []),
        ('substr("${local.short}-${substr(sha1(var.unit), 0, 8)}", 0, 16)', ["cut-name"]),
        ("substr(var.unit, 0, -1)", []),
        # Each argument of a format has its own verb.
        ('format("%.8s-%s", var.unit, sha1(var.unit))', []),
        ('format("%.8s-%s", local.zone, var.unit)', []),
        ('format("%d%%-%[2].8s", 1, var.unit)', []),  # no verb
        ('format("%s-%.8[1]s", var.unit)', ["cut-name"]),
        ('format("%.8s-%.2s", var.unit, sha1(var.unit))', ["cut-name"]),
        # A digest of which too little is left, or that is only measured.
        ("substr(sha1(var.unit), 38, 8)", []),  # nothing is cut from its beginning
        ('"${local.short}-${substr(sha1(var.unit), 38, 8)}"', ["cut-name"]),
        ('"${local.short}-${substr(sha1(var.unit), -4, -1)}"', ["cut-name"]),
        ('"${local.short}-${substr(sha1(var.unit), -8, -1)}"', []),
        ('"${local.short}-${length(sha1(var.unit))}"', ["cut-name"]),
        (r'substr(replace(var.unit, "\\", "-"), 0, 8)', ["cut-name"]),
        # Comments and texts are no code.
        ('"${var.unit}${/* not substr(var.unit, 0, 8) */ ""}"', []),
        ('"${var.unit} is not substr(var.unit, 0, 8)"', []),
        ('"${local.short} sha1(var.unit)"', ["cut-name"]),
    ],
)
def test_name_that_is_cut_has_a_digest_of_the_whole(faults, name, found):
    more = """locals {
  short  = substr(var.unit, 0, 8)
  digest = sha1(var.unit)
  poor   = sha1(local.short)
  zone   = "eu-central-1a"
  both   = "${substr(var.unit, 0, 8)}-${local.digest}"
}
"""
    assert faults(UNIT + more + resource("aws_lb_target_group", f"name = {name}")) == found


@pytest.mark.timeout(60)  # what follows each local again in each branch takes hours
@pytest.mark.parametrize("depth", [0, 40, 80, 120])
def test_names_of_many_steps_end(faults, depth):
    """Locals that need each other, and a chain that branches, read at several depths of the stack."""
    chain = "".join(
        f'  a{n} = sha1("${{substr(local.a{n + 1}, 0, 8)}}${{substr(local.a{n + 1}, 0, 9)}}")\n' for n in range(20)
    )
    circle = """  prefix = "${substr(local.suffix, 0, 8)}-x"
  suffix = "${sha1("${substr(local.prefix, 0, 8)}-${substr(local.prefix, 0, 9)}")}-y"
"""
    text = f"locals {{\n{chain}  a20 = var.unit\n{circle}}}\n"

    names = ("substr(local.suffix, 0, 32)", "substr(local.a0, 0, 8)")
    groups = "".join(f'resource "aws_lb_target_group" "x{n}" {{\n  name = {each}\n}}\n' for n, each in enumerate(names))

    def read(left):
        return read(left - 1) if left else faults(UNIT + text + groups)

    assert read(depth) == []


def test_name_with_locals_that_need_each_other_is_read_to_the_end(faults):
    more = "locals {\n  a = local.b\n  b = local.a\n}\n"
    names = ("substr(local.a, 0, 8)", '"${substr(var.unit, 0, 8)}-${local.a}"', "substr(sha1(local.a), 0, 8)")
    buckets = "".join(
        f'resource "aws_lb_target_group" "x{n}" {{\n  name = {name}\n}}\n' for n, name in enumerate(names)
    )
    assert set(faults(UNIT + more + buckets)) == {"cut-name"}


def test_name_with_a_long_chain_of_locals_is_read_once(faults):
    chain = "".join(f'  l{n} = "${{local.l{n + 1}}}${{local.l{n + 1}}}"\n' for n in range(40))
    more = f"locals {{\n{chain}  l40 = var.unit\n}}\n"
    name = '"${substr(local.l0, 0, 8)}-${local.l0}"'
    assert faults(UNIT + more + resource("aws_lb_target_group", f"name = {name}")) == ["cut-name"]


@pytest.mark.parametrize(
    ("type_", "argument"),
    [("aws_elasticache_user", "user_id"), ("aws_cloudwatch_metric_alarm", "alarm_name"), ("aws_key_pair", "key_name")],
)
def test_names_that_are_called_otherwise_are_names_too(faults, type_, argument):
    assert faults(UNIT + resource(type_, f"{argument} = substr(var.unit, 0, 8)")) == ["cut-name"]
