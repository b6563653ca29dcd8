"""What AWS would refuse is found in a module's code: by botocore's models, and by what EC2's documentation says."""

import base64

import pytest

from ngp.aws import models
from ngp.catalogue.constraints import accepting, machines, parameters, policies
from ngp.catalogue.constraints.accepting import ArgumentValue

RULE = "aws-accepts"


def resource(type_, *lines):
    return f'resource "{type_}" "x" {{\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


@pytest.fixture
def refused(check_text):
    """`refused(text, manifest)`: the findings of the rule in a module of this text."""
    return lambda text, manifest="": [each.finding for each in check_text(text, manifest) if each.rule == RULE]


def test_finding_names_resource_attribute_value_rule_and_source(refused):
    [found] = refused(resource("aws_iam_role", 'name = "no spaces here"'))
    assert found.what == 'aws_iam_role.x name = "no spaces here": AWS would refuse it'
    assert found.why.startswith(r"name matches [\w+=,.@-]+ (botocore ")
    assert found.why.endswith(": iam CreateRole, RoleName)")
    assert found.where.endswith("thing.tf:2")


@pytest.mark.parametrize(
    ("type_", "lines", "rule"),
    [
        ("aws_vpc_security_group_ingress_rule", ['description = "NFS from the cluster\'s nodes"'], "holds only"),
        ("aws_vpc_security_group_egress_rule", ['description = "Ümlaut"'], "holds only"),
        ("aws_security_group", ["ingress {", 'description = "it\'s"', "}"], "holds only"),
        ("aws_security_group", [f'description = "{"a" * 256}"'], "at most 255"),
        ("aws_security_group", ['name = "sg-mine"'], "sg-"),
        ("aws_security_group", ['name_prefix = "sg-mine-"'], "sg-"),
        ("aws_vpc_security_group_ingress_rule", ["from_port = 70000"], "-1 to 65535"),
        ("aws_instance", ['tags = { "aws:x" = "y" }'], "do not begin with aws:"),
        ("aws_instance", [f'tags = {{ Name = "{"v" * 257}" }}'], "at most 256"),
        ("aws_iam_role", ['tags = { Name = "a;b" }'], "has a value that matches"),
        ("aws_iam_role", ["max_session_duration = 60"], "at least 3600"),
        ("aws_iam_role", [f'name_prefix = "{"a" * 39}"'], "at most 64"),
        ("aws_lb", ['name = "internal-shop"'], "internal-"),
        ("aws_lb", [f'name = "{"a" * 33}"'], "at most 32"),
        ("aws_lb", ['load_balancer_type = "classic"'], "is one of application, network, gateway"),
        ("aws_lb_target_group", ["health_check {", "interval = 1000", "}"], "at most 300"),
        ("aws_s3_bucket", ['bucket = "Shop"'], "lower-case"),
        ("aws_s3_object", ["tags = { " + ", ".join(f"k{n} = 1" for n in range(11)) + " }"], "at most 10 tags"),
        ("aws_acm_certificate", [f'domain_name = "{"a" * 62}.com"'], "at most 64"),
        ("aws_cloudwatch_metric_alarm", ['comparison_operator = "Above"'], "is one of"),
        ("aws_cloudwatch_metric_alarm", [f'alarm_name = "{"a" * 256}"'], "at most 255"),
        ("aws_backup_plan", ['name = "a"', "rule {", 'rule_name = "a b"', "}"], "matches"),
        ("aws_ecr_repository", ['name = "Shop/Web"'], "matches"),
        (
            "aws_autoscaling_group",
            ["min_size = 3", "desired_capacity = 2", "max_size = 4"],
            "not above desired_capacity",
        ),
        ("aws_lambda_function", ["environment {", f'variables = {{ A = "{"x" * 4096}" }}', "}"], "4096 bytes"),
        ("aws_iam_policy", [f'policy = "{{{"x" * 6200}}}"'], "6144"),
        ("aws_iam_role", [f'assume_role_policy = "{{{"x" * 8192}}}"'], "8192"),
        ("aws_iam_role", ["inline_policy {", f'policy = "{"x" * 10241}"', "}"], "10240"),
        ("aws_iam_role_policy", [f'policy = "{"x" * 10241}"'], "10240"),
        ("aws_iam_group_policy", [f'policy = "{"x" * 5121}"'], "5120"),
        ("aws_iam_user_policy", [f'policy = "{"x" * 2049}"'], "2048"),
        ("aws_sqs_queue_policy", [f'policy = "{"x" * 8193}"'], "8192"),
        ("aws_s3_bucket_policy", [f'policy = "{"x" * 20481}"'], "20480"),
        ("aws_kms_key", [f'policy = "{"x" * 32769}"'], "32768"),
        ("aws_vpc_endpoint", [f'policy = "{"x" * 20481}"'], "20480"),
        ("aws_ecr_repository_policy", [f'policy = "{"x" * 10241}"'], "at most 10240"),
        ("aws_efs_file_system_policy", [f'policy = "{"x" * 20001}"'], "at most 20000"),
        ("aws_secretsmanager_secret_policy", [f'policy = "{"x" * 20481}"'], "at most 20480"),
        ("aws_cloudwatch_log_group", ["retention_in_days = 31"], "number of days that CloudWatch has"),
        ("aws_instance", ["metadata_options {", "http_put_response_hop_limit = 65", "}"], "1 to 64"),
        ("aws_launch_template", ["metadata_options {", "http_put_response_hop_limit = 0", "}"], "1 to 64"),
        ("aws_elasticache_replication_group", ["num_cache_clusters = 7"], "1 to 6"),
        (
            "aws_elasticache_replication_group",
            ['engine_version = "8.0"', "auto_minor_version_upgrade = true"],
            "names a minor version (8.0)",
        ),
        (
            "aws_db_instance",
            ['engine = "postgres"', 'engine_version = "17.4"', "auto_minor_version_upgrade = true"],
            "names a minor version (17.4)",
        ),
        ("aws_db_instance", ['engine = "mysql"', 'engine_version = "8.0.40"'], "names a minor version (8.0.40)"),
        ("aws_db_instance", ['engine = "sqlserver-se"', 'engine_version = "15.00.4345.5.v1"'], "names a minor version"),
        ("aws_elasticache_replication_group", ['engine_version = "6.2"'], "names a minor version (6.2)"),
    ],
)
def test_what_aws_refuses_is_found(refused, type_, lines, rule):
    found = refused(resource(type_, *lines))
    assert [rule in each.why for each in found] == [True], found


