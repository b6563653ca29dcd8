# Managers, workers, and what they do when they boot.

locals {
  drain_hook = "drain"
  node_tags  = { for role in ["manager", "worker"] : role => merge(local.tags, { Packages = "|docker|swarm-${role}|" }) }

  scripts = {
    manager = ["instance.sh", "install-docker.sh", "close-metadata.sh", "swarm-join.sh", "swarm-leave.sh", "swarm-sync.sh", "docker-view.py"]
    worker  = ["instance.sh", "install-docker.sh", "close-metadata.sh", "swarm-join.sh", "swarm-leave.sh"]
  }
  units = {
    manager = ["ngp-swarm.service", "docker.service.d/ngp-metadata.conf", "ngp-swarm-sync.service", "ngp-swarm-sync.timer", "ngp-view.service"]
    worker  = ["ngp-swarm.service", "docker.service.d/ngp-metadata.conf"]
  }

  node_files = { for role in ["manager", "worker"] : role => concat(
    [for script in local.scripts[role] : {
      path        = "/usr/local/lib/ngp/${script}"
      permissions = "0755"
      content     = file("${path.module}/files/${script}")
    }],
    [for unit in local.units[role] : {
      path        = "/etc/systemd/system/${unit}"
      permissions = "0644"
      content     = file("${path.module}/files/${basename(unit)}")
    }],
    [{
      path        = "/etc/logrotate.d/ngp"
      permissions = "0644"
      content     = file("${path.module}/files/logrotate.conf")
    }],
  ) }

  # What the scripts read as /etc/ngp/swarm.env. Every value has been checked above: none holds a quote or a newline.
  node_settings = {
    AWS_DEFAULT_REGION = var.region
    CLUSTER            = local.unit
    PARAMETER_PREFIX   = local.parameter_prefix
    KMS_KEY            = local.kms_key_arn
    OVERLAY_CIDR       = var.overlay_cidr
    OVERLAY_ENCRYPTED  = var.encrypt_overlay
    STACK_BUCKET       = aws_s3_bucket.files.id
    STACK_PREFIX       = local.stack_prefix
    LOG_DRIVER         = var.container_log_driver
    LOG_GROUP          = local.log_group
    METRIC_NAMESPACE   = local.metric_namespace
    METRIC             = local.metric
    GROUP_FILTERS      = join(" ", [for tag in ["Project", "Environment", "Cluster"] : "Name=tag:${tag},Values=${local.own_tags[tag]}"])
    DRAIN_HOOK         = local.drain_hook
    ECR_HOST           = "${local.account_id}.dkr.ecr.${var.region}.${data.aws_partition.current.dns_suffix}"
    EFS_HOST           = var.efs_enabled ? one(aws_efs_file_system.shared[*].dns_name) : ""
    DOCKER_PACKAGES    = join(" ", var.docker_packages) # none: the node asks its own release
  }

  node_specifics = merge(
    { for slot in local.manager_slots : "manager-${slot}" => { ROLE = "manager", SLOT = slot, POOL = "manager" } },
    { for name, pool in var.worker_pools : "worker-${name}" => { ROLE = "worker", SLOT = "", POOL = pool.label != "" ? pool.label : name } },
  )

  user_data = { for node, specifics in local.node_specifics : node => join("\n", ["#cloud-config", yamlencode({
    write_files = concat(local.node_files[specifics.ROLE], [{
      path        = "/etc/ngp/swarm.env"
      permissions = "0600"
      content     = join("", [for name, value in merge(local.node_settings, specifics) : "${name}='${value}'\n"])
    }])
    # From here on systemd has the word: installs and joins now and, where that is undone, at every boot.
    runcmd = concat(
      [["mkdir", "-p", "/var/log/ngp"], ["systemctl", "daemon-reload"]],
      specifics.ROLE == "manager" ? [["systemctl", "enable", "--now", "ngp-view.service"], ["systemctl", "enable", "--now", "ngp-swarm-sync.timer"]] : [],
      [["systemctl", "enable", "--now", "--no-block", "ngp-swarm.service"]],
    )
  })]) }
}

# Fixed instances, one for each slot. Terraform ends a slot's instance before it makes the next, so that there is never more
# than one: the election in the boot script relies on it.
resource "aws_instance" "manager" {
  for_each = local.manager_slots

  ami                    = local.ami_ids[var.manager_instance_type]
  instance_type          = var.manager_instance_type
  subnet_id              = element(var.private_subnet_ids, tonumber(each.key) - 1)
  private_ip             = try(var.manager_private_ips[tonumber(each.key) - 1], null)
  vpc_security_group_ids = [aws_security_group.node.id, aws_security_group.manager.id]
  iam_instance_profile   = aws_iam_instance_profile.manager.name
  key_name               = var.key_pair_name != "" ? var.key_pair_name : null
  user_data_base64       = base64gzip(local.user_data["manager-${each.key}"])
  tags                   = merge(local.node_tags.manager, { Name = "${var.pre_tag}-${local.unit}-Manager${each.key}-${var.post_tag}" })

  # One hop: the node itself. A container that needs AWS has a role of its own (see swarm-sync.sh).
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.manager_volume_size
    encrypted   = true
    tags        = merge(local.tags, { Name = "${var.pre_tag}-${local.unit}-Manager${each.key}-${var.post_tag}" })
  }

  lifecycle {
    # A newer AMI or boot script must not replace all managers at once: they are renewed one by one, with -replace.
    ignore_changes       = [ami, user_data_base64]
    replace_triggered_by = [terraform_data.generation]
  }

  # The first boot needs its rights, its log group and the way to S3.
  depends_on = [
    aws_iam_role_policy.manager,
    aws_iam_role_policy.manager_session,
    aws_cloudwatch_log_group.cluster,
    aws_vpc_security_group_egress_rule.node,
    aws_vpc_security_group_ingress_rule.manager_control,
    aws_vpc_security_group_ingress_rule.node,
    aws_efs_mount_target.shared,
  ]
}

