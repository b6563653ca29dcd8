mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
  mock_data "aws_instances" {
    defaults = { ids = ["i-2", "i-1"], private_ips = ["10.0.3.9", "10.0.3.8"] }
  }
  mock_resource "aws_network_interface" {
    defaults = { private_ip = "10.0.3.7" }
  }
  mock_resource "aws_efs_file_system" {
    defaults = { dns_name = "fs-1.efs.eu-central-1.amazonaws.com" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "bucket", arn = "arn:aws:s3:::bucket" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/stage/dcos" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/made" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/1", dns_name = "lb.example.net", zone_id = "Z1", arn_suffix = "app/a/1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/1", arn_suffix = "targetgroup/a/1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/a/1/2" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:123456789012:certificate/made"
      domain_validation_options = [
        { domain_name = "dcos-shop-a.stage.example.com", resource_record_name = "_d", resource_record_type = "CNAME", resource_record_value = "d" },
        { domain_name = "jenkins-shop-a.stage.example.com", resource_record_name = "_j", resource_record_type = "CNAME", resource_record_value = "j" },
        { domain_name = "tyk-shop-a.stage.example.com", resource_record_name = "_t", resource_record_type = "CNAME", resource_record_value = "t" },
      ]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/made" }
  }
}

variables {
  project                      = "shop"
  environment                  = "stage"
  region                       = "eu-central-1"
  domain_name                  = "stage.example.com"
  pre_tag                      = "Shop-a"
  post_tag                     = "stage"
  vpc_id                       = "vpc-1"
  vpc_cidr                     = "10.0.0.0/16"
  private_subnet_ids           = ["subnet-1", "subnet-2"]
  public_subnet_ids            = ["subnet-3", "subnet-4"]
  availability_zones           = ["eu-central-1a", "eu-central-1b"]
  management_security_group_id = "sg-management"
  key_pair_name                = "keys"
  nat_public_ips               = ["192.0.2.10"]
  alarm_topic_arn              = "arn:aws:sns:eu-central-1:123456789012:alarms"
  ami_id                       = "ami-0123456789abcdef0"
  installer_url                = "https://files.example.com/dcos_generate_config.sh"
  installer_sha256             = "00000000000000000000000000000000000000000000000000000000000000aa"
}

run "names_lead_inside_and_the_gateways_to_the_world" {
  command = apply

  assert {
    condition     = output.dcos_url == "https://dcos-shop-a.stage.example.com" && output.jenkins_url == "https://jenkins-shop-a.stage.example.com" && output.tyk_url == "https://tyk-shop-a.stage.example.com"
    error_message = "The names are those of the old platform."
  }
  assert {
    condition     = aws_lb.master.internal && aws_lb.inner.internal && aws_lb.inner.load_balancer_type == "network" && aws_lb.public.internal != true
    error_message = "Masters are inside, public agents are not."
  }
  assert {
    condition     = keys(aws_route53_record.proof) == ["dcos", "jenkins", "tyk"] && aws_lb_listener.public.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/made"
    error_message = "One certificate is proved for all names."
  }
  assert {
    condition     = output.private_subnet_az == "eu-central-1a" && output.nat_gateway_public_ip == "192.0.2.10" && output.bootstrap_ip == "10.0.3.7" && output.agent_count == 2 && output.s3_bucket_name == "bucket"
    error_message = "The outputs of the old platform are there."
  }
  assert {
    condition     = output.dcos_master_address == "dcos-masters-shop-a.stage.example.com" && aws_route53_record.masters.name == output.dcos_master_address && output.logstash_endpoint == "dcos-masters-shop-a.stage.example.com:5044"
    error_message = "Nodes go by a name, not by a load balancer's."
  }
}

