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
  default     = "elk"
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
  description = "VPC that the domain and its collectors live in."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: all of them may connect where no clients are named."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Private subnets, in as many zones as `zones` says at least; collectors need a way out of them (NAT)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= var.zones
    error_message = "private_subnet_ids holds a subnet for each of the zones."
  }
}

variable "nat_public_ips" {
  description = "Addresses that private nodes show to the internet: a public domain lets them in besides allowed_cidrs."
  type        = list(string)
  default     = []
  nullable    = false
}

# Who may connect.

variable "client_security_group_ids" {
  description = "Security groups that may connect, such as those of a cluster's nodes or of the VPN; where client_cidrs is empty too, the whole VPC may."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "client_cidrs" {
  description = "Networks that may connect, besides client_security_group_ids."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "client_cidrs holds IPv4 networks in CIDR form, such as 10.8.0.0/16, and not the world."
  }
}

variable "public" {
  description = "Put the domain on the internet, where it answers allowed_cidrs and nat_public_ips only; else it lives in the VPC."
  type        = bool
  default     = false
  nullable    = false
}

variable "allowed_cidrs" {
  description = "Networks that a public domain answers; in the VPC the clients above count instead."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "allowed_cidrs holds IPv4 networks in CIDR form, such as 203.0.113.0/24, and not the world."
  }

  validation {
    condition     = var.public == (length(var.allowed_cidrs) > 0)
    error_message = "allowed_cidrs names networks for a public domain, and none for one in the VPC."
  }
}

variable "master_principal_arns" {
  description = "IAM roles and users that may become the master of the domain; with none, whomever IAM of this account lets."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.master_principal_arns : can(regex("^arn:[a-z-]+:(iam|sts)::[0-9]{12}:.+$", arn))])
    error_message = "master_principal_arns holds ARNs of IAM roles or users."
  }
}

variable "writer_role_arns" {
  description = "IAM roles that may write logs, besides the collectors: those of agents that send by themselves, such as Fluent Bit."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.writer_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "writer_role_arns holds ARNs of IAM roles."
  }
}

variable "reader_role_arns" {
  description = "IAM roles that may search the logs."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.reader_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "reader_role_arns holds ARNs of IAM roles."
  }
}

variable "saml" {
  description = "Log people in to the dashboards by an identity provider: its metadata (XML), its entity id, and the role in its answer that is master; null turns it off."
  type = object({
    metadata        = string
    entity_id       = string
    master_role     = optional(string, "")
    roles_key       = optional(string, "")
    session_minutes = optional(number, 60)
  })
  default = null

  validation {
    condition     = var.saml == null || try(var.saml.session_minutes >= 1 && var.saml.session_minutes <= 1440 && var.saml.entity_id != "" && startswith(trimspace(var.saml.metadata), "<"), false)
    error_message = "saml has metadata in XML, an entity_id, and sessions of 1 to 1440 minutes."
  }
}

# The domain.

variable "engine_version" {
  description = "Version of OpenSearch; it only goes up."
  type        = string
  default     = "OpenSearch_2.19"
  nullable    = false

  validation {
    condition     = can(regex("^OpenSearch_[2-9]\\.[0-9]+$", var.engine_version))
    error_message = "engine_version is OpenSearch_2.x or later, such as OpenSearch_2.19."
  }
}

variable "zones" {
  description = "Availability zones that the nodes are spread over: 2 or 3; 1 for what may be lost."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([1, 2, 3], var.zones)
    error_message = "zones is 1, 2 or 3."
  }
}

variable "nodes" {
  description = "Nodes that hold data: as many in each zone."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.nodes >= var.zones && var.nodes % var.zones == 0 && var.nodes <= 80
    error_message = "nodes is a multiple of zones, at most 80."
  }
}

variable "node_type" {
  description = "Type of the nodes that hold data."
  type        = string
  default     = "m7g.large.search"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9]+\\.search$", var.node_type))
    error_message = "node_type is a type of OpenSearch Service, such as m7g.large.search."
  }
}

variable "volume_size" {
  description = "Disk of a node, in GiB."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.volume_size >= 10 && var.volume_size <= 16384 && floor(var.volume_size) == var.volume_size
    error_message = "volume_size is a whole number from 10 to 16384."
  }
}

variable "dedicated_masters" {
  description = "Nodes that hold no data and keep the cluster together: 0, 3 or 5; production wants 3."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = contains([0, 3, 5], var.dedicated_masters)
    error_message = "dedicated_masters is 0, 3 or 5: a quorum needs an odd number."
  }
}

variable "dedicated_master_type" {
  description = "Type of the dedicated masters."
  type        = string
  default     = "m7g.medium.search"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9]+\\.search$", var.dedicated_master_type))
    error_message = "dedicated_master_type is a type of OpenSearch Service, such as m7g.medium.search."
  }
}

variable "create_service_linked_role" {
  description = "Make the role by which OpenSearch enters VPCs: once in an account, so the first domain of an account says true."
  type        = bool
  default     = false
  nullable    = false
}

variable "dashboards_hostname" {
  description = "Label below domain_name on which the domain and its dashboards answer; empty leaves them their name of AWS."
  type        = string
  default     = "kibana"
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$", var.dashboards_hostname))
    error_message = "dashboards_hostname is empty or one DNS label: lower-case letters, digits and dashes."
  }
}

