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
  default     = "ecr"
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

variable "repositories" {
  description = "Repositories by name below the namespace. keep_tagged counts images; immutable tags cannot be moved to another image."
  type = map(object({
    immutable     = optional(bool, true)
    scan_on_push  = optional(bool, true)
    untagged_days = optional(number, 7)
    keep_tagged   = optional(number, 50)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.repositories) : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name)) && length(name) <= 200])
    error_message = "The name of a repository is lower-case letters and digits, parted by single dots, underscores, dashes or slashes."
  }

  validation {
    condition     = alltrue([for number in flatten([for repository in values(var.repositories) : [repository.untagged_days, repository.keep_tagged]]) : number >= 1 && floor(number) == number])
    error_message = "untagged_days and keep_tagged of a repository are whole numbers from 1."
  }
}

variable "namespace" {
  description = "What the repositories' names begin with, before a slash; empty is pre_tag in lower case."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.namespace == "" || can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", var.namespace))
    error_message = "namespace is empty or lower-case letters and digits, parted by single dots, underscores or dashes."
  }
}

variable "pull_account_ids" {
  description = "Other AWS accounts that may pull."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for account in var.pull_account_ids : can(regex("^[0-9]{12}$", account))])
    error_message = "pull_account_ids holds account ids of twelve digits."
  }
}

variable "registry_scanning" {
  description = "Scanning of the whole registry (one setting for account and region): BASIC, ENHANCED, or empty to leave it alone."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = contains(["", "BASIC", "ENHANCED"], var.registry_scanning)
    error_message = "registry_scanning is BASIC, ENHANCED or empty."
  }
}

variable "pull_through" {
  description = "Upstream registries cached below a prefix: prefix = { upstream, credential_arn }. (The sandbox cannot do it.)"
  type = map(object({
    upstream       = string
    credential_arn = optional(string, "")
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for prefix in keys(var.pull_through) : can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", prefix)) && length(prefix) >= 2 && length(prefix) <= 30])
    error_message = "A pull-through prefix is 2 to 30 lower-case letters and digits, parted by single dots, underscores or dashes."
  }

  validation {
    condition     = alltrue([for rule in values(var.pull_through) : rule.credential_arn == "" || can(regex(":secret:ecr-pullthroughcache/", rule.credential_arn))])
    error_message = "credential_arn of a pull-through rule is a secret whose name begins with ecr-pullthroughcache/."
  }

  validation {
    condition = alltrue([for rule in values(var.pull_through) :
      contains(["public.ecr.aws", "quay.io", "registry.k8s.io"], rule.upstream) ||
      (can(regex("^(registry-1\\.docker\\.io|ghcr\\.io|registry\\.gitlab\\.com|cgr\\.dev|[a-z0-9-]+\\.azurecr\\.io)$", rule.upstream)) && rule.credential_arn != "")
    ])
    error_message = "upstream of a pull-through rule is public.ecr.aws, quay.io or registry.k8s.io; or registry-1.docker.io, ghcr.io, registry.gitlab.com, cgr.dev or NAME.azurecr.io, which also need credential_arn."
  }
}

variable "cached_images" {
  description = "Newest manifests that each cached repository keeps (an image for several architectures has an index and one for each); others come again when they are pulled."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.cached_images >= 1 && floor(var.cached_images) == var.cached_images
    error_message = "cached_images is a whole number from 1."
  }
}

variable "pull_role_names" {
  description = "IAM roles that get the pull policy, such as those of the cluster's nodes: the first pull through a rule makes a repository, which needs a right of its own."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.pull_role_names : can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", name))]) && length(distinct(var.pull_role_names)) == length(var.pull_role_names)
    error_message = "pull_role_names holds names of IAM roles, each once."
  }
}

variable "notify_findings" {
  description = "Send critical and high findings of scans to alarm_topic_arn."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.notify_findings || var.alarm_topic_arn != ""
    error_message = "notify_findings needs alarm_topic_arn."
  }
}

variable "force_delete" {
  description = "Let destroy delete repositories that hold images."
  type        = bool
  default     = false
  nullable    = false
}

variable "marathon_archive" {
  description = "Where agents of DC/OS find their login (docker.tar.gz, for `uris` of Marathon's apps), on a file system that all share, such as /var/jenkins_nfs/docker.tar.gz; empty is for clusters that need none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((/[A-Za-z0-9._-]+)+/docker\\.tar\\.gz)?$", var.marathon_archive))
    error_message = "marathon_archive is empty or an absolute path that ends with /docker.tar.gz: Marathon unpacks it by that name."
  }
}

variable "marathon_cli_image" {
  description = "Image with the AWS command line, by which that login is made."
  type        = string
  default     = "amazon/aws-cli:2.27.50"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.marathon_cli_image))
    error_message = "marathon_cli_image is an image reference such as amazon/aws-cli:2.27.50."
  }
}
