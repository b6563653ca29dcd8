mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0de0000000000000b" }
  }
  mock_data "aws_ami" {
    defaults = { id = "ami-0acce550000000000" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0000000000000000000" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = {
      id  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin"
      arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin"
    }
  }
  mock_resource "aws_instance" {
    defaults = { arn = "arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0", id = "i-0123456789abcdef0" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/vpn" }
  }
  mock_resource "aws_eip" {
    defaults = { public_ip = "192.0.2.10" }
  }
}

variables {
  project           = "shop"
  environment       = "stage"
  region            = "eu-central-1"
  domain_name       = "stage.example.com"
  pre_tag           = "shop-a"
  post_tag          = "stage"
  vpc_id            = "vpc-0aaaaaaaaaaaaaaaa"
  vpc_cidr          = "10.0.0.0/16"
  public_subnet_ids = ["subnet-0bbbbbbbbbbbbbbbb", "subnet-0cccccccccccccccc"]
  admin_cidrs       = ["198.51.100.0/24"]
  admin_password    = "correct-horse-battery-staple"
}

run "the_appliance_has_pages_and_a_secret" {
  command = apply

  variables {
    engine = "access-server"
  }

  assert {
    condition     = output.openvpn_connect_url == "https://vpn.stage.example.com/" && output.openvpn_admin_url == "https://vpn.stage.example.com:943/admin" && output.openvpn_admin_user == "openvpn" && output.openvpn_server_ip == "192.0.2.10" && output.openvpn_profile_command == null
    error_message = "The outputs that users of the old platform know."
  }
  assert {
    condition     = output.openvpn_admin_password_secret_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin"
    error_message = "The secret's ARN is an output, not its value."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.admin[0].secret_string == null && aws_secretsmanager_secret_version.admin[0].secret_string_wo_version == 1
    error_message = "The password goes through a write-only argument."
  }
  assert {
    condition     = !strcontains(local.user_data, "correct-horse") && strcontains(local.user_data, "SECRET_ARN='arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin'")
    error_message = "The boot script names the secret and does not hold it."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.this)) == toset(["admin from 198.51.100.0/24", "https from 0.0.0.0/0", "openvpn from 0.0.0.0/0", "ssh from 198.51.100.0/24"])
    error_message = "Clients by 1194 and 443 from anywhere, administrators by 943 and 22 from their networks."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["admin from 198.51.100.0/24"].from_port == 943 && aws_vpc_security_group_ingress_rule.this["openvpn from 0.0.0.0/0"].ip_protocol == "udp"
    error_message = "Ports and protocols."
  }
  assert {
    condition     = aws_instance.this.ami == "ami-0acce550000000000" && length(data.aws_ssm_parameter.debian) == 0
    error_message = "The appliance's image comes from the Marketplace."
  }
}

run "community_has_neither" {
  command   = apply
  state_key = "community" # a server of its own: the image of a server that exists is kept

  assert {
    condition     = output.openvpn_connect_url == null && output.openvpn_admin_url == null && output.openvpn_admin_user == null && output.openvpn_admin_password_secret_arn == null
    error_message = "Outputs of pages that do not exist are null."
  }
  assert {
    condition     = strcontains(output.openvpn_profile_command, "--target i-0123456789abcdef0") && strcontains(output.openvpn_profile_command, "sudo ngp-vpn add NAME --sealed")
    error_message = "The command that makes a profile is named."
  }
  assert {
    condition     = length(aws_secretsmanager_secret.admin) + length(aws_secretsmanager_secret_version.admin) + length(aws_iam_role_policy.secret) == 0
    error_message = "No password, no secret and no right to read one."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.this)) == toset(["openvpn from 0.0.0.0/0", "ssh from 198.51.100.0/24"])
    error_message = "No ports of pages that do not exist."
  }
  assert {
    condition     = aws_instance.this.ami == "ami-0de0000000000000b" && length(data.aws_ami.access_server) == 0
    error_message = "Debian's image comes from its public parameter."
  }
  assert {
    condition     = !aws_instance.this.source_dest_check && aws_instance.this.metadata_options[0].http_tokens == "required" && aws_instance.this.root_block_device[0].encrypted && aws_instance.this.root_block_device[0].volume_type == "gp3"
    error_message = "It forwards packets, answers metadata by token only, and its disk is encrypted."
  }
  assert {
    condition     = strcontains(local.user_data, "push \"route 10.0.0.0 255.255.0.0\"") && strcontains(local.user_data, "VPN_NETMASK='255.255.240.0'") && strcontains(local.user_data, "RESOLVER='10.0.0.2'")
    error_message = "Clients get a route to the VPC."
  }
  assert {
    condition     = one(aws_backup_plan.this[0].rule).lifecycle[0].delete_after == 30 && aws_cloudwatch_metric_alarm.status["System"].alarm_actions == toset(["arn:aws:automate:eu-central-1:ec2:recover"])
    error_message = "A failed host is left by itself; the disk with the authority is backed up."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.daemon.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.daemon.dimensions["InstanceId"] == "i-0123456789abcdef0" && aws_cloudwatch_metric_alarm.daemon.namespace == "ngp/openvpn" && aws_cloudwatch_log_group.this.name == "/shop/stage/openvpn" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "A daemon that stops raises the alarm; its log is in CloudWatch."
  }
  assert {
    condition     = data.aws_ssm_parameter.debian[0].name == "/aws/service/debian/release/13/latest/amd64"
    error_message = "Debian 13."
  }
}

