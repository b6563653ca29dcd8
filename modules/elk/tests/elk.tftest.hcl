mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
  mock_resource "aws_opensearch_domain" {
    defaults = { endpoint = "vpc-made.eu-central-1.es.amazonaws.com" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:made" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/made" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/made/1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/made/1" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:123456789012:certificate/made"
      domain_validation_options = [
        { domain_name = "kibana.lab.example.test", resource_record_name = "_k.lab.example.test", resource_record_type = "CNAME", resource_record_value = "k" },
        { domain_name = "logs.lab.example.test", resource_record_name = "_l.lab.example.test", resource_record_type = "CNAME", resource_record_value = "l" },
      ]
    }
  }
}

variables {
  project                  = "shop"
  environment              = "stage"
  region                   = "eu-central-1"
  domain_name              = "lab.example.test"
  pre_tag                  = "shop-a"
  post_tag                 = "stage"
  vpc_id                   = "vpc-0123"
  vpc_cidr                 = "10.0.0.0/16"
  private_subnet_ids       = ["subnet-1", "subnet-2", "subnet-3"]
  nat_public_ips           = ["198.51.100.7"]
  alarm_topic_arn          = "arn:aws:sns:eu-central-1:123456789012:alarms"
  collector_archive_sha512 = "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
}

run "domain_is_private_encrypted_and_knows_no_passwords" {
  command = apply

  assert {
    condition     = aws_opensearch_domain.this.domain_name == "shop-a-elk-stage" && tolist(aws_opensearch_domain.this.vpc_options[0].subnet_ids) == tolist(["subnet-1", "subnet-2"])
    error_message = "It bears the unit's name and lives in as many zones as were asked for."
  }
  assert {
    condition     = aws_opensearch_domain.this.encrypt_at_rest[0].enabled && aws_opensearch_domain.this.node_to_node_encryption[0].enabled && aws_opensearch_domain.this.domain_endpoint_options[0].enforce_https && strcontains(aws_opensearch_domain.this.domain_endpoint_options[0].tls_security_policy, "1-2")
    error_message = "Encrypted on disk and between nodes; TLS 1.2 at least."
  }
  assert {
    condition     = aws_opensearch_domain.this.advanced_security_options[0].enabled && !aws_opensearch_domain.this.advanced_security_options[0].anonymous_auth_enabled && !aws_opensearch_domain.this.advanced_security_options[0].internal_user_database_enabled && aws_opensearch_domain.this.advanced_security_options[0].master_user_options[0].master_user_arn == aws_iam_role.master.arn && aws_opensearch_domain.this.advanced_security_options[0].master_user_options[0].master_user_password == null
    error_message = "The master is a role."
  }
  assert {
    condition     = aws_opensearch_domain.this.cluster_config[0].zone_awareness_config[0].availability_zone_count == 2 && !aws_opensearch_domain.this.cluster_config[0].dedicated_master_enabled
    error_message = "Two zones, no dedicated masters unless asked for."
  }
  assert {
    condition     = toset([for each in aws_opensearch_domain.this.log_publishing_options : each.log_type]) == toset(["ES_APPLICATION_LOGS", "INDEX_SLOW_LOGS", "SEARCH_SLOW_LOGS", "AUDIT_LOGS"]) && alltrue([for group in aws_cloudwatch_log_group.domain : group.retention_in_days == 30])
    error_message = "Its own logs are kept, for a while."
  }
  assert {
    condition     = aws_opensearch_domain.this.domain_endpoint_options[0].custom_endpoint == "kibana.lab.example.test" && output.dashboards_url == "https://kibana.lab.example.test/_dashboards" && output.elk_endpoint == "https://kibana.lab.example.test" && toset(aws_route53_record.dashboards[0].records) == toset(["vpc-made.eu-central-1.es.amazonaws.com"])
    error_message = "It answers on its name."
  }
  assert {
    condition     = output.logstash_uri == "logs.lab.example.test:5044" && aws_lb_listener.collector[0].protocol == "TLS" && aws_lb_listener.collector[0].certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/made" && aws_lb.collector[0].internal
    error_message = "Collectors answer within the VPC, by TLS."
  }
  assert {
    condition     = length(aws_iam_service_linked_role.opensearch) == 0 && length(aws_opensearch_domain_saml_options.this) == 0
    error_message = "What is optional is not there."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.vpc)) == toset(["domain", "collectors"]) && length(aws_vpc_security_group_ingress_rule.group) == 0
    error_message = "Where nobody is named the VPC may connect."
  }
}

