# Who may reach whom (security groups), and what a node may do (roles).

locals {
  groups = {
    cluster      = "Masters and agents of DC/OS"
    bootstrap    = "Bootstrap node of DC/OS"
    master       = "Masters of DC/OS"
    agent        = "Private agents of DC/OS"
    public_agent = "Public agents of DC/OS"
    master_lb    = "Internal load balancer of DC/OS for people"
    inner_lb     = "Internal load balancer of DC/OS for nodes"
    public_lb    = "Public load balancer of DC/OS"
    shared       = "Shared file system of DC/OS"
    exhibitor    = "File system of the masters of DC/OS"
  }
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name_prefix = "${var.pre_tag}-${local.unit}-${replace(each.key, "_", "-")}-"
  description = each.value
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = "${var.pre_tag}-${local.unit}-${replace(each.key, "_", "-")}-${var.post_tag}" })

  lifecycle {
    create_before_destroy = true
  }
}

# From one of our groups to another: whom, from whom, which ports.

locals {
  tcp = {
    "bootstrap-cluster" = { to = "bootstrap", from = "cluster", ports = [9999, 9999], what = "Installation" }
    "master-people"     = { to = "master", from = "master_lb", ports = [443, 443], what = "DC/OS, from its load balancer" }
    "agent-jenkins"     = { to = "agent", from = "master_lb", ports = [var.jenkins_port, var.jenkins_port], what = "Jenkins, from the load balancer" }
    "master-http"       = { to = "master", from = "inner_lb", ports = [80, 80], what = "DC/OS, from the load balancer for nodes" }
    "master-zookeeper"  = { to = "master", from = "inner_lb", ports = [2181, 2181], what = "ZooKeeper, from the load balancer for nodes" }
    "master-mesos"      = { to = "master", from = "inner_lb", ports = [5050, 5050], what = "Mesos, from the load balancer for nodes" }
    "master-marathon"   = { to = "master", from = "inner_lb", ports = [8080, 8080], what = "Marathon, from the load balancer for nodes" }
    "master-exhibitor"  = { to = "master", from = "inner_lb", ports = [8181, 8181], what = "Exhibitor, from the load balancer for nodes" }
    "agent-logstash"    = { to = "agent", from = "inner_lb", ports = [5044, 5044], what = "Logstash, from the load balancer for nodes" }
    "public-http"       = { to = "public_agent", from = "public_lb", ports = [80, 80], what = "HTTP, from the public load balancer" }
    "public-https"      = { to = "public_agent", from = "public_lb", ports = [443, 443], what = "HTTPS, from the public load balancer" }
    "public-health"     = { to = "public_agent", from = "public_lb", ports = [9090, 9090], what = "Health of marathon-lb" }
    "public-services"   = { to = "public_agent", from = "public_lb", ports = [10000, 10100], what = "Services of marathon-lb" }
    "shared-agents"     = { to = "shared", from = "agent", ports = [2049, 2049], what = "NFS from the private agents" }
    "exhibitor-masters" = { to = "exhibitor", from = "master", ports = [2049, 2049], what = "NFS from the masters" }
    "inner-exhibitor"   = { to = "inner_lb", from = "cluster", ports = [8181, 8181], what = "Exhibitor, from the nodes" }
    "inner-zookeeper"   = { to = "inner_lb", from = "cluster", ports = [2181, 2181], what = "ZooKeeper, from the nodes" }
    "inner-mesos"       = { to = "inner_lb", from = "cluster", ports = [5050, 5050], what = "Mesos, from the nodes" }
    "inner-marathon"    = { to = "inner_lb", from = "cluster", ports = [8080, 8080], what = "Marathon, from the nodes" }
    "inner-http"        = { to = "inner_lb", from = "cluster", ports = [80, 80], what = "DC/OS, from the nodes" }
  }
  # Load balancers send to their targets and nowhere else.
  lb_targets = { for name, rule in local.tcp : name => rule if endswith(rule.from, "_lb") }
}

resource "aws_vpc_security_group_ingress_rule" "inside" {
  for_each = local.tcp

  security_group_id            = aws_security_group.this[each.value.to].id
  description                  = each.value.what
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.ports[0]
  to_port                      = each.value.ports[1]
  tags                         = merge(local.tags, { Name = each.key })
}

resource "aws_vpc_security_group_egress_rule" "lb" {
  for_each = local.lb_targets

  security_group_id            = aws_security_group.this[each.value.from].id
  description                  = each.value.what
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.ports[0]
  to_port                      = each.value.ports[1]
  tags                         = merge(local.tags, { Name = each.key })
}

# Mesos, its overlay networks and what runs on it take any port of each other.
resource "aws_vpc_security_group_ingress_rule" "cluster" {
  security_group_id            = aws_security_group.this["cluster"].id
  description                  = "Masters and agents, among each other"
  referenced_security_group_id = aws_security_group.this["cluster"].id
  ip_protocol                  = "-1"
  tags                         = merge(local.tags, { Name = "cluster" })
}

# The masters' load balancer asks their health on Mesos's port.
resource "aws_vpc_security_group_ingress_rule" "master_health" {
  security_group_id            = aws_security_group.this["master"].id
  description                  = "Health of the masters"
  referenced_security_group_id = aws_security_group.this["master_lb"].id
  ip_protocol                  = "tcp"
  from_port                    = 5050
  to_port                      = 5050
  tags                         = merge(local.tags, { Name = "health" })
}