@pytest.mark.parametrize("line", ["", "auto_minor_version_upgrade = null", "auto_minor_version_upgrade = true"])
def test_version_that_aws_raises_is_found_and_not_called_refused(refused, line):
    """AWS accepts the pair, and raises versions unless it is told not to."""
    [found] = refused(resource("aws_elasticache_replication_group", 'engine_version = "7.1"', line))
    assert found.what.endswith('auto_minor_version_upgrade = "True": later plans would ask for an older version')
    assert "names a minor version (7.1)" in found.why


def test_upgrades_that_only_terraform_knows_are_left_alone(refused):
    lines = ['engine_version = "7.1"', "auto_minor_version_upgrade = var.unknown"]
    assert refused('variable "unknown" {\n}\n' + resource("aws_elasticache_replication_group", *lines)) == []


@pytest.mark.parametrize(
    ("type_", "lines"),
    [
        ("aws_vpc_security_group_ingress_rule", ['description = "DC/OS (443), from: 10.0.0.0/8 & [x] {y} !$*;=@#+_-"']),
        ("aws_security_group", ['name_prefix = "shop-sg-"', f'description = "{"a" * 255}"']),
        ("aws_lb", ['name = "shop-internal"', 'load_balancer_type = "network"']),
        ("aws_cloudwatch_log_group", ["retention_in_days = 0"]),
        ("aws_instance", ["metadata_options {", "http_put_response_hop_limit = 64", "}"]),
        ("aws_elasticache_replication_group", ["num_cache_clusters = 6"]),
        ("aws_elasticache_replication_group", ['engine_version = "8.0"', "auto_minor_version_upgrade = false"]),
        ("aws_db_instance", ['engine = "postgres"', 'engine_version = "17"', "auto_minor_version_upgrade = true"]),
        ("aws_db_instance", ['engine = "mysql"', 'engine_version = "8.0"', "auto_minor_version_upgrade = true"]),
        ("aws_db_instance", ['engine = "sqlserver-se"', 'engine_version = "15.00"']),
        ("aws_db_instance", ["engine = var.none", 'engine_version = "8.0.40"']),
        ("aws_elasticache_replication_group", ['engine_version = "5.0.6"']),  # AWS raises Redis from 6 on
        ("aws_iam_role", ['name_prefix = "shop-"', "description = var.none"]),
        ("aws_iam_role", [f'assume_role_policy = "{{{"x" * 4000}}}"']),  # where the quota was raised
        ("aws_s3_bucket_policy", [f'policy = "{{{" " * 21000}}}"']),  # the provider sends no white space
        ("aws_ecr_repository_policy", [f'policy = "{{{" " * 21000}}}"']),
        ("aws_lambda_function", ['runtime = "python3.99"']),  # a runtime that this botocore does not know yet
        ("aws_opensearch_domain", ["cluster_config {", 'instance_type = "m9g.large.search"', "}"]),
        ("aws_autoscaling_group", ["min_size = 1", "max_size = 1"]),
        ("aws_lb_listener", ["alpn_policy = null", 'protocol = ""']),
        ("aws_sqs_queue", ["count = 0", 'name = "no good"']),
    ],
)
def test_what_aws_takes_is_left_alone(refused, type_, lines):
    text = resource(type_, *lines) + 'variable "none" {\n  type = string\n  default = null\n}\n'
    assert refused(text) == []


