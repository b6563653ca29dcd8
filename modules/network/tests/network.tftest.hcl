mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.9.0.0/16" }
  }
  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-0aaaaaaaaaaaaaaaa" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:alarms" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:flow" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/flow" }
  }
}

variables {
  project     = "shop"
  environment = "stage"
  region      = "eu-central-1"
  domain_name = "stage.example.com"
  pre_tag     = "shop-a"
  post_tag    = "stage"
}

run "two_zones_and_one_way_out_by_default" {
  command = apply

  assert {
    condition     = [aws_subnet.management[0].cidr_block, aws_subnet.public[0].cidr_block, aws_subnet.public[1].cidr_block, aws_subnet.private[0].cidr_block, aws_subnet.private[1].cidr_block] == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"]
    error_message = "The subnets do not lie where the platform has always had them."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.private_internet) == 2 && length(output.nat_public_ips) == 1
    error_message = "Both private subnets leave by the one NAT gateway."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.nat[0].dimensions["NatGatewayId"] == aws_nat_gateway.this[0].id && aws_cloudwatch_metric_alarm.nat[0].alarm_actions == toset([output.alarm_topic_arn])
    error_message = "A gateway without ports is told."
  }
  assert {
    condition     = [for statement in data.aws_iam_policy_document.alarms[0].statement : [statement.sid, length(statement.condition)]] == [["AlarmsOfThisAccount", 1], ["Events", 0], ["OnlyByTls", 1]]
    error_message = "A condition on the account keeps EventBridge's events out."
  }
  assert {
    condition     = length(output.public_subnet_ids) == 2 && length(output.private_subnet_ids) == 2 && length(output.private_route_table_ids) == 2
    error_message = "One public and one private subnet for each zone."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing gets a public address by itself."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.management_ssh) == 0 && length(aws_vpc_endpoint.interface) == 0 && length(aws_key_pair.this) == 0 && length(aws_instance.manager) == 0
    error_message = "SSH, interface endpoints, key pair and manager are made only when asked for."
  }
  assert {
    condition     = output.key_pair_name == null && output.manager_instance_id == null && output.manager_public_ip == null && output.manager_host == null
    error_message = "Outputs of what is not made are null."
  }
  assert {
    condition     = length(aws_default_security_group.this[0].ingress) == 0 && length(aws_default_security_group.this[0].egress) == 0
    error_message = "The default security group has rules."
  }
}

run "every_resource_is_tagged_with_its_environment" {
  command = plan

  variables {
    service     = "web"
    version_tag = "7"
    tags        = { Owner = "platform", Environment = "wrong" }
  }

  assert {
    condition = aws_vpc.this[0].tags == tomap({
      Name        = "shop-a-network-stage"
      Project     = "shop"
      Environment = "stage"
      Cluster     = "network"
      Service     = "web"
      Version     = "7"
      Owner       = "platform"
      "ngp:unit"  = "network"
    })
    error_message = "Environment is the environment, and the module's own tags win."
  }
  assert {
    condition     = output.tag_environment == "stage" && output.tag_service == "web" && output.tag_version == "7" && output.aws_region == "eu-central-1" && output.pre_tag == "shop-a" && output.post_tag == "stage"
    error_message = "The names that later modules know are wrong."
  }
}

run "a_unit_of_another_name_has_names_of_its_own" {
  command = plan

  variables {
    unit = "network-b"
  }

  assert {
    condition     = aws_vpc.this[0].tags["ngp:unit"] == "network-b" && aws_iam_role.flow[0].name == "shop-a-network-b-flow-logs-stage"
    error_message = "Two units of the module would collide."
  }
}

run "only_this_accounts_flow_logs_take_the_role" {
  command = plan

  assert {
    condition     = [for one in data.aws_iam_policy_document.flow_trust.statement[0].condition : "${one.variable} ${join(",", one.values)}"] == ["aws:SourceAccount ${data.aws_caller_identity.current.account_id}"]
    error_message = "Flow logs of other accounts do not take the role."
  }
}

run "more_zones_move_no_subnet" {
  command = plan

  variables {
    az_count = 3
    nat_mode = "per_az"
  }

  assert {
    condition     = [for subnet in aws_subnet.public : subnet.cidr_block] == ["10.0.1.0/24", "10.0.2.0/24", "10.0.5.0/24"] && [for subnet in aws_subnet.private : subnet.cidr_block] == ["10.0.3.0/24", "10.0.4.0/24", "10.0.6.0/24"]
    error_message = "The third zone's subnets come after those of the first two."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_eip.nat) == 3
    error_message = "per_az makes a NAT gateway for each zone."
  }
}

