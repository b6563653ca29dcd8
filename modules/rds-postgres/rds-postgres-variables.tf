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
  default     = "rds-postgres"
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
  description = "VPC that the database lives in."
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

# Generated, never in a plan or a state.

variable "master_password" {
  description = "Password of the master user."
  type        = string
  nullable    = false
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[!#-.0-?A-~]{12,128}$", var.master_password))
    error_message = "master_password is 12 to 128 printable characters without blank, slash, double quote and @."
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

variable "port" {
  description = "Port that the database listens on."
  type        = number
  default     = 5432
  nullable    = false

  validation {
    condition     = var.port >= 1150 && var.port <= 65535 && floor(var.port) == var.port
    error_message = "port is a whole number from 1150 to 65535."
  }
}

# The database.

variable "engine_version" {
  description = "Version of PostgreSQL: 17 lets RDS choose the minor version and install newer ones, 17.4 keeps that one."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = can(regex("^1[3-9](\\.[0-9]{1,2})?$", var.engine_version))
    error_message = "engine_version is 13 or later, with or without its minor version, such as 17 or 17.4."
  }
}

variable "allow_major_version_upgrade" {
  description = "Let another major engine_version upgrade the database; it cannot go back. Needs apply_immediately."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.allow_major_version_upgrade || var.apply_immediately
    error_message = "allow_major_version_upgrade needs apply_immediately = true: until the maintenance window the old parameter group would be in use, and AWS refuses to delete it."
  }
}

variable "extended_support" {
  description = "Keep a major version beyond its standard support, for a price per vCPU and hour; else AWS upgrades it when that ends. It counts when the database is made."
  type        = bool
  default     = false
  nullable    = false
}

variable "auto_minor_version_upgrade" {
  description = "Let RDS install minor versions in the maintenance window, where engine_version names the major version only."
  type        = bool
  default     = true
  nullable    = false
}

variable "instance_class" {
  description = "Class of the instance."
  type        = string
  default     = "db.t4g.small"
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9-]+\\.[a-z0-9-]+$", var.instance_class))
    error_message = "instance_class is a class of RDS, such as db.t4g.small."
  }
}

variable "multi_az" {
  description = "Keep a standby in a second zone, which takes over in a minute or two; doubles the price."
  type        = bool
  default     = false
  nullable    = false
}

variable "storage_gib" {
  description = "GiB of storage (gp3). A restored database needs at least as much as its snapshot has."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 65536 && floor(var.storage_gib) == var.storage_gib
    error_message = "storage_gib is a whole number from 20 to 65536."
  }
}

variable "max_storage_gib" {
  description = "GiB that the storage grows to by itself; 0 lets it not grow."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.max_storage_gib == 0 || (var.max_storage_gib >= ceil(var.storage_gib * 1.1) && var.max_storage_gib <= 65536)
    error_message = "max_storage_gib is 0, or at least a tenth more than storage_gib and at most 65536."
  }
}

variable "database_name" {
  description = "Database that is made with the instance; a restored one keeps the snapshot's."
  type        = string
  default     = "app"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database_name)) && !contains(["postgres", "rdsadmin", "template0", "template1"], var.database_name)
    error_message = "database_name is 1 to 63 lower-case letters, digits or underscores, does not begin with a digit, and is none of PostgreSQL's own."
  }
}

variable "username" {
  description = "Master user; a restored database keeps the snapshot's."
  type        = string
  default     = "master"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.username)) && !startswith(var.username, "pg_") && !startswith(var.username, "rds") && !contains(["admin", "public", "user"], var.username)
    error_message = "username is 1 to 63 lower-case letters, digits or underscores, begins with a letter, and is none of those that PostgreSQL and RDS keep for themselves."
  }
}

variable "password_version" {
  description = "Raise it to give the master user a new password."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "password_version is a whole number from 1."
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

variable "iam_authentication" {
  description = "Let users with the role rds_iam log in by a token of IAM in place of a password."
  type        = bool
  default     = false
  nullable    = false
}

variable "slow_query_ms" {
  description = "Milliseconds from which a statement is logged, with its text; -1 logs none."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.slow_query_ms >= -1 && floor(var.slow_query_ms) == var.slow_query_ms
    error_message = "slow_query_ms is a whole number from -1."
  }
}

variable "parameters" {
  description = "More parameters of PostgreSQL by name; those that the module sets itself win. at_reboot is for those that need a restart."
  type = map(object({
    value     = string
    at_reboot = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.parameters) : can(regex("^[a-z][a-z0-9_.]*$", name))])
    error_message = "parameters has names in lower case, such as shared_preload_libraries."
  }
}

variable "performance_insights_days" {
  description = "Days that Performance Insights keeps what it measured: 7 costs nothing, 465 is the advanced mode of Database Insights (priced per vCPU), 0 turns it off."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = contains([0, 7, 465], var.performance_insights_days)
    error_message = "performance_insights_days is 0, 7 or 465: AWS ended other periods in June 2026."
  }
}

