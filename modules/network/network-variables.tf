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
  default     = "network"
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

# The network's own inputs.

variable "vpc_cidr" {
  description = "Addresses of the VPC; unused with existing_vpc_id."
  type        = string
  default     = "10.0.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && try(cidrhost(var.vpc_cidr, 0) == split("/", var.vpc_cidr)[0], false)
    error_message = "vpc_cidr is an IPv4 network in CIDR form without host bits, such as 10.0.0.0/16."
  }

  validation {
    condition     = try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) + var.subnet_newbits <= 28, false)
    error_message = "vpc_cidr is a /16 or smaller, and its subnets (subnet_newbits more bits) are no smaller than /28."
  }
}

variable "subnet_newbits" {
  description = "Bits by which a subnet is smaller than the VPC: 8 makes /24 of a /16."
  type        = number
  default     = 8
  nullable    = false

  validation {
    condition     = var.subnet_newbits >= 4 && var.subnet_newbits <= 12 && floor(var.subnet_newbits) == var.subnet_newbits
    error_message = "subnet_newbits is a whole number from 4 (nine subnets need four bits) to 12."
  }
}

variable "az_count" {
  description = "Availability zones, each with a public and a private subnet."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([1, 2, 3, 4], var.az_count)
    error_message = "az_count is 1, 2, 3 or 4."
  }
}

variable "availability_zones" {
  description = "Names of the zones to use, in order; empty takes the region's first az_count."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.availability_zones) == 0 || (length(var.availability_zones) >= var.az_count && length(distinct(var.availability_zones)) == length(var.availability_zones))
    error_message = "availability_zones is empty or names at least az_count different zones."
  }
}

variable "nat_mode" {
  description = "Way out for the private subnets: none, single (one NAT gateway for all) or per_az (one in each zone)."
  type        = string
  default     = "single"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per_az"], var.nat_mode)
    error_message = "nat_mode is none, single or per_az."
  }
}

variable "private_endpoints" {
  description = "Make interface endpoints (endpoint_services), so that private nodes reach AWS without NAT. Each costs about 8 USD a month and zone."
  type        = bool
  default     = false
  nullable    = false
}

variable "endpoint_services" {
  description = "Services with an interface endpoint, such as ssm, ssmmessages, ecr.api; empty makes those for SSM, ECR, CloudWatch Logs and Secrets Manager, with nat_mode none also those that clusters need."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for service in var.endpoint_services : can(regex("^[a-z0-9][a-z0-9.-]{0,62}$", service)) && !contains(["s3", "dynamodb"], service)])
    error_message = "endpoint_services holds names of AWS services as endpoints have them, such as ecr.api; S3 has a gateway endpoint anyway."
  }

  validation {
    condition     = length(var.endpoint_services) == 0 || var.private_endpoints
    error_message = "endpoint_services has no meaning without private_endpoints = true."
  }
}

variable "flow_logs" {
  description = "Log accepted and rejected connections of the VPC to CloudWatch Logs."
  type        = bool
  default     = true
  nullable    = false
}

variable "public_key" {
  description = "OpenSSH public key to register as the platform's key pair; empty makes none (Session Manager needs none)."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.public_key == "" || can(regex("^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]+={0,3}( [^\\n]*)?\\n?$", var.public_key))
    error_message = "public_key is empty or one line of an ssh-ed25519 or ssh-rsa public key (never the private key)."
  }
}

variable "admin_cidrs" {
  description = "Networks that may reach port 22 of nodes in the management security group; empty leaves Session Manager as the only way in."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : can(cidrnetmask(cidr))])
    error_message = "admin_cidrs holds IPv4 networks in CIDR form, such as 198.51.100.7/32."
  }

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : !endswith(cidr, "/0")])
    error_message = "admin_cidrs never opens SSH to the world: name the networks that administrators come from."
  }
}

