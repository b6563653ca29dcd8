mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_ssm_parameter" {
    defaults = { insecure_value = "ami-0123456789abcdef0" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
      domain_validation_options = [
        { domain_name = "stage.example.com", resource_record_name = "_a.stage.example.com", resource_record_type = "CNAME", resource_record_value = "_b.acm" },
        { domain_name = "*.stage.example.com", resource_record_name = "_a.stage.example.com", resource_record_type = "CNAME", resource_record_value = "_b.acm" },
        { domain_name = "apps.stage.example.com", resource_record_name = "_c.apps.stage.example.com", resource_record_type = "CNAME", resource_record_value = "_d.acm" },
      ]
    }
  }
  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/made" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/a/1", dns_name = "lb.example.net", zone_id = "Z1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/a/1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/a/1/2" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/node" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/node" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::files" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/shop/stage/swarm" }
  }
  mock_resource "aws_efs_file_system" {
    defaults = { id = "fs-0123", arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0123", dns_name = "fs-0123.efs.eu-central-1.amazonaws.com" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  project                      = "shop"
  environment                  = "stage"
  region                       = "eu-central-1"
  domain_name                  = "stage.example.com"
  pre_tag                      = "shop-a"
  post_tag                     = "stage"
  vpc_id                       = "vpc-0123456789abcdef0"
  vpc_cidr                     = "10.0.0.0/16"
  private_subnet_ids           = ["subnet-a", "subnet-b", "subnet-e"]
  public_subnet_ids            = ["subnet-c", "subnet-d"]
  management_security_group_id = "sg-0123456789abcdef0"
}

run "three_managers_and_a_pool_by_default" {
  command = apply

  assert {
    condition     = [for slot in ["1", "2", "3"] : aws_instance.manager[slot].subnet_id] == ["subnet-a", "subnet-b", "subnet-e"]
    error_message = "Managers go to the private subnets by turns, each to another zone."
  }
  assert {
    condition     = length(output.swarm_manager_ips) == 3 && length(aws_lb_target_group_attachment.manager) == 3 && length(aws_cloudwatch_metric_alarm.manager) == 3
    error_message = "Every manager is shown, answers the load balancer and is watched."
  }
  assert {
    condition     = keys(output.swarm_worker_asg_names) == ["default"] && aws_autoscaling_group.worker["default"].desired_capacity == 2
    error_message = "There is one pool, of two workers."
  }
  assert {
    condition     = alltrue([for node in aws_instance.manager : node.metadata_options[0].http_tokens == "required" && node.root_block_device[0].encrypted && node.ami == "ami-0123456789abcdef0"])
    error_message = "Managers have Debian's image, ask for tokens and encrypt their disks."
  }
  assert {
    condition     = alltrue([for node in aws_instance.manager : tostring(node.metadata_options[0].http_put_response_hop_limit) == "1"]) && tostring(aws_launch_template.worker["default"].metadata_options[0].http_put_response_hop_limit) == "1"
    error_message = "The metadata is the node's own: one hop further no container reaches it."
  }
  assert {
    condition     = !anytrue(flatten([for statement in data.aws_iam_policy_document.session.statement : [for action in statement.actions : startswith(action, "ssm:GetParameter")]]))
    error_message = "The way in by Session Manager reads no parameter."
  }
  assert {
    condition     = keys(data.aws_ssm_parameter.debian) == ["amd64"] && data.aws_ssm_parameter.debian["amd64"].name == "/aws/service/debian/release/13/latest/amd64"
    error_message = "Nodes run Debian 13, of the instance type's architecture."
  }
  assert {
    condition     = strcontains(local.user_data["manager-1"], "DOCKER_PACKAGES=''\n") && strcontains(local.user_data["manager-1"], "ECR_HOST='123456789012.dkr.ecr.eu-central-1.amazonaws.com'")
    error_message = "A node asks its own Debian for the packages of Docker."
  }
  assert {
    condition     = aws_lb.cluster.idle_timeout == 300 && contains(yamldecode(aws_s3_object.router.content).services.traefik.command, "--entrypoints.web.transport.respondingtimeouts.idletimeout=330s")
    error_message = "The load balancer ends an idle connection, and before the router does."
  }
  assert {
    condition     = yamldecode(aws_s3_object.router.content).services.traefik.volumes == ["/run/ngp-view:/run/ngp-view:ro"]
    error_message = "The router, which faces the internet, does not hold Docker's socket."
  }
  assert {
    condition     = output.swarm_url == "https://stage.example.com" && aws_route53_record.cluster["*."].name == "*.stage.example.com"
    error_message = "The cluster answers on the domain and below it."
  }
  assert {
    condition     = aws_lb.cluster.name == "shop-a-swarm-stage" && can(regex("^shop-a-swarm-stage-[0-9a-f]{8}$", aws_s3_bucket.files.bucket))
    error_message = "Names are built from pre_tag and post_tag."
  }
  assert {
    condition     = output.swarm_efs_id == null && length(aws_efs_mount_target.shared) == 0 && length(aws_backup_plan.shared) == 0
    error_message = "There is no shared file system unless asked for."
  }
  assert {
    condition     = length(aws_lb.cluster.access_logs) == 0
    error_message = "No access log where no bucket takes it."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.node_ssh) == 0
    error_message = "SSH is closed unless asked for."
  }
  assert {
    condition     = output.swarm_kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/made"
    error_message = "The cluster makes its own key."
  }
  assert {
    condition     = aws_autoscaling_lifecycle_hook.drain["default"].lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING" && aws_autoscaling_lifecycle_hook.drain["default"].heartbeat_timeout == 300 && aws_autoscaling_lifecycle_hook.drain["default"].default_result == "CONTINUE"
    error_message = "A worker that ends is waited for, and not for ever."
  }
  assert {
    condition     = [for statement in data.aws_iam_policy_document.worker.statement : [statement.actions, statement.resources] if statement.effect == "Deny"] == [[toset(["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParameterHistory"]), toset(["arn:aws:ssm:eu-central-1:123456789012:parameter/ngp/shop/stage/swarm/swarm/*/token-manager"])], [toset(["kms:Decrypt"]), toset(["*"])]]
    error_message = "No worker reads the managers' token, whatever else it is allowed."
  }
  assert {
    condition     = one([for statement in data.aws_iam_policy_document.manager.statement : statement.resources if contains(statement.actions, "autoscaling:CompleteLifecycleAction")]) == toset(["arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/shop-a-swarm-Worker-*-stage"])
    error_message = "The leader lets its own workers go, and nobody else's."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.unkept.treat_missing_data == "breaching" && strcontains(local.user_data["manager-1"], "METRIC='${aws_cloudwatch_metric_alarm.unkept.metric_name}'") && strcontains(local.user_data["manager-1"], "METRIC_NAMESPACE='${aws_cloudwatch_metric_alarm.unkept.namespace}'")
    error_message = "The alarm waits for what the leader counts."
  }
  assert {
    condition     = strcontains(local.user_data["manager-1"], "GROUP_FILTERS='Name=tag:Project,Values=shop Name=tag:Environment,Values=stage Name=tag:Cluster,Values=swarm'") && strcontains(local.user_data["manager-1"], "DRAIN_HOOK='${aws_autoscaling_lifecycle_hook.drain["default"].name}'")
    error_message = "The leader finds the groups and their hook."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.unhealthy.alarm_actions) == 0
    error_message = "No alarm is sent where there is no topic."
  }
  assert {
    condition     = aws_instance.manager["1"].tags["ngp:unit"] == "swarm" && aws_instance.manager["1"].tags["Name"] == "shop-a-swarm-Manager1-stage" && aws_instance.manager["1"].tags["Environment"] == "stage"
    error_message = "Nodes carry the platform's tags."
  }
  assert {
    condition     = aws_instance.manager["1"].tags["Packages"] == "|docker|swarm-manager|" && { for tag in aws_autoscaling_group.worker["default"].tag : tag.key => tag.value if tag.propagate_at_launch }["Packages"] == "|docker|swarm-worker|"
    error_message = "Hosts are found by what is installed on them."
  }
}

