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
  default     = "jenkins"
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
  description = "VPC of the cluster."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Private subnets that the cluster's nodes stand in: the home is mounted from each."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 1
    error_message = "private_subnet_ids holds at least one subnet: the home is mounted from nowhere else."
  }
}

# From the Swarm cluster.

variable "swarm_domain" {
  description = "Domain of the cluster; Jenkins answers on a name below it, which the cluster's certificate covers."
  type        = string
  nullable    = false
}

variable "swarm_lb_dns_name" {
  description = "DNS name of the cluster's load balancer."
  type        = string
  nullable    = false
}

variable "swarm_lb_zone_id" {
  description = "Hosted zone of the load balancer's DNS name."
  type        = string
  nullable    = false
}

variable "swarm_stack_bucket" {
  description = "Bucket with the stack files that the cluster deploys."
  type        = string
  nullable    = false
}

variable "swarm_image_cache" {
  description = "Where the cluster pulls images of Docker Hub from; empty is Docker Hub."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?(/[a-z0-9]+([._-][a-z0-9]+)*)+)?$", var.swarm_image_cache))
    error_message = "swarm_image_cache is empty or ACCOUNT.dkr.ecr.REGION.amazonaws.com/PREFIX."
  }
}

variable "swarm_stack_prefix" {
  description = "Prefix of the stack files in that bucket."
  type        = string
  nullable    = false
}

variable "swarm_network_name" {
  description = "Overlay network that the cluster's router reaches services by."
  type        = string
  nullable    = false
}

variable "swarm_manager_role_name" {
  description = "IAM role of the cluster's managers."
  type        = string
  nullable    = false
}

variable "swarm_worker_role_name" {
  description = "IAM role of the cluster's workers."
  type        = string
  nullable    = false
}

variable "swarm_security_group_id" {
  description = "Security group of every node: it may mount the home."
  type        = string
  nullable    = false
}

variable "swarm_kms_key_arn" {
  description = "The cluster's key: encrypts the home where kms_key_arn is empty."
  type        = string
  nullable    = false
}

# Its own.

variable "client_cidrs" {
  description = "Networks that may connect through the cluster's load balancer, such as those of your offices and of the VPN's way out; without any Jenkins is not routed, see published_port."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "client_cidrs are IPv4 networks such as 192.0.2.0/24; the whole world is none of them."
  }
}

variable "published_port" {
  description = "Port of every node that leads to Jenkins, for an internal load balancer (module alb); 0 publishes none."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.published_port == 0 || (var.published_port >= 1024 && var.published_port <= 65535 && floor(var.published_port) == var.published_port)
    error_message = "published_port is 0 or a whole number from 1024 to 65535."
  }
  validation {
    condition     = var.published_port > 0 || length(var.client_cidrs) > 0
    error_message = "Nobody could reach Jenkins: give client_cidrs, or published_port and a load balancer of its own."
  }
}

variable "hostname" {
  description = "Name of Jenkins below the cluster's domain; empty is jenkins-PRE_TAG."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$", var.hostname))
    error_message = "hostname is one DNS label: the cluster's certificate covers one level."
  }
}

variable "image" {
  description = "Image of Jenkins, made of the official one: with bash, tar, tini and setpriv."
  type        = string
  default     = "jenkins/jenkins:2.516.3-lts-jdk21"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image is an image reference such as jenkins/jenkins:2.516.3-lts-jdk21."
  }
}

variable "fetch_image" {
  description = "Image with the AWS command line and bash, which fetches what is restored."
  type        = string
  default     = "amazon/aws-cli:2.27.50"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.fetch_image))
    error_message = "fetch_image is an image reference such as amazon/aws-cli:2.27.50."
  }
}

variable "java_opts" {
  description = "Options of Jenkins's Java."
  type        = string
  default     = "-XX:MaxRAMPercentage=60"
  nullable    = false

  validation {
    condition     = can(regex("^[^\\n\"]*$", var.java_opts))
    error_message = "java_opts is one line without double quotes."
  }
}

