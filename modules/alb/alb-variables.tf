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
  default     = "alb"
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

# From the network.

variable "vpc_id" {
  description = "VPC that the load balancer lives in."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: those of an internal load balancer come from it, and its targets live there."
  type        = string
  nullable    = false
}

variable "public_subnet_ids" {
  description = "Public subnets, in two or more zones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "public_subnet_ids holds at least two subnets, in different zones."
  }
}

variable "private_subnet_ids" {
  description = "Private subnets, in two or more zones: an internal load balancer stands there."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "private_subnet_ids holds at least two subnets, in different zones."
  }
}

# The application.

variable "hostname" {
  description = "Name of the application below the domain; empty is the unit's name."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*)?$", var.hostname))
    error_message = "hostname is empty or made of DNS labels: lower-case letters, digits or dashes, such as shop or www.shop."
  }
}

variable "service_port" {
  description = "Port that the application listens on."
  type        = number
  nullable    = false

  validation {
    condition     = var.service_port >= 1 && var.service_port <= 65535 && floor(var.service_port) == var.service_port
    error_message = "service_port is a whole number from 1 to 65535."
  }
}

variable "service_protocol" {
  description = "HTTP or HTTPS between the load balancer and the application."
  type        = string
  default     = "HTTP"
  nullable    = false

  validation {
    condition     = contains(["HTTP", "HTTPS"], var.service_protocol)
    error_message = "service_protocol is HTTP or HTTPS."
  }
}

variable "health_path" {
  description = "Path that the load balancer asks the application for."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = startswith(var.health_path, "/") && length(var.health_path) <= 1024
    error_message = "health_path begins with a slash and has at most 1024 characters."
  }
}

variable "health_port" {
  description = "Port of the health check; 0 is service_port."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.health_port >= 0 && var.health_port <= 65535 && floor(var.health_port) == var.health_port
    error_message = "health_port is 0 or a whole number from 1 to 65535."
  }
}

variable "health_codes" {
  description = "Answers of a healthy application, such as 200 or 200-399."
  type        = string
  default     = "200"
  nullable    = false

  validation {
    condition     = can(regex("^[2-4][0-9]{2}([,-][2-4][0-9]{2})*$", var.health_codes))
    error_message = "health_codes is a code, a range or a list, such as 200, 200-399 or 200,302."
  }
}

variable "autoscaling_group_names" {
  description = "Autoscaling groups whose instances serve the application."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "instance_ids" {
  description = "Instances that serve the application."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "target_security_group_ids" {
  description = "Security groups of those instances: the load balancer is let into each. Without any, let in the output alb_security_group_id yourself."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "sticky_seconds" {
  description = "Seconds that a client stays with the same instance; 0 spreads every request."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.sticky_seconds >= 0 && var.sticky_seconds <= 604800 && floor(var.sticky_seconds) == var.sticky_seconds
    error_message = "sticky_seconds is a whole number from 0 to 604800 (a week)."
  }
}

variable "deregistration_delay_seconds" {
  description = "Seconds that an instance which leaves may finish its requests."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deregistration_delay_seconds >= 0 && var.deregistration_delay_seconds <= 3600 && floor(var.deregistration_delay_seconds) == var.deregistration_delay_seconds
    error_message = "deregistration_delay_seconds is a whole number from 0 to 3600."
  }
}

variable "idle_timeout_seconds" {
  description = "Seconds after which a silent connection is closed."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.idle_timeout_seconds >= 1 && var.idle_timeout_seconds <= 4000 && floor(var.idle_timeout_seconds) == var.idle_timeout_seconds
    error_message = "idle_timeout_seconds is a whole number from 1 to 4000."
  }
}

# The load balancer.

variable "internal" {
  description = "Stand in the private subnets and be reached from the VPC (and ingress_cidrs) only."
  type        = bool
  default     = false
  nullable    = false
}

variable "ingress_cidrs" {
  description = "Networks that may connect; none is the world, with internal the VPC."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.ingress_cidrs : can(cidrnetmask(cidr))])
    error_message = "ingress_cidrs holds IPv4 networks in CIDR form, such as 198.51.100.0/24."
  }

  validation {
    condition     = !var.internal || !contains(var.ingress_cidrs, var.vpc_cidr)
    error_message = "ingress_cidrs holds vpc_cidr, which internal lets in already: EC2 refuses the same rule twice."
  }
}

variable "certificate_arn" {
  description = "Existing certificate for the application's name; empty makes one, proved by a DNS record."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.certificate_arn == "" || can(regex("^arn:[a-z-]+:(acm|iam):[a-z0-9-]*:[0-9]{12}:.+$", var.certificate_arn))
    error_message = "certificate_arn is empty or the ARN of a certificate of ACM or IAM."
  }
}

variable "ssl_policy" {
  description = "Security policy of the HTTPS listener."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  nullable    = false

  validation {
    condition     = startswith(var.ssl_policy, "ELBSecurityPolicy-TLS13-1-2") || startswith(var.ssl_policy, "ELBSecurityPolicy-TLS13-1-3")
    error_message = "ssl_policy is one of those with TLS 1.3 and nothing below 1.2 (ELBSecurityPolicy-TLS13-1-2-… or -1-3-…)."
  }
}

variable "deletion_protection" {
  description = "Have AWS refuse to delete the load balancer."
  type        = bool
  default     = false
  nullable    = false
}

variable "access_logs" {
  description = "Keep a line for every request, in a bucket."
  type        = bool
  default     = false
  nullable    = false
}

variable "access_logs_days" {
  description = "Days that those lines are kept."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.access_logs_days >= 1 && floor(var.access_logs_days) == var.access_logs_days
    error_message = "access_logs_days is a whole number from 1."
  }
}

variable "force_destroy" {
  description = "Let destroy delete the bucket with all access logs."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_errors" {
  description = "Answers 5xx in five minutes, of the application or of the load balancer itself, above which an alarm is raised."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.alarm_errors >= 0
    error_message = "alarm_errors is not negative."
  }
}
