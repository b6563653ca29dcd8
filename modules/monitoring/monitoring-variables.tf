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
  default     = "monitoring"
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
  description = "VPC that is watched."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: all of them may open the pages where no clients are named."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && !endswith(var.vpc_cidr, "/0")
    error_message = "vpc_cidr is an IPv4 network in CIDR form, such as 10.0.0.0/16, and not the world."
  }
}

variable "private_subnet_ids" {
  description = "Private subnets with a way out; the servers stand in the first two."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) > 0
    error_message = "private_subnet_ids names at least one subnet."
  }
}

variable "key_pair_name" {
  description = "Key pair for SSH; empty leaves Session Manager as the only way in."
  type        = string
  default     = ""
  nullable    = false
}

# Who may open the pages.

variable "client_security_group_ids" {
  description = "Security groups that may open the pages, such as that of the VPN; where client_cidrs is empty too, the whole VPC may."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "client_cidrs" {
  description = "Networks that may open the pages, besides client_security_group_ids."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "client_cidrs holds IPv4 networks in CIDR form, such as 10.8.0.0/16, and not the world: the pages ask nobody who he is."
  }
}

# The servers.

variable "hostname" {
  description = "Name of the server with recent series below domain_name; the other has -longterm at its end."
  type        = string
  default     = "prometheus"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$", var.hostname))
    error_message = "hostname is one label of a DNS name, at most 52 characters: lower-case letters, digits and dashes."
  }
}

variable "debian_release" {
  description = "Release of Debian that the servers get without ami_id: 13, or 12 while it has its long-term support."
  type        = number
  default     = 13
  nullable    = false

  validation {
    condition     = contains([12, 13], var.debian_release)
    error_message = "debian_release is 12 or 13."
  }
}

variable "ami_id" {
  description = "Image of the servers (Debian, amd64); empty takes the newest of debian_release at the first apply."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.ami_id == "" || can(regex("^ami-[0-9a-z]+$", var.ami_id))
    error_message = "ami_id is empty or the id of an image (ami-…)."
  }
}

variable "recent_instance_type" {
  description = "Size of the server with recent series: 2 GiB of memory for about 200 nodes."
  type        = string
  default     = "t3.small"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.recent_instance_type))
    error_message = "recent_instance_type is a type of EC2, such as t3.small."
  }

  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.recent_instance_type))
    error_message = "recent_instance_type has an Arm processor (Graviton), and what the servers install is for amd64: choose a type such as t3.small."
  }
}

variable "longterm_instance_type" {
  description = "Size of the server that keeps series for long, and has Grafana."
  type        = string
  default     = "t3.small"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.longterm_instance_type))
    error_message = "longterm_instance_type is a type of EC2, such as t3.small."
  }

  validation {
    condition     = !can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", var.longterm_instance_type))
    error_message = "longterm_instance_type has an Arm processor (Graviton), and what the servers install is for amd64: choose a type such as t3.small."
  }
}

variable "root_disk_gib" {
  description = "Size of each system disk in GiB."
  type        = number
  default     = 16
  nullable    = false

  validation {
    condition     = var.root_disk_gib >= 8 && var.root_disk_gib <= 1024 && floor(var.root_disk_gib) == var.root_disk_gib
    error_message = "root_disk_gib is a whole number from 8 to 1024."
  }
}

variable "recent_disk_gib" {
  description = "Size of the disk for recent series in GiB."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.recent_disk_gib >= 10 && var.recent_disk_gib <= 16384 && floor(var.recent_disk_gib) == var.recent_disk_gib
    error_message = "recent_disk_gib is a whole number from 10 to 16384."
  }
}

variable "longterm_disk_gib" {
  description = "Size of the disk for series that are kept for long in GiB."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.longterm_disk_gib >= 10 && var.longterm_disk_gib <= 16384 && floor(var.longterm_disk_gib) == var.longterm_disk_gib
    error_message = "longterm_disk_gib is a whole number from 10 to 16384."
  }
}

variable "recent_retention_days" {
  description = "Days that recent series are kept, as far as 85 % of the disk hold them."
  type        = number
  default     = 15
  nullable    = false

  validation {
    condition     = var.recent_retention_days >= 1 && var.recent_retention_days <= 366 && floor(var.recent_retention_days) == var.recent_retention_days
    error_message = "recent_retention_days is a whole number from 1 to 366."
  }
}

