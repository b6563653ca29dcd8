# The optional manager node: Terraform, ngp and the platform's names (terraform.out) on a machine inside the VPC.

locals {
  manager_role    = var.create_manager && var.manager_instance_profile == ""
  manager_deploys = local.manager_role && length(var.manager_policy_arns) > 0
  manager_name    = format(local.name, "${local.unit}-manager")
  manager_group   = "/${var.project}/${var.environment}/${local.unit}/manager"
  manager_tags    = merge(local.tags, { Name = local.manager_name })
  account_id      = data.aws_caller_identity.current.account_id
  fetched         = [for url in compact([var.ngp_wheel, var.ngp_requirements]) : trimprefix(url, "s3://")]

  # The names that the old terraform.out held.
  terraform_out = <<-OUT
    pre_tag = "${var.pre_tag}"
    post_tag = "${var.post_tag}"
    tag_service = ${jsonencode(var.service)}
    tag_environment = "${var.environment}"
    tag_version = ${jsonencode(var.version_tag)}
    aws_region = "${var.region}"
    vpc_id = "${local.vpc_id}"
    vpc_cidr = "${local.vpc_cidr}"
    management_subnet_id = "${local.management_subnet_id}"
    management_security_group_id = "${aws_security_group.management.id}"
    key_pair_name = "${var.public_key == "" ? "" : aws_key_pair.this[0].key_name}"
    internet_gateway_id = "${local.internet_gateway_id}"
  OUT

  # What the boot script reads, as the assignments at its top.
  manager_parameters = {
    LOG                     = "/var/log/ngp/manager.log"
    REGION                  = var.region
    LOG_GROUP               = local.manager_group
    NAMESPACE               = "ngp/${local.unit}"
    TERRAFORM_VERSION       = var.terraform_version
    TERRAFORM_SHA256        = var.terraform_sha256
    NGP_WHEEL               = var.ngp_wheel
    NGP_WHEEL_SHA256        = var.ngp_wheel_sha256
    NGP_REQUIREMENTS        = var.ngp_requirements
    NGP_REQUIREMENTS_SHA256 = var.ngp_requirements_sha256
    TERRAFORM_OUT           = local.terraform_out
  }

  manager_user_data = templatefile("${path.module}/files/user-data.mime.tftpl", {
    parameters = join("\n", [for name, value in local.manager_parameters : "${name}='${replace(value, "'", "'\\''")}'"])
    script     = join("\n", [file("${path.module}/files/boot.sh"), file("${path.module}/files/manager.sh")])
  })
}

data "aws_ssm_parameter" "debian" {
  count = var.create_manager && var.ami_id == "" ? 1 : 0

  name = "/aws/service/debian/release/${var.debian_release}/latest/amd64"
}

data "aws_route53_zone" "this" {
  count = var.create_manager && var.manager_record ? 1 : 0

  name         = var.domain_name
  private_zone = false
}

resource "aws_cloudwatch_log_group" "manager" {
  count = var.create_manager ? 1 : 0

  name              = local.manager_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  tags              = local.manager_tags
}

# What the manager may do: its own files and logs; and, with manager_policy_arns, what those say. Roles it may then only
# make below its own prefix and under the permissions boundary, without which it may make none (else it could make
# itself an administrator).

data "aws_iam_policy_document" "manager_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "manager" {
  count = local.manager_role ? 1 : 0

  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = [aws_cloudwatch_log_group.manager[0].arn, "${aws_cloudwatch_log_group.manager[0].arn}:*"]
  }

  statement {
    sid       = "OwnMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = ["ngp/${local.unit}"]
    }
  }

  dynamic "statement" {
    for_each = length(local.fetched) > 0 ? [local.fetched] : []

    content {
      sid       = "ReadNgp"
      actions   = ["s3:GetObject"]
      resources = [for place in statement.value : "${local.arn}:s3:::${place}"]
    }
  }

  dynamic "statement" {
    for_each = var.state_bucket_arn == "" ? [] : [var.state_bucket_arn]

    content {
      sid       = "ListStates"
      actions   = ["s3:ListBucket", "s3:GetBucketVersioning", "s3:GetBucketLocation"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.state_bucket_arn == "" ? [] : [var.state_bucket_arn]

    content {
      sid       = "KeepStates"
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = ["${statement.value}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheKeyForFiles"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.region}.amazonaws.com"]
      }
    }
  }
}