run "names_tags_and_choices_of_the_operator" {
  command   = plan
  state_key = "operator"

  variables {
    unit                     = "vpn-b"
    hostname                 = "door"
    ami_id                   = "ami-1e749f67"
    key_pair_name            = "ops"
    alarm_topic_arn          = "arn:aws:sns:eu-central-1:123456789012:ops"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
    backup_retention_days    = 35
    extra_routes             = ["10.20.0.0/16"]
    client_cidrs             = ["192.0.2.0/24", "203.0.113.0/24"]
  }

  assert {
    condition = aws_instance.this.tags == tomap({
      Name        = "shop-a-vpn-b-stage"
      Project     = "shop"
      Environment = "stage"
      Cluster     = "vpn-b"
      Packages    = "|openvpn|easy-rsa|"
      Service     = "openvpn"
      Version     = "1"
      "ngp:unit"  = "vpn-b"
    })
    error_message = "Environment is the environment."
  }
  assert {
    condition     = aws_instance.this.ami == "ami-1e749f67" && aws_instance.this.key_name == "ops" && aws_route53_record.this.name == "door.stage.example.com" && length(data.aws_ssm_parameter.debian) == 0
    error_message = "What the operator says is used."
  }
  assert {
    condition     = aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role.backup[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "Every role has the boundary."
  }
  assert {
    condition     = one(aws_backup_plan.this[0].rule).lifecycle[0].delete_after == 35 && contains(aws_cloudwatch_metric_alarm.status["Instance"].alarm_actions, "arn:aws:sns:eu-central-1:123456789012:ops")
    error_message = "Backups for so many days, alarms to the topic."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.this) == 3 && strcontains(local.user_data, "push \"route 10.20.0.0 255.255.0.0\"")
    error_message = "A rule for each network, a route for each further one."
  }
}

run "names_of_backups_are_no_longer_than_aws_backup_takes" {
  command   = plan
  state_key = "longest-name"

  variables {
    unit                  = "a-server-for-those-who-work-far"
    pre_tag               = "shop-abroad1"
    post_tag              = "stage1"
    backup_retention_days = 1
  }

  assert {
    condition     = can(regex("^shop-abroad1-a-server-for-those-who-work--?[0-9a-f]{8}$", aws_backup_vault.this[0].name)) && length(aws_backup_vault.this[0].name) <= 50 && aws_backup_plan.this[0].name == aws_backup_vault.this[0].name
    error_message = "50 characters, with a digest of the whole."
  }
}

run "a_password_is_made_anew_by_its_version" {
  command = plan

  variables {
    engine                 = "access-server"
    admin_password_version = 2
  }

  assert {
    condition     = aws_secretsmanager_secret_version.admin[0].secret_string_wo_version == 2
    error_message = "The version is what has the password written again."
  }
}

run "the_longest_boot_script_fits_into_user_data" {
  command   = plan
  state_key = "longest"

  variables {
    extra_routes = [for number in range(50) : "192.168.${100 + number}.128/25"]
  }

  assert {
    condition     = length(aws_instance.this.user_data_base64) * 3 / 4 <= 12000
    error_message = "EC2 takes 16 KiB."
  }
}

run "more_routes_than_fit" {
  command = plan

  variables {
    extra_routes = [for number in range(51) : "10.${number}.0.0/16"]
  }

  expect_failures = [var.extra_routes]
}

run "administration_for_the_world" {
  command = plan

  variables {
    admin_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.admin_cidrs]
}

run "reserved_administrators" {
  command = plan

  variables {
    admin_user     = "admin"
    admin_password = "short"
  }

  expect_failures = [var.admin_user, var.admin_password]
}

run "clients_with_addresses_of_the_vpc" {
  command = plan

  variables {
    vpc_cidr = "172.16.0.0/12"
  }

  expect_failures = [var.vpn_cidr]
}

run "clients_with_addresses_around_the_vpc" {
  command = plan

  variables {
    vpc_cidr = "172.27.230.0/24"
  }

  expect_failures = [var.vpn_cidr]
}

run "nowhere_to_stand" {
  command = plan

  variables {
    public_subnet_ids = []
  }

  expect_failures = [var.public_subnet_ids]
}

run "values_outside_their_lists" {
  command = plan

  variables {
    engine                = "wireguard"
    vpn_cidr              = "172.27.224.1/20"
    hostname              = "vpn.dev"
    volume_size_gib       = 4
    secret_recovery_days  = 3
    backup_retention_days = -1
    client_cidrs          = ["anywhere"]
  }

  expect_failures = [var.engine, var.vpn_cidr, var.hostname, var.volume_size_gib, var.secret_recovery_days, var.backup_retention_days, var.client_cidrs]
}

run "no_backup_where_none_is_wanted" {
  command   = plan
  state_key = "bare"

  variables {
    backup_retention_days = 0
  }

  assert {
    condition     = length(aws_backup_plan.this) + length(aws_backup_vault.this) + length(aws_iam_role.backup) == 0
    error_message = "0 makes none."
  }
}

run "a_type_of_another_architecture_and_an_unknown_release" {
  command = plan

  variables {
    instance_type  = "t4g.small"
    debian_release = 11
  }

  expect_failures = [var.instance_type, var.debian_release]
}