variable "longterm_retention_days" {
  description = "Days that series with the label longterm are kept, as far as 85 % of the disk hold them."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = var.longterm_retention_days >= 400 && var.longterm_retention_days <= 3660 && floor(var.longterm_retention_days) == var.longterm_retention_days
    error_message = "longterm_retention_days is a whole number from 400 to 3660: a year can then be compared with the last one."
  }
}

variable "longterm_snapshot_id" {
  description = "Snapshot that the disk for series kept for long is made from; empty makes an empty one."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(snap-[0-9a-f]+)?$", var.longterm_snapshot_id))
    error_message = "longterm_snapshot_id is empty or the id of a snapshot (snap-…)."
  }
}

variable "force_destroy" {
  description = "Let destroy delete the bucket with the web checks that others put there."
  type        = bool
  default     = false
  nullable    = false
}

variable "backup_retention_days" {
  description = "Days that daily backups of the longterm disk (AWS Backup) are kept: the series kept for long, and Grafana's dashboards; 0 makes none."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.backup_retention_days >= 0 && var.backup_retention_days <= 3650 && floor(var.backup_retention_days) == var.backup_retention_days
    error_message = "backup_retention_days is a whole number from 0 to 3650."
  }
}

# What is watched.

variable "scrape_interval_s" {
  description = "Seconds between two looks at every target, and between two looks at the rules."
  type        = number
  default     = 15
  nullable    = false

  validation {
    condition     = var.scrape_interval_s >= 5 && var.scrape_interval_s <= 60 && floor(var.scrape_interval_s) == var.scrape_interval_s
    error_message = "scrape_interval_s is a whole number from 5 to 60."
  }
}

variable "federation_interval_s" {
  description = "Seconds between two values of a series that is kept for long."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.federation_interval_s >= 5 && var.federation_interval_s <= 120 && floor(var.federation_interval_s) == var.federation_interval_s
    error_message = "federation_interval_s is a whole number from 5 to 120: after more than two minutes rules take a series for gone."
  }
}

variable "longterm_metrics" {
  description = "Metrics that are kept for long, besides those that the rules make: regular expressions for whole names."
  type        = list(string)
  default     = ["node_load5", "node_filesystem_avail_bytes", "node_filesystem_size_bytes", "probe_success", "probe_duration_seconds"]
  nullable    = false

  validation {
    condition     = alltrue([for name in var.longterm_metrics : length(name) > 0 && can(regexall(name, ""))])
    error_message = "longterm_metrics holds regular expressions, such as node_network_(receive|transmit)_bytes_total."
  }
}

variable "node_tags" {
  description = "More nodes whose exporter is looked at: running instances of the environment with all of these tags, such as Cluster = swarm. Nodes whose tag Packages says |prometheus-node-exporter| are found anyway."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.node_tags) <= 3 && alltrue([for value in values(var.node_tags) : !strcontains(value, "*")])
    error_message = "node_tags holds at most three tags with whole values: Systems Manager knows no others."
  }
}

variable "node_security_group_ids" {
  description = "Security groups of those nodes: the servers are let into each, to the exporter (9100) and the ports of jobs."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for group in var.node_security_group_ids : can(regex("^sg-[0-9a-z]+$", group))])
    error_message = "node_security_group_ids holds ids of security groups (sg-…)."
  }
}

variable "jobs" {
  description = "More that is scraped, by name: a port of the running instances of the environment with all of these tags."
  type = map(object({
    port = number
    path = optional(string, "/metrics")
    tags = map(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([for name, job in var.jobs : (
      can(regex("^[a-z][a-z0-9-]{0,30}$", name)) && !contains(["alertmanager", "federate", "node", "prometheus", "web"], name)
      && job.port >= 1 && job.port <= 65535 && floor(job.port) == job.port && startswith(job.path, "/")
    )])
    error_message = "jobs: a name is lower-case letters, digits and dashes and none of the module's own (alertmanager, federate, node, prometheus, web); a port is from 1 to 65535; a path begins with a slash."
  }
}

variable "web_checks" {
  description = "Pages that must answer with 2xx, by name; their certificates are looked at too."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for url in values(var.web_checks) : can(regex("^https?://[^\\s\"]+$", url))])
    error_message = "web_checks holds URLs that begin with http:// or https://."
  }
}

