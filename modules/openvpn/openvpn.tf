# A VPN server in front of the VPC, by one of two engines: the Access Server appliance or OpenVPN itself on Debian.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 6"
    }
  }
}

locals {
  unit = coalesce(var.unit, "openvpn")
  name = "${var.pre_tag}-%s-${var.post_tag}" # format(local.name, "thing")
  tags = merge(var.tags, {
    Project     = var.project
    Environment = var.environment
    Cluster     = local.unit
    Service     = var.service
    Version     = var.version_tag
    "ngp:unit"  = local.unit
  })

  arn       = "arn:${data.aws_partition.current.partition}"
  fqdn      = "${var.hostname}.${var.domain_name}"
  appliance = var.engine == "access-server"
  backup    = var.backup_retention_days > 0

  backup_full = format(local.name, local.unit)
  backup_name = length(local.backup_full) <= 50 ? local.backup_full : "${substr(local.backup_full, 0, 41)}-${substr(sha1(local.backup_full), 0, 8)}" # AWS Backup takes no more

  ami_id = (
    var.ami_id != "" ? var.ami_id :
    local.appliance ? data.aws_ami.access_server[0].id :
    data.aws_ssm_parameter.debian[0].insecure_value
  )

  client_ports = local.appliance ? { openvpn = ["udp", 1194], https = ["tcp", 443] } : { openvpn = ["udp", 1194] }
  admin_ports  = local.appliance ? { ssh = ["tcp", 22], admin = ["tcp", 943] } : { ssh = ["tcp", 22] }

  ingress = merge(
    { for pair in setproduct(keys(local.client_ports), var.client_cidrs) : "${pair[0]} from ${pair[1]}" => {
      name = pair[0], protocol = local.client_ports[pair[0]][0], port = local.client_ports[pair[0]][1], cidr = pair[1]
    } },
    { for pair in setproduct(keys(local.admin_ports), var.admin_cidrs) : "${pair[0]} from ${pair[1]}" => {
      name = pair[0], protocol = local.admin_ports[pair[0]][0], port = local.admin_ports[pair[0]][1], cidr = pair[1]
    } },
  )

  log_group = "/${var.project}/${var.environment}/${local.unit}"
  namespace = "ngp/${local.unit}"

  routes = concat([var.vpc_cidr], var.extra_routes)

  # What the boot script reads, as the assignments at its top.
  parameters = merge(
    {
      LOG             = "/var/log/ngp/openvpn.log"
      REGION          = var.region
      LOG_GROUP       = local.log_group
      NAMESPACE       = local.namespace
      FQDN            = local.fqdn
      VPN_NETWORK     = split("/", var.vpn_cidr)[0]
      VPN_NETMASK     = cidrnetmask(var.vpn_cidr)
      VPN_CIDR        = var.vpn_cidr
      ROUTES          = join(" ", local.routes)
      REROUTE_GATEWAY = var.reroute_gateway
      REROUTE_DNS     = var.reroute_dns
    },
    local.appliance ? {
      ADMIN_USER     = var.admin_user
      SECRET_ARN     = aws_secretsmanager_secret.admin[0].arn
      SECRET_VERSION = aws_secretsmanager_secret_version.admin[0].secret_string_wo_version
      } : {
      PUSHED_ROUTES    = join("\n", [for cidr in local.routes : "push \"route ${cidrhost(cidr, 0)} ${cidrnetmask(cidr)}\""])
      RESOLVER         = cidrhost(var.vpc_cidr, 2)
      CERTIFICATE_DAYS = var.client_certificate_days
      CLIENT_TOOL      = base64encode(file("${path.module}/files/ngp-vpn.sh"))
    },
  )

  user_data = templatefile("${path.module}/files/user-data.mime.tftpl", {
    parameters = join("\n", [for name, value in local.parameters : "${name}='${replace(value, "'", "'\\''")}'"])
    script     = join("\n", [file("${path.module}/files/boot.sh"), file("${path.module}/files/${var.engine}.sh")])
  })
}

data "aws_partition" "current" {}

data "aws_route53_zone" "this" {
  name         = var.domain_name
  private_zone = false
}

data "aws_ssm_parameter" "debian" {
  count = !local.appliance && var.ami_id == "" ? 1 : 0

  name = "/aws/service/debian/release/${var.debian_release}/latest/amd64"
}