data "aws_iam_policy_document" "manager_iam" {
  count = local.manager_deploys ? 1 : 0

  statement {
    sid     = "SeeRolesOfThePlatform"
    actions = ["iam:GetInstanceProfile", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListPolicyVersions", "iam:ListRolePolicies"]
    resources = [
      "${local.arn}:iam::${local.account_id}:role/${var.pre_tag}-*",
      "${local.arn}:iam::${local.account_id}:instance-profile/${var.pre_tag}-*",
      "${local.arn}:iam::${local.account_id}:policy/${var.pre_tag}-*",
    ]
  }

  dynamic "statement" {
    for_each = var.permissions_boundary_arn == "" ? [] : [var.permissions_boundary_arn]

    content {
      sid       = "MakeRolesUnderTheBoundary"
      actions   = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"]
      resources = ["${local.arn}:iam::${local.account_id}:role/${var.pre_tag}-*"]

      condition {
        test     = "StringEquals"
        variable = "iam:PermissionsBoundary"
        values   = [statement.value]
      }
    }
  }

  dynamic "statement" {
    for_each = var.permissions_boundary_arn == "" ? [] : [var.permissions_boundary_arn]

    content {
      sid     = "KeepRolesOfThePlatform"
      actions = ["iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeleteInstanceProfile", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:DeleteRole", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile", "iam:TagPolicy", "iam:TagRole", "iam:UntagInstanceProfile", "iam:UntagPolicy", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"]
      resources = [
        "${local.arn}:iam::${local.account_id}:role/${var.pre_tag}-*",
        "${local.arn}:iam::${local.account_id}:instance-profile/${var.pre_tag}-*",
        "${local.arn}:iam::${local.account_id}:policy/${var.pre_tag}-*",
      ]
    }
  }

  dynamic "statement" {
    for_each = var.permissions_boundary_arn == "" ? [] : [var.permissions_boundary_arn]

    content {
      sid       = "NeverTheBoundaryItself"
      effect    = "Deny"
      actions   = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
      resources = [statement.value]
    }
  }

  statement {
    sid       = "GiveRolesToServices"
    actions   = ["iam:PassRole"]
    resources = ["${local.arn}:iam::${local.account_id}:role/${var.pre_tag}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["backup.amazonaws.com", "ec2.amazonaws.com", "ecr.amazonaws.com", "eks.amazonaws.com", "es.amazonaws.com", "lambda.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    }
  }

  # By itself an identity provider gives nobody a right: a role has to name it, and roles are those above.
  statement {
    sid       = "KeepIdentitiesOfClusters"
    actions   = ["iam:AddClientIDToOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider", "iam:GetOpenIDConnectProvider", "iam:RemoveClientIDFromOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider", "iam:UpdateOpenIDConnectProviderThumbprint"]
    resources = ["${local.arn}:iam::${local.account_id}:oidc-provider/oidc.eks.${var.region}.amazonaws.com/id/*"]
  }
}

resource "aws_iam_role" "manager" {
  count = local.manager_role ? 1 : 0

  name                 = local.manager_name
  description          = "Manager node of the platform"
  assume_role_policy   = data.aws_iam_policy_document.manager_trust.json
  permissions_boundary = var.permissions_boundary_arn == "" ? null : var.permissions_boundary_arn
  tags                 = local.manager_tags
}

resource "aws_iam_role_policy" "manager" {
  count = local.manager_role ? 1 : 0

  name   = "own-files"
  role   = aws_iam_role.manager[0].id
  policy = data.aws_iam_policy_document.manager[0].json
}

resource "aws_iam_role_policy" "manager_iam" {
  count = local.manager_deploys ? 1 : 0

  name   = "roles-of-the-platform"
  role   = aws_iam_role.manager[0].id
  policy = data.aws_iam_policy_document.manager_iam[0].json
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

resource "aws_iam_role_policy" "manager_session" {
  count = local.manager_role ? 1 : 0

  name   = "session"
  role   = aws_iam_role.manager[0].id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_role_policy_attachment" "manager" {
  for_each = toset(local.manager_role ? var.manager_policy_arns : [])

  role       = aws_iam_role.manager[0].name
  policy_arn = each.key
}

resource "aws_iam_instance_profile" "manager" {
  count = local.manager_role ? 1 : 0

  name = local.manager_name
  role = aws_iam_role.manager[0].name
  tags = local.manager_tags
}

resource "aws_instance" "manager" {
  count = var.create_manager ? 1 : 0

  ami                    = var.ami_id != "" ? var.ami_id : data.aws_ssm_parameter.debian[0].insecure_value
  instance_type          = var.instance_type
  subnet_id              = local.management_subnet_id
  vpc_security_group_ids = [aws_security_group.management.id]
  key_name               = one(aws_key_pair.this[*].key_name)
  iam_instance_profile   = local.manager_role ? aws_iam_instance_profile.manager[0].name : var.manager_instance_profile
  user_data_base64       = base64gzip(local.manager_user_data) # EC2 takes 16 KiB

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
    tags        = local.manager_tags
  }

  tags = merge(local.manager_tags, { Packages = "|terraform|ngp|" })

  lifecycle {
    ignore_changes = [ami] # a newer image must not replace the machine with what lies on it
  }

  depends_on = [aws_iam_role_policy.manager, aws_iam_role_policy.manager_session, aws_iam_role_policy_attachment.manager, aws_route_table_association.management, aws_route.management_internet]
}

resource "aws_eip" "manager" {
  count = var.create_manager ? 1 : 0

  domain = "vpc"
  tags   = local.manager_tags
}

resource "aws_eip_association" "manager" {
  count = var.create_manager ? 1 : 0

  allocation_id = aws_eip.manager[0].id
  instance_id   = aws_instance.manager[0].id
}

resource "aws_route53_record" "manager" {
  count = var.create_manager && var.manager_record ? 1 : 0

  zone_id = data.aws_route53_zone.this[0].zone_id
  name    = "manager.${var.domain_name}"
  type    = "A"
  ttl     = 300
  records = [aws_eip.manager[0].public_ip]
}

resource "aws_cloudwatch_metric_alarm" "manager" {
  for_each = var.create_manager ? { System = "recover", Instance = "reboot" } : {}

  alarm_name          = format(local.name, "${local.unit}-manager-status-${lower(each.key)}")
  alarm_description   = "Manager: ${lower(each.key)} status check failed; EC2 tries to ${each.value} it"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_${each.key}"
  dimensions          = { InstanceId = aws_instance.manager[0].id }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "missing"
  alarm_actions       = ["${local.arn}:automate:${var.region}:ec2:${each.value}", local.alarm_topic_arn]
  ok_actions          = [local.alarm_topic_arn]
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-manager-status-${lower(each.key)}") })
}

resource "aws_cloudwatch_metric_alarm" "manager_full" {
  for_each = var.create_manager ? { disk = 85, mem = 90 } : {}

  alarm_name          = format(local.name, "${local.unit}-manager-${each.key}")
  alarm_description   = "Manager: ${each.key == "disk" ? "disk" : "memory"} is used by more than ${each.value} %"
  namespace           = local.manager_parameters.NAMESPACE
  metric_name         = "${each.key}_used_percent"
  dimensions          = { InstanceId = aws_instance.manager[0].id }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value
  treat_missing_data  = "missing"
  alarm_actions       = [local.alarm_topic_arn]
  ok_actions          = [local.alarm_topic_arn]
  tags                = merge(local.tags, { Name = format(local.name, "${local.unit}-manager-${each.key}") })
}
