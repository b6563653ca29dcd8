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

variable "domain_name" {
  description = "Domain of the platform; its public hosted zone exists already and is looked up by this name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$", var.domain_name)) && length(var.domain_name) <= 253
    error_message = "domain_name is a lower-case DNS name without a dot at its end, such as dev.example.com."
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
  default     = "openvpn"
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
  description = "VPC that the server gives access to."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: clients get a route to them."
  type        = string
  nullable    = false
}

variable "public_subnet_ids" {
  description = "Public subnets; the server stands in the first."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.public_subnet_ids) > 0
    error_message = "public_subnet_ids names at least one subnet."
  }
}

variable "key_pair_name" {
  description = "Key pair for SSH; empty leaves Session Manager as the only way in."
  type        = string
  default     = ""
  nullable    = false
}

# The server's own inputs.

variable "engine" {
  description = "access-server (appliance from the AWS Marketplace, with web pages) or community (OpenVPN and easy-rsa on Debian, profiles by command)."
  type        = string
  default     = "community"
  nullable    = false

  validation {
    condition     = contains(["access-server", "community"], var.engine)
    error_message = "engine is access-server or community."
  }
}

variable "debian_release" {
  description = "Release of Debian that the community engine gets without ami_id: 13, or 12 while it has its long-term support."
  type        = number
  default     = 13
  nullable    = false

  validation {
    condition     = contains([12, 13], var.debian_release)
    error_message = "debian_release is 12 or 13."
  }
}

variable "ami_id" {
  description = "Image of the server; empty takes the newest of its engine (and of debian_release) at the first apply."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.ami_id == "" || can(regex("^ami-[0-9a-z]+$", var.ami_id))
    error_message = "ami_id is empty or the id of an image (ami-…)."
  }
}

variable "product_code" {
  description = "Marketplace product whose newest image access-server takes without ami_id; the default is Bring Your Own Licence, free for two connections."
  type        = string
  default     = "f2ew2wrz425a1jagnifd02u5t"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]{20,30}$", var.product_code))
    error_message = "product_code is a product code of the AWS Marketplace: 20 to 30 lower-case letters and digits."
  }
}

variable "instance_type" {
  description = "Size of the server; access-server needs 2 GiB of memory (t3.small)."
  type        = string
  default     = "t3.small"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type is a type of EC2, such as t3.small."
  }

  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.instance_type))
    error_message = "instance_type has an Arm processor (Graviton), and image and agents are for amd64: choose a type such as t3.small."
  }
}

variable "volume_size_gib" {
  description = "Size of the root disk in GiB."
  type        = number
  default     = 16
  nullable    = false

  validation {
    condition     = var.volume_size_gib >= 8 && var.volume_size_gib <= 1024 && floor(var.volume_size_gib) == var.volume_size_gib
    error_message = "volume_size_gib is a whole number from 8 to 1024."
  }
}

variable "hostname" {
  description = "Name of the server below domain_name."
  type        = string
  default     = "vpn"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.hostname))
    error_message = "hostname is one label of a DNS name: lower-case letters, digits and dashes."
  }
}

variable "admin_user" {
  description = "Administrator of access-server."
  type        = string
  default     = "openvpn"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]{1,31}$", var.admin_user)) && !contains(["admin", "root", "openvpnas"], var.admin_user)
    error_message = "admin_user is 2 to 32 lower-case letters, digits, underscores or dashes, begins with a letter, and is not admin, root or openvpnas (those are the appliance's own)."
  }
}

variable "admin_password" {
  description = "Password of the administrator; made up by AWS, kept in Secrets Manager only."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = length(var.admin_password) >= 12
    error_message = "admin_password is at least 12 characters."
  }
}

variable "admin_password_version" {
  description = "Raise it to have a new password made."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.admin_password_version >= 1 && floor(var.admin_password_version) == var.admin_password_version
    error_message = "admin_password_version is a whole number from 1."
  }
}

variable "secret_recovery_days" {
  description = "Days for which a destroyed password can be brought back; 0 deletes it at once."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days is 0 or from 7 to 30."
  }
}

variable "vpn_cidr" {
  description = "Addresses of the clients; must not overlap the VPC or the clients' own networks."
  type        = string
  default     = "172.27.224.0/20"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpn_cidr)) && try(cidrhost(var.vpn_cidr, 0) == split("/", var.vpn_cidr)[0], false)
    error_message = "vpn_cidr is an IPv4 network in CIDR form without host bits, such as 172.27.224.0/20."
  }

  validation {
    condition     = try(tonumber(split("/", var.vpn_cidr)[1]) >= 16 && tonumber(split("/", var.vpn_cidr)[1]) <= 28, false)
    error_message = "vpn_cidr is from /16 to /28."
  }

  validation {
    condition = try(length(distinct([for cidr in [var.vpn_cidr, var.vpc_cidr] :
      cidrhost("${split("/", cidr)[0]}/${min([for each in [var.vpn_cidr, var.vpc_cidr] : tonumber(split("/", each)[1])]...)}", 0)
    ])) == 2, true)
    error_message = "vpn_cidr must not overlap vpc_cidr: clients would not know which way an address lies."
  }
}

variable "extra_routes" {
  description = "More networks that clients reach through the server, such as peered VPCs."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.extra_routes) <= 50 && alltrue([for cidr in var.extra_routes : can(cidrnetmask(cidr))])
    error_message = "extra_routes holds at most 50 IPv4 networks in CIDR form."
  }
}

variable "reroute_gateway" {
  description = "Send all traffic of the clients through the server."
  type        = bool
  default     = false
  nullable    = false
}

variable "reroute_dns" {
  description = "Have clients ask the VPC's resolver for names."
  type        = bool
  default     = false
  nullable    = false
}

variable "client_certificate_days" {
  description = "Days that the certificate of a client is good for (community)."
  type        = number
  default     = 825
  nullable    = false

  validation {
    condition     = var.client_certificate_days >= 1 && var.client_certificate_days <= 3650 && floor(var.client_certificate_days) == var.client_certificate_days
    error_message = "client_certificate_days is a whole number from 1 to 3650."
  }
}

variable "admin_cidrs" {
  description = "Networks that may reach the administration pages (943) and SSH (22)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : can(cidrnetmask(cidr))])
    error_message = "admin_cidrs holds IPv4 networks in CIDR form, such as 198.51.100.7/32."
  }

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : !endswith(cidr, "/0")])
    error_message = "admin_cidrs never opens administration to the world: name the networks that administrators come from."
  }
}

variable "client_cidrs" {
  description = "Networks that clients may connect from."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr))])
    error_message = "client_cidrs holds IPv4 networks in CIDR form, such as 0.0.0.0/0."
  }
}

variable "backup_retention_days" {
  description = "Days that daily backups of the server (AWS Backup) are kept; 0 makes none, and a lost disk then means new profiles for everybody."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 0 && var.backup_retention_days <= 3650 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days is a whole number from 0 to 3650."
  }
}