def inline(name, role, size, *more):
    lines = [f"role = {role}", f'policy = "{"x" * size}"', *more]
    return resource("aws_iam_role_policy", *lines).replace('"x"', f'"{name}"')


def test_inline_policies_within_the_quota_of_each_role_are_left_alone(refused):
    text = inline("a", "aws_iam_role.one.id", 6000) + inline("b", "aws_iam_role.two.id", 6000)
    assert refused(text + inline("c", "aws_iam_role.one.name", 4240)) == []


def test_inline_policies_are_counted_together_by_role(refused):
    text = inline("a", "aws_iam_role.one.id", 6000) + inline("b", "aws_iam_role.two.id", 6000)
    [found] = refused(text + inline("c", "aws_iam_role.one.name", 4241))
    assert found.what.startswith("aws_iam_role_policy.c policy = ")
    assert "all other inline policies of its role; these 2 have 10241 (AWS documentation: IAM quotas)" in found.why


def test_roles_that_are_told_apart_by_a_key_are_not_counted_together(refused):
    each = [inline(name, "aws_iam_role.x[each.key].id", 6000, "for_each = var.none") for name in "ab"]
    assert refused("".join(each) + 'variable "none" {\n  type = set(string)\n}\n') == []


UNKNOWN = 'variable "none" {\n  type = string\n}\n'


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('aws_iam_role.x["a"].id', 'aws_iam_role.x["b"].id'),
        ('"${var.none}-reader"', '"${var.none}-writer"'),
        ('module.roles["a"].name', 'module.roles["b"].name'),
    ],
)
def test_roles_that_differ_in_a_text_are_not_counted_together(refused, first, second):
    assert refused(inline("a", first, 6000) + inline("b", second, 6000) + UNKNOWN) == []


@pytest.mark.parametrize("role", ['aws_iam_role.x["a"].id', '"${var.none}-reader"'])
def test_a_role_that_is_written_otherwise_is_counted_together(refused, role):
    text = inline("a", role, 6000) + inline("b", f"({role}) # the same", 6000) + UNKNOWN
    assert len(refused(text)) == 1


@pytest.mark.parametrize(
    ("more", "other"),
    [
        ("provider = aws.other", ""),
        ("provider = aws.other", "provider = aws.third"),
        ('count = var.none == "" ? 1 : 0', 'count = var.none == "" ? 0 : 1'),
        ("for_each = toset([var.none])", ""),
        ("count = 0", ""),
    ],
)
def test_policies_of_another_account_or_in_place_of_another_are_not_counted(refused, more, other):
    assert refused(inline("a", '"deploy"', 6000, more) + inline("b", '"deploy"', 6000, other) + UNKNOWN) == []


@pytest.mark.parametrize("more", ["count = 2", 'for_each = { "a" = 1, "b" = 2 }'])
@pytest.mark.parametrize("role", ['"deploy"', "aws_iam_role.one.id"])
def test_every_instance_of_an_inline_policy_counts(refused, role, more):
    assert "these 2 have 12000" in refused(inline("a", role, 6000, more))[0].why


@pytest.mark.parametrize("role", ['"ci-${count.index}"', '["a", "b", "c"][count.index]'])
def test_instances_with_a_holder_each_are_not_multiplied(refused, role):
    assert refused(inline("a", role, 6000, "count = 3")) == []


@pytest.mark.parametrize("count", ['["a", "b"]', '"many"', "1.5", "2000000"])
def test_a_count_that_is_no_number_or_a_huge_one_ends_nothing(refused, count):
    assert len(refused(inline("a", '"deploy"', 6000, f"count = {count}"))) == (count == "2000000")


def test_count_in_a_policy_is_not_multiplied(refused):
    text = inline("a", '"deploy"', 1, "count = 2").replace('"x"', f'"{"x" * 6000}${{count.index}}"')
    assert refused(text) == []