variable "memory" {
  description = "Memory that Jenkins may use, in MB."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = var.memory >= 512 && floor(var.memory) == var.memory
    error_message = "memory is a whole number from 512."
  }
}

variable "placement" {
  description = "Nodes that it runs on: any, manager or worker."
  type        = string
  default     = "worker"
  nullable    = false

  validation {
    condition     = contains(["any", "manager", "worker"], var.placement)
    error_message = "placement is any, manager or worker."
  }
}

variable "restore_jenkins" {
  description = "1 fills the home from the archive restore_key once, before Jenkins starts; 0 leaves it."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = contains([0, 1], var.restore_jenkins)
    error_message = "restore_jenkins is 0 or 1."
  }
}

variable "restore_jobs" {
  description = "1 fills the folder jobs from the archive restore_jobs_key once, before Jenkins starts; 0 leaves it."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = contains([0, 1], var.restore_jobs)
    error_message = "restore_jobs is 0 or 1."
  }
}

variable "restore_bucket" {
  description = "Bucket with the archives; needed where something is restored."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = (var.restore_jenkins == 0 && var.restore_jobs == 0) || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.restore_bucket))
    error_message = "restore_bucket is the name of a bucket where restore_jenkins or restore_jobs is 1."
  }
}

variable "restore_kms_key_arn" {
  description = "KMS key that encrypts the archives in that bucket; empty where S3's own key does."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.restore_kms_key_arn == "" || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.restore_kms_key_arn))
    error_message = "restore_kms_key_arn is empty or the ARN of a KMS key."
  }
}

variable "restore_key" {
  description = "Archive of the home (tar.gz) in that bucket, with the home's content at its top."
  type        = string
  default     = "jenkins/home.tar.gz"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]{0,511}$", var.restore_key))
    error_message = "restore_key is a key of letters, digits, dots, slashes, underscores and dashes."
  }
}

variable "restore_jobs_key" {
  description = "Archive of the folder jobs (tar.gz) in that bucket, with its content at the top."
  type        = string
  default     = "jenkins/jobs.tar.gz"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]{0,511}$", var.restore_jobs_key))
    error_message = "restore_jobs_key is a key of letters, digits, dots, slashes, underscores and dashes."
  }
}

variable "restore_excludes" {
  description = "Paths of the archived home that are not restored; an asterisk stands for any characters."
  type        = list(string)
  default     = ["workspace", "caches", "logs", "war", ".cache", "queue.xml*"]
  nullable    = false

  validation {
    condition     = alltrue([for path in var.restore_excludes : can(regex("^[A-Za-z0-9._*][A-Za-z0-9._*/@-]*$", path))])
    error_message = "restore_excludes are relative paths of letters, digits, dots, asterisks, slashes, underscores, dashes and @."
  }
}

variable "restore_version" {
  description = "Raise it to restore once more."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.restore_version >= 1 && floor(var.restore_version) == var.restore_version
    error_message = "restore_version is a whole number from 1."
  }
}

variable "restore_limit_minutes" {
  description = "Minutes that Jenkins waits for an archive; it does not start without one that was asked for."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.restore_limit_minutes >= 1 && floor(var.restore_limit_minutes) == var.restore_limit_minutes
    error_message = "restore_limit_minutes is a whole number from 1."
  }
}

variable "backup_vault" {
  description = "Vault of AWS Backup that keeps the home every night; empty leaves that to EFS, which keeps 35 days in a vault of its own."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{0,50}$", var.backup_vault))
    error_message = "backup_vault is the name of a vault: at most 50 letters, digits, underscores or dashes."
  }
}

variable "backup_days" {
  description = "Days that backups in backup_vault are kept."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.backup_days >= 1 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days is a whole number from 1."
  }
}