resource "aws_cloudwatch_metric_alarm" "manager" {
  for_each = local.manager_slots

  alarm_name          = "${local.lb_name}-manager${each.key}-status"
  alarm_description   = "Manager ${each.key} fails the status checks of EC2: recover it on other hardware."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 2
  alarm_actions       = concat(["arn:${local.partition}:automate:${var.region}:ec2:recover"], local.alarm_actions)
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.lb_name}-manager${each.key}-status" })

  dimensions = {
    InstanceId = aws_instance.manager[each.key].id
  }
}

resource "aws_launch_template" "worker" {
  for_each = var.worker_pools

  name_prefix            = "${var.pre_tag}-${local.unit}-${each.key}-"
  description            = "Workers of pool ${each.key}"
  image_id               = local.ami_ids[each.value.instance_type]
  instance_type          = each.value.instance_type
  key_name               = var.key_pair_name != "" ? var.key_pair_name : null
  user_data              = base64gzip(local.user_data["worker-${each.key}"])
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.node.id]
  tags                   = merge(local.tags, { Name = "${var.pre_tag}-${local.unit}-Worker-${each.key}-${var.post_tag}" })

  iam_instance_profile {
    arn = aws_iam_instance_profile.worker.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = var.root_device_name

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.volume_size
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = merge(local.node_tags.worker, { Name = "${var.pre_tag}-${local.unit}-Worker-${each.key}-${var.post_tag}" })
    }
  }

  lifecycle {
    # A newer AMI is taken when the pool is renewed on purpose, not with every plan.
    ignore_changes        = [image_id]
    create_before_destroy = true
  }
}

resource "aws_autoscaling_group" "worker" {
  for_each = var.worker_pools

  name                      = "${var.pre_tag}-${local.unit}-Worker-${each.key}-${var.post_tag}"
  vpc_zone_identifier       = var.private_subnet_ids
  min_size                  = each.value.min_size
  max_size                  = each.value.max_size
  desired_capacity          = each.value.cpu_target > 0 ? null : each.value.desired_size # its policy sets it
  health_check_type         = "EC2"
  health_check_grace_period = 300
  wait_for_capacity_timeout = "10m"
  enabled_metrics           = ["GroupInServiceInstances"]

  launch_template {
    id      = aws_launch_template.worker[each.key].id
    version = aws_launch_template.worker[each.key].latest_version
  }

  dynamic "instance_refresh" {
    for_each = var.renew_workers ? ["rolling"] : []

    content {
      strategy = "Rolling"

      preferences {
        min_healthy_percentage = 66
        skip_matching          = true
      }
    }
  }

  dynamic "tag" {
    for_each = merge(local.node_tags.worker, { Name = "${var.pre_tag}-${local.unit}-Worker-${each.key}-${var.post_tag}" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Members of a cluster that is given up join no other.
  lifecycle {
    replace_triggered_by = [terraform_data.generation]
  }

  depends_on = [
    aws_iam_role_policy.worker,
    aws_iam_role_policy.worker_session,
    aws_vpc_security_group_egress_rule.node,
    aws_vpc_security_group_ingress_rule.node,
  ]
}

# Pools that follow their load; a worker that goes is drained by the hook below.
resource "aws_autoscaling_policy" "cpu" {
  for_each = { for name, pool in var.worker_pools : name => pool if pool.cpu_target > 0 }

  name                      = "${aws_autoscaling_group.worker[each.key].name}-cpu"
  autoscaling_group_name    = aws_autoscaling_group.worker[each.key].name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 300

  target_tracking_configuration {
    target_value = each.value.cpu_target

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# A worker that its group ends waits until the leader has drained it, or has had its time. (With the pool the hook goes first:
# then there is nobody left to wait for.)
resource "aws_autoscaling_lifecycle_hook" "drain" {
  for_each = var.worker_pools

  name                   = local.drain_hook
  autoscaling_group_name = aws_autoscaling_group.worker[each.key].name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = var.drain_timeout_s
  default_result         = "CONTINUE"

  lifecycle {
    replace_triggered_by = [terraform_data.generation]
  }
}

resource "aws_cloudwatch_metric_alarm" "short" {
  for_each = var.worker_pools

  alarm_name          = "${local.lb_name}-${each.key}-short"
  alarm_description   = "The pool ${each.key} has had fewer workers than it should for 15 minutes; the group's activity says why."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = each.value.cpu_target > 0 ? each.value.min_size : each.value.desired_size
  period              = 300
  evaluation_periods  = 3
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.lb_name}-${each.key}-short" })

  dimensions = {
    AutoScalingGroupName = aws_autoscaling_group.worker[each.key].name
  }
}

# The leader counts each minute in which it has brought the cluster into line. Nothing to count is what a lost quorum, a leader that
# cannot reach AWS and a stack that cannot be deployed have in common.
resource "aws_cloudwatch_metric_alarm" "unkept" {
  alarm_name          = "${local.lb_name}-unkept"
  alarm_description   = "For 15 minutes no leader has kept the cluster as its bucket says: no quorum, or a stack that cannot be deployed. /var/log/ngp/swarm.log of the managers says which."
  namespace           = local.metric_namespace
  metric_name         = local.metric
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.lb_name}-unkept" })
}
