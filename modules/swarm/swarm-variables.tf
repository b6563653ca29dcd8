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
  default     = "swarm"
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

# From other units.

variable "vpc_id" {
  description = "VPC that the cluster lives in."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Address range of the VPC: the router trusts the load balancer's headers only from it."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0))
    error_message = "vpc_cidr is an address range such as 10.0.0.0/16."
  }
}

variable "private_subnet_ids" {
  description = "Private subnets for managers and workers; they need a way out (NAT) to fetch packages and images."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 1
    error_message = "private_subnet_ids holds at least one subnet."
  }
}

variable "public_subnet_ids" {
  description = "Public subnets for the load balancer, in two availability zones at least."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "public_subnet_ids holds at least two subnets, in different availability zones: a load balancer needs them."
  }
}

variable "management_security_group_id" {
  description = "Security group that may reach SSH of the nodes where ssh_from_management is set."
  type        = string
  default     = ""
  nullable    = false
}

variable "key_pair_name" {
  description = "SSH key pair of the nodes; empty is none (Session Manager works without)."
  type        = string
  default     = ""
  nullable    = false
}

# Its own.

variable "subdomain" {
  description = "Label below domain_name that the cluster answers on; empty is the domain itself. Services answer on NAME.subdomain.domain_name."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$", var.subdomain))
    error_message = "subdomain is empty or one DNS label: lower-case letters, digits and dashes."
  }
}

variable "manager_count" {
  description = "Managers: 1 (none may fail), 3 (one may) or 5 (two may)."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([1, 3, 5], var.manager_count)
    error_message = "manager_count is 1, 3 or 5: a quorum needs an odd number."
  }
}

variable "manager_private_ips" {
  description = "Private addresses of the managers, by slot, in the private subnets by turns; empty lets AWS choose. With them an address outlives its instance."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = contains([0, var.manager_count], length(var.manager_private_ips)) && alltrue([for address in var.manager_private_ips : can(cidrhost("${address}/32", 0))])
    error_message = "manager_private_ips is empty or holds an IPv4 address for each manager."
  }

  validation {
    condition     = length(distinct(var.manager_private_ips)) == length(var.manager_private_ips)
    error_message = "manager_private_ips holds an address twice."
  }
}

variable "manager_instance_type" {
  description = "Instance type of the managers."
  type        = string
  default     = "t3.medium"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.manager_instance_type))
    error_message = "manager_instance_type is an EC2 instance type such as t3.medium."
  }
}

variable "manager_volume_size" {
  description = "Root volume of a manager, in GiB."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.manager_volume_size >= 8 && var.manager_volume_size <= 16384 && floor(var.manager_volume_size) == var.manager_volume_size
    error_message = "manager_volume_size is a whole number from 8 to 16384."
  }
}

variable "worker_pools" {
  description = "Pools of workers by name. Sizes count instances, volume_size is in GiB; label is the node label `pool` that services are placed by (default: the pool's name). With a cpu_target, the group keeps that average CPU use in percent between min_size and max_size, beginning with min_size; 0 keeps desired_size."
  type = map(object({
    instance_type = optional(string, "t3.medium")
    min_size      = optional(number, 1)
    max_size      = optional(number, 4)
    desired_size  = optional(number, 2)
    volume_size   = optional(number, 50)
    label         = optional(string, "")
    cpu_target    = optional(number, 0)
  }))
  default  = { default = {} }
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.worker_pools) : can(regex("^[a-z][a-z0-9-]{0,15}$", name))])
    error_message = "The name of a worker pool is at most 16 lower-case letters, digits or dashes and begins with a letter."
  }

  validation {
    condition = alltrue([for pool in values(var.worker_pools) : (
      0 <= pool.min_size && pool.min_size <= pool.desired_size && pool.desired_size <= pool.max_size
      && alltrue([for size in [pool.min_size, pool.desired_size, pool.max_size] : floor(size) == size])
    )])
    error_message = "A worker pool has 0 <= min_size <= desired_size <= max_size, in whole numbers."
  }

  validation {
    condition     = alltrue([for pool in values(var.worker_pools) : pool.volume_size >= 8 && pool.volume_size <= 16384 && floor(pool.volume_size) == pool.volume_size])
    error_message = "volume_size of a worker pool is a whole number from 8 to 16384 GiB."
  }

  validation {
    condition     = alltrue([for pool in values(var.worker_pools) : can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", pool.instance_type))])
    error_message = "instance_type of a worker pool is an EC2 instance type such as t3.medium."
  }

  validation {
    condition     = alltrue([for pool in values(var.worker_pools) : can(regex("^[A-Za-z0-9._-]{0,63}$", pool.label))])
    error_message = "label of a worker pool is at most 63 letters, digits, dots, underscores or dashes."
  }

  validation {
    condition     = alltrue([for pool in values(var.worker_pools) : pool.cpu_target == 0 || (pool.cpu_target >= 10 && pool.cpu_target <= 90 && pool.min_size >= 1)])
    error_message = "cpu_target of a worker pool is 0 (off) or a percentage from 10 to 90, and needs a min_size of at least 1: nothing is measured where no worker runs."
  }
}

variable "drain_timeout_s" {
  description = "Seconds that a worker which its group ends has for its tasks to go elsewhere: the leader drains it, and lets it go as soon as none runs there."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.drain_timeout_s >= 120 && var.drain_timeout_s <= 7200 && floor(var.drain_timeout_s) == var.drain_timeout_s
    error_message = "drain_timeout_s is a whole number from 120 to 7200: the leader looks once a minute."
  }
}

