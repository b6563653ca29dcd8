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
  default     = "api-gateway"
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
  description = "Domain of the cluster; the gateway answers on a name below it, which the cluster's certificate covers."
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
  description = "The cluster's key: encrypts the gateway's secret where kms_key_arn is empty."
  type        = string
  nullable    = false
}

# From the cache.

variable "elasticache_endpoint" {
  description = "Host of the cache, in which the gateway keeps keys, quotas and analytics."
  type        = string
  nullable    = false
}

variable "elasticache_port" {
  description = "Port of the cache; it speaks TLS."
  type        = number
  nullable    = false
}

variable "elasticache_users" {
  description = "Users that the cache asks for: none may be asked for, see authentication of elasticache."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.elasticache_users) == 0
    error_message = "Tyk cannot log in by IAM: set authentication = \"network\" in the elasticache unit, and name the cluster's nodes in its client_security_group_ids."
  }
}

# Generated, never in a plan or a state.

variable "tyk_secret" {
  description = "Secret of the gateway's own API, in mode standalone."
  type        = string
  nullable    = false
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.tyk_secret) >= 16
    error_message = "tyk_secret is at least 16 characters."
  }
}

# Its own.

variable "hostname" {
  description = "Name of the gateway below the cluster's domain."
  type        = string
  default     = "tyk"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.hostname))
    error_message = "hostname is one DNS label: the cluster's certificate covers one level."
  }
}

variable "mode" {
  description = "standalone (the open-source gateway with the definitions given here) or hybrid (a data plane of Tyk's control plane, MDCB)."
  type        = string
  default     = "standalone"
  nullable    = false

  validation {
    condition     = contains(["standalone", "hybrid"], var.mode)
    error_message = "mode is standalone or hybrid."
  }
  validation {
    condition     = var.mode == "standalone" || (var.hybrid_secret_arn != "" && var.hybrid_connection_string != "")
    error_message = "mode hybrid needs hybrid_secret_arn and hybrid_connection_string."
  }
}

variable "apis" {
  description = "API definitions by name, each the JSON of a definition of Tyk; for mode standalone."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, text in var.apis : can(regex("^[a-z][a-z0-9_-]{0,15}$", name)) && can(keys(jsondecode(text))) && length(text) < 500000])
    error_message = "apis maps names (1 to 16 lower-case letters, digits, dashes or underscores) to JSON objects of less than 500 KB."
  }
  validation {
    condition     = length(var.apis) == 0 || var.mode == "standalone"
    error_message = "In mode hybrid the APIs come from the control plane: leave apis empty."
  }
}

variable "policies" {
  description = "JSON object of policies by id, as Tyk's policies.json holds them; for mode standalone."
  type        = string
  default     = "{}"
  nullable    = false

  validation {
    condition     = can(keys(jsondecode(var.policies))) && length(var.policies) < 500000
    error_message = "policies is a JSON object of less than 500 KB."
  }
}

variable "hybrid_secret_arn" {
  description = "ARN of the secret with the control plane's keys, for mode hybrid: JSON with the objects gateway and pump, see the module's page."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.hybrid_secret_arn == "" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.hybrid_secret_arn))
    error_message = "hybrid_secret_arn is empty or the ARN of a secret of Secrets Manager: never the keys themselves."
  }
}

variable "hybrid_connection_string" {
  description = "Host and port of the control plane (MDCB), for mode hybrid."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.hybrid_connection_string == "" || can(regex("^[A-Za-z0-9.-]+:[0-9]{1,5}$", var.hybrid_connection_string))
    error_message = "hybrid_connection_string is HOST:PORT."
  }
}

variable "hybrid_group_id" {
  description = "Group of gateways that share the cache, for mode hybrid; empty is the unit's full name."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{0,64}$", var.hybrid_group_id))
    error_message = "hybrid_group_id is at most 64 letters, digits, dots, underscores or dashes."
  }
}

variable "secret_version" {
  description = "Raise it to make a new secret of the gateway's API, or to take a changed secret of the control plane."
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

variable "image" {
  description = "Image of the gateway."
  type        = string
  default     = "tykio/tyk-gateway:v5.8.5"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image is an image reference such as tykio/tyk-gateway:v5.8.5."
  }
}

variable "replicas" {
  description = "Copies of the gateway, spread over the nodes."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.replicas >= 2 && var.replicas <= 50 && floor(var.replicas) == var.replicas
    error_message = "replicas is a whole number from 2 to 50: one copy alone is gone while it is renewed."
  }
}

variable "listen_port" {
  description = "Port that the gateway listens on in the overlay network."
  type        = number
  default     = 8080
  nullable    = false

  validation {
    condition     = var.listen_port >= 1024 && var.listen_port <= 65535 && floor(var.listen_port) == var.listen_port
    error_message = "listen_port is a whole number from 1024 to 65535."
  }
}

variable "memory" {
  description = "Memory that a copy of the gateway may use, in MB."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = var.memory >= 128 && floor(var.memory) == var.memory
    error_message = "memory is a whole number from 128."
  }
}

variable "pump" {
  description = "Record analytics and let the pump carry them on: into the containers' log (standalone) or to the control plane (hybrid)."
  type        = bool
  default     = true
  nullable    = false
}

variable "pump_image" {
  description = "Image of the pump."
  type        = string
  default     = "tykio/tyk-pump-docker-pub:v1.16.0"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.pump_image))
    error_message = "pump_image is an image reference such as tykio/tyk-pump-docker-pub:v1.16.0."
  }
}

variable "placement" {
  description = "Nodes that it runs on: any, manager or worker."
  type        = string
  default     = "worker"
  nullable    = false

  validation {
    condition     = contains(["any", "manager", "worker"], var.placement)
    error_message = "placement is any, manager or worker."
  }
}
