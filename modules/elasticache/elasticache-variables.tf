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
  default     = "elasticache"
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
  description = "VPC that the cache lives in."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: all of them may connect where no clients are named."
  type        = string
  nullable    = false
}

variable "private_subnet_ids" {
  description = "Private subnets, in two or more zones."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "private_subnet_ids holds at least two subnets, in different zones."
  }
}

# Who may connect.

variable "client_security_group_ids" {
  description = "Security groups that may connect, such as that of a cluster's nodes; where client_cidrs is empty too, the whole VPC may."
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

variable "authentication" {
  description = "iam (users log in by a token of their IAM role) or network (whoever reaches the port may do everything)."
  type        = string
  default     = "iam"
  nullable    = false

  validation {
    condition     = contains(["iam", "network"], var.authentication)
    error_message = "authentication is iam or network."
  }
}

variable "users" {
  description = "Users by name, with what they may do (an access string of ACLs); for authentication iam."
  type        = map(string)
  default     = { app = "on ~* &* +@all -@dangerous" }
  nullable    = false

  validation {
    condition     = alltrue([for name, access in var.users : can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", name)) && !strcontains(name, "--") && name != "default" && can(regex("^(on|off) ", access))])
    error_message = "users has names of 1 to 20 lower-case letters, digits or single dashes (not default), and access strings that begin with on or off."
  }

  validation {
    condition     = var.authentication != "iam" || length(var.users) > 0
    error_message = "users holds at least one user where authentication is iam."
  }
}

variable "port" {
  description = "Port that the cache listens on."
  type        = number
  default     = 6379
  nullable    = false

  validation {
    condition     = var.port >= 1024 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "port is a whole number from 1024 to 65535."
  }
}

# The cache.

variable "engine" {
  description = "valkey or redis; redis can become valkey in place, not the other way round."
  type        = string
  default     = "valkey"
  nullable    = false

  validation {
    condition     = contains(["valkey", "redis"], var.engine)
    error_message = "engine is valkey or redis."
  }
}

variable "engine_version" {
  description = "Version of the engine: 7.2 or 8.x of Valkey, 7.x of Redis. It only goes up: a lower one replaces the cache."
  type        = string
  default     = "8.0"
  nullable    = false

  validation {
    condition     = can(regex(var.engine == "valkey" ? "^(7\\.2|8\\.[0-9]+)$" : "^7\\.[01]$", var.engine_version))
    error_message = "engine_version is 7.2 or 8.x with engine valkey, 7.0 or 7.1 with redis."
  }
}

variable "node_type" {
  description = "Type of the nodes."
  type        = string
  default     = "cache.t4g.small"
  nullable    = false

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type is a type of ElastiCache, such as cache.t4g.small."
  }
}

variable "nodes" {
  description = "Nodes: one holds the primary, the others copies in other zones, one of which takes over when it fails. 1 has none; a change from or to 1 needs apply_immediately."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6 && floor(var.nodes) == var.nodes
    error_message = "nodes is a whole number from 1 to 6."
  }
}

variable "parameters" {
  description = "Parameters of the engine by name, such as maxmemory-policy; without any, AWS's own group is used."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.parameters) : can(regex("^[a-z][a-z0-9-]*$", name))])
    error_message = "parameters has names in lower case, such as maxmemory-policy."
  }
}

variable "apply_immediately" {
  description = "Make changes at once, not in the maintenance window."
  type        = bool
  default     = false
  nullable    = false
}

variable "maintenance_window" {
  description = "When ElastiCache may change nodes (UTC)."
  type        = string
  default     = "sun:04:00-sun:05:00"
  nullable    = false

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window is a weekly window such as sun:04:00-sun:05:00."
  }

  validation {
    # In minutes of the week, where it begins and where it ends.
    condition = try(alltrue([for ends in [[for at in [0, 10] :
      1440 * index(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], substr(var.maintenance_window, at, 3)) + 60 * substr(var.maintenance_window, at + 4, 2) + substr(var.maintenance_window, at + 7, 2)
    ]] : (ends[1] - ends[0] + 10080) % 10080 >= 60 && (ends[1] - ends[0] + 10080) % 10080 < 1440]), true)
    error_message = "maintenance_window lasts at least 60 minutes and less than 24 hours."
  }
}