data "aws_ami" "access_server" {
  count = local.appliance && var.ami_id == "" ? 1 : 0

  owners      = ["aws-marketplace"]
  most_recent = true

  filter {
    name   = "product-code"
    values = [var.product_code]
  }

  filter {
    name   = "architecture"
    values = ["x86_64"]
  }
}

# The administrator's password. Its value goes through a write-only argument: neither plan nor state holds it.

resource "aws_secretsmanager_secret" "admin" {
  count = local.appliance ? 1 : 0

  name_prefix             = "${format(local.name, "${local.unit}-admin")}-"
  description             = "Password of the VPN's administrator ${var.admin_user}"
  kms_key_id              = var.kms_key_arn == "" ? null : var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
  tags                    = merge(local.tags, { Name = format(local.name, "${local.unit}-admin") })
}

resource "aws_secretsmanager_secret_version" "admin" {
  count = local.appliance ? 1 : 0

  secret_id                = aws_secretsmanager_secret.admin[0].id
  secret_string_wo         = var.admin_password
  secret_string_wo_version = var.admin_password_version
}

# What the server may do.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "secret" {
  count = local.appliance ? 1 : 0

  statement {
    sid       = "ReadThePassword"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.admin[0].arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]

    content {
      sid       = "DecryptThePassword"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${var.region}.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = format(local.name, local.unit)
  description          = "VPN server"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  tags                 = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_iam_role_policy" "secret" {
  count = local.appliance ? 1 : 0

  name   = "read-password"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.secret[0].json
}

data "aws_iam_policy_document" "report" {
  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [aws_cloudwatch_log_group.this.arn, "${aws_cloudwatch_log_group.this.arn}:*"]
  }

  statement {
    sid       = "OwnMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [local.namespace]
    }
  }
}

resource "aws_iam_role_policy" "report" {
  name   = "logs-and-metrics"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.report.json
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = merge(local.tags, { Name = format(local.name, local.unit) })
}