variable "certificate_arn" {
  description = "Certificate of ACM for both names (a wildcard, say); empty makes one."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.certificate_arn == "" || can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn is empty or the ARN of a certificate of ACM."
  }
}

variable "index_prefix" {
  description = "Beginning of the names of the indices that logs go to (PREFIX-2030.01.31)."
  type        = string
  default     = "logs"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.index_prefix))
    error_message = "index_prefix is at most 31 lower-case letters, digits or dashes and begins with a letter."
  }
}

variable "retention_days" {
  description = "Days after which an index is deleted."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is a whole number from 1 to 3650."
  }
}

# The collectors.

variable "collectors" {
  description = "Collectors (Logstash) that take logs from Filebeat on port 5044; 0 makes none: agents write by themselves then."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.collectors >= 0 && var.collectors <= 20 && floor(var.collectors) == var.collectors
    error_message = "collectors is a whole number from 0 to 20."
  }
}

variable "collector_archive_url" {
  description = "Archive of Logstash OSS with the output plugin of OpenSearch (.tar.gz), as the OpenSearch project publishes it."
  type        = string
  default     = "https://artifacts.opensearch.org/logstash/logstash-oss-with-opensearch-output-plugin-8.9.0-linux-x64.tar.gz"
  nullable    = false

  validation {
    condition     = can(regex("^https://[A-Za-z0-9./_-]+\\.tar\\.gz$", var.collector_archive_url))
    error_message = "collector_archive_url is the https address of a .tar.gz file."
  }
}

variable "collector_archive_sha512" {
  description = "SHA-512 of that archive, as its publisher's .sha512 file says."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{128}$", var.collector_archive_sha512))
    error_message = "collector_archive_sha512 is 128 lower-case hexadecimal digits."
  }
}

variable "collector_hostname" {
  description = "Label below domain_name on which the collectors answer."
  type        = string
  default     = "logs"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.collector_hostname))
    error_message = "collector_hostname is one DNS label: lower-case letters, digits and dashes."
  }
}

variable "collector_tls" {
  description = "Let agents speak TLS to the collectors' load balancer; false for old ones that cannot."
  type        = bool
  default     = true
  nullable    = false
}

variable "collector_instance_type" {
  description = "Instance type of the collectors (x86)."
  type        = string
  default     = "t3.medium"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.collector_instance_type))
    error_message = "collector_instance_type is an EC2 instance type such as t3.medium."
  }

  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.collector_instance_type))
    error_message = "collector_instance_type has an Arm processor (Graviton), and Logstash's archive and the image are for amd64: choose a type such as t3.medium."
  }
}

variable "collector_volume_size" {
  description = "Root volume of a collector, in GiB; half of it may hold what the domain does not take at the moment."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.collector_volume_size >= 16 && var.collector_volume_size <= 16384 && floor(var.collector_volume_size) == var.collector_volume_size
    error_message = "collector_volume_size is a whole number from 16 to 16384."
  }
}

variable "collector_settles" {
  description = "Let the collectors become the domain's master, by which they settle rights, retention and snapshots; false leaves that to you."
  type        = bool
  default     = true
  nullable    = false
}

variable "debian_release" {
  description = "Release of Debian that the collectors get without ami_id: 13, or 12 while it has its long-term support."
  type        = number
  default     = 13
  nullable    = false

  validation {
    condition     = contains([12, 13], var.debian_release)
    error_message = "debian_release is 12 or 13."
  }
}

variable "ami_id" {
  description = "AMI of the collectors (Debian, amd64); empty is the newest of debian_release at the time that their template is made."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(ami-[0-9a-f]{8,17})?$", var.ami_id))
    error_message = "ami_id is empty or the id of an AMI, such as ami-0123456789abcdef0."
  }
}

variable "root_device_name" {
  description = "Name of the AMI's root device, for the collectors' volumes: /dev/xvda for Debian, /dev/sda1 for Ubuntu."
  type        = string
  default     = "/dev/xvda"
  nullable    = false

  validation {
    condition     = can(regex("^/dev/[a-z0-9]+$", var.root_device_name))
    error_message = "root_device_name is a device such as /dev/xvda."
  }
}

# The end, and when it tells.

variable "force_destroy" {
  description = "Let destroy delete the bucket with the snapshots in it; for environments that come and go."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_free_storage_percent" {
  description = "Free part of a node's disk, in percent, below which the alarm is raised."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = var.alarm_free_storage_percent > 0 && var.alarm_free_storage_percent < 100
    error_message = "alarm_free_storage_percent is above 0 and below 100."
  }
}

variable "alarm_jvm_percent" {
  description = "Use of the Java heap, in percent, from which the alarm is raised."
  type        = number
  default     = 92
  nullable    = false

  validation {
    condition     = var.alarm_jvm_percent > 0 && var.alarm_jvm_percent <= 100
    error_message = "alarm_jvm_percent is above 0 and at most 100."
  }
}

variable "alarm_cpu_percent" {
  description = "CPU use of the nodes, over 45 minutes, from which the alarm is raised."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.alarm_cpu_percent > 0 && var.alarm_cpu_percent <= 100
    error_message = "alarm_cpu_percent is above 0 and at most 100."
  }
}