run "a_region_with_too_few_zones_is_refused" {
  command = plan

  variables {
    az_count = 4
  }

  expect_failures = [terraform_data.zones]
}

run "without_nat_private_nodes_have_endpoints" {
  command = plan

  variables {
    nat_mode          = "none"
    private_endpoints = true
    flow_logs         = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_cloudwatch_metric_alarm.nat) == 0 && length(aws_route.private_internet) == 0 && length(aws_route_table.private) == 2
    error_message = "No NAT: tables without a route to the internet."
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 15 && aws_vpc_endpoint.interface["ecr.api"].service_name == "com.amazonaws.eu-central-1.ecr.api" && alltrue([for service in ["autoscaling", "ec2", "eks", "eks-auth", "elasticloadbalancing", "kms", "monitoring", "sts"] : contains(keys(aws_vpc_endpoint.interface), service)])
    error_message = "The endpoints that private nodes and clusters need."
  }
  assert {
    condition     = length(aws_flow_log.this) + length(aws_iam_role.flow) + length(aws_cloudwatch_log_group.flow) == 0
    error_message = "No flow logs, no role and group for them."
  }
}

run "with_nat_the_endpoints_of_clusters_are_left_out" {
  command = plan

  variables {
    private_endpoints = true
  }

  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ec2messages", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages"]
    error_message = "What NAT reaches needs no endpoint."
  }
}

run "chosen_endpoints_alone_are_made" {
  command = plan

  variables {
    private_endpoints = true
    endpoint_services = ["ssm", "ssmmessages"]
  }

  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ssm", "ssmmessages"]
    error_message = "Each costs."
  }
}

run "endpoints_that_nobody_makes_are_refused" {
  command = plan

  variables {
    endpoint_services = ["ssm"]
  }

  expect_failures = [var.endpoint_services]
}

run "subnets_stand_in_the_first_two_zones" {
  command   = apply
  state_key = "impaired"

  assert {
    condition     = [for subnet in aws_subnet.private : subnet.availability_zone] == ["eu-central-1a", "eu-central-1b"]
    error_message = "The region's first."
  }
}

run "a_zone_that_fails_moves_no_subnet" {
  command   = plan
  state_key = "impaired"

  override_data {
    target = data.aws_availability_zones.available
    values = { names = ["eu-central-1b"] }
  }

  assert {
    condition     = [for subnet in aws_subnet.private : subnet.availability_zone] == ["eu-central-1a", "eu-central-1b"] && aws_subnet.management[0].availability_zone == "eu-central-1a"
    error_message = "The zones are those of the first apply."
  }
}

run "administrators_and_their_key" {
  command = plan

  variables {
    admin_cidrs   = ["198.51.100.0/24", "203.0.113.7/32"]
    public_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7bm8Yk6ZgV4mZ0T2m8l2f4b0V9Zt6sC0n8T1cO2b3d ops@example.com"
    extra_ingress = { grafana = { from_port = 3000, to_port = 3000, cidr = "10.0.0.0/8" } }
    alarm_emails  = ["ops@example.com"]
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.management_ssh) == 2 && aws_vpc_security_group_ingress_rule.management_extra["grafana"].from_port == 3000 && aws_vpc_security_group_ingress_rule.management_extra["grafana"].ip_protocol == "tcp"
    error_message = "A rule for each network and each extra way in."
  }
  assert {
    condition     = output.key_pair_name == "shop-a-network-stage"
    error_message = "The key pair has the unit's name."
  }
  assert {
    condition     = aws_sns_topic_subscription.alarms["ops@example.com"].protocol == "email"
    error_message = "Alarms go to the address."
  }
}

run "a_topic_that_exists_is_used" {
  command = plan

  variables {
    alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:ops"
    alarm_emails    = ["ops@example.com"]
  }

  assert {
    condition     = length(aws_sns_topic.alarms) + length(aws_sns_topic_policy.alarms) + length(aws_sns_topic_subscription.alarms) == 0 && output.alarm_topic_arn == "arn:aws:sns:eu-central-1:123456789012:ops" && aws_cloudwatch_event_target.maintenance.arn == "arn:aws:sns:eu-central-1:123456789012:ops"
    error_message = "No topic of our own beside the given one."
  }
}

