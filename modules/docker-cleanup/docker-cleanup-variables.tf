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
  default     = "docker-cleanup"
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

# From the Swarm cluster.

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

# Its own.

variable "keep_hours" {
  description = "Hours that stopped containers, unused images and build caches are kept: an image counts from the day it was built."
  type        = number
  default     = 168
  nullable    = false

  validation {
    condition     = var.keep_hours >= 1 && floor(var.keep_hours) == var.keep_hours
    error_message = "keep_hours is a whole number from 1."
  }
}

variable "interval_hours" {
  description = "Hours between two prunings of a node."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.interval_hours >= 1 && var.interval_hours <= 720 && floor(var.interval_hours) == var.interval_hours
    error_message = "interval_hours is a whole number from 1 to 720."
  }
}

variable "all_images" {
  description = "Prune every image that no container uses; false prunes those without a name only."
  type        = bool
  default     = true
  nullable    = false
}

variable "volumes" {
  description = "Prune volumes without a name that no container uses, however young. Named volumes are never pruned."
  type        = bool
  default     = false
  nullable    = false
}

variable "placement" {
  description = "Nodes that are cleaned: any, manager or worker."
  type        = string
  default     = "any"
  nullable    = false

  validation {
    condition     = contains(["any", "manager", "worker"], var.placement)
    error_message = "placement is any, manager or worker."
  }
}

variable "image" {
  description = "Image with Docker's command line and a shell."
  type        = string
  default     = "docker:28.2.2-cli"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image is an image reference such as docker:28.2.2-cli."
  }
}