run "user_data_fits_and_tells_each_node_its_part" {
  command = apply

  assert {
    condition     = alltrue([for node, text in local.user_data : length(base64gzip(text)) * 3 / 4 < 16384])
    error_message = "User data is at most 16 KiB."
  }
  assert {
    condition     = alltrue([for node, text in local.user_data : startswith(text, "#cloud-config\n") && can(yamldecode(text))])
    error_message = "User data is a cloud-config."
  }
  assert {
    condition     = strcontains(local.user_data["manager-2"], "ROLE='manager'") && strcontains(local.user_data["manager-2"], "SLOT='2'") && !strcontains(local.user_data["worker-default"], "ROLE='manager'")
    error_message = "A node knows its role and slot."
  }
  assert {
    condition     = strcontains(local.user_data["manager-1"], "PARAMETER_PREFIX='/ngp/shop/stage/swarm/swarm/${terraform_data.generation.id}'")
    error_message = "Parameters belong to one life of the cluster."
  }
  assert {
    condition     = anytrue([for command in yamldecode(local.user_data["manager-1"]).runcmd : contains(command, "ngp-swarm-sync.timer")])
    error_message = "Managers keep the stacks up to date."
  }
  assert {
    condition     = !anytrue([for command in yamldecode(local.user_data["worker-default"]).runcmd : contains(command, "ngp-swarm-sync.timer")])
    error_message = "Workers do not."
  }
}

