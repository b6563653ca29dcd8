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
  default     = "snapshot"
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

# What is saved, and how often.

variable "runtime" {
  description = "What runs the applications: swarm or marathon."
  type        = string
  default     = "swarm"
  nullable    = false

  validation {
    condition     = contains(["swarm", "marathon"], var.runtime)
    error_message = "runtime is swarm or marathon."
  }
}

variable "interval_hours" {
  description = "Hours between two snapshots; the alarm is raised when two in a row are missing."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains([1, 2, 3, 4, 6, 8, 12], var.interval_hours)
    error_message = "interval_hours is 1, 2, 3, 4, 6, 8 or 12."
  }
}

variable "keep_days" {
  description = "Days that a snapshot is kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.keep_days >= 2 && floor(var.keep_days) == var.keep_days
    error_message = "keep_days is a whole number from 2."
  }
}

variable "force_destroy" {
  description = "Let destroy delete the bucket with all snapshots."
  type        = bool
  default     = false
  nullable    = false
}

# From the Swarm cluster, where runtime is swarm.

variable "swarm_stack_bucket" {
  description = "Bucket with the stack files that the cluster deploys."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.runtime != "swarm" || var.swarm_stack_bucket != ""
    error_message = "swarm_stack_bucket is needed where runtime is swarm."
  }
}

variable "swarm_stack_prefix" {
  description = "Prefix of the stack files in that bucket."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.runtime != "swarm" || var.swarm_stack_prefix != ""
    error_message = "swarm_stack_prefix is needed where runtime is swarm."
  }
}

variable "swarm_manager_role_name" {
  description = "IAM role of the cluster's managers."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.runtime != "swarm" || var.swarm_manager_role_name != ""
    error_message = "swarm_manager_role_name is needed where runtime is swarm."
  }
}

variable "image" {
  description = "Image with Python 3.11 or newer and boto3, for the container on each Swarm manager."
  type        = string
  default     = "public.ecr.aws/lambda/python:3.12"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image is an image reference such as public.ecr.aws/lambda/python:3.12."
  }
}

# From the network and the DC/OS cluster, where runtime is marathon.

variable "vpc_id" {
  description = "VPC that Marathon is reached from; for runtime marathon only."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.runtime != "marathon" || var.vpc_id != ""
    error_message = "vpc_id is needed where runtime is marathon."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: where Marathon is looked for unless dcos_security_group_id is set."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.runtime != "marathon" || can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is an address range such as 10.0.0.0/16, and needed where runtime is marathon."
  }
}

variable "private_subnet_ids" {
  description = "Private subnets that the function runs in; they need a way to S3 and Secrets Manager. For runtime marathon only."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.runtime != "marathon" || length(var.private_subnet_ids) >= 1
    error_message = "private_subnet_ids holds at least one subnet where runtime is marathon."
  }
}

variable "dcos_url" {
  description = "Address of the DC/OS cluster, or of a Marathon that stands alone (marathon_path is then empty); for runtime marathon only."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?)?$", var.dcos_url)) && (var.runtime != "marathon" || var.dcos_url != "")
    error_message = "dcos_url is an address such as https://dcos.example.com without a path, and needed where runtime is marathon."
  }
}

variable "marathon_path" {
  description = "Path of Marathon below dcos_url."
  type        = string
  default     = "/service/marathon"
  nullable    = false

  validation {
    condition     = can(regex("^(/[A-Za-z0-9._-]+)*$", var.marathon_path))
    error_message = "marathon_path is empty or a path without a slash at its end, such as /service/marathon."
  }
}

variable "dcos_security_group_id" {
  description = "Security group of what answers at dcos_url; empty lets the function reach that port in the whole VPC."
  type        = string
  default     = ""
  nullable    = false
}

variable "marathon_auth_secret_arn" {
  description = "Secret whose value is the Authorization header for Marathon, such as token=…; empty sends none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.marathon_auth_secret_arn == "" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.marathon_auth_secret_arn))
    error_message = "marathon_auth_secret_arn is empty or the ARN of a secret in Secrets Manager."
  }

  validation {
    condition     = var.marathon_auth_secret_arn == "" || startswith(var.dcos_url, "https://")
    error_message = "marathon_auth_secret_arn needs a dcos_url with https: the header must not travel in the clear."
  }
}

variable "marathon_ca_pem" {
  description = "Certificates (PEM) of the authority that signed what answers at dcos_url; empty trusts the public ones."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.marathon_ca_pem) <= 3000 && (var.marathon_ca_pem == "" || startswith(var.marathon_ca_pem, "-----BEGIN CERTIFICATE-----"))
    error_message = "marathon_ca_pem is empty or at most 3000 characters of certificates in PEM."
  }
}

variable "function_runtime" {
  description = "Python of the function."
  type        = string
  default     = "python3.12"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.1[2-9]$", var.function_runtime))
    error_message = "function_runtime is python3.12 or newer."
  }
}

variable "function_timeout_s" {
  description = "Seconds after which the function is ended; a restore of many applications by hand may need more."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.function_timeout_s >= 30 && var.function_timeout_s <= 900 && floor(var.function_timeout_s) == var.function_timeout_s
    error_message = "function_timeout_s is a whole number from 30 to 900."
  }
}