run "what_is_not_http_goes_through_the_network_load_balancer" {
  command = apply

  assert {
    condition     = keys(aws_lb_target_group.inner) == ["2181", "5044", "5050", "80", "8080", "8181"] && alltrue([for group in aws_lb_target_group.inner : group.protocol == "TCP" && group.preserve_client_ip == "false"])
    error_message = "Every port that nodes use is forwarded as it is."
  }
  assert {
    condition     = one(aws_lb_target_group.inner["5050"].health_check).path == "/health" && one(aws_lb_target_group.inner["8080"].health_check).port == "5050" && one(aws_lb_target_group.inner["2181"].health_check).protocol == "TCP"
    error_message = "Masters are asked by Mesos's health, ZooKeeper by its port: Mesos waits for it."
  }
  assert {
    condition     = { for name, each in aws_autoscaling_attachment.node : name => each.autoscaling_group_name } == { inner-80 = "Shop-a-dcos-Master-stage", inner-2181 = "Shop-a-dcos-Master-stage", inner-5044 = "Shop-a-dcos-Agent-stage", inner-5050 = "Shop-a-dcos-Master-stage", inner-8080 = "Shop-a-dcos-Master-stage", inner-8181 = "Shop-a-dcos-Master-stage", jenkins-0 = "Shop-a-dcos-Agent-stage", master = "Shop-a-dcos-Master-stage", public = "Shop-a-dcos-PublicAgent-stage" } && aws_lb_target_group.public.port == 10081 && one(aws_lb_target_group.public.health_check).port == "9090"
    error_message = "Every target group has its pool; the public one is marathon-lb's."
  }
}

run "installation_is_configured_for_masters_behind_a_load_balancer" {
  command = apply

  assert {
    condition = yamldecode(local.config) == {
      bootstrap_url             = "http://10.0.3.7:9999"
      cluster_name              = "Shop-a-dcos-stage"
      exhibitor_storage_backend = "shared_filesystem"
      exhibitor_fs_config_dir   = "/var/lib/ngp-exhibitor"
      master_discovery          = "master_http_loadbalancer"
      exhibitor_address         = "dcos-masters-shop-a.stage.example.com"
      num_masters               = "3"
      ip_detect_filename        = "genconf/ip-detect"
      resolvers                 = ["10.0.0.2"]
      oauth_enabled             = "false"
      ssh_user                  = "centos"
      telemetry_enabled         = "false"
    }
    error_message = "config.yaml says what it has to."
  }
  assert {
    condition     = strcontains(local.user_data["bootstrap"], "CONFIG='${base64encode(local.config)}'") && strcontains(local.user_data["bootstrap"], "INSTALLER_SHA256='00000000000000000000000000000000000000000000000000000000000000aa'") && strcontains(local.user_data["bootstrap"], "generate()")
    error_message = "The bootstrap node gets it, with the checksum."
  }
  assert {
    condition     = aws_instance.bootstrap.user_data_base64 == base64gzip(local.user_data["bootstrap"]) && alltrue([for data in local.user_data : length(base64gzip(data)) < 16384])
    error_message = "User data fits."
  }
}

run "what_the_quorum_goes_by_stays" {
  command = plan

  variables {
    master_count = 5
  }

  expect_failures = [aws_instance.bootstrap]
}

run "whoever_is_missing_is_told" {
  command = apply

  assert {
    condition     = { for pool, alarm in aws_cloudwatch_metric_alarm.in_service : pool => alarm.threshold } == { master = 3, agent = 2, public_agent = 1 } && alltrue([for alarm in aws_cloudwatch_metric_alarm.in_service : alarm.treat_missing_data == "breaching" && toset(alarm.alarm_actions) == toset([var.alarm_topic_arn])])
    error_message = "Masters and agents, by their groups."
  }
}

run "agents_are_told_by_address_and_id" {
  command = apply

  assert {
    condition     = output.agent_ips == tolist(["10.0.3.8", "10.0.3.9"]) && output.public_agent_ids == tolist(["i-1", "i-2"]) && output.agent_count == 2
    error_message = "The names of the old platform, from the groups of this one."
  }
  assert {
    condition     = data.aws_instances.agent["agent"].instance_tags == tomap({ "aws:autoscaling:groupName" = "Shop-a-dcos-Agent-stage" }) && length(aws_autoscaling_policy.cpu) == 0
    error_message = "Private agents by their own group, which keeps its size."
  }
}

run "agents_follow_their_load_where_asked" {
  command = plan

  variables {
    public_agents = { min = 2, max = 8, desired = 4, cpu_target = 55 }
  }

  assert {
    condition     = keys(aws_autoscaling_policy.cpu) == ["public_agent"] && aws_autoscaling_policy.cpu["public_agent"].target_tracking_configuration[0].target_value == 55 && aws_autoscaling_policy.cpu["public_agent"].target_tracking_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ASGAverageCPUUtilization"
    error_message = "Only agents with a cpu_target have a policy."
  }
  assert {
    condition     = aws_autoscaling_group.node["agent"].desired_capacity == 2 && aws_cloudwatch_metric_alarm.in_service["public_agent"].threshold == 2
    error_message = "The others keep their size; too few are fewer than min."
  }
}

