mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0de0000000000000b" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0000000000000000000" }
  }
  mock_data "aws_subnet" {
    defaults = { availability_zone = "eu-central-1a" }
  }
  mock_resource "aws_network_interface" {
    defaults = { private_ip = "10.0.3.10" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0", arn = "arn:aws:ec2:eu-central-1:123456789012:volume/vol-0123456789abcdef0" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "files", arn = "arn:aws:s3:::files" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = {
      id  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grafana"
      arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grafana"
    }
  }
  mock_resource "aws_ssm_document" {
    defaults = { latest_version = "1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/monitoring" }
  }
}

variables {
  project            = "shop"
  environment        = "stage"
  region             = "eu-central-1"
  domain_name        = "stage.example.com"
  pre_tag            = "shop-a"
  post_tag           = "stage"
  vpc_id             = "vpc-0aaaaaaaaaaaaaaaa"
  vpc_cidr           = "10.0.0.0/16"
  private_subnet_ids = ["subnet-0bbbbbbbbbbbbbbbb", "subnet-0cccccccccccccccc"]
  alarm_topic_arn    = "arn:aws:sns:eu-central-1:123456789012:ops"
  grafana_password   = "correct-horse-battery-staple"
}

run "a_pair_with_disks_and_addresses_of_their_own" {
  command = apply

  assert {
    condition     = aws_network_interface.server["recent"].subnet_id == "subnet-0bbbbbbbbbbbbbbbb" && aws_network_interface.server["longterm"].subnet_id == "subnet-0cccccccccccccccc"
    error_message = "The two stand in different subnets."
  }
  assert {
    condition     = alltrue([for disk in aws_ebs_volume.data : disk.encrypted && disk.type == "gp3"]) && aws_ebs_volume.data["longterm"].size == 50 && aws_ebs_volume.data["recent"].size == 30
    error_message = "Encrypted gp3 of an explicit size."
  }
  assert {
    condition     = alltrue([for server in aws_instance.server : server.metadata_options[0].http_tokens == "required" && server.root_block_device[0].encrypted && server.ami == "ami-0de0000000000000b" && server.tags["Packages"] == "|prometheus|prometheus-alertmanager|prometheus-node-exporter|"])
    error_message = "Debian, metadata by token only, encrypted, and found by its tag."
  }
  assert {
    condition     = strcontains(local.user_data["recent"], "RETENTION_DAYS='15'") && strcontains(local.user_data["longterm"], "RETENTION_DAYS='400'") && strcontains(local.user_data["longterm"], "RETENTION_GB='42'")
    error_message = "15 and 400 days, and never more than 85 % of the disk."
  }
  assert {
    condition     = alltrue([for disk in aws_volume_attachment.data : disk.stop_instance_before_detaching])
    error_message = "A disk is never pulled out of a running server."
  }
  assert {
    condition     = data.aws_ssm_parameter.debian[0].name == "/aws/service/debian/release/13/latest/amd64" && one(aws_backup_plan.this[0].rule).lifecycle[0].delete_after == 30
    error_message = "Debian 13; the longterm disk is backed up."
  }
  assert {
    condition     = output.prometheus_url == "http://prometheus.stage.example.com:9090" && output.prometheus_longterm_url == "http://prometheus-longterm.stage.example.com:9090" && output.grafana_url == null && output.grafana_password_secret_arn == null
    error_message = "The outputs."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.client)) == toset(["alertmanager from vpc", "prometheus from vpc"]) && alltrue([for rule in aws_vpc_security_group_ingress_rule.client : rule.cidr_ipv4 == "10.0.0.0/16"])
    error_message = "Without clients the VPC opens the pages; the world never does."
  }
  assert {
    condition     = length(aws_secretsmanager_secret.grafana) + length(aws_route53_record.grafana) + length(aws_vpc_security_group_ingress_rule.node) + length(aws_ssm_document.agents) == 0
    error_message = "Nothing that was not asked for."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.status["recent-system"].alarm_actions == toset(["arn:aws:automate:eu-central-1:ec2:recover", "arn:aws:sns:eu-central-1:123456789012:ops"]) && length(aws_cloudwatch_metric_alarm.status) == 4
    error_message = "Failed servers are mended and told about."
  }
}