resource "aws_vpc_security_group_egress_rule" "master_health" {
  security_group_id            = aws_security_group.this["master_lb"].id
  description                  = "Health of the masters"
  referenced_security_group_id = aws_security_group.this["master"].id
  ip_protocol                  = "tcp"
  from_port                    = 5050
  to_port                      = 5050
  tags                         = merge(local.tags, { Name = "health" })
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each = toset(["bootstrap", "cluster"])

  security_group_id            = aws_security_group.this[each.key].id
  description                  = "SSH from the management network"
  referenced_security_group_id = var.management_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  tags                         = merge(local.tags, { Name = "ssh" })
}

resource "aws_vpc_security_group_egress_rule" "node" {
  for_each = toset(["bootstrap", "cluster"])

  security_group_id = aws_security_group.this[each.key].id
  description       = "Packages, images, AWS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
  tags              = merge(local.tags, { Name = "all" })
}

# From outside.

locals {
  web_ports = { http = 80, https = 443 }
  # Whose addresses are known later has no networks to count: the VPC's rules are apart.
  is_open = length(var.client_cidrs) == 0 && length(var.client_security_group_ids) == 0
  clients = { for pair in setproduct(keys(local.web_ports), var.client_cidrs) : "${pair[0]} from ${pair[1]}" => { name = pair[0], cidr = pair[1] } }
  world   = { for pair in setproduct(keys(local.web_ports), var.ingress_cidrs) : "${pair[0]} from ${pair[1]}" => { name = pair[0], cidr = pair[1] } }
  groups_in = { for pair in setproduct(keys(local.web_ports), range(length(var.client_security_group_ids))) : "${pair[0]}-${pair[1]}" => {
    name = pair[0], group = tonumber(pair[1])
  } }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = local.clients

  security_group_id = aws_security_group.this["master_lb"].id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = local.web_ports[each.value.name]
  to_port           = local.web_ports[each.value.name]
  tags              = merge(local.tags, { Name = each.value.name })
}

resource "aws_vpc_security_group_ingress_rule" "client_group" {
  for_each = local.groups_in

  security_group_id            = aws_security_group.this["master_lb"].id
  description                  = "${each.value.name} from a security group of clients"
  referenced_security_group_id = var.client_security_group_ids[each.value.group]
  ip_protocol                  = "tcp"
  from_port                    = local.web_ports[each.value.name]
  to_port                      = local.web_ports[each.value.name]
  tags                         = merge(local.tags, { Name = each.value.name })
}

resource "aws_vpc_security_group_ingress_rule" "client_vpc" {
  for_each = local.is_open ? local.web_ports : {}

  security_group_id = aws_security_group.this["master_lb"].id
  description       = "${each.key} from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  tags              = merge(local.tags, { Name = each.key })
}

resource "aws_vpc_security_group_ingress_rule" "world" {
  for_each = local.world

  security_group_id = aws_security_group.this["public_lb"].id
  description       = each.key
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = local.web_ports[each.value.name]
  to_port           = local.web_ports[each.value.name]
  tags              = merge(local.tags, { Name = each.value.name })
}

resource "aws_vpc_security_group_ingress_rule" "logs" {
  security_group_id = aws_security_group.this["inner_lb"].id
  description       = "Beats of machines in the VPC, to Logstash"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 5044
  to_port           = 5044
  tags              = merge(local.tags, { Name = "logstash" })
}

# Roles: the bootstrap node needs nothing but a way in.

locals {
  roles = { bootstrap = "Bootstrap", master = "Master", agent = "Agent" }
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
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

data "aws_iam_policy_document" "node" {
  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.sysdig_secret_arn != "" ? [var.sysdig_secret_arn] : []

    content {
      sid       = "ReadSysdigsKey"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn != "" ? [var.kms_key_arn] : []

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "master" {
  source_policy_documents = [data.aws_iam_policy_document.node.json]

  statement {
    sid       = "FindExhibitorsFiles"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
    resources = [aws_s3_bucket.files.arn]
  }

  statement {
    sid       = "KeepExhibitorsFiles"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.files.arn}/exhibitor*"]
  }
}

data "aws_iam_policy_document" "agent" {
  source_policy_documents = [data.aws_iam_policy_document.node.json]

  # A registry and snapshots that run on the cluster keep their files here. No s3:prefix condition: a registry fails with one.
  statement {
    sid       = "FindFiles"
    actions   = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.files.arn]
  }

  statement {
    sid       = "KeepFiles"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.files.arn}/docker-registry/*", "${aws_s3_bucket.files.arn}/snapshots/*"]
  }

  statement {
    sid       = "LogInToEcr"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "PullImages"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = ["arn:${local.partition}:ecr:${var.region}:${local.account_id}:repository/*"]
  }
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name                 = local.name[each.value]
  assume_role_policy   = data.aws_iam_policy_document.assume.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = local.name[each.value] })
}

resource "aws_iam_role_policy" "master" {
  name   = "dcos-master"
  role   = aws_iam_role.this["master"].id
  policy = data.aws_iam_policy_document.master.json
}

resource "aws_iam_role_policy" "agent" {
  name   = "dcos-agent"
  role   = aws_iam_role.this["agent"].id
  policy = data.aws_iam_policy_document.agent.json
}

resource "aws_iam_role_policy" "session" {
  for_each = local.roles

  name   = "session"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.session.json
}

resource "aws_iam_instance_profile" "this" {
  for_each = local.roles

  name = local.name[each.value]
  role = aws_iam_role.this[each.key].name
  tags = merge(local.tags, { Name = local.name[each.value] })
}