run "a_target_that_nothing_can_measure_is_refused" {
  command = plan

  variables {
    agents = { min = 0, cpu_target = 60 }
  }

  expect_failures = [var.agents]
}

run "exhibitor_in_s3_for_an_installer_that_can" {
  command   = apply
  state_key = "s3"

  variables {
    exhibitor_backend = "aws_s3"
    oauth_enabled     = true
    master_count      = 5
  }

  assert {
    condition     = yamldecode(local.config).s3_bucket == "bucket" && yamldecode(local.config).s3_prefix == "exhibitor" && yamldecode(local.config).aws_region == "eu-central-1" && yamldecode(local.config).exhibitor_explicit_keys == "false" && !can(yamldecode(local.config).exhibitor_fs_config_dir)
    error_message = "It goes by the role, never by keys."
  }
  assert {
    condition     = length(aws_efs_file_system.exhibitor) == 0 && strcontains(local.user_data["master"], "MOUNTS=''") && yamldecode(local.config).num_masters == "5" && aws_autoscaling_group.node["master"].desired_capacity == 5
    error_message = "Masters need no file system then."
  }
}

run "each_node_boots_as_what_it_is" {
  command = apply

  assert {
    condition     = strcontains(local.user_data["master"], "ROLE='master'") && strcontains(local.user_data["agent"], "ROLE='slave'") && strcontains(local.user_data["public_agent"], "ROLE='slave_public'") && strcontains(local.user_data["agent"], "NODE_TYPE='mesos_agent'")
    error_message = "The installer is told the role."
  }
  assert {
    condition     = strcontains(local.user_data["master"], "MOUNTS='fs-1.efs.eu-central-1.amazonaws.com:/var/lib/ngp-exhibitor:1777'") && strcontains(local.user_data["agent"], ":/var/jenkins_nfs:1777'") && strcontains(local.user_data["public_agent"], "MOUNTS=''")
    error_message = "Masters have their own file system, private agents the shared one."
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.node : one(template.metadata_options).http_tokens == "required" && one(one(template.block_device_mappings).ebs).volume_size == 256 && one(one(template.block_device_mappings).ebs).encrypted == "true"])
    error_message = "IMDSv2, and encrypted disks of 256 GiB."
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.node : one(template.metadata_options).http_put_response_hop_limit == 1])
    error_message = "Containers have the node's role in the node's network only."
  }
  assert {
    condition     = !anytrue(flatten([for statement in data.aws_iam_policy_document.session.statement : [for action in statement.actions : startswith(action, "ssm:GetParameter")]]))
    error_message = "The way in by Session Manager reads no parameter."
  }
  assert {
    condition     = aws_autoscaling_group.node["master"].min_size == 3 && aws_autoscaling_group.node["master"].max_size == 3 && contains(aws_autoscaling_group.node["master"].suspended_processes, "AZRebalance")
    error_message = "No master is ended by the group."
  }
}

run "only_who_is_named_reaches_the_masters" {
  command = apply

  variables {
    client_cidrs              = ["10.9.0.0/16"]
    client_security_group_ids = ["sg-vpn"]
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.client_vpc) == 0 && length(aws_vpc_security_group_ingress_rule.client) == 2 && aws_vpc_security_group_ingress_rule.client_group["https-0"].referenced_security_group_id == "sg-vpn"
    error_message = "The VPC as a whole is out."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.ssh : rule.referenced_security_group_id == "sg-management" && rule.from_port == 22])
    error_message = "SSH comes from the management network."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.inside["public-services"].from_port == 10000 && aws_vpc_security_group_ingress_rule.inside["public-services"].to_port == 10100 && aws_vpc_security_group_ingress_rule.inside["bootstrap-cluster"].from_port == 9999
    error_message = "Public agents are open on marathon-lb's ports, the bootstrap node on its own."
  }
}

run "the_vpc_may_where_nobody_is_named" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.client_vpc["https"].cidr_ipv4 == "10.0.0.0/16" && length(aws_vpc_security_group_ingress_rule.client) == 0
    error_message = "Without names it is the VPC, never the world."
  }
}

run "what_others_serve_is_left_out" {
  command = apply

  variables {
    services        = ["tyk"]
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/given"
  }

  assert {
    condition     = keys(aws_route53_record.this) == ["dcos", "tyk"] && output.jenkins_url == null && length(aws_lb_listener_rule.jenkins) == 0
    error_message = "Jenkins has no name here."
  }
  assert {
    condition     = length(aws_acm_certificate.this) == 0 && length(aws_route53_record.proof) == 0 && aws_lb_listener.master.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/given"
    error_message = "A given certificate is used."
  }
}