run "only_roles_speak_to_the_domain" {
  command = apply

  variables {
    writer_role_arns = ["arn:aws:iam::123456789012:role/agent"]
    reader_role_arns = ["arn:aws:iam::123456789012:role/developer"]
  }

  assert {
    condition     = one(data.aws_iam_policy_document.domain.statement[0].principals).identifiers == toset(["arn:aws:iam::123456789012:role/made", "arn:aws:iam::123456789012:role/agent", "arn:aws:iam::123456789012:role/developer"]) && length(data.aws_iam_policy_document.domain.statement[0].condition) == 0
    error_message = "Master, collectors, writers and readers."
  }
  assert {
    condition     = toset(data.aws_iam_policy_document.domain.statement[0].resources) == toset(["arn:aws:es:eu-central-1:123456789012:domain/shop-a-elk-stage/*"]) && !contains(data.aws_iam_policy_document.domain.statement[0].actions, "es:*")
    error_message = "They speak to it; none may change the domain itself."
  }
  assert {
    condition     = local.domain_settings.WRITERS == "arn:aws:iam::123456789012:role/made arn:aws:iam::123456789012:role/agent" && local.domain_settings.READERS == "arn:aws:iam::123456789012:role/developer"
    error_message = "What each may do there is settled by the collectors."
  }
  assert {
    condition     = contains(flatten([for each in data.aws_iam_policy_document.collector.statement : each.actions]), "sts:AssumeRole") && local.collector_settings.SETTLES
    error_message = "For that they become master."
  }
}

run "collectors_that_do_not_settle_cannot_become_master" {
  command = apply

  variables {
    collector_settles     = false
    master_principal_arns = ["arn:aws:iam::123456789012:role/operator"]
  }

  assert {
    condition     = !contains(flatten([for each in data.aws_iam_policy_document.collector.statement : each.actions]), "sts:AssumeRole")
    error_message = "They may not ask."
  }
  assert {
    condition     = one(data.aws_iam_policy_document.assume_master.statement[0].principals).identifiers == toset(["arn:aws:iam::123456789012:role/operator"])
    error_message = "They would be refused."
  }
}

run "public_domain_answers_named_addresses_only" {
  command   = apply
  state_key = "public"

  variables {
    public        = true
    allowed_cidrs = ["203.0.113.0/24"]
  }

  assert {
    condition     = length(aws_opensearch_domain.this.vpc_options) == 0 && length(aws_security_group.domain) == 0 && output.elk_security_group_id == null
    error_message = "It is not in the VPC."
  }
  assert {
    condition     = one(data.aws_iam_policy_document.domain.statement[0].condition).variable == "aws:SourceIp" && toset(one(data.aws_iam_policy_document.domain.statement[0].condition).values) == toset(["203.0.113.0/24", "198.51.100.7/32"])
    error_message = "Networks that were named, and the NAT."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.vpc)) == toset(["collectors"])
    error_message = "Collectors stay in the VPC."
  }
}

run "named_clients_alone_may_connect" {
  command = apply

  variables {
    client_security_group_ids = ["sg-nodes"]
    client_cidrs              = ["10.9.0.0/16"]
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.group : rule.from_port]) == toset([443, 5044]) && toset([for rule in aws_vpc_security_group_ingress_rule.network : rule.from_port]) == toset([443, 5044]) && length(aws_vpc_security_group_ingress_rule.vpc) == 0
    error_message = "The domain and the collectors, from both."
  }
}