variable "rules" {
  description = "More rules for recent series, by name: texts of Prometheus' rule files. A file that promtool refuses changes nothing and is an alert."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, text in var.rules : can(regex("^[a-z0-9][a-z0-9-]{0,40}$", name)) && can(yamldecode(text).groups)])
    error_message = "rules: a name is lower-case letters, digits and dashes; a text is YAML with the key groups."
  }
}

variable "down_for_s" {
  description = "Seconds for which a target must be silent before that is an alert."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = var.down_for_s >= 0 && var.down_for_s <= 3600 && floor(var.down_for_s) == var.down_for_s
    error_message = "down_for_s is a whole number from 0 to 3600."
  }
}

variable "certificate_days" {
  description = "Days before its end from which a certificate is an alert."
  type        = number
  default     = 21
  nullable    = false

  validation {
    condition     = var.certificate_days >= 1 && var.certificate_days <= 90 && floor(var.certificate_days) == var.certificate_days
    error_message = "certificate_days is a whole number from 1 to 90."
  }
}

# Who is told.

variable "webhook_url" {
  description = "Where alerts are posted to (Alertmanager's JSON), such as the panel's; empty posts none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(https?://[^\\s@]+)?$", var.webhook_url))
    error_message = "webhook_url is empty or a URL that begins with http:// or https:// and holds no password: that belongs into webhook_token_secret_arn."
  }
}

variable "webhook_token_secret_arn" {
  description = "Secret whose text is sent to the webhook as bearer token; empty sends none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.webhook_token_secret_arn == "" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.webhook_token_secret_arn))
    error_message = "webhook_token_secret_arn is empty or the ARN of a secret in Secrets Manager."
  }
}

variable "alerts_to_topic" {
  description = "Send alerts to alarm_topic_arn too, if it names a topic."
  type        = bool
  default     = true
  nullable    = false
}

variable "group_wait_s" {
  description = "Seconds that a first alert waits for others that come with it."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.group_wait_s >= 0 && var.group_wait_s <= 600 && floor(var.group_wait_s) == var.group_wait_s
    error_message = "group_wait_s is a whole number from 0 to 600."
  }
}

variable "repeat_hours" {
  description = "Hours after which an alert that goes on is told again."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.repeat_hours >= 1 && var.repeat_hours <= 168 && floor(var.repeat_hours) == var.repeat_hours
    error_message = "repeat_hours is a whole number from 1 to 168."
  }
}

# Grafana.

variable "grafana_version" {
  description = "Version of Grafana (OSS) on the longterm server, such as 11.6.1; empty installs none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]+\\.[0-9]+\\.[0-9]+)?$", var.grafana_version))
    error_message = "grafana_version is empty or three numbers, such as 11.6.1."
  }
}

variable "grafana_sha256" {
  description = "SHA-256 of grafana_VERSION_amd64.deb, as Grafana's download page says it."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.grafana_version == "" || can(regex("^[0-9a-f]{64}$", var.grafana_sha256))
    error_message = "grafana_sha256 is 64 hexadecimal digits wherever grafana_version is set: nothing is installed unchecked."
  }
}

variable "grafana_password" {
  description = "Password of Grafana's user admin; made up by AWS, kept in Secrets Manager only."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false
}

variable "grafana_password_version" {
  description = "Raise it to have a new password made."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.grafana_password_version >= 1 && floor(var.grafana_password_version) == var.grafana_password_version
    error_message = "grafana_password_version is a whole number from 1."
  }
}

variable "secret_recovery_days" {
  description = "Days for which a destroyed password can be brought back; 0 deletes it at once."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days is 0 or from 7 to 30."
  }
}

# Agents on the nodes of node_tags and on the servers.

variable "install_node_exporter" {
  description = "Install Debian's node exporter on the nodes of node_tags, through Systems Manager."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.install_node_exporter || length(var.node_tags) > 0
    error_message = "install_node_exporter needs node_tags: the servers themselves have the exporter anyway."
  }
}