run "secret_of_sysdig_is_read_by_its_arn_only" {
  command = apply

  variables {
    sysdig_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sysdig-abc"
    filebeat_image    = "registry.example.com/filebeat:7.12.1"
  }

  assert {
    condition     = length([for statement in data.aws_iam_policy_document.node.statement : statement if statement.sid == "ReadSysdigsKey" && statement.resources == toset(["arn:aws:secretsmanager:eu-central-1:123456789012:secret:sysdig-abc"])]) == 1
    error_message = "Nodes may read that secret and no other."
  }
  assert {
    condition     = strcontains(local.user_data["agent"], "FILEBEAT_IMAGE='registry.example.com/filebeat:7.12.1'")
    error_message = "Nodes know what ships their logs."
  }
  assert {
    condition     = alltrue([for group in aws_autoscaling_group.node : { for each in group.tag : each.key => each.value if each.propagate_at_launch }["Packages"] == "|docker|dcos|filebeat|sysdig-agent|"]) && alltrue(flatten([for template in aws_launch_template.node : [for each in template.tag_specifications : each.tags["Packages"] == "|docker|dcos|filebeat|sysdig-agent|"]])) && aws_instance.bootstrap.tags["Packages"] == "|docker|dcos-bootstrap|"
    error_message = "They are found by what runs on them."
  }
}

run "registry_is_trusted_by_a_certificate_from_the_bootstrap_node" {
  command = apply

  variables {
    registry_ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
  }

  assert {
    condition     = strcontains(local.user_data["bootstrap"], "REGISTRY_CA='${base64encode(var.registry_ca)}'") && strcontains(local.user_data["agent"], "REGISTRY_HOST='192.168.0.1'")
    error_message = "One serves it, the others fetch it."
  }
}

run "an_installer_without_checksum_is_refused" {
  command = plan

  variables {
    installer_sha256 = ""
  }

  expect_failures = [var.installer_sha256]
}

run "an_installer_over_plain_http_is_refused" {
  command = plan

  variables {
    installer_url = "http://files.example.com/dcos_generate_config.sh"
  }

  expect_failures = [var.installer_url]
}

run "an_even_number_of_masters_is_refused" {
  command = plan

  variables {
    master_count = 2
  }

  expect_failures = [var.master_count]
}

run "a_port_that_no_security_group_opens_is_refused" {
  command = plan

  variables {
    public_port = 9000
  }

  expect_failures = [var.public_port]
}

run "agents_beyond_their_limits_are_refused" {
  command = plan

  variables {
    agents = { min = 1, max = 2, desired = 3 }
  }

  expect_failures = [var.agents]
}

run "the_world_is_no_client_of_the_masters" {
  command = plan

  variables {
    client_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.client_cidrs]
}

run "a_key_in_place_of_an_arn_is_refused" {
  command = plan

  variables {
    sysdig_secret_arn = "11111111-2222-3333-4444-555555555555"
  }

  expect_failures = [var.sysdig_secret_arn]
}

run "units_whose_names_begin_alike_have_load_balancers_of_their_own" {
  command = plan

  variables {
    unit = "dcos-new-region"
  }

  assert {
    condition     = local.lb_name["M"] == "lb-Shop-a-dcos-new-re-M-${substr(sha1("Shop-a-dcos-new-region-stage"), 0, 8)}" && length(distinct(values(local.lb_name))) == 3 && alltrue([for name in values(local.lb_name) : length(name) <= 32])
    error_message = "A name that is cut has a digest of the whole."
  }
}

run "a_unit_whose_name_was_always_cut_has_the_digest_too" {
  command = plan

  variables {
    unit = "dcos-new-x"
  }

  assert {
    condition     = startswith(local.lb_name["M"], "lb-")
    error_message = "Whatever the length of the whole, the condition is that of the unit."
  }
}

run "load_balancers_of_short_units_keep_their_names" {
  command = plan

  variables {
    unit            = "dcos-two"
    pre_tag         = "Internal-a-b"
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/given"
  }

  assert {
    condition     = local.lb_name == { M = "xInternal-a-b-dcos-two-M-stage", N = "xInternal-a-b-dcos-two-N-stage", P = "xInternal-a-b-dcos-two-P-stage" }
    error_message = "Another name would make them anew."
  }
}