run "three_zones_have_dedicated_masters_and_a_key" {
  command   = apply
  state_key = "large"

  variables {
    zones                      = 3
    nodes                      = 6
    dedicated_masters          = 3
    kms_key_arn                = "arn:aws:kms:eu-central-1:123456789012:key/own"
    create_service_linked_role = true
    permissions_boundary_arn   = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_opensearch_domain.this.cluster_config[0].dedicated_master_count == 3 && aws_opensearch_domain.this.cluster_config[0].zone_awareness_config[0].availability_zone_count == 3 && aws_opensearch_domain.this.cluster_config[0].instance_count == 6
    error_message = "Six nodes in three zones, and three masters."
  }
  assert {
    condition     = aws_opensearch_domain.this.encrypt_at_rest[0].kms_key_id == var.kms_key_arn && alltrue([for group in aws_cloudwatch_log_group.domain : group.kms_key_id == var.kms_key_arn]) && one(aws_s3_bucket_server_side_encryption_configuration.snapshots.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "A given key is used."
  }
  assert {
    condition     = contains(flatten([for each in data.aws_iam_policy_document.snapshots.statement : each.resources]), var.kms_key_arn)
    error_message = "Snapshots are written by it."
  }
  assert {
    condition     = aws_iam_service_linked_role.opensearch[0].aws_service_name == "opensearchservice.amazonaws.com" && aws_iam_role.master.permissions_boundary == var.permissions_boundary_arn && aws_iam_role.snapshots.permissions_boundary == var.permissions_boundary_arn && aws_iam_role.collector[0].permissions_boundary == var.permissions_boundary_arn
    error_message = "Every role has the boundary."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.domain["storage"].threshold == 100 * 1024 * 25 / 100 && aws_cloudwatch_metric_alarm.domain["red"].dimensions["ClientId"] == "123456789012" && toset(keys(aws_cloudwatch_metric_alarm.domain)) == toset(["red", "yellow", "nodes", "storage", "blocked", "cpu", "jvm", "snapshots", "key", "master-cpu", "master-jvm"]) && toset(aws_cloudwatch_metric_alarm.collector[0].alarm_actions) == toset([var.alarm_topic_arn])
    error_message = "It tells before the disk is full."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.domain["nodes"].threshold == 9 && aws_cloudwatch_metric_alarm.domain["nodes"].comparison_operator == "LessThanThreshold"
    error_message = "It tells when one of six nodes and three masters is missing."
  }
}

run "a_larger_disk_is_as_fast_as_aws_asks" {
  command = plan

  variables {
    volume_size = 4096
  }

  assert {
    condition     = aws_opensearch_domain.this.ebs_options[0].throughput == 500 && aws_opensearch_domain.this.ebs_options[0].iops == 12288
    error_message = "250 MiB/s for each 3 TiB begun, three operations for each GiB."
  }
}

run "a_small_disk_costs_nothing_more" {
  command = plan

  variables {
    volume_size = 170
  }

  assert {
    condition     = aws_opensearch_domain.this.ebs_options[0].throughput == 125 && aws_opensearch_domain.this.ebs_options[0].iops == 3000
    error_message = "What comes with it."
  }
}

run "people_log_in_by_saml" {
  command   = apply
  state_key = "saml"

  variables {
    saml = { metadata = "<EntityDescriptor/>", entity_id = "https://idp.example.test", master_role = "ops" }
  }

  assert {
    condition     = aws_opensearch_domain_saml_options.this[0].saml_options[0].idp[0].entity_id == "https://idp.example.test" && aws_opensearch_domain_saml_options.this[0].saml_options[0].master_backend_role == "ops"
    error_message = "The identity provider is the one that was named."
  }
  assert {
    condition     = one(data.aws_iam_policy_document.domain.statement[0].principals).identifiers == toset(["*"])
    error_message = "A login page's requests are not signed."
  }
}

run "agents_may_write_by_themselves" {
  command   = apply
  state_key = "none"

  variables {
    collectors          = 0
    dashboards_hostname = ""
  }

  assert {
    condition     = output.logstash_uri == null && length(aws_autoscaling_group.collector) == 0 && length(aws_lb.collector) == 0 && length(aws_iam_role.collector) == 0 && length(aws_acm_certificate.this) == 0
    error_message = "No collectors, no name: nothing of either."
  }
  assert {
    condition     = jsondecode(output.elk_settings).ENDPOINT == "https://vpc-made.eu-central-1.es.amazonaws.com" && jsondecode(output.elk_settings).WRITERS == ""
    error_message = "Whoever settles the domain by hand is told what settle.py needs."
  }
  assert {
    condition     = output.dashboards_url == "https://vpc-made.eu-central-1.es.amazonaws.com/_dashboards" && !aws_opensearch_domain.this.domain_endpoint_options[0].custom_endpoint_enabled
    error_message = "The domain's own name remains."
  }
}

run "old_agents_speak_without_tls" {
  command   = apply
  state_key = "old"

  variables {
    collector_tls   = false
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/own"
  }

  assert {
    condition     = aws_lb_listener.collector[0].protocol == "TCP" && aws_lb_listener.collector[0].certificate_arn == null
    error_message = "Only where it was asked for."
  }
  assert {
    condition     = length(aws_acm_certificate.this) == 0 && aws_opensearch_domain.this.domain_endpoint_options[0].custom_endpoint_certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/own"
    error_message = "A given certificate is used."
  }
}

run "long_names_are_cut_with_a_hash" {
  command = plan

  variables {
    pre_tag = "9shop-longer"
    unit    = "logs-of-the-shop-in-europe"
  }

  assert {
    condition     = length(aws_opensearch_domain.this.domain_name) <= 28 && startswith(aws_opensearch_domain.this.domain_name, "d-9shop-longer-") && length(aws_lb.collector[0].name) <= 32 && length(aws_s3_bucket.snapshots.bucket) <= 63
    error_message = "AWS takes them."
  }
}

run "collector_boots_with_its_files" {
  command = apply

  assert {
    condition     = aws_launch_template.collector[0].metadata_options[0].http_tokens == "required" && aws_launch_template.collector[0].block_device_mappings[0].ebs[0].encrypted == "true" && length(aws_launch_template.collector[0].user_data) < 16384
    error_message = "IMDSv2, an encrypted disk, user data that fits."
  }
  assert {
    condition     = strcontains(local.collector_user_data, "vpc-made.eu-central-1.es.amazonaws.com:443") && strcontains(local.collector_user_data, "logs-%%{+YYYY.MM.dd}") && strcontains(local.collector_user_data, "queue.max_bytes: 15gb")
    error_message = "Logstash writes to the domain, by day, with a queue."
  }
  assert {
    condition     = aws_autoscaling_group.collector[0].min_size == 2 && aws_autoscaling_group.collector[0].health_check_type == "ELB"
    error_message = "A collector that does not answer is replaced."
  }
  assert {
    condition     = { for each in aws_autoscaling_group.collector[0].tag : each.key => each.value if each.propagate_at_launch }["Packages"] == "|logstash|" && alltrue([for each in aws_launch_template.collector[0].tag_specifications : each.tags["Packages"] == "|logstash|" && each.tags["ngp:unit"] == "elk"])
    error_message = "It is found by what runs on it."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.collectors[0].threshold == 2 && aws_cloudwatch_metric_alarm.collectors[0].treat_missing_data == "breaching" && contains(aws_autoscaling_group.collector[0].enabled_metrics, aws_cloudwatch_metric_alarm.collectors[0].metric_name)
    error_message = "One that cannot be started is told."
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.domain), "master-cpu")
    error_message = "Masters that are not there raise nothing."
  }
}

