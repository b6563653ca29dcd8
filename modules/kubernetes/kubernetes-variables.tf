# Common inputs: the same in every module of the catalogue.

variable "project" {
  description = "Project that everything here belongs to (tag Project)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", var.project))
    error_message = "project is 1 to 63 letters, digits, dots, underscores or dashes, and begins with a letter or digit."
  }
}

variable "environment" {
  description = "Environment, such as dev, stage or prod (tag Environment)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", var.environment))
    error_message = "environment is 1 to 32 letters, digits, underscores or dashes, and begins with a letter or digit."
  }
}

variable "region" {
  description = "AWS region, such as eu-central-1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,3}(-[a-z]+)+-[0-9]+$", var.region))
    error_message = "region is the code of an AWS region, such as eu-central-1."
  }
}

variable "unit" {
  description = "Name of the unit (tags Cluster and ngp:unit, part of names); empty is the module's own name."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9-]{0,30})?$", var.unit))
    error_message = "unit is at most 31 lower-case letters, digits or dashes, and does not begin with a dash."
  }
}

variable "pre_tag" {
  description = "Prefix of all resource names, such as shop in shop-vpc-dev."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{1,10}[A-Za-z0-9]$", var.pre_tag)) && !startswith(lower(var.pre_tag), "aws")
    error_message = "pre_tag is 3 to 12 letters, digits or dashes, neither begins nor ends with a dash, and does not begin with aws."
  }
}

variable "post_tag" {
  description = "Suffix of all resource names, such as dev in shop-vpc-dev."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{1,4}[A-Za-z0-9]$", var.post_tag)) && !startswith(lower(var.post_tag), "aws")
    error_message = "post_tag is 3 to 6 letters, digits or dashes, neither begins nor ends with a dash, and does not begin with aws."
  }
}

variable "service" {
  description = "Service that everything here serves (tag Service)."
  type        = string
  default     = "kubernetes"
  nullable    = false

  validation {
    condition     = length(var.service) >= 1 && length(var.service) <= 128
    error_message = "service is 1 to 128 characters."
  }
}

variable "version_tag" {
  description = "Version of what is deployed (tag Version)."
  type        = string
  default     = "1"
  nullable    = false

  validation {
    condition     = length(var.version_tag) >= 1 && length(var.version_tag) <= 128
    error_message = "version_tag is 1 to 128 characters."
  }
}

variable "tags" {
  description = "More tags for every resource; those that the module sets itself win."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 40 && alltrue([for key in keys(var.tags) : length(key) >= 1 && length(key) <= 128 && !startswith(lower(key), "aws:")])
    error_message = "tags holds at most 40 entries; a key is 1 to 128 characters and does not begin with aws:."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of every role made here; empty sets none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.permissions_boundary_arn == "" || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn is empty or the ARN of an IAM policy."
  }
}

variable "log_retention_days" {
  description = "Days that log groups keep their events."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of the periods that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "alarm_topic_arn" {
  description = "SNS topic for alarms; empty uses none of another unit's."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.alarm_topic_arn == "" || can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:.+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is empty or the ARN of an SNS topic."
  }
}

variable "kms_key_arn" {
  description = "KMS key for disks, logs and secrets; empty uses keys that AWS manages, or one that the module makes."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.kms_key_arn == "" || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn is empty or the ARN of a KMS key."
  }
}

# From the network.

variable "vpc_id" {
  description = "VPC that the cluster lives in."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: all of them may call the API where no clients are named."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Private subnets for the API's addresses and the nodes, in two or more zones; nodes need a way out of them (NAT)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "private_subnet_ids holds at least two subnets, in different zones."
  }
}

# Who may call the API, and do what.

variable "client_security_group_ids" {
  description = "Security groups that may call the private API, such as those of the VPN or of CI; where client_cidrs is empty too, the whole VPC may."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "client_cidrs" {
  description = "Networks that may call the private API, besides client_security_group_ids."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "client_cidrs holds IPv4 networks in CIDR form, such as 10.8.0.0/16, and not the world."
  }
}