run "router_is_a_stack_file_for_the_domain" {
  command = apply

  assert {
    condition     = aws_s3_object.router.key == "${output.swarm_stack_prefix}router/stack.yml"
    error_message = "The router lies below the prefix that the managers watch."
  }
  assert {
    condition     = strcontains(yamldecode(aws_s3_object.router.content).services.traefik.deploy.labels["traefik.http.routers.status.rule"], "Host(`stage.example.com`)")
    error_message = "The router answers /status for the domain."
  }
}

run "images_of_docker_hub_come_from_the_cache" {
  command = plan

  variables {
    image_cache = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub"
  }

  assert {
    condition     = yamldecode(aws_s3_object.router.content).services.traefik.image == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub/library/${var.router_image}" && output.swarm_image_cache == var.image_cache
    error_message = "An official image is below library/."
  }
}

run "images_of_other_registries_do_not" {
  command = plan

  variables {
    image_cache  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub"
    router_image = "quay.io/shop/traefik:v3"
  }

  assert {
    condition     = yamldecode(aws_s3_object.router.content).services.traefik.image == "quay.io/shop/traefik:v3"
    error_message = "The rule is of Docker Hub."
  }
}

run "a_subdomain_leaves_the_domain_to_others" {
  command = apply

  variables {
    subdomain = "apps"
  }

  assert {
    condition     = output.swarm_domain == "apps.stage.example.com" && aws_route53_record.cluster[""].name == "apps.stage.example.com" && aws_acm_certificate.cluster.subject_alternative_names == toset(["*.apps.stage.example.com"])
    error_message = "Records and certificate are those of the subdomain."
  }
  assert {
    condition     = aws_route53_record.proof.name == "_c.apps.stage.example.com"
    error_message = "It is the subdomain that is proved."
  }
}

run "one_manager_without_workers_and_fixed_address" {
  command = apply

  variables {
    manager_count       = 1
    manager_private_ips = ["10.0.3.10"]
    worker_pools        = {}
    kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/given"
    alarm_topic_arn     = "arn:aws:sns:eu-central-1:123456789012:alarms"
  }

  assert {
    condition     = length(aws_instance.manager) == 1 && aws_instance.manager["1"].private_ip == "10.0.3.10" && length(aws_autoscaling_group.worker) == 0
    error_message = "A single manager at its address, and no worker."
  }
  assert {
    condition     = output.swarm_kms_alias_name == null && aws_cloudwatch_metric_alarm.unkept.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "There is no alias of a key that is not ours; the topic hears of a cluster that nobody keeps."
  }
  assert {
    condition     = length(aws_kms_key.cluster) == 0 && output.swarm_kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/given"
    error_message = "A given key is used, none is made."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.unhealthy.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"]) && length(aws_cloudwatch_metric_alarm.manager["1"].alarm_actions) == 2
    error_message = "Alarms go to the topic."
  }
}

run "pools_have_their_own_label_and_size" {
  command = apply

  variables {
    renew_workers = true
    worker_pools = {
      web  = { instance_type = "t3.large", min_size = 0, desired_size = 3, max_size = 9, volume_size = 80 }
      data = { label = "disks" }
    }
  }

  assert {
    condition     = aws_autoscaling_group.worker["web"].max_size == 9 && aws_launch_template.worker["web"].block_device_mappings[0].ebs[0].volume_size == 80 && tostring(aws_launch_template.worker["web"].block_device_mappings[0].ebs[0].encrypted) == "true"
    error_message = "A pool is as large as it says."
  }
  assert {
    condition     = strcontains(local.user_data["worker-web"], "POOL='web'") && strcontains(local.user_data["worker-data"], "POOL='disks'")
    error_message = "The label is the pool's name unless it says another."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.short["web"].threshold == 3 && aws_cloudwatch_metric_alarm.short["data"].dimensions == tomap({ AutoScalingGroupName = "shop-a-swarm-Worker-data-stage" }) && aws_autoscaling_group.worker["web"].enabled_metrics == toset([aws_cloudwatch_metric_alarm.short["web"].metric_name])
    error_message = "A pool that is too small is told."
  }
  assert {
    condition     = aws_autoscaling_group.worker["web"].instance_refresh[0].strategy == "Rolling"
    error_message = "Workers are renewed by turns where asked."
  }
}

