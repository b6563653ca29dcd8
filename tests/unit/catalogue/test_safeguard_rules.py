"""The rules about what is missed too late, each by a resource that breaks it and by one that does not."""

import pytest

KNOWN = {"backup", "deletion", "encryption", "headers", "iam-user", "metadata-hops", "private-endpoint", "records"}
KNOWN |= {"rights", "updates"}
DATABASE = """resource "aws_db_instance" "x" {
  storage_encrypted               = true
  backup_retention_period         = 7
  copy_tags_to_snapshot           = true
  deletion_protection             = var.kept
  skip_final_snapshot             = false
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true
}
variable "kept" {
  default = true
}
"""
CACHE = """resource "aws_elasticache_replication_group" "x" {
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  snapshot_retention_limit   = 1
}
"""
DOMAIN = """resource "aws_opensearch_domain" "x" {
  encrypt_at_rest {
    enabled = true
  }
  node_to_node_encryption {
    enabled = true
  }
  domain_endpoint_options {
    enforce_https = true
  }
  advanced_security_options {
    enabled = true
  }
  software_update_options {
    auto_software_update_enabled = true
  }
  dynamic "log_publishing_options" {
    for_each = local.logs
    content {
    }
  }
}
"""
CLUSTER = """resource "aws_eks_cluster" "x" {
  enabled_cluster_log_types = ["audit"]
  vpc_config {
    endpoint_private_access = true
  }
  encryption_config {
  }
}
"""
REPOSITORY = """resource "aws_ecr_repository" "x" {
  image_tag_mutability = each.value.mutability
  encryption_configuration {
  }
  image_scanning_configuration {
    scan_on_push = each.value.scan
  }
}
"""
BUCKET = """resource "aws_s3_bucket" "x" {
}
resource "aws_s3_bucket_versioning" "x" {
  bucket = aws_s3_bucket.x.id
  versioning_configuration {
    status = "Enabled"
  }
}
"""
MACHINE = """resource "aws_instance" "x" {
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  root_block_device {
    encrypted = true
  }
}
"""
FUNCTION = 'resource "aws_lambda_function" "x" {\n  dead_letter_config {\n  }\n}\n'
STAGE = 'resource "aws_apigatewayv2_stage" "x" {\n  access_log_settings {\n  }\n}\n'
BALANCER = 'resource "aws_lb" "x" {\n  drop_invalid_header_fields = true\n}\n'
KEEPS = "data: [aws_s3_bucket.x]\n"


@pytest.fixture
def faults(check_text):
    return lambda text, manifest="": [each.rule for each in check_text(text, manifest) if each.rule in KNOWN]


@pytest.mark.parametrize(
    "text",
    [DATABASE, CACHE, DOMAIN, CLUSTER, REPOSITORY, BUCKET, MACHINE, FUNCTION, STAGE, BALANCER]
    + [BALANCER.replace("drop_invalid_header_fields = true", 'load_balancer_type = "network"')],
)
def test_what_is_taken_care_of_is_no_fault(faults, text):
    assert faults(text, KEEPS if text == BUCKET else "") == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (DATABASE.replace("= 7", "= 6"), "backup"),
        (DATABASE.replace("copy_tags", "no_tags"), "backup"),
        (DATABASE.replace("default = true", "default = false"), "deletion"),
        (DATABASE.replace("final_snapshot             = false", "final_snapshot = true"), "deletion"),
        (DATABASE.replace("enabled_cloudwatch", "cloudwatch"), "records"),
        (DATABASE.replace("auto_minor_version_upgrade      = true", ""), "updates"),
        (CACHE.replace("limit   = 1", "limit = 0"), "backup"),
        (DOMAIN.replace("log_publishing", "log_hiding"), "records"),
        (DOMAIN.replace("update_enabled = true", "update_enabled = false"), "updates"),
        (DOMAIN.replace("advanced_security", "other"), "rights"),
        (CLUSTER.replace("enabled_cluster_log_types", "x"), "records"),
        (CLUSTER.replace("private_access = true", "private_access = false"), "private-endpoint"),
        (CLUSTER.replace("encryption_config", "other"), "encryption"),
        (REPOSITORY.replace("image_tag_mutability", "x"), "deletion"),
        (REPOSITORY.replace("each.value.scan", "false"), "updates"),
        (MACHINE.replace("limit = 1", "limit = 2"), "metadata-hops"),
        (MACHINE.replace("http_put_response_hop_limit = 1", ""), "metadata-hops"),
        (FUNCTION.replace("dead_letter_config", "other"), "records"),
        (STAGE.replace("access_log_settings", "other"), "records"),
        (BALANCER.replace("true", "false"), "headers"),
        ('resource "aws_iam_user" "x" {\n}\n', "iam-user"),
    ],
)
def test_what_is_not_is_a_fault(faults, text, rule):
    assert faults(text) == [rule]


@pytest.mark.parametrize(
    ("engine", "version", "found"),
    [
        ("postgres", '"17.4"', []),
        ("postgres", '"17"', ["updates"]),
        ("mysql", '"8.0"', ["updates"]),
        ("mysql", '"8.0.40"', []),
        ("postgres", "var.kept", ["updates"]),
        ("postgres", "var.unknown", []),
    ],
)
def test_a_database_of_a_minor_version_need_not_be_raised(faults, engine, version, found):
    """AWS would raise it and never go back, which the rule aws-accepts refuses."""
    fixed = f'engine = "{engine}"\n  engine_version = {version}\n  auto_minor_version_upgrade = false'
    text = DATABASE.replace("auto_minor_version_upgrade      = true", fixed) + 'variable "unknown" {\n}\n'
    assert faults(text) == found


@pytest.mark.parametrize(
    ("text", "manifest", "found"),
    [
        (BUCKET.replace('"Enabled"', '"Suspended"'), KEEPS, ["backup"]),
        (BUCKET.replace("aws_s3_bucket.x.id", "aws_s3_bucket.xy.id"), KEEPS, ["backup"]),
        (BUCKET.replace('"Enabled"', '"Suspended"'), "", []),
        (BUCKET.replace('"Enabled"', '"Suspended"'), KEEPS + "exceptions: {backup aws_s3_bucket.x: Why.}\n", []),
    ],
)
def test_a_bucket_with_data_keeps_versions_or_says_why_not(faults, text, manifest, found):
    assert faults(text, manifest) == found


def test_a_copy_of_somebody_elses_module_is_taken_as_its_author_cares(faults):
    assert faults(DATABASE.replace("= 7", "= 0"), f'source: {{address: x, checksum: "h1:{"A" * 43}="}}\n') == []