variable "node_role_names" {
  description = "Roles of those nodes, which get the right to read the agents' keys."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for role in var.node_role_names : can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", role))])
    error_message = "node_role_names holds names of IAM roles, not their ARNs."
  }
}

variable "sysdig_image" {
  description = "Sysdig's agent as image@sha256:…, such as quay.io/sysdig/agent-slim@sha256:…; empty installs none (it needs a contract with Sysdig)."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9./:_-]+@sha256:[0-9a-f]{64})?$", var.sysdig_image))
    error_message = "sysdig_image is empty or an image with its digest: name@sha256: and 64 hexadecimal digits."
  }
}

variable "sysdig_key_secret_arn" {
  description = "Secret whose text is Sysdig's access key."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.sysdig_image == "" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.sysdig_key_secret_arn))
    error_message = "sysdig_key_secret_arn is the ARN of a secret in Secrets Manager wherever sysdig_image is set."
  }
}

variable "sysdig_collector" {
  description = "Host of Sysdig's collector, as your region at Sysdig has it."
  type        = string
  default     = "collector.sysdigcloud.com"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9.-]+$", var.sysdig_collector))
    error_message = "sysdig_collector is the name of a host."
  }
}

variable "sysdig_settings" {
  description = "More of Sysdig's dragent.yaml, such as app_checks."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.sysdig_settings == "" || (can(yamldecode(var.sysdig_settings)) && !strcontains(var.sysdig_settings, "{{"))
    error_message = "sysdig_settings is YAML without double braces, which Systems Manager takes for itself."
  }
}

variable "log_shipper" {
  description = "What sends logs: fluent-bit (to OpenSearch), filebeat (OSS, to Logstash), or empty for none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = contains(["", "fluent-bit", "filebeat"], var.log_shipper)
    error_message = "log_shipper is fluent-bit, filebeat or empty."
  }
}

variable "log_shipper_image" {
  description = "Its image as image@sha256:…, such as docker.elastic.co/beats/filebeat-oss@sha256:…."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.log_shipper == "" || can(regex("^[a-z0-9./:_-]+@sha256:[0-9a-f]{64}$", var.log_shipper_image))
    error_message = "log_shipper_image is an image with its digest wherever log_shipper is set: name@sha256: and 64 hexadecimal digits."
  }
}

variable "logs_secret_arn" {
  description = "Secret with user:password for OpenSearch (fluent-bit); empty signs with the node's role, which elk_domain_arn then lets write."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.logs_secret_arn == "" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.logs_secret_arn))
    error_message = "logs_secret_arn is empty or the ARN of a secret in Secrets Manager."
  }
}

variable "elk_domain_endpoint" {
  description = "Host of the OpenSearch domain (fluent-bit)."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.log_shipper != "fluent-bit" || can(regex("^[a-z0-9.-]+$", var.elk_domain_endpoint))
    error_message = "elk_domain_endpoint is the name of a host where fluent-bit sends logs."
  }
}

variable "elk_domain_arn" {
  description = "ARN of that domain: what the nodes' roles may write to without logs_secret_arn."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.log_shipper != "fluent-bit" || var.logs_secret_arn != "" || can(regex("^arn:[a-z-]+:es:[a-z0-9-]+:[0-9]{12}:domain/.+$", var.elk_domain_arn))
    error_message = "elk_domain_arn is the ARN of a domain where fluent-bit signs with the node's role."
  }
}

variable "elk_index_prefix" {
  description = "Beginning of the indices' names (fluent-bit)."
  type        = string
  default     = "logs"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9_-]*$", var.elk_index_prefix))
    error_message = "elk_index_prefix is lower-case letters, digits, dashes and underscores."
  }
}

variable "logstash_uri" {
  description = "Host and port of Logstash (filebeat), such as logs.example.com:5044."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.log_shipper != "filebeat" || can(regex("^[a-z0-9.-]+:[0-9]+$", var.logstash_uri))
    error_message = "logstash_uri is host:port where filebeat sends logs."
  }
}

variable "elk_logstash_tls" {
  description = "Whether filebeat speaks TLS to it."
  type        = bool
  default     = true
  nullable    = false
}