variable "public_access_cidrs" {
  description = "Networks of the internet that may call the API; with none it is private only."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.public_access_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "public_access_cidrs holds IPv4 networks in CIDR form, such as 203.0.113.0/24, and not the world."
  }
}

variable "admin_principal_arns" {
  description = "IAM roles and users that may do everything in the cluster; whoever makes it is none of them unless named."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.admin_principal_arns) > 0 && alltrue([for arn in var.admin_principal_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "admin_principal_arns holds at least one ARN of an IAM role or user."
  }
}

variable "access" {
  description = "More who may call the API, by a name of yours: principal_arn, policy (admin, edit or view) and the namespaces that it counts in (none: all)."
  type = map(object({
    principal_arn = string
    policy        = optional(string, "view")
    namespaces    = optional(set(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for entry in values(var.access) : contains(["admin", "edit", "view"], entry.policy) && can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$", entry.principal_arn))])
    error_message = "access has ARNs of IAM roles or users, and the policies admin, edit or view."
  }

  validation {
    condition     = length(setunion(var.admin_principal_arns, [for entry in values(var.access) : entry.principal_arn])) == length(var.admin_principal_arns) + length(var.access)
    error_message = "access names nobody twice, and nobody of admin_principal_arns."
  }
}

# The cluster.

variable "kubernetes_version" {
  description = "Version of Kubernetes: it goes up one minor version at a time and never down. Empty takes EKS's default when the cluster is made, and what AWS raises it to."
  type        = string
  default     = "1.36"
  nullable    = false

  validation {
    condition     = can(regex("^(1\\.(29|[3-9][0-9]))?$", var.kubernetes_version))
    error_message = "kubernetes_version is empty or a minor version, such as 1.36."
  }
}

variable "extended_support" {
  description = "Keep a version beyond its standard support, for six times the price; else AWS raises it when that ends."
  type        = bool
  default     = false
  nullable    = false
}

variable "service_cidr" {
  description = "Addresses of services within the cluster; must not overlap the VPC or what is peered with it. Empty lets AWS choose."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.service_cidr == "" || can(regex("^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))\\..*/(1[2-9]|2[0-4])$", cidrsubnet(var.service_cidr, 0, 0)))
    error_message = "service_cidr is empty or a network of 12 to 24 bits in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, such as 172.20.0.0/16."
  }
}

variable "control_plane_logs" {
  description = "What the control plane logs."
  type        = set(string)
  default     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  nullable    = false

  validation {
    condition     = alltrue([for kind in var.control_plane_logs : contains(["api", "audit", "authenticator", "controllerManager", "scheduler"], kind)])
    error_message = "control_plane_logs holds api, audit, authenticator, controllerManager or scheduler."
  }
}

variable "addon_versions" {
  description = "Versions of add-ons by name (vpc-cni, kube-proxy, coredns, eks-pod-identity-agent, aws-ebs-csi-driver), such as v1.20.4-eksbuild.2; others get the default of the cluster's version when they are made."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, version in var.addon_versions : contains(["vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver"], name) && can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", version))])
    error_message = "addon_versions has names of the cluster's add-ons and versions such as v1.20.4-eksbuild.2."
  }
}

variable "addon_configurations" {
  description = "Settings of the same add-ons by name, each the JSON that `aws eks describe-addon-configuration` describes; tags of what they make are set by the module."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, text in var.addon_configurations : contains(["vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver"], name) && can(keys(jsondecode(text)))])
    error_message = "addon_configurations has names of the cluster's add-ons and JSON objects."
  }
}

