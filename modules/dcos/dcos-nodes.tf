# The bootstrap node, masters, private and public agents, and what they do when they boot.

locals {
  exhibitor_mount = "/var/lib/ngp-exhibitor"
  limit_s         = tostring(var.install_limit_minutes * 60)

  common_parameters = {
    LOG                 = "/var/log/ngp/dcos.log"
    LIMIT_S             = local.limit_s
    REGION              = var.region
    TIMEZONE            = var.timezone
    RESOLVER            = cidrhost(var.vpc_cidr, 2)
    DOCKER_PACKAGES     = join(" ", var.docker_packages)
    INSECURE_REGISTRIES = join(" ", var.insecure_registries)
  }

  # The bootstrap node's own name in the VPC is its address, which it serves by.
  bootstrap_parameters = merge(local.common_parameters, {
    INSTALLER_URL    = var.installer_url
    INSTALLER_SHA256 = var.installer_sha256
    NGINX_IMAGE      = var.nginx_image
    IP_DETECT        = filebase64("${path.module}/files/ip-detect")
    REGISTRY_CA      = base64encode(var.registry_ca)
    CONFIG           = base64encode(local.config)
  })

  config = templatefile("${path.module}/files/config.yaml.tftpl", {
    bootstrap_host    = aws_network_interface.bootstrap.private_ip
    cluster_name      = local.cluster_name
    backend           = var.exhibitor_backend
    region            = var.region
    bucket            = aws_s3_bucket.files.id
    exhibitor_mount   = local.exhibitor_mount
    exhibitor_address = local.masters
    master_count      = var.master_count
    resolver          = cidrhost(var.vpc_cidr, 2)
    oauth_enabled     = var.oauth_enabled
    ssh_user          = var.ssh_user
  })

  node_parameters = merge(local.common_parameters, {
    BOOTSTRAP         = aws_network_interface.bootstrap.private_ip
    CLUSTER           = local.cluster_name
    REGISTRY_HOST     = var.registry_ca != "" ? var.registry_host : ""
    LOGSTASH_URI      = "${local.masters}:5044"
    FILEBEAT_IMAGE    = var.filebeat_image
    SYSDIG_IMAGE      = var.sysdig_image
    SYSDIG_SECRET_ARN = var.sysdig_secret_arn
    AWS_CLI_IMAGE     = var.aws_cli_image
  })

  pools = {
    master = {
      name   = "Master", role = "master", node_type = "mesos_master", instance_type = var.master_instance_type, profile = "master",
      size   = { min = var.master_count, max = var.master_count, desired = var.master_count, cpu_target = 0 }
      groups = ["cluster", "master"]
      mounts = local.is_shared ? "${aws_efs_file_system.exhibitor[0].dns_name}:${local.exhibitor_mount}:1777" : ""
    }
    agent = {
      name   = "Agent", role = "slave", node_type = "mesos_agent", instance_type = var.agent_instance_type, profile = "agent", size = var.agents
      groups = ["cluster", "agent"]
      mounts = "${aws_efs_file_system.shared.dns_name}:/var/jenkins_nfs:1777"
    }
    public_agent = {
      name   = "PublicAgent", role = "slave_public", node_type = "mesos_agent", instance_type = var.public_agent_instance_type, profile = "agent", size = var.public_agents
      groups = ["cluster", "public_agent"], mounts = ""
    }
  }

  packages = concat(["docker", "dcos"], var.filebeat_image != "" ? ["filebeat"] : [], var.sysdig_secret_arn != "" ? ["sysdig-agent"] : [])
  node_tags = { for key, pool in local.pools : key => merge(local.tags, {
    Name     = local.name[pool.name]
    Packages = "|${join("|", local.packages)}|"
  }) }

  # Which pool answers for which target group.
  targets = merge(
    { for port, group in aws_lb_target_group.inner : "inner-${port}" => { pool = port == "5044" ? "agent" : "master", arn = group.arn } },
    { for index, group in aws_lb_target_group.jenkins : "jenkins-${index}" => { pool = "agent", arn = group.arn } },
    { master = { pool = "master", arn = aws_lb_target_group.master.arn }, public = { pool = "public_agent", arn = aws_lb_target_group.public.arn } },
  )

  user_data = { for node, parameters in merge(
    { bootstrap = local.bootstrap_parameters },
    { for name, pool in local.pools : name => merge(local.node_parameters, { ROLE = pool.role, NODE_TYPE = pool.node_type, MOUNTS = pool.mounts }) },
    ) : node => templatefile("${path.module}/files/user-data.mime.tftpl", {
      parameters = join("\n", [for name, value in parameters : "${name}='${replace(value, "'", "'\\''")}'"])
      script     = join("\n", [file("${path.module}/files/boot.sh"), file("${path.module}/files/${node == "bootstrap" ? "bootstrap" : "node"}.sh")])
  }) }
}

# Its address outlives it: nodes that are made later look for it there.
resource "aws_network_interface" "bootstrap" {
  subnet_id       = var.private_subnet_ids[0]
  description     = "Bootstrap node of ${local.cluster_name}"
  security_groups = [aws_security_group.this["bootstrap"].id]
  tags            = merge(local.tags, { Name = local.name["Bootstrap"] })
}