run "what_is_scraped" {
  command = apply

  assert {
    condition     = yamldecode(aws_s3_object.configuration["recent/prometheus.yml"].content).global.scrape_interval == "15s" && yamldecode(aws_s3_object.configuration["longterm/prometheus.yml"].content).global.scrape_interval == "60s"
    error_message = "15 s, and 60 s for what is kept."
  }
  assert {
    condition     = yamldecode(aws_s3_object.configuration["longterm/prometheus.yml"].content).scrape_configs[0].params["match[]"] == ["{longterm=\"true\"}"] && yamldecode(aws_s3_object.configuration["longterm/prometheus.yml"].content).scrape_configs[0].honor_labels
    error_message = "Only what has the label is federated, with the labels that it has."
  }
  assert {
    condition     = [for job in yamldecode(aws_s3_object.configuration["recent/prometheus.yml"].content).scrape_configs : job.ec2_sd_configs[0].filters if job.job_name == "node"][0] == [{ name = "instance-state-name", values = ["running"] }, { name = "tag:Environment", values = ["stage"] }, { name = "tag:Packages", values = ["*|prometheus-node-exporter|*"] }, { name = "tag:Project", values = ["shop"] }]
    error_message = "Nodes are found by their tags, in this environment only."
  }
  assert {
    condition     = yamldecode(aws_s3_object.configuration["recent/alertmanager.yml"].content).receivers[0].sns_configs[0].topic_arn == "arn:aws:sns:eu-central-1:123456789012:ops" && length(yamldecode(aws_s3_object.configuration["recent/alertmanager.yml"].content).receivers[0].webhook_configs) == 0
    error_message = "Alerts go to the topic; to a webhook only where there is one."
  }
}

run "choices_of_the_operator" {
  command   = apply
  state_key = "operator"

  variables {
    unit                      = "watch"
    hostname                  = "prom"
    ami_id                    = "ami-1e749f67"
    key_pair_name             = "ops"
    kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    permissions_boundary_arn  = "arn:aws:iam::123456789012:policy/boundary"
    private_subnet_ids        = ["subnet-0bbbbbbbbbbbbbbbb"]
    client_security_group_ids = ["sg-0vpn"]
    client_cidrs              = ["10.8.0.0/16"]
    node_tags                 = { Cluster = "swarm" }
    node_security_group_ids   = ["sg-0node"]
    jobs                      = { docker = { port = 9323, tags = { Cluster = "swarm" } } }
    web_checks                = { shop = "https://shop.example.com/status" }
    rules                     = { shop = "groups: []" }
    longterm_metrics          = []
    longterm_snapshot_id      = "snap-0123456789abcdef0"
    backup_retention_days     = 35
    webhook_url               = "https://panel.example.com/alerts"
    webhook_token_secret_arn  = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:token-AbCdEf"
    alerts_to_topic           = false
    grafana_version           = "11.6.1"
    grafana_sha256            = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition = aws_instance.server["longterm"].tags == tomap({
      Name        = "shop-a-watch-longterm-stage"
      Project     = "shop"
      Environment = "stage"
      Cluster     = "watch"
      Packages    = "|prometheus|prometheus-alertmanager|prometheus-node-exporter|"
      Service     = "monitoring"
      Version     = "1"
      "ngp:unit"  = "watch"
    })
    error_message = "Environment is the environment."
  }
  assert {
    condition     = aws_instance.server["recent"].ami == "ami-1e749f67" && aws_instance.server["recent"].key_name == "ops" && length(data.aws_ssm_parameter.debian) == 0 && aws_route53_record.server["longterm"].name == "prom-longterm.stage.example.com"
    error_message = "What the operator says is used."
  }
  assert {
    condition     = aws_ebs_volume.data["longterm"].snapshot_id == "snap-0123456789abcdef0" && aws_ebs_volume.data["recent"].snapshot_id != "snap-0123456789abcdef0"
    error_message = "The past comes back from a snapshot."
  }
  assert {
    condition     = alltrue([for disk in aws_ebs_volume.data : disk.kms_key_id == var.kms_key_arn]) && one(one(aws_s3_bucket_server_side_encryption_configuration.files.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "Disks and files under the operator's key."
  }
  assert {
    condition     = aws_iam_role.server.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role.backup[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "Every role has the boundary."
  }
  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.client)) == toset(["alertmanager from 10.8.0.0/16", "grafana from 10.8.0.0/16", "prometheus from 10.8.0.0/16"]) && length(aws_vpc_security_group_ingress_rule.client_group) == 3
    error_message = "Clients open the pages, and nobody else."
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.node : rule.from_port]) == toset([9100, 9323]) && alltrue([for rule in aws_vpc_security_group_ingress_rule.node : rule.security_group_id == "sg-0node"])
    error_message = "The nodes' groups let the servers in where exporters listen."
  }
  assert {
    condition     = [for job in yamldecode(aws_s3_object.configuration["recent/prometheus.yml"].content).scrape_configs : [for found in job.ec2_sd_configs : found.port] if contains(["node", "docker"], job.job_name)] == [[9323], [9100, 9100]]
    error_message = "Nodes by either tag; a job of the operator's by its own."
  }
  assert {
    condition     = alltrue([for job in yamldecode(aws_s3_object.configuration["recent/prometheus.yml"].content).scrape_configs : length(job.metric_relabel_configs) == 0])
    error_message = "No metric is marked where none is to be."
  }
  assert {
    condition     = jsondecode(aws_s3_object.configuration["checks/platform.json"].content) == [{ labels = { check = "shop" }, targets = ["https://shop.example.com/status"] }] && aws_s3_object.configuration["recent/rules/own-shop.yml"].content == "groups: []"
    error_message = "Checks and rules of the operator."
  }
  assert {
    condition     = yamldecode(aws_s3_object.configuration["longterm/alertmanager.yml"].content).receivers[0].webhook_configs[0].http_config.authorization.credentials_file == "webhook-token" && length(yamldecode(aws_s3_object.configuration["longterm/alertmanager.yml"].content).receivers[0].sns_configs) == 0
    error_message = "The webhook's token is a file; the topic is left out."
  }
  assert {
    condition     = strcontains(local.user_data["longterm"], "GRAFANA_VERSION='11.6.1'") && !strcontains(local.user_data["recent"], "GRAFANA_SHA256") && output.grafana_url == "http://grafana.stage.example.com:3000"
    error_message = "Grafana stands on the longterm server."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.grafana[0].secret_string == null && aws_secretsmanager_secret_version.grafana[0].secret_string_wo_version == 1 && !strcontains(local.user_data["longterm"], "correct-horse")
    error_message = "Grafana's password goes through a write-only argument and is in no user data."
  }
  assert {
    condition     = one(aws_backup_plan.this[0].rule).lifecycle[0].delete_after == 35 && aws_backup_selection.this[0].resources == toset(["arn:aws:ec2:eu-central-1:123456789012:volume/vol-0123456789abcdef0"])
    error_message = "The longterm disk is backed up for so many days."
  }
  assert {
    condition     = alltrue([for server in aws_instance.server : length(server.user_data_base64) * 3 / 4 <= 12000])
    error_message = "EC2 takes 16 KiB: compressed, there is room to grow."
  }
}