# Snapshots and the end.

variable "snapshot_window" {
  description = "When ElastiCache takes its daily snapshot (UTC); not within maintenance_window."
  type        = string
  default     = "02:00-03:00"
  nullable    = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.snapshot_window))
    error_message = "snapshot_window is a daily window such as 02:00-03:00."
  }

  validation {
    condition     = try((60 * substr(var.snapshot_window, 6, 2) + substr(var.snapshot_window, 9, 2) - 60 * substr(var.snapshot_window, 0, 2) - substr(var.snapshot_window, 3, 2) + 1440) % 1440 >= 60, true)
    error_message = "snapshot_window has 60 minutes at least."
  }

  validation {
    # In minutes of the day, where both begin and how long they are: neither may begin within the other.
    condition = try(alltrue([for both in [{
      daily    = 60 * substr(var.snapshot_window, 0, 2) + substr(var.snapshot_window, 3, 2)
      weekly   = 60 * substr(var.maintenance_window, 4, 2) + substr(var.maintenance_window, 7, 2)
      daily_to = 60 * substr(var.snapshot_window, 6, 2) + substr(var.snapshot_window, 9, 2)
      week_to  = 60 * substr(var.maintenance_window, 14, 2) + substr(var.maintenance_window, 17, 2)
      }] :
      (both.weekly - both.daily + 1440) % 1440 >= (both.daily_to - both.daily + 1440) % 1440
      && (both.daily - both.weekly + 1440) % 1440 >= (both.week_to - both.weekly + 1440) % 1440
    ]), true)
    error_message = "snapshot_window and maintenance_window must not overlap: AWS refuses both."
  }
}

variable "snapshot_retention_days" {
  description = "Days that daily snapshots are kept; 0 takes none."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.snapshot_retention_days >= 0 && var.snapshot_retention_days <= 35 && floor(var.snapshot_retention_days) == var.snapshot_retention_days
    error_message = "snapshot_retention_days is a whole number from 0 to 35."
  }
}

variable "snapshot_name" {
  description = "Snapshot that the cache is made from; it counts when the cache is made, see generation."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z][A-Za-z0-9.:-]*)?$", var.snapshot_name))
    error_message = "snapshot_name is empty or the name of a snapshot: letters, digits, dots, colons and dashes."
  }
}

variable "generation" {
  description = "Raise it to make the cache anew (from snapshot_name, where one is given): the one that is there is deleted."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.generation >= 1 && floor(var.generation) == var.generation
    error_message = "generation is a whole number from 1."
  }
}

variable "skip_final_snapshot" {
  description = "Delete the cache without a last snapshot; for environments that come and go."
  type        = bool
  default     = false
  nullable    = false
}

# When it tells.

variable "alarm_cpu_percent" {
  description = "Use of the engine's CPU, over 15 minutes, above which the alarm of a node is raised."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.alarm_cpu_percent > 0 && var.alarm_cpu_percent <= 100
    error_message = "alarm_cpu_percent is above 0 and at most 100."
  }
}

variable "alarm_memory_percent" {
  description = "Use of the memory above which the alarm of a node is raised."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.alarm_memory_percent > 0 && var.alarm_memory_percent <= 100
    error_message = "alarm_memory_percent is above 0 and at most 100."
  }
}

variable "alarm_evictions" {
  description = "Keys evicted for want of memory in five minutes, from which the alarm of a node is raised; 0 raises none."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.alarm_evictions >= 0
    error_message = "alarm_evictions is not negative."
  }
}

variable "alarm_lag_s" {
  description = "Seconds that a copy is behind the primary, over 15 minutes, above which its alarm is raised; 0 raises none."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.alarm_lag_s >= 0
    error_message = "alarm_lag_s is not negative."
  }
}