variable "extra_ingress" {
  description = "More ways into the management security group, by a name of your own."
  type = map(object({
    from_port = number
    to_port   = number
    protocol  = optional(string, "tcp")
    cidr      = string
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for rule in values(var.extra_ingress) : can(cidrnetmask(rule.cidr)) && contains(["tcp", "udp"], rule.protocol)])
    error_message = "extra_ingress: cidr is an IPv4 network in CIDR form, and protocol is tcp or udp."
  }

  validation {
    condition     = alltrue([for rule in values(var.extra_ingress) : rule.from_port >= 1 && rule.from_port <= rule.to_port && rule.to_port <= 65535])
    error_message = "extra_ingress: ports are from 1 to 65535, and from_port is not above to_port."
  }

  validation {
    condition     = alltrue([for rule in values(var.extra_ingress) : !(endswith(rule.cidr, "/0") && rule.from_port <= 22 && rule.to_port >= 22)])
    error_message = "extra_ingress never opens SSH (22) to the world."
  }
}

variable "alarm_emails" {
  description = "Addresses that get the alarms; each confirms by the link in a first mail."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alarm_emails holds e-mail addresses."
  }
}

# A VPC that exists already.

variable "existing_vpc_id" {
  description = "VPC to use instead of making one; then its subnets and internet gateway are named too and no routing is made here."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.existing_vpc_id == "" || can(regex("^vpc-[0-9a-f]+$", var.existing_vpc_id))
    error_message = "existing_vpc_id is empty or the id of a VPC (vpc-…)."
  }

  validation {
    condition     = var.existing_vpc_id == "" || (var.existing_management_subnet_id != "" && var.existing_internet_gateway_id != "" && length(var.existing_public_subnet_ids) > 0 && length(var.existing_private_subnet_ids) > 0)
    error_message = "existing_vpc_id also needs existing_management_subnet_id, existing_internet_gateway_id, existing_public_subnet_ids and existing_private_subnet_ids."
  }

  validation {
    condition     = var.existing_vpc_id != "" || (var.existing_management_subnet_id == "" && var.existing_internet_gateway_id == "" && length(var.existing_public_subnet_ids) + length(var.existing_private_subnet_ids) + length(var.existing_private_route_table_ids) == 0)
    error_message = "inputs named existing_… have no meaning without existing_vpc_id."
  }
}

variable "existing_internet_gateway_id" {
  description = "Internet gateway of the existing VPC."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.existing_internet_gateway_id == "" || can(regex("^igw-[0-9a-f]+$", var.existing_internet_gateway_id))
    error_message = "existing_internet_gateway_id is empty or the id of an internet gateway (igw-…)."
  }
}

variable "existing_management_subnet_id" {
  description = "Subnet of the existing VPC for management nodes."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.existing_management_subnet_id == "" || can(regex("^subnet-[0-9a-f]+$", var.existing_management_subnet_id))
    error_message = "existing_management_subnet_id is empty or the id of a subnet (subnet-…)."
  }
}

variable "existing_public_subnet_ids" {
  description = "Public subnets of the existing VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.existing_public_subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "existing_public_subnet_ids holds ids of subnets (subnet-…)."
  }
}

variable "existing_private_subnet_ids" {
  description = "Private subnets of the existing VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.existing_private_subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "existing_private_subnet_ids holds ids of subnets (subnet-…)."
  }
}

variable "existing_private_route_table_ids" {
  description = "Route tables of the existing private subnets, for modules that add routes."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.existing_private_route_table_ids : can(regex("^rtb-[0-9a-f]+$", id))])
    error_message = "existing_private_route_table_ids holds ids of route tables (rtb-…)."
  }
}

# The manager node: a machine inside the VPC from which the platform can be run without keys.

variable "create_manager" {
  description = "Make a manager node in the management subnet; a CI runner or Session Manager does without."
  type        = bool
  default     = false
  nullable    = false
}

variable "instance_type" {
  description = "Size of the manager."
  type        = string
  default     = "t3.small"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type is a type of EC2, such as t3.small."
  }

  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.instance_type))
    error_message = "instance_type has an Arm processor (Graviton), and what the manager installs is for amd64: choose a type such as t3.small."
  }
}

variable "debian_release" {
  description = "Release of Debian that the manager gets without ami_id: 13, or 12 while it has its long-term support."
  type        = number
  default     = 13
  nullable    = false

  validation {
    condition     = contains([12, 13], var.debian_release)
    error_message = "debian_release is 12 or 13."
  }
}