run "agents_on_the_nodes" {
  command   = apply
  state_key = "agents"

  variables {
    node_tags             = { Cluster = "swarm" }
    node_role_names       = ["shop-a-swarm-manager", "shop-a-swarm-worker"]
    install_node_exporter = true
    sysdig_image          = "quay.io/sysdig/agent-slim@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    sysdig_key_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sysdig-AbCdEf"
    sysdig_settings       = "app_checks: [{name: 'redis', enabled: false}]"
    log_shipper           = "fluent-bit"
    log_shipper_image     = "cr.fluentbit.io/fluent/fluent-bit@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    elk_domain_endpoint   = "logs.example.com"
    elk_domain_arn        = "arn:aws:es:eu-central-1:123456789012:domain/logs"
  }

  assert {
    condition     = jsonencode({ for name, each in aws_ssm_association.agents : name => { for target in each.targets : target.key => one(target.values) } }) == jsonencode({ nodes = { "tag:Cluster" = "swarm", "tag:Environment" = "stage", "tag:Project" = "shop" }, servers = { "tag:Cluster" = "monitoring", "tag:Environment" = "stage", "tag:Project" = "shop" } })
    error_message = "The nodes with the tags, in this environment only, and the servers."
  }
  assert {
    condition     = strcontains(join("\n", jsondecode(aws_ssm_document.agents[0].content).mainSteps[0].inputs.runCommand), "SYSDIG_SETTINGS='app_checks: [{name: '\\''redis'\\'', enabled: false}]'")
    error_message = "Text of the operator reaches the script as it is."
  }
  assert {
    condition     = !strcontains(aws_ssm_document.agents[0].content, "{{") && length(aws_ssm_document.agents[0].content) < 65536
    error_message = "Systems Manager takes double braces for parameters, and no more than 64 KiB."
  }
  assert {
    condition     = aws_iam_role_policy.agents[*].role == [aws_iam_role.server.name, "shop-a-swarm-manager", "shop-a-swarm-worker"]
    error_message = "Who runs an agent may read its key."
  }
  assert {
    condition     = jsonencode({ for statement in data.aws_iam_policy_document.agents[0].statement : statement.sid => statement.resources }) == jsonencode({ ReadKeys = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:sysdig-AbCdEf"], WriteLogs = ["arn:aws:es:eu-central-1:123456789012:domain/logs/*"] })
    error_message = "One key and one domain, and nothing else."
  }
}

run "an_agent_without_a_key_needs_no_rights" {
  command = plan

  variables {
    log_shipper       = "filebeat"
    log_shipper_image = "docker.elastic.co/beats/filebeat-oss@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    logstash_uri      = "logs.example.com:5044"
  }

  assert {
    condition     = toset(keys(aws_ssm_association.agents)) == toset(["servers"]) && length(aws_iam_role_policy.agents) == 0
    error_message = "Without tags only the servers, and no right to anything."
  }
}

run "images_by_a_name_that_can_change" {
  command = plan

  variables {
    sysdig_image      = "quay.io/sysdig/agent-slim:latest"
    log_shipper       = "filebeat"
    log_shipper_image = "docker.elastic.co/beats/filebeat-oss:7.12.1"
  }

  expect_failures = [var.sysdig_image, var.log_shipper_image, var.logstash_uri]
}

run "agents_that_lack_something" {
  command = plan

  variables {
    install_node_exporter = true
    sysdig_image          = "quay.io/sysdig/agent-slim@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    sysdig_settings       = "app_checks: {{x}}"
    log_shipper           = "fluent-bit"
    elk_index_prefix      = "Logs"
  }

  expect_failures = [var.install_node_exporter, var.sysdig_key_secret_arn, var.sysdig_settings, var.log_shipper_image, var.elk_domain_endpoint, var.elk_domain_arn, var.elk_index_prefix]
}

run "no_topic" {
  command = plan

  variables {
    alarm_topic_arn = ""
  }

  assert {
    condition     = length(yamldecode(aws_s3_object.configuration["recent/alertmanager.yml"].content).receivers[0].sns_configs) == 0
    error_message = "Without a topic, no alert is sent to one."
  }

  assert {
    condition     = !contains(data.aws_iam_policy_document.server.statement[*].sid, "SendAlerts")
    error_message = "Without a topic, nothing may publish to one."
  }
}

run "pages_for_the_world" {
  command = plan

  variables {
    client_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.client_cidrs]
}

run "a_year_is_not_enough_to_compare_with_the_last" {
  command = plan

  variables {
    longterm_retention_days = 365
  }

  expect_failures = [var.longterm_retention_days]
}

run "nothing_unchecked_is_installed" {
  command = plan

  variables {
    grafana_version = "11.6.1"
  }

  expect_failures = [var.grafana_sha256]
}

run "names_and_tags_stay_within_what_aws_takes" {
  command = plan

  variables {
    pre_tag               = "abcdefghijkl"
    post_tag              = "uvwxyz"
    unit                  = "a-second-monitoring-of-this-one"
    backup_retention_days = 35
    tags                  = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal" }
  }

  assert {
    condition     = length(aws_backup_vault.this[0].name) == 50 && length(aws_backup_plan.this[0].name) <= 50 && length(aws_iam_role.backup[0].name) <= 64
    error_message = "A name is too long."
  }
  assert {
    condition     = alltrue([for each in aws_s3_object.configuration : length(each.tags) <= 10]) && aws_s3_bucket.files.tags["CostCenter"] == "42"
    error_message = "An object has the module's tags; everything else has the operator's too."
  }
}

run "values_outside_their_lists" {
  command = plan

  variables {
    private_subnet_ids       = []
    vpc_cidr                 = "0.0.0.0/0"
    node_security_group_ids  = ["default"]
    node_role_names          = ["arn:aws:iam::123456789012:role/node"]
    hostname                 = "prom.dev"
    longterm_snapshot_id     = "vol-1"
    recent_disk_gib          = 4
    recent_retention_days    = 0
    scrape_interval_s        = 1
    federation_interval_s    = 300
    longterm_metrics         = ["node_("]
    jobs                     = { node = { port = 9100, tags = {} } }
    web_checks               = { shop = "shop.example.com" }
    rules                    = { shop = "alert: x" }
    node_tags                = { Cluster = "*" }
    webhook_url              = "https://user:password@example.com/"
    webhook_token_secret_arn = "hunter2"
    secret_recovery_days     = 3
    backup_retention_days    = -1
  }

  expect_failures = [
    var.private_subnet_ids, var.vpc_cidr, var.node_security_group_ids, var.node_role_names, var.hostname, var.longterm_snapshot_id, var.recent_disk_gib, var.recent_retention_days, var.scrape_interval_s, var.federation_interval_s, var.longterm_metrics, var.jobs,
    var.node_tags, var.web_checks, var.rules, var.webhook_url, var.webhook_token_secret_arn, var.secret_recovery_days, var.backup_retention_days,
  ]
}

run "a_type_of_another_architecture_and_an_unknown_release" {
  command = plan

  variables {
    recent_instance_type   = "t4g.small"
    longterm_instance_type = "m7gd.large"
    debian_release         = 11
  }

  expect_failures = [var.recent_instance_type, var.longterm_instance_type, var.debian_release]
}
