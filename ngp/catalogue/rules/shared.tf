# The inputs that modules share. Whoever declares one of these says all that stands here, and nothing else;
# where there is no description, each module says in its own words what it does with it.

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

variable "vpc_id" {
  type = string
}

variable "vpc_cidr" {
  type = string
}

variable "key_pair_name" {
  type = string
}

variable "hosted_zone_id" {
  type = string
}

variable "private_subnet_ids" {
  type = list(string)
}

variable "public_subnet_ids" {
  type = list(string)
}