# What masters write down when they are installed. It remembers: another value later is refused below, before anything is touched.
resource "terraform_data" "installed_with" {
  input = { master_count = var.master_count, exhibitor_backend = var.exhibitor_backend, kms_key_arn = var.kms_key_arn }

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_instance" "bootstrap" {
  ami                  = var.ami_id
  instance_type        = var.bootstrap_instance_type
  iam_instance_profile = aws_iam_instance_profile.this["bootstrap"].name
  key_name             = var.key_pair_name != "" ? var.key_pair_name : null
  user_data_base64     = base64gzip(local.user_data["bootstrap"])
  tags                 = merge(local.tags, { Name = local.name["Bootstrap"], Packages = "|docker|dcos-bootstrap|" })

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.bootstrap.id
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.bootstrap_volume_size
    encrypted   = true
    tags        = merge(local.tags, { Name = local.name["Bootstrap"] })
  }

  lifecycle {
    # Renewed on purpose, with -replace: it holds nothing that it cannot make again.
    ignore_changes = [ami]

    precondition {
      condition     = terraform_data.installed_with.output == { master_count = var.master_count, exhibitor_backend = var.exhibitor_backend, kms_key_arn = var.kms_key_arn }
      error_message = "master_count, exhibitor_backend and kms_key_arn are fixed while a cluster lives, for its quorum goes by them: make a second unit, move the apps, then remove this one."
    }
  }

  depends_on = [
    aws_iam_role_policy.session,
    aws_vpc_security_group_egress_rule.node,
    aws_vpc_security_group_ingress_rule.inside,
  ]
}

resource "aws_launch_template" "node" {
  for_each = local.pools

  name_prefix            = "${var.pre_tag}-${local.unit}-${replace(each.key, "_", "-")}-"
  description            = "${each.value.name} of ${local.cluster_name}"
  image_id               = var.ami_id
  instance_type          = each.value.instance_type
  key_name               = var.key_pair_name != "" ? var.key_pair_name : null
  user_data              = base64gzip(local.user_data[each.key])
  update_default_version = true
  vpc_security_group_ids = [for group in each.value.groups : aws_security_group.this[group].id]
  tags                   = merge(local.tags, { Name = local.name[each.value.name] })

  iam_instance_profile {
    arn = aws_iam_instance_profile.this[each.value.profile].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # an app that needs the node's role runs in the host's network
  }

  block_device_mappings {
    device_name = var.root_device_name

    ebs {
      volume_type           = "gp3"
      volume_size           = var.volume_size
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = local.node_tags[each.key]
    }
  }
}

resource "aws_autoscaling_group" "node" {
  for_each = local.pools

  name                      = local.name[each.value.name]
  vpc_zone_identifier       = var.private_subnet_ids
  min_size                  = each.value.size.min
  max_size                  = each.value.size.max
  desired_capacity          = each.value.size.cpu_target > 0 ? null : each.value.size.desired # its policy sets it
  health_check_type         = "EC2"
  health_check_grace_period = var.install_limit_minutes * 60
  # A master that is made anew joins by the shared configuration; none is ended to balance zones.
  suspended_processes       = each.key == "master" ? ["AZRebalance"] : []
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances"]
  wait_for_capacity_timeout = "10m"

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  dynamic "tag" {
    for_each = local.node_tags[each.key]

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  depends_on = [
    aws_instance.bootstrap,
    aws_efs_mount_target.shared,
    aws_efs_mount_target.exhibitor,
    aws_iam_role_policy.master,
    aws_iam_role_policy.agent,
    aws_iam_role_policy.session,
    aws_vpc_security_group_egress_rule.node,
    aws_vpc_security_group_ingress_rule.cluster,
    aws_vpc_security_group_ingress_rule.inside,
  ]
}

# Each for itself: a list in the group would take away what others attach, such as a unit of `alb`.
resource "aws_autoscaling_attachment" "node" {
  for_each = local.targets

  autoscaling_group_name = aws_autoscaling_group.node[each.value.pool].name
  lb_target_group_arn    = each.value.arn
}

# Agents that follow their load. Masters never do: the quorum has its number.
resource "aws_autoscaling_policy" "cpu" {
  for_each = { for name, pool in local.pools : name => pool.size.cpu_target if pool.size.cpu_target > 0 }

  name                      = "${aws_autoscaling_group.node[each.key].name}-cpu"
  autoscaling_group_name    = aws_autoscaling_group.node[each.key].name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = var.install_limit_minutes * 60

  target_tracking_configuration {
    target_value = each.value

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Who runs now: the old platform wrote their addresses into a file.
data "aws_instances" "agent" {
  for_each = toset(["agent", "public_agent"])

  instance_tags = {
    "aws:autoscaling:groupName" = aws_autoscaling_group.node[each.key].name
  }

  depends_on = [aws_autoscaling_group.node]
}

resource "aws_cloudwatch_metric_alarm" "bootstrap" {
  alarm_name          = "${local.name["Bootstrap"]}-status"
  alarm_description   = "The bootstrap node fails the status checks of EC2: recover it on other hardware."
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 2
  alarm_actions       = concat(["arn:${local.partition}:automate:${var.region}:ec2:recover"], local.alarm_actions)
  tags                = merge(local.tags, { Name = "${local.name["Bootstrap"]}-status" })

  dimensions = {
    InstanceId = aws_instance.bootstrap.id
  }
}

resource "aws_cloudwatch_metric_alarm" "in_service" {
  for_each = local.pools

  alarm_name          = "${local.name[each.value.name]}-in-service"
  alarm_description   = each.key == "master" ? "A master is missing: with one more the quorum may be lost." : "An agent is missing."
  namespace           = "AWS/AutoScaling"
  metric_name         = "GroupInServiceInstances"
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = each.value.size.cpu_target > 0 ? each.value.size.min : each.value.size.desired
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name[each.value.name]}-in-service" })

  dimensions = {
    AutoScalingGroupName = aws_autoscaling_group.node[each.key].name
  }
}