variable "ami_id" {
  description = "Image of the manager (Debian, amd64); empty takes the newest of debian_release at the first apply."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.ami_id == "" || can(regex("^ami-[0-9a-z]+$", var.ami_id))
    error_message = "ami_id is empty or the id of an image (ami-…)."
  }
}

variable "volume_size_gib" {
  description = "Size of the manager's root disk in GiB."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.volume_size_gib >= 8 && var.volume_size_gib <= 1024 && floor(var.volume_size_gib) == var.volume_size_gib
    error_message = "volume_size_gib is a whole number from 8 to 1024."
  }
}

variable "manager_record" {
  description = "Name the manager manager.DOMAIN."
  type        = bool
  default     = true
  nullable    = false
}

variable "manager_instance_profile" {
  description = "Instance profile that exists already, for the manager; empty makes a role and profile."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.manager_instance_profile == "" || can(regex("^[A-Za-z0-9+=,.@_-]{1,128}$", var.manager_instance_profile))
    error_message = "manager_instance_profile is empty or the name of an instance profile."
  }
}

variable "manager_policy_arns" {
  description = "Policies of what the manager may do when it applies the platform, such as arn:aws:iam::aws:policy/PowerUserAccess; empty lets it do nothing but read its own files."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.manager_policy_arns) <= 8 && alltrue([for arn in var.manager_policy_arns : can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", arn))])
    error_message = "manager_policy_arns holds at most 8 ARNs of IAM policies."
  }
}

variable "state_bucket_arn" {
  description = "Bucket with the platform's states, which the manager may then read and write; empty leaves it out."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.state_bucket_arn == "" || can(regex("^arn:[a-z-]+:s3:::[a-z0-9.-]{3,63}$", var.state_bucket_arn))
    error_message = "state_bucket_arn is empty or the ARN of a bucket."
  }
}

variable "terraform_version" {
  description = "Terraform of the manager."
  type        = string
  default     = "1.15.5"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", var.terraform_version))
    error_message = "terraform_version is three numbers, such as 1.15.5."
  }
}

variable "terraform_sha256" {
  description = "SHA-256 of that version's linux_amd64 archive, as its publisher's SHA256SUMS file says."
  type        = string
  default     = "702b2136af6728c8ff037f843dd2dbce2b7ad88786b7381d1d72aefa250f601c"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.terraform_sha256))
    error_message = "terraform_sha256 is 64 lower-case hexadecimal digits."
  }
}

variable "ngp_wheel" {
  description = "ngp's wheel in a bucket of yours (s3://BUCKET/KEY.whl), which the manager installs; empty installs none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.ngp_wheel == "" || (can(regex("^s3://[a-z0-9.-]{3,63}/[A-Za-z0-9!_.*()/+-]+\\.whl$", var.ngp_wheel)) && var.ngp_wheel_sha256 != "")
    error_message = "ngp_wheel is empty or s3://BUCKET/KEY.whl, and then ngp_wheel_sha256 is its checksum."
  }
}

variable "ngp_wheel_sha256" {
  description = "SHA-256 of that wheel."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9a-f]{64})?$", var.ngp_wheel_sha256))
    error_message = "ngp_wheel_sha256 is empty or 64 lower-case hexadecimal digits."
  }
}

variable "ngp_requirements" {
  description = "Libraries of ngp in a bucket of yours (s3://BUCKET/KEY.txt): pip's requirements with checksums, all of them and nothing else. It belongs to ngp_wheel."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.ngp_requirements == "" ? var.ngp_wheel == "" : (can(regex("^s3://[a-z0-9.-]{3,63}/[A-Za-z0-9!_.*()/+-]+\\.txt$", var.ngp_requirements)) && var.ngp_requirements_sha256 != "" && var.ngp_wheel != "")
    error_message = "ngp_requirements is set with ngp_wheel, and only then: s3://BUCKET/KEY.txt, and ngp_requirements_sha256 is its checksum."
  }
}

variable "ngp_requirements_sha256" {
  description = "SHA-256 of that file."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9a-f]{64})?$", var.ngp_requirements_sha256))
    error_message = "ngp_requirements_sha256 is empty or 64 lower-case hexadecimal digits."
  }
}