run "what_opensearch_would_refuse_is_refused" {
  command = plan

  variables {
    zones                    = 3
    nodes                    = 4
    node_type                = "m7g.large"
    dedicated_masters        = 2
    engine_version           = "Elasticsearch_7.10"
    volume_size              = 5
    client_cidrs             = ["0.0.0.0/0"]
    index_prefix             = "Logs"
    collector_archive_sha512 = "abc"
    collector_archive_url    = "http://example.test/logstash.tar.gz"
    private_subnet_ids       = ["subnet-1", "subnet-2"]
    retention_days           = 0
    alarm_cpu_percent        = 101
    writer_role_arns         = ["agent"]
  }

  expect_failures = [
    var.nodes, var.node_type, var.dedicated_masters, var.engine_version, var.volume_size, var.client_cidrs, var.index_prefix,
    var.collector_archive_sha512, var.collector_archive_url, var.private_subnet_ids, var.retention_days, var.writer_role_arns, var.alarm_cpu_percent,
  ]
}

run "a_public_domain_for_everybody_is_refused" {
  command = plan

  variables {
    public = true
  }

  expect_failures = [var.allowed_cidrs]
}

run "a_private_domain_has_no_addresses" {
  command = plan

  variables {
    allowed_cidrs = ["203.0.113.0/24"]
  }

  expect_failures = [var.allowed_cidrs]
}

run "saml_wants_metadata" {
  command = plan

  variables {
    saml = { metadata = "https://idp.example.test/metadata", entity_id = "x" }
  }

  expect_failures = [var.saml]
}

run "a_domain_that_reports_nothing_raises_the_alarm" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.down.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.down.statistic == "SampleCount" && data.aws_ssm_parameter.debian[0].name == "/aws/service/debian/release/13/latest/amd64"
    error_message = "Silence is a failure; collectors are Debian 13."
  }
}

run "a_single_node_is_not_called_yellow" {
  command = plan

  variables {
    nodes = 1
    zones = 1
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.domain), "yellow") && contains(keys(aws_cloudwatch_metric_alarm.domain), "red")
    error_message = "It always is: an alarm that stands for ever hides others."
  }
}

run "a_type_of_another_architecture_and_an_unknown_release" {
  command = plan

  variables {
    collector_instance_type = "t4g.medium"
    debian_release          = 11
  }

  expect_failures = [var.collector_instance_type, var.debian_release]
}