@pytest.mark.parametrize(("size", "number"), [(5120, 0), (5121, 1)])
def test_blocks_of_inline_policies_count_together(refused, size, number):
    block = ["inline_policy {", f'policy = "{"x" * size}"', "}"]
    found = refused(resource("aws_iam_role", *block, *block))
    assert len(found) == number
    assert all("aws_iam_role.x inline_policy.policy" in each.what for each in found)


def test_blocks_of_unknown_number_are_not_counted(refused):
    content = ["content {", f'policy = "{"x" * 6000}"', "}", "}"]
    blocks = [
        *['dynamic "inline_policy" {', 'for_each = var.none == "" ? [1] : []', *content],
        *['dynamic "inline_policy" {', 'for_each = var.none == "" ? [] : [1]', *content],
    ]
    assert refused(resource("aws_iam_role", *blocks) + UNKNOWN) == []


@pytest.mark.parametrize("text", ['"\\ud800"', "[" * 20000])
def test_policy_of_broken_or_deep_json_is_measured(text):
    sizes = [rule for rule, _, _ in policies.broken("aws_sqs_queue_policy", "policy", text)]
    assert sizes == [] if len(text) < 8192 else ["has at most 8192 bytes; it has 20000"]


@pytest.mark.parametrize(("size", "number"), [(8192 - len('{"a":""}'), 0), (8193 - len('{"a":""}'), 1)])
def test_policy_of_jsonencode_is_measured(refused, size, number):
    text = f'variable "long" {{\n  type    = string\n  default = "{"x" * size}"\n}}\n'
    assert len(refused(text + resource("aws_sqs_queue_policy", "policy = jsonencode({ a = var.long })"))) == number


REGION = 'variable "region" {\n  type    = string\n  default = "eu-central-1"\n}\n'


CERTIFICATE = 'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a"'
KEY = "arn:aws:kms:us-east-1:123456789012:key/a"


@pytest.mark.parametrize(
    ("type_", "line", "is_refused"),
    [
        ("aws_lb_listener", 'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a"', True),
        ("aws_lb_listener", 'certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/a"', False),
        ("aws_lb_listener", 'certificate_arn = "arn:aws:iam::123456789012:server-certificate/a"', False),
        ("aws_cloudwatch_metric_alarm", 'alarm_actions = ["arn:aws:sns:us-east-1:123456789012:a"]', True),
        ("aws_ebs_volume", f'kms_key_id = "{KEY}"', True),
        ("aws_instance", f'root_block_device {{\n kms_key_id = "{KEY}"\n }}', True),
        ("aws_dynamodb_table", f'server_side_encryption {{\n kms_key_arn = "{KEY}"\n }}', True),
        ("aws_ebs_volume", f'provider = aws.east\n kms_key_id = "{KEY}"', False),
        # AWS wants these in us-east-1, wherever the unit is.
        ("aws_cognito_user_pool_domain", CERTIFICATE, False),
        ("aws_appsync_domain_name", CERTIFICATE, False),
        ("aws_api_gateway_domain_name", CERTIFICATE, False),
        # These are of the region that the copy is in.
        ("aws_dynamodb_table", f'replica {{\n region_name = "us-east-1"\n kms_key_arn = "{KEY}"\n }}', False),
        ("aws_secretsmanager_secret", f'replica {{\n region = "us-east-1"\n kms_key_id = "{KEY}"\n }}', False),
    ],
)
def test_arn_of_another_region_is_found(refused, type_, line, is_refused):
    found = [each.why for each in refused(REGION + resource(type_, line)) if "is of eu-central-1" in each.why]
    assert bool(found) is is_refused


def test_arn_is_left_alone_where_the_region_is_not_known(refused):
    text = resource("aws_lb_listener", 'certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/a"')
    assert refused(text) == []


def test_values_come_from_locals_each_and_dynamic_blocks(refused):
    text = """locals {
  what = "the masters'"
  rules = { web = { say = "fine" }, nodes = { say = "from ${local.what} balancer" } }
}
resource "aws_vpc_security_group_ingress_rule" "each" {
  for_each    = local.rules
  description = each.value.say
}
resource "aws_security_group" "blocks" {
  dynamic "ingress" {
    for_each = ["fine", "it's"]
    content {
      description = ingress.value
    }
  }
}
"""
    assert [each.what for each in refused(text)] == [
        'aws_vpc_security_group_ingress_rule.each description = "from the masters\' balancer": AWS would refuse it',
        'aws_security_group.blocks ingress.description = "it\'s": AWS would refuse it',
    ]