run "a_vpc_that_exists_gets_no_routing" {
  command = plan

  variables {
    existing_vpc_id                  = "vpc-0aaaaaaaaaaaaaaaa"
    existing_internet_gateway_id     = "igw-0aaaaaaaaaaaaaaaa"
    existing_management_subnet_id    = "subnet-0aaaaaaaaaaaaaaaa"
    existing_public_subnet_ids       = ["subnet-0bbbbbbbbbbbbbbbb"]
    existing_private_subnet_ids      = ["subnet-0cccccccccccccccc", "subnet-0dddddddddddddddd"]
    existing_private_route_table_ids = ["rtb-0cccccccccccccccc"]
    private_endpoints                = true
  }

  assert {
    condition     = output.vpc_id == "vpc-0aaaaaaaaaaaaaaaa" && output.vpc_cidr == "10.9.0.0/16" && output.internet_gateway_id == "igw-0aaaaaaaaaaaaaaaa" && output.management_subnet_id == "subnet-0aaaaaaaaaaaaaaaa"
    error_message = "The given VPC is handed on."
  }
  assert {
    condition     = output.public_subnet_ids == tolist(["subnet-0bbbbbbbbbbbbbbbb"]) && length(output.private_subnet_ids) == 2 && output.private_route_table_ids == tolist(["rtb-0cccccccccccccccc"]) && output.management_route_table_id == null && output.public_route_table_id == null && length(output.nat_public_ips) == 0 && length(output.availability_zones) == 0
    error_message = "Every output has a value or is null or empty."
  }
  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.public) + length(aws_route_table.private) + length(aws_nat_gateway.this) + length(aws_vpc_endpoint.s3) + length(aws_vpc_endpoint.interface) + length(aws_flow_log.this) + length(aws_default_security_group.this) == 0
    error_message = "Nothing of the VPC itself is made or taken over."
  }
  assert {
    condition     = aws_security_group.management.vpc_id == "vpc-0aaaaaaaaaaaaaaaa"
    error_message = "The management group stands in the given VPC."
  }
}

run "a_subnet_of_another_vpc_is_refused" {
  command = plan

  variables {
    existing_vpc_id               = "vpc-0bbbbbbbbbbbbbbbb"
    existing_internet_gateway_id  = "igw-0aaaaaaaaaaaaaaaa"
    existing_management_subnet_id = "subnet-0aaaaaaaaaaaaaaaa"
    existing_public_subnet_ids    = ["subnet-0bbbbbbbbbbbbbbbb"]
    existing_private_subnet_ids   = ["subnet-0cccccccccccccccc"]
  }

  expect_failures = [
    data.aws_subnet.existing["subnet-0aaaaaaaaaaaaaaaa"], data.aws_subnet.existing["subnet-0bbbbbbbbbbbbbbbb"],
    data.aws_subnet.existing["subnet-0cccccccccccccccc"],
  ]
}