variable "apply_immediately" {
  description = "Make changes that restart the database at once, not in the maintenance window."
  type        = bool
  default     = false
  nullable    = false
}

variable "maintenance_window" {
  description = "When RDS may restart the database (UTC)."
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
    ]] : (ends[1] - ends[0] + 10080) % 10080 >= 30 && (ends[1] - ends[0] + 10080) % 10080 < 1440]), true)
    error_message = "maintenance_window lasts at least 30 minutes and less than 24 hours."
  }
}

# Backups and the end.

variable "backup_window" {
  description = "When RDS takes its daily backup (UTC); not within maintenance_window."
  type        = string
  default     = "02:00-03:00"
  nullable    = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup_window))
    error_message = "backup_window is a daily window such as 02:00-03:00."
  }

  validation {
    condition     = try((60 * substr(var.backup_window, 6, 2) + substr(var.backup_window, 9, 2) - 60 * substr(var.backup_window, 0, 2) - substr(var.backup_window, 3, 2) + 1440) % 1440 >= 30, true)
    error_message = "backup_window has 30 minutes at least."
  }

  validation {
    # In minutes of the day, where both begin and how long they are: neither may begin within the other.
    condition = try(alltrue([for both in [{
      daily    = 60 * substr(var.backup_window, 0, 2) + substr(var.backup_window, 3, 2)
      weekly   = 60 * substr(var.maintenance_window, 4, 2) + substr(var.maintenance_window, 7, 2)
      daily_to = 60 * substr(var.backup_window, 6, 2) + substr(var.backup_window, 9, 2)
      week_to  = 60 * substr(var.maintenance_window, 14, 2) + substr(var.maintenance_window, 17, 2)
      }] :
      (both.weekly - both.daily + 1440) % 1440 >= (both.daily_to - both.daily + 1440) % 1440
      && (both.daily - both.weekly + 1440) % 1440 >= (both.week_to - both.weekly + 1440) % 1440
    ]), true)
    error_message = "backup_window and maintenance_window must not overlap: AWS refuses both."
  }
}

variable "backup_retention_days" {
  description = "Days back to which the database can be restored, to the second; 0 makes no backups. A change from or to 0 interrupts the database."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 0 && var.backup_retention_days <= 35 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days is a whole number from 0 to 35."
  }
}

variable "backup_vault" {
  description = "Existing vault of AWS Backup for daily copies that outlive the database; empty makes none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{0,50}$", var.backup_vault))
    error_message = "backup_vault is the name of a vault: at most 50 letters, digits, underscores or dashes."
  }
}

variable "backup_vault_days" {
  description = "Days that copies in the vault are kept."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.backup_vault_days >= 1 && floor(var.backup_vault_days) == var.backup_vault_days
    error_message = "backup_vault_days is a whole number from 1."
  }
}

variable "snapshot_identifier" {
  description = "Snapshot that the database is made from; it counts when the database is made, see generation."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z][A-Za-z0-9:-]*|arn:[a-z-]+:rds:[a-z0-9-]+:[0-9]{12}:snapshot:.+)?$", var.snapshot_identifier))
    error_message = "snapshot_identifier is empty, or the name or the ARN of a snapshot, such as rds:app-2030-01-31-02-00."
  }
}

variable "generation" {
  description = "Raise it to make the database anew (from snapshot_identifier, where one is given): the one that is there is deleted."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.generation >= 1 && floor(var.generation) == var.generation
    error_message = "generation is a whole number from 1."
  }
}

variable "deletion_protection" {
  description = "Have AWS refuse to delete the database. Turn it off, and apply, before you destroy or restore."
  type        = bool
  default     = true
  nullable    = false
}

variable "skip_final_snapshot" {
  description = "Delete the database without a last snapshot; for environments that come and go."
  type        = bool
  default     = false
  nullable    = false
}

# When it tells.

variable "alarm_cpu_percent" {
  description = "CPU use, over 15 minutes, above which the alarm is raised."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.alarm_cpu_percent > 0 && var.alarm_cpu_percent <= 100
    error_message = "alarm_cpu_percent is above 0 and at most 100."
  }
}

variable "alarm_free_storage_gib" {
  description = "GiB of free storage below which the alarm is raised."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.alarm_free_storage_gib > 0
    error_message = "alarm_free_storage_gib is above 0."
  }
}

variable "alarm_connections" {
  description = "Connections above which the alarm is raised; null is nine tenths (or six less than all, if that is lower) of those that the database allows by its class and by max_connections in parameters, or 150 where the class is not known."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.alarm_connections, 1) >= 1
    error_message = "alarm_connections is at least 1."
  }
}

variable "alarm_free_memory_mib" {
  description = "MiB of free memory, over 15 minutes, below which the alarm is raised."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.alarm_free_memory_mib > 0
    error_message = "alarm_free_memory_mib is above 0."
  }
}

variable "notify_events" {
  description = "Tell alarm_topic_arn, if it names a topic, when the database fails, fails over, restarts, or is full, and when a copy in backup_vault failed."
  type        = bool
  default     = true
  nullable    = false
}