def test_piece_of_a_text_that_only_terraform_knows_is_enough(refused):
    found = refused(
        resource("aws_vpc_security_group_ingress_rule", 'description = "${aws_vpc.x.id} of a client\'s group"')
    )
    assert [each.what for each in found] == [
        'aws_vpc_security_group_ingress_rule.x description = " of a client\'s group": AWS would refuse it'
    ]


@pytest.mark.parametrize(
    "line",
    ['name = "${aws_vpc.x.id}-internal-and-much-longer-than-that"', 'load_balancer_type = "${aws_vpc.x.id}work"'],
)
def test_piece_of_a_name_says_nothing_of_the_whole(refused, line):
    assert refused(resource("aws_lb", line)) == []


def test_manifest_may_give_a_reason(refused):
    text = resource("aws_security_group", 'name = "sg-mine"')
    assert refused(text, f"exceptions:\n  {RULE} aws_security_group.x: a test\n") == []


def image(type_, architecture):
    return f"""data "aws_ssm_parameter" "debian" {{
  name = "/aws/service/debian/release/13/latest/{architecture}"
}}
locals {{
  ami = data.aws_ssm_parameter.debian.insecure_value
}}
resource "aws_instance" "x" {{
  ami           = local.ami
  instance_type = "{type_}"
}}
"""


@pytest.mark.parametrize(
    ("type_", "architecture", "fits"),
    [
        ("t4g.small", "amd64", False),
        ("t3.small", "arm64", False),
        ("t3.small", "amd64", True),
        ("im4gn.large", "arm64", True),
        ("g4dn.xlarge", "amd64", True),
        ("a1.large", "amd64", False),
    ],
)
def test_instance_type_fits_its_image(refused, type_, architecture, fits):
    found = refused(image(type_, architecture))
    assert [f"the image's architecture, {architecture}" in each.why for each in found] == ([] if fits else [True])


def test_machine_whose_image_depends_is_left_to_aws(refused):
    text = image("t4g.small", "${each.key}").replace(
        'data "aws_ssm_parameter" "debian" {',
        'data "aws_ssm_parameter" "debian" {\n  for_each = toset(["amd64", "arm64"])',
    )
    assert refused(text.replace("debian.insecure", 'debian["arm64"].insecure')) == []


def test_image_that_no_lookup_names_is_left_to_aws(refused):
    text = 'resource "aws_instance" "x" {\n  ami = aws_ami_copy.x.id\n  instance_type = "t4g.small"\n}\n'
    assert refused(text) == []


@pytest.mark.parametrize(
    ("type_", "which"), [("m7gd.large", "arm64"), ("c5n.large", "amd64"), ("p4d.24xlarge", "amd64")]
)
def test_graviton_has_a_g_behind_its_generation(type_, which):
    assert machines.of_type(type_) == which


@pytest.mark.parametrize(("size", "is_refused"), [(16384, False), (16385, True)])
@pytest.mark.parametrize(
    ("type_", "path"), [("aws_instance", "user_data_base64"), ("aws_launch_template", "user_data")]
)
def test_user_data_is_counted_before_base64(type_, path, size, is_refused):
    text = base64.b64encode(b"x" * size).decode()
    found = list(accepting.refusals(type_, [ArgumentValue(path, text)], parameters.load()))
    assert [each.rule for each in found] == (["is at most 16384 bytes before Base64"] if is_refused else [])


def test_values_of_a_plan_are_read_as_those_of_code():
    planned = {"name": None, "rule": [{"rule_name": "a b", "schedule": "x"}], "tags": {"aws:a": "b"}}
    found = accepting.refusals("aws_backup_plan", list(accepting.flatten(planned)), parameters.load())
    assert sorted(each.path for each in found) == ["rule.rule_name", "tags"]


@pytest.mark.parametrize("type_", parameters.CALLS)
def test_every_name_of_the_table_is_a_parameter(type_):
    """A renamed argument whose parameter the model has not would never be held against anything."""
    for call in parameters.CALLS[type_]:
        known = {each.path for each in models.parameters(call.service, call.operation)}
        for target in call.names.values():
            assert (f"{call.inside}.{target}" if call.inside else target) in known, (call.operation, target)


def test_botocore_is_asked_once_and_its_answer_kept(tmp_path, monkeypatch):
    made = parameters.load(tmp_path / "cache")
    parameters.load.cache_clear()
    monkeypatch.setattr(models, "parameters", None)
    assert parameters.load(tmp_path / "cache") == made
    assert made["aws_iam_role"]["name"][0].accepted.most == 64