variable "more_addons" {
  description = "More add-ons of EKS by name, such as metrics-server: version (left out: the default of the cluster's version), configuration (JSON), and by service account the IAM roles of their pods, which trust pods.eks.amazonaws.com."
  type = map(object({
    version       = optional(string)
    configuration = optional(string)
    roles         = optional(map(string), {})
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.more_addons) : can(regex("^[a-z0-9][a-z0-9_-]{0,99}$", name)) && !contains(["vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver"], name)])
    error_message = "more_addons has names of add-ons that the module does not make itself."
  }

  validation {
    condition     = alltrue([for addon in values(var.more_addons) : (addon.configuration == null || can(keys(jsondecode(addon.configuration)))) && (addon.version == null || can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", addon.version)))])
    error_message = "An add-on's configuration is a JSON object, its version such as v0.8.0-eksbuild.2."
  }

  validation {
    condition     = alltrue([for arn in flatten([for addon in values(var.more_addons) : values(addon.roles)]) : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "roles of an add-on are ARNs of IAM roles."
  }
}

# The nodes.

variable "node_groups" {
  description = "Groups of nodes by name. Sizes count nodes, volume_size is in GiB; capacity is ON_DEMAND or SPOT; repair lets EKS replace nodes that stay sick; labels and taints are those of Kubernetes."
  type = map(object({
    instance_types          = optional(list(string), ["t3.large"])
    ami_type                = optional(string, "AL2023_x86_64_STANDARD")
    capacity                = optional(string, "ON_DEMAND")
    min_size                = optional(number, 2)
    max_size                = optional(number, 6)
    desired_size            = optional(number, 2)
    volume_size             = optional(number, 50)
    max_unavailable_percent = optional(number, 33)
    repair                  = optional(bool, true)
    labels                  = optional(map(string), {})
    taints                  = optional(list(object({ key = string, value = optional(string, ""), effect = string })), [])
  }))
  default  = { default = {} }
  nullable = false

  validation {
    condition     = length(var.node_groups) > 0 && alltrue([for name in keys(var.node_groups) : can(regex("^[a-z][a-z0-9-]{0,15}$", name))])
    error_message = "node_groups holds at least one; a name is at most 16 lower-case letters, digits or dashes and begins with a letter."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : 0 <= group.min_size && group.min_size <= group.desired_size && group.desired_size <= group.max_size && group.max_size >= 1])
    error_message = "A node group has 0 <= min_size <= desired_size <= max_size, and max_size is 1 at least."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : group.volume_size >= 20 && group.volume_size <= 16384 && group.max_unavailable_percent >= 1 && group.max_unavailable_percent <= 100])
    error_message = "volume_size of a node group is from 20 to 16384 GiB, max_unavailable_percent from 1 to 100."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : contains(["ON_DEMAND", "SPOT"], group.capacity) && length(group.instance_types) > 0 && alltrue([for type in group.instance_types : can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", type))])])
    error_message = "capacity of a node group is ON_DEMAND or SPOT, and instance_types holds types of EC2 such as t3.large."
  }

  validation {
    condition     = alltrue([for group in values(var.node_groups) : can(regex("^(AL2023|BOTTLEROCKET)_[A-Za-z0-9_]+$", group.ami_type))])
    error_message = "ami_type of a node group is one of EKS's of Amazon Linux 2023 or Bottlerocket, such as AL2023_ARM_64_STANDARD: the launch template brings no image of its own."
  }

  validation {
    condition = alltrue(flatten([for group in values(var.node_groups) : [for type in group.instance_types :
      can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type)) == can(regex("_(ARM_64|aarch64)", group.ami_type))
    ]]))
    error_message = "instance_types and ami_type of a node group are of one architecture: Graviton types (t4g, m7g, …) need an image such as AL2023_ARM_64_STANDARD, others one such as AL2023_x86_64_STANDARD."
  }

  validation {
    condition     = alltrue([for taint in flatten([for group in values(var.node_groups) : group.taints]) : contains(["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"], taint.effect)])
    error_message = "effect of a taint is NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE."
  }
}