run "the_manager_on_request" {
  command = plan

  variables {
    create_manager           = true
    manager_policy_arns      = ["arn:aws:iam::aws:policy/PowerUserAccess"]
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
    ngp_wheel                = "s3://shop-files/ngp-1.0-py3-none-any.whl"
    ngp_wheel_sha256         = "0000000000000000000000000000000000000000000000000000000000000000"
    ngp_requirements         = "s3://shop-files/requirements.txt"
    ngp_requirements_sha256  = "1111111111111111111111111111111111111111111111111111111111111111"
    state_bucket_arn         = "arn:aws:s3:::shop-states"
  }

  assert {
    condition     = data.aws_ssm_parameter.debian[0].name == "/aws/service/debian/release/13/latest/amd64" && strcontains(local.manager_user_data, "NGP_REQUIREMENTS='s3://shop-files/requirements.txt'")
    error_message = "Debian 13, and libraries by their checksums."
  }
  assert {
    condition     = { for statement in data.aws_iam_policy_document.manager[0].statement : statement.sid => toset(statement.resources) }["ReadNgp"] == toset(["arn:aws:s3:::shop-files/ngp-1.0-py3-none-any.whl", "arn:aws:s3:::shop-files/requirements.txt"])
    error_message = "It may read its own files, and nothing else."
  }
  assert {
    condition     = aws_instance.manager[0].metadata_options[0].http_tokens == "required" && aws_instance.manager[0].root_block_device[0].encrypted && aws_instance.manager[0].ami == "ami-0123456789abcdef0"
    error_message = "IMDSv2, an encrypted disk, Debian."
  }
  assert {
    condition     = aws_iam_role.manager[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && length(aws_iam_role_policy_attachment.manager) == 1 && length(aws_iam_role_policy.manager_iam) == 1
    error_message = "The role has its boundary and its policies."
  }
  assert {
    condition     = aws_route53_record.manager[0].name == "manager.stage.example.com" && length(aws_cloudwatch_metric_alarm.manager) == 2
    error_message = "The manager has a name and alarms."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.manager_full["disk"].metric_name == "disk_used_percent" && aws_cloudwatch_metric_alarm.manager_full["mem"].namespace == "ngp/network"
    error_message = "A full disk or memory is told."
  }
}

run "a_manager_with_a_profile_that_exists" {
  command = plan

  variables {
    create_manager           = true
    manager_instance_profile = "ops"
    manager_record           = false
    ami_id                   = "ami-1"
  }

  assert {
    condition     = aws_instance.manager[0].iam_instance_profile == "ops" && length(aws_iam_role.manager) + length(aws_iam_instance_profile.manager) + length(aws_route53_record.manager) == 0 && aws_instance.manager[0].ami == "ami-1"
    error_message = "No role of our own, no record, the given image."
  }
}

# What is refused before anything is asked of AWS.

run "short_and_reserved_names" {
  command = plan

  variables {
    pre_tag  = "ab"
    post_tag = "AWS-1"
  }

  expect_failures = [var.pre_tag, var.post_tag]
}

run "names_with_dashes_at_the_ends" {
  command = plan

  variables {
    pre_tag  = "-shop"
    post_tag = "stage-x"
  }

  expect_failures = [var.pre_tag, var.post_tag]
}

run "ssh_for_the_world" {
  command = plan

  variables {
    admin_cidrs   = ["0.0.0.0/0"]
    extra_ingress = { all = { from_port = 1, to_port = 1024, cidr = "0.0.0.0/0" } }
  }

  expect_failures = [var.admin_cidrs, var.extra_ingress]
}

run "addresses_that_do_not_fit" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/22"
  }

  expect_failures = [var.vpc_cidr]
}

run "host_bits" {
  command = plan

  variables {
    vpc_cidr = "10.0.1.0/16"
  }

  expect_failures = [var.vpc_cidr]
}

run "a_private_key" {
  command = plan

  variables {
    public_key = "-----BEGIN OPENSSH PRIVATE KEY-----"
  }

  expect_failures = [var.public_key]
}

run "half_of_an_existing_vpc" {
  command = plan

  variables {
    existing_vpc_id = "vpc-0aaaaaaaaaaaaaaaa"
  }

  expect_failures = [var.existing_vpc_id]
}

run "subnets_without_their_vpc" {
  command = plan

  variables {
    existing_public_subnet_ids = ["subnet-0bbbbbbbbbbbbbbbb"]
  }

  expect_failures = [var.existing_vpc_id]
}

run "a_wheel_without_a_checksum" {
  command = plan

  variables {
    ngp_wheel               = "s3://shop-files/ngp-1.0-py3-none-any.whl"
    ngp_requirements        = "s3://shop-files/requirements.txt"
    ngp_requirements_sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
  }

  expect_failures = [var.ngp_wheel]
}

run "a_wheel_without_the_checksums_of_its_libraries" {
  command = plan

  variables {
    ngp_wheel        = "s3://shop-files/ngp-1.0-py3-none-any.whl"
    ngp_wheel_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
  }

  expect_failures = [var.ngp_requirements]
}

run "values_outside_their_lists" {
  command = plan

  variables {
    nat_mode           = "sometimes"
    instance_type      = "t4g.small"
    debian_release     = 11
    az_count           = 5
    log_retention_days = 2
    region             = "Frankfurt"
    domain_name        = "example.com."
  }

  expect_failures = [var.instance_type, var.debian_release, var.nat_mode, var.az_count, var.log_retention_days, var.region, var.domain_name]
}