# What the Systems Manager's agent does: sessions, commands, associations, inventory. AWS's own policy for it
# (AmazonSSMManagedInstanceCore) also reads every parameter of the account.
data "aws_iam_policy_document" "session" {
  statement {
    sid = "Sessions"
    actions = [
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }

  statement {
    sid = "Commands"
    actions = [
      "ec2messages:AcknowledgeMessage",
      "ec2messages:DeleteMessage",
      "ec2messages:FailMessage",
      "ec2messages:GetEndpoint",
      "ec2messages:GetMessages",
      "ec2messages:SendReply",
    ]
    resources = ["*"]
  }

  statement {
    sid = "SayWhatIsHere"
    actions = [
      "ssm:DescribeAssociation",
      "ssm:DescribeDocument",
      "ssm:GetDeployablePatchSnapshotForInstance",
      "ssm:GetDocument",
      "ssm:GetManifest",
      "ssm:ListAssociations",
      "ssm:ListInstanceAssociations",
      "ssm:PutComplianceItems",
      "ssm:PutConfigurePackageResult",
      "ssm:PutInventory",
      "ssm:UpdateAssociationStatus",
      "ssm:UpdateInstanceAssociationStatus",
      "ssm:UpdateInstanceInformation",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "session" {
  name   = "session"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_instance_profile" "this" {
  name = format(local.name, local.unit)
  role = aws_iam_role.this.name
  tags = merge(local.tags, { Name = format(local.name, local.unit) })
}

# Who may reach it.

resource "aws_security_group" "this" {
  name        = format(local.name, local.unit)
  description = "VPN server"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ingress

  security_group_id = aws_security_group.this.id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = each.value.protocol
  from_port         = each.value.port
  to_port           = each.value.port
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-${each.value.name}") })
}

resource "aws_vpc_security_group_egress_rule" "this" {
  security_group_id = aws_security_group.this.id
  description       = "Everything out"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = merge(local.tags, { Name = format(local.name, "${local.unit}-out") })
}

# The server.

resource "terraform_data" "engine" {
  input = var.engine
}

resource "aws_instance" "this" {
  ami                    = local.ami_id
  instance_type          = var.instance_type
  subnet_id              = var.public_subnet_ids[0]
  vpc_security_group_ids = [aws_security_group.this.id]
  key_name               = var.key_pair_name == "" ? null : var.key_pair_name
  iam_instance_profile   = aws_iam_instance_profile.this.name
  source_dest_check      = false                       # it forwards packets of others
  user_data_base64       = base64gzip(local.user_data) # EC2 takes 16 KiB

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = var.volume_size_gib
    encrypted   = true
    kms_key_id  = var.kms_key_arn == "" ? null : var.kms_key_arn
    tags        = merge(local.tags, { Name = format(local.name, local.unit) })
  }

  tags = merge(local.tags, {
    Name     = format(local.name, local.unit)
    Packages = local.appliance ? "|openvpn-as|" : "|openvpn|easy-rsa|"
  })

  lifecycle {
    # The disk holds the certificate authority or the appliance's database: a newer image must not replace it; another
    # engine has to.
    ignore_changes       = [ami]
    replace_triggered_by = [terraform_data.engine]
  }

  depends_on = [aws_iam_role_policy.secret, aws_iam_role_policy.report, aws_iam_role_policy.session, aws_vpc_security_group_egress_rule.this]
}

resource "aws_eip" "this" {
  domain = "vpc"
  tags   = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_eip_association" "this" {
  allocation_id = aws_eip.this.id
  instance_id   = aws_instance.this.id
}

resource "aws_route53_record" "this" {
  zone_id = data.aws_route53_zone.this.zone_id
  name    = local.fqdn
  type    = "A"
  ttl     = 300
  records = [aws_eip.this.public_ip]
}

# When it fails: a failed host moves the instance to another, a hung system is rebooted.

resource "aws_cloudwatch_metric_alarm" "status" {
  for_each = { System = "recover", Instance = "reboot" }

  alarm_name          = format(local.name, "${local.unit}-status-${lower(each.key)}")
  alarm_description   = "VPN server ${local.fqdn}: ${lower(each.key)} status check failed; EC2 tries to ${each.value} it"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_${each.key}"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"
  alarm_actions       = compact(["${local.arn}:automate:${var.region}:ec2:${each.value}", var.alarm_topic_arn])
  ok_actions          = compact([var.alarm_topic_arn])
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-status-${lower(each.key)}") })
}

# The machine may run without its daemon: CloudWatch's agent counts the processes each minute. Silence is a failure too.
resource "aws_cloudwatch_metric_alarm" "daemon" {
  alarm_name          = format(local.name, "${local.unit}-daemon")
  alarm_description   = "VPN server ${local.fqdn}: OpenVPN does not run, or nothing tells that it does"
  namespace           = local.namespace
  metric_name         = "procstat_lookup_pid_count"
  dimensions          = { InstanceId = aws_instance.this.id }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 15
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = compact([var.alarm_topic_arn])
  ok_actions          = compact([var.alarm_topic_arn])
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-daemon") })
}

# Backups of the whole server, its certificate authority included.

data "aws_iam_policy_document" "backup_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "backup" {
  count = local.backup ? 1 : 0

  name                 = format(local.name, "${local.unit}-backup")
  description          = "AWS Backup saves the VPN server"
  assume_role_policy   = data.aws_iam_policy_document.backup_trust.json
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  tags                 = merge(local.tags, { Name = format(local.name, "${local.unit}-backup") })
}

resource "aws_iam_role_policy_attachment" "backup" {
  count = local.backup ? 1 : 0

  role       = aws_iam_role.backup[0].name
  policy_arn = "${local.arn}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}

resource "aws_backup_vault" "this" {
  count = local.backup ? 1 : 0

  name        = local.backup_name
  kms_key_arn = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags        = merge(local.tags, { Name = format(local.name, local.unit) })
}

resource "aws_backup_plan" "this" {
  count = local.backup ? 1 : 0

  name = local.backup_name
  tags = merge(local.tags, { Name = format(local.name, local.unit) })

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this[0].name
    schedule          = "cron(0 3 * * ? *)"

    lifecycle {
      delete_after = var.backup_retention_days
    }
  }
}

resource "aws_backup_selection" "this" {
  count = local.backup ? 1 : 0

  name         = local.backup_name
  iam_role_arn = aws_iam_role.backup[0].arn
  plan_id      = aws_backup_plan.this[0].id
  resources    = [aws_instance.this.arn]
}