run "pools_follow_their_load_where_asked" {
  command = plan

  variables {
    worker_pools = {
      web  = { min_size = 2, desired_size = 3, max_size = 9, cpu_target = 60 }
      data = {}
    }
  }

  assert {
    condition     = keys(aws_autoscaling_policy.cpu) == ["web"] && aws_autoscaling_policy.cpu["web"].target_tracking_configuration[0].target_value == 60 && aws_autoscaling_policy.cpu["web"].target_tracking_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ASGAverageCPUUtilization"
    error_message = "Only a pool with a cpu_target has a policy."
  }
  assert {
    condition     = aws_autoscaling_policy.cpu["web"].autoscaling_group_name == "shop-a-swarm-Worker-web-stage"
    error_message = "The policy is the pool's own."
  }
  assert {
    condition     = aws_autoscaling_group.worker["data"].desired_capacity == 2 && aws_cloudwatch_metric_alarm.short["data"].threshold == 2 && aws_cloudwatch_metric_alarm.short["web"].threshold == 2
    error_message = "A pool without one keeps its size; one with it is short below min_size."
  }
}

run "a_pool_that_nothing_can_measure_is_refused" {
  command = plan

  variables {
    worker_pools = { web = { min_size = 0, cpu_target = 60 } }
  }

  expect_failures = [var.worker_pools]
}

run "a_target_out_of_bounds_is_refused" {
  command = plan

  variables {
    worker_pools = { web = { cpu_target = 95 } }
  }

  expect_failures = [var.worker_pools]
}

run "shared_file_system_with_nightly_backup" {
  command = apply

  variables {
    efs_enabled      = true
    efs_backup_vault = "nightly"
  }

  assert {
    condition     = output.swarm_efs_id == "fs-0123" && length(aws_efs_mount_target.shared) == 3 && aws_efs_file_system.shared[0].encrypted
    error_message = "The file system is mounted from each private subnet."
  }
  assert {
    condition     = aws_backup_selection.shared[0].resources == toset([aws_efs_file_system.shared[0].arn])
    error_message = "It is backed up."
  }
  assert {
    condition     = strcontains(local.user_data["worker-default"], "EFS_HOST='fs-0123.efs.eu-central-1.amazonaws.com'")
    error_message = "Nodes know where it is."
  }
}

run "who_comes_in" {
  command = apply

  variables {
    ssh_from_management = true
    ingress_cidrs       = ["192.0.2.0/24"]
    lb_logs_bucket      = "shop-logs"
  }

  assert {
    condition     = one(aws_lb.cluster.access_logs).bucket == "shop-logs" && one(aws_lb.cluster.access_logs).enabled
    error_message = "Who came in is written down."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.node_ssh[0].referenced_security_group_id == "sg-0123456789abcdef0" && aws_vpc_security_group_ingress_rule.node_ssh[0].cidr_ipv4 == null
    error_message = "SSH is open to one security group."
  }
  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.lb_https) == ["192.0.2.0/24"]
    error_message = "The load balancer is open to whom it says."
  }
}

run "long_names_stay_within_what_aws_takes" {
  command = plan

  variables {
    pre_tag          = "abcdefghijkl"
    post_tag         = "uvwxyz"
    unit             = "a-second-cluster-of-this-region"
    efs_enabled      = true
    efs_backup_vault = "nightly"
  }

  assert {
    condition     = length(aws_lb.cluster.name) <= 32 && length(aws_s3_bucket.files.bucket) <= 63 && length(aws_iam_role.manager.name) <= 64 && length(aws_backup_plan.shared[0].name) <= 50
    error_message = "A name is too long."
  }
  assert {
    condition     = aws_lb.cluster.name == "lb-abcdefghijkl-a-secon-${substr(sha1("abcdefghijkl-a-second-cluster-of-this-region-uvwxyz"), 0, 8)}"
    error_message = "What is cut keeps a checksum, so that no other unit has the name."
  }
}