variable "renew_workers" {
  description = "Replace running workers, a third of a pool at a time, when their template changes. Without it a change reaches the nodes that come later. (The sandbox cannot do it.)"
  type        = bool
  default     = false
  nullable    = false
}

variable "debian_release" {
  description = "Release of Debian that the nodes run: 13 or 12. With an ami_id, the release of that image."
  type        = number
  default     = 13
  nullable    = false

  validation {
    condition     = contains([12, 13], var.debian_release)
    error_message = "debian_release is 12 or 13."
  }
}

variable "ami_id" {
  description = "AMI of the nodes; empty is the newest of debian_release for the instance type's architecture, at the time that a node is made."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(ami-[0-9a-f]{8,17})?$", var.ami_id))
    error_message = "ami_id is empty or the id of an AMI, such as ami-0123456789abcdef0."
  }

  validation {
    condition     = var.ami_id == "" || length(distinct([for type in concat([var.manager_instance_type], [for pool in values(var.worker_pools) : pool.instance_type]) : can(regex("^(a1|[a-z]+[0-9]+g[a-z]*)\\.", type))])) == 1
    error_message = "ami_id is an image of one architecture, but the instance types are of both: choose types that are all arm64 (such as t4g) or all amd64, or leave ami_id empty."
  }
}

variable "root_device_name" {
  description = "Name of the AMI's root device, for the workers' volumes: /dev/xvda for Debian, /dev/sda1 for Ubuntu."
  type        = string
  default     = "/dev/xvda"
  nullable    = false

  validation {
    condition     = can(regex("^/dev/[a-z0-9]+$", var.root_device_name))
    error_message = "root_device_name is a device such as /dev/xvda."
  }
}

variable "docker_packages" {
  description = "Debian packages that bring Docker and its command line; `docker.io=26.1.5*` pins a version. Empty are those of the node's own Debian."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for package in var.docker_packages : can(regex("^[a-z0-9][a-z0-9.+-]+(=[A-Za-z0-9.+:~*-]+)?$", package))])
    error_message = "docker_packages holds Debian package names, with =VERSION where one is pinned."
  }
}

variable "container_log_driver" {
  description = "Where containers' output goes: awslogs (the cluster's log group), journald or json-file."
  type        = string
  default     = "awslogs"
  nullable    = false

  validation {
    condition     = contains(["awslogs", "journald", "json-file"], var.container_log_driver)
    error_message = "container_log_driver is awslogs, journald or json-file."
  }
}

