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
  default     = "docker-registry"
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

# From the Swarm cluster.

variable "swarm_domain" {
  description = "Domain of the cluster; the registry answers on a name below it, which the cluster's certificate covers."
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

variable "swarm_kms_key_arn" {
  description = "The cluster's key: encrypts images and secrets where kms_key_arn is empty."
  type        = string
  nullable    = false
}

# Generated, never in a plan or a state.

variable "registry_password" {
  description = "Password of the registry's user."
  type        = string
  nullable    = false
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.registry_password) >= 12 && length(var.registry_password) <= 72
    error_message = "registry_password is 12 to 72 characters: bcrypt reads no more."
  }
}

variable "registry_http_secret" {
  description = "Secret that the registry's replicas sign the state of uploads with."
  type        = string
  nullable    = false
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.registry_http_secret) >= 16
    error_message = "registry_http_secret is at least 16 characters."
  }
}

# Its own.

variable "hostname" {
  description = "Name of the registry below the cluster's domain."
  type        = string
  default     = "registry"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.hostname))
    error_message = "hostname is one DNS label: the cluster's certificate covers one level."
  }
}

variable "username" {
  description = "User that pushes and pulls."
  type        = string
  default     = "registry"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,64}$", var.username))
    error_message = "username is 1 to 64 letters, digits, dots, underscores or dashes."
  }
}

variable "secret_version" {
  description = "Raise it to make a new password and a new shared secret."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.secret_version >= 1 && floor(var.secret_version) == var.secret_version
    error_message = "secret_version is a whole number from 1."
  }
}

variable "secret_recovery_days" {
  description = "Days that a deleted secret can be brought back: 0 or 7 to 30."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains(concat([0], range(7, 31)), var.secret_recovery_days)
    error_message = "secret_recovery_days is 0 or a whole number from 7 to 30."
  }
}

variable "bucket_name" {
  description = "Name of the bucket with the images, which is made; empty makes up one that nobody else has."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.bucket_name == "" || (can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name)) && !startswith(var.bucket_name, "xn--") && !endswith(var.bucket_name, "-s3alias"))
    error_message = "bucket_name is empty or 3 to 63 lower-case letters, digits or dashes, and neither begins nor ends with a dash."
  }
}

variable "root_directory" {
  description = "Folder of the images in the bucket."
  type        = string
  default     = "/docker-registry"
  nullable    = false

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)+$", var.root_directory))
    error_message = "root_directory begins with a slash and does not end with one, such as /docker-registry."
  }
}

variable "image" {
  description = "Image of the registry: Distribution 3, or a build of 2.8 whose AWS library knows credential_process."
  type        = string
  default     = "registry:3.0.0"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image is an image reference such as registry:3.0.0."
  }

  validation {
    condition     = !can(regex("^((docker\\.io/)?library/)?registry:2([.@]|$)", var.image))
    error_message = "image is registry:2, whose AWS library is of 2018: it knows neither tokens of the instance metadata nor credential_process, and reaches no bucket. Take registry:3.0.0; it reads the same images."
  }
}

variable "replicas" {
  description = "Copies of the registry."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.replicas >= 1 && var.replicas <= 20 && floor(var.replicas) == var.replicas
    error_message = "replicas is a whole number from 1 to 20."
  }
}

variable "allow_delete" {
  description = "Let the user delete images (space comes back by `registry garbage-collect` only)."
  type        = bool
  default     = true
  nullable    = false
}

variable "gc_schedule" {
  description = "When what no image names any more is deleted, in UTC: a day and a time such as `Sun 03:00`, or `daily 03:00`. Nobody can push meanwhile. Empty is never."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((Mon|Tue|Wed|Thu|Fri|Sat|Sun|daily) ([01][0-9]|2[0-3]):[0-5][0-9])?$", var.gc_schedule))
    error_message = "gc_schedule is empty, or a day (Mon to Sun, or daily) and a time, such as Sun 03:00."
  }
}

variable "gc_minutes" {
  description = "Minutes that it may take, ten of which the copies need to agree; what is left then waits for the next time."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.gc_minutes >= 15 && var.gc_minutes <= 720 && floor(var.gc_minutes) == var.gc_minutes
    error_message = "gc_minutes is a whole number from 15 to 720."
  }
}

variable "redirect_to_bucket" {
  description = "Send those who pull straight to S3 for the layers. Turn it off where they cannot reach S3."
  type        = bool
  default     = true
  nullable    = false
}

variable "force_destroy" {
  description = "Let destroy delete the bucket with all images."
  type        = bool
  default     = false
  nullable    = false
}