run "objects_have_no_more_tags_than_s3_takes" {
  command = plan

  variables {
    tags = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal", Backup = "no" }
  }

  assert {
    condition     = length(aws_s3_object.router.tags) <= 10 && aws_s3_object.router.tags["ngp:unit"] == "swarm" && aws_lb.cluster.tags["CostCenter"] == "42"
    error_message = "An object has the module's tags; everything else has the operator's too."
  }
}

run "two_zones_for_a_quorum_of_three_are_told" {
  command = plan

  variables {
    private_subnet_ids = ["subnet-a", "subnet-b"]
  }

  expect_failures = [check.zones]
}

run "graviton_gets_images_of_its_own" {
  command = plan

  variables {
    manager_instance_type = "t4g.medium"
    worker_pools          = { web = { instance_type = "c7gn.large" }, data = { instance_type = "g4dn.xlarge" } }
    debian_release        = 12
  }

  assert {
    condition     = keys(data.aws_ssm_parameter.debian) == ["amd64", "arm64"] && data.aws_ssm_parameter.debian["arm64"].name == "/aws/service/debian/release/12/latest/arm64"
    error_message = "Each architecture has its image."
  }
  assert {
    condition     = local.architecture == { "t4g.medium" = "arm64", "c7gn.large" = "arm64", "g4dn.xlarge" = "amd64" }
    error_message = "Graviton is known by the g behind its generation; g4dn is not Graviton."
  }
  assert {
    condition     = !strcontains(local.user_data["manager-1"], "docker-cli'") && local.user_data["worker-web"] != ""
    error_message = "What boots on the image that the workers' template keeps does not follow debian_release."
  }
}

run "one_image_for_two_architectures_is_refused" {
  command = plan

  variables {
    ami_id       = "ami-0123456789abcdef0"
    worker_pools = { web = { instance_type = "t4g.medium" } }
  }

  expect_failures = [var.ami_id]
}

run "a_release_that_is_gone_is_refused" {
  command = plan

  variables {
    debian_release    = 11
    lb_idle_timeout_s = 5000
  }

  expect_failures = [var.debian_release, var.lb_idle_timeout_s]
}

run "even_managers_are_refused" {
  command = plan

  variables {
    manager_count = 2
  }

  expect_failures = [var.manager_count]
}

run "too_few_manager_addresses_are_refused" {
  command = plan

  variables {
    manager_private_ips = ["10.0.3.10"]
  }

  expect_failures = [var.manager_private_ips]
}

run "one_public_subnet_is_refused" {
  command = plan

  variables {
    public_subnet_ids = ["subnet-c"]
  }

  expect_failures = [var.public_subnet_ids]
}

run "manager_addresses_that_repeat_are_refused" {
  command = plan

  variables {
    manager_private_ips = ["10.0.3.10", "10.0.4.10", "10.0.3.10"]
  }

  expect_failures = [var.manager_private_ips]
}

run "values_outside_their_bounds_are_refused" {
  command = plan

  variables {
    worker_pools     = { web = { instance_type = "large" } }
    drain_timeout_s  = 30
    efs_backup_vault = "nightly"
    lb_logs_bucket   = "s3://shop-logs"
  }

  expect_failures = [var.worker_pools, var.drain_timeout_s, var.efs_backup_vault, var.lb_logs_bucket]
}

run "overlay_within_the_vpc_is_refused" {
  command = plan

  variables {
    overlay_cidr = "10.0.128.0/17"
  }

  expect_failures = [var.overlay_cidr]
}

run "overlay_around_the_vpc_is_refused" {
  command = plan

  variables {
    overlay_cidr = "10.0.0.0/8"
  }

  expect_failures = [var.overlay_cidr]
}

run "pool_sizes_that_contradict_are_refused" {
  command = plan

  variables {
    worker_pools = { web = { min_size = 3, desired_size = 2 } }
  }

  expect_failures = [var.worker_pools]
}

run "ssh_without_a_group_is_refused" {
  command = plan

  variables {
    ssh_from_management          = true
    management_security_group_id = ""
  }

  expect_failures = [var.ssh_from_management]
}

run "settings_cannot_leave_their_quotes" {
  command = plan

  variables {
    docker_packages      = ["docker.io'; reboot; '"]
    container_log_driver = "awslogs'"
    router_image         = "traefik\"\n  privileged: true"
    subdomain            = "a'b"
  }

  expect_failures = [var.docker_packages, var.container_log_driver, var.router_image, var.subdomain]
}