variable "overlay_cidr" {
  description = "Range that Swarm takes its overlay networks from, a /24 each; must not overlap the VPC. Read once, when the cluster is born."
  type        = string
  default     = "10.244.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.overlay_cidr, 0)) && try(tonumber(split("/", var.overlay_cidr)[1]), 32) <= 22
    error_message = "overlay_cidr is an address range of /22 or larger, such as 10.244.0.0/16."
  }

  # Two ranges overlap where both have the same network at the shorter of their prefixes.
  validation {
    condition = try(
      cidrhost("${split("/", var.overlay_cidr)[0]}/${min([for range in [var.overlay_cidr, var.vpc_cidr] : tonumber(split("/", range)[1])]...)}", 0) !=
      cidrhost("${split("/", var.vpc_cidr)[0]}/${min([for range in [var.overlay_cidr, var.vpc_cidr] : tonumber(split("/", range)[1])]...)}", 0),
      true,
    )
    error_message = "overlay_cidr overlaps vpc_cidr: containers could not reach what stands there."
  }
}

variable "encrypt_overlay" {
  description = "Encrypt the traffic of the overlay network `proxy` between nodes (ESP). Read once, when the network is made."
  type        = bool
  default     = true
  nullable    = false
}

variable "router_image" {
  description = "Image of the router (Traefik 3)."
  type        = string
  default     = "traefik:v3.7.15"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.router_image))
    error_message = "router_image is an image reference such as traefik:v3.7.15."
  }
}

variable "image_cache" {
  description = "Where images of Docker Hub are pulled from instead: the repositories of a pull-through rule, such as 123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub (output ecr_pull_through of ecr). Images whose name begins with another registry stay as they are."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?(/[a-z0-9]+([._-][a-z0-9]+)*)+)?$", var.image_cache))
    error_message = "image_cache is empty or ACCOUNT.dkr.ecr.REGION.amazonaws.com/PREFIX."
  }
}

variable "ingress_cidrs" {
  description = "Ranges that may reach the load balancer on 80 and 443."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for range in var.ingress_cidrs : can(cidrhost(range, 0)) && !strcontains(range, ":")])
    error_message = "ingress_cidrs holds IPv4 ranges such as 192.0.2.0/24."
  }
}

variable "ssh_from_management" {
  description = "Open SSH of the nodes to management_security_group_id. Without it Session Manager is the way in."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.ssh_from_management || var.management_security_group_id != ""
    error_message = "ssh_from_management needs management_security_group_id."
  }
}

variable "efs_enabled" {
  description = "Make a shared file system (EFS), mounted at /mnt/shared on every node."
  type        = bool
  default     = false
  nullable    = false
}

variable "efs_backup_vault" {
  description = "Vault of AWS Backup that the shared file system is backed up to every night; empty leaves that to EFS, which keeps 35 days in a vault of its own."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_-]{2,50})?$", var.efs_backup_vault))
    error_message = "efs_backup_vault is empty or the name of a backup vault: 2 to 50 letters, digits, underscores or dashes."
  }

  validation {
    condition     = var.efs_backup_vault == "" || var.efs_enabled
    error_message = "efs_backup_vault needs efs_enabled: else nothing is backed up."
  }
}

variable "efs_backup_days" {
  description = "Days that backups of the shared file system are kept."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.efs_backup_days >= 1 && floor(var.efs_backup_days) == var.efs_backup_days
    error_message = "efs_backup_days is a whole number from 1."
  }
}

variable "force_destroy" {
  description = "Let destroy delete the bucket with what operators put there."
  type        = bool
  default     = false
  nullable    = false
}

variable "lb_deletion_protection" {
  description = "Keep AWS from deleting the load balancer."
  type        = bool
  default     = false
  nullable    = false
}

variable "lb_idle_timeout_s" {
  description = "Seconds that the load balancer keeps a connection on which nothing is sent: a registry that puts a large layer together, a websocket."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.lb_idle_timeout_s >= 1 && var.lb_idle_timeout_s <= 4000 && floor(var.lb_idle_timeout_s) == var.lb_idle_timeout_s
    error_message = "lb_idle_timeout_s is a whole number from 1 to 4000."
  }
}

variable "lb_logs_bucket" {
  description = "Bucket that the load balancer's access log goes to, below the unit's name; its policy must let Elastic Load Balancing write. Empty keeps none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$", var.lb_logs_bucket))
    error_message = "lb_logs_bucket is empty or the name of a bucket."
  }
}

variable "generation" {
  description = "Raise it to give the cluster up and start a new one on new managers (after the loss of a quorum that has no backup)."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.generation >= 1 && floor(var.generation) == var.generation
    error_message = "generation is a whole number from 1."
  }
}
