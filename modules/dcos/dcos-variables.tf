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
  default     = "dcos"
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
  description = "VPC of the cluster."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Addresses of the VPC; its second address resolves names, and all of it may send to Logstash."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 2))
    error_message = "vpc_cidr is an address range such as 10.0.0.0/16."
  }
}

variable "private_subnet_ids" {
  description = "Private subnets of all nodes and the internal load balancers; they need a way out (NAT)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "private_subnet_ids holds at least two subnets, in different availability zones: a load balancer needs them."
  }
}

variable "public_subnet_ids" {
  description = "Public subnets of the public load balancer."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.public_subnet_ids) >= 2
    error_message = "public_subnet_ids holds at least two subnets, in different availability zones: a load balancer needs them."
  }
}

variable "availability_zones" {
  description = "Zones of those subnets, in order."
  type        = list(string)
  nullable    = false
}

variable "management_security_group_id" {
  description = "Security group of the management nodes: SSH is open to it alone."
  type        = string
  nullable    = false
}

variable "key_pair_name" {
  description = "SSH key pair of the nodes; empty is none (Session Manager works where the image has its agent)."
  type        = string
  default     = ""
  nullable    = false
}

variable "nat_public_ips" {
  description = "Addresses that the nodes show to the internet."
  type        = list(string)
  nullable    = false
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

# Its own: what it is installed from. None of these has a default, for nobody publishes them any more.

variable "ami_id" {
  description = "Image of all nodes: a Linux of the RHEL family with systemd and cloud-init that the installer supports, kept up by you."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id is the id of an AMI, such as ami-0123456789abcdef0."
  }
}

variable "installer_url" {
  description = "Address of dcos_generate_config.sh, kept by you."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/%+=?&-]*$", var.installer_url))
    error_message = "installer_url is an https address."
  }
}

variable "installer_sha256" {
  description = "SHA-256 of that file; another one is refused."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.installer_sha256))
    error_message = "installer_sha256 is 64 lower-case hexadecimal digits."
  }
}

# Its own: the nodes.

variable "cluster_name" {
  description = "Name that DC/OS shows; empty is PRE_TAG-UNIT-POST_TAG."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{0,63}$", var.cluster_name))
    error_message = "cluster_name is at most 63 letters, digits, dots, underscores or dashes."
  }
}

variable "master_count" {
  description = "Masters: 1, 3 or 5. It cannot change once the cluster is installed."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = contains([1, 3, 5], var.master_count)
    error_message = "master_count is 1, 3 or 5: a quorum needs an odd number."
  }
}

variable "agents" {
  description = "Private agents, in instances. With a cpu_target, the group keeps that average CPU use in percent between min and max, beginning with min; 0 keeps desired."
  type        = object({ min = optional(number, 1), max = optional(number, 5), desired = optional(number, 2), cpu_target = optional(number, 0) })
  default     = {}
  nullable    = false

  validation {
    condition     = 0 <= var.agents.min && var.agents.min <= var.agents.desired && var.agents.desired <= var.agents.max
    error_message = "agents has 0 <= min <= desired <= max."
  }

  validation {
    condition     = var.agents.cpu_target == 0 || (var.agents.cpu_target >= 10 && var.agents.cpu_target <= 90 && var.agents.min >= 1)
    error_message = "cpu_target of agents is 0 (off) or a percentage from 10 to 90, and needs a min of at least 1: nothing is measured where none runs."
  }
}

variable "public_agents" {
  description = "Public agents, in instances: they run what the public load balancer leads to. With a cpu_target, the group keeps that average CPU use in percent between min and max, beginning with min; 0 keeps desired."
  type        = object({ min = optional(number, 1), max = optional(number, 5), desired = optional(number, 1), cpu_target = optional(number, 0) })
  default     = {}
  nullable    = false

  validation {
    condition     = 0 <= var.public_agents.min && var.public_agents.min <= var.public_agents.desired && var.public_agents.desired <= var.public_agents.max
    error_message = "public_agents has 0 <= min <= desired <= max."
  }

  validation {
    condition     = var.public_agents.cpu_target == 0 || (var.public_agents.cpu_target >= 10 && var.public_agents.cpu_target <= 90 && var.public_agents.min >= 1)
    error_message = "cpu_target of public_agents is 0 (off) or a percentage from 10 to 90, and needs a min of at least 1: nothing is measured where none runs."
  }
}

variable "bootstrap_instance_type" {
  description = "Instance type of the bootstrap node."
  type        = string
  default     = "t3.medium"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.bootstrap_instance_type))
    error_message = "bootstrap_instance_type is an EC2 instance type such as t3.medium."
  }
}

variable "master_instance_type" {
  description = "Instance type of the masters."
  type        = string
  default     = "m5.xlarge"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.master_instance_type))
    error_message = "master_instance_type is an EC2 instance type such as m5.xlarge."
  }
}

variable "agent_instance_type" {
  description = "Instance type of the private agents."
  type        = string
  default     = "m5.xlarge"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.agent_instance_type))
    error_message = "agent_instance_type is an EC2 instance type such as m5.xlarge."
  }
}

variable "public_agent_instance_type" {
  description = "Instance type of the public agents."
  type        = string
  default     = "m5.large"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.public_agent_instance_type))
    error_message = "public_agent_instance_type is an EC2 instance type such as m5.large."
  }
}

variable "bootstrap_volume_size" {
  description = "Root volume of the bootstrap node, in GiB."
  type        = number
  default     = 64
  nullable    = false

  validation {
    condition     = var.bootstrap_volume_size >= 16 && var.bootstrap_volume_size <= 16384 && floor(var.bootstrap_volume_size) == var.bootstrap_volume_size
    error_message = "bootstrap_volume_size is a whole number from 16 to 16384."
  }
}

variable "volume_size" {
  description = "Root volume of masters and agents, in GiB."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.volume_size >= 64 && var.volume_size <= 16384 && floor(var.volume_size) == var.volume_size
    error_message = "volume_size is a whole number from 64 to 16384."
  }
}

variable "root_device_name" {
  description = "Name of the image's root device."
  type        = string
  default     = "/dev/sda1"
  nullable    = false

  validation {
    condition     = can(regex("^/dev/[a-z0-9]+$", var.root_device_name))
    error_message = "root_device_name is a device such as /dev/sda1."
  }
}

variable "ssh_user" {
  description = "User that the image is entered as."
  type        = string
  default     = "centos"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]{0,31}$", var.ssh_user))
    error_message = "ssh_user is a user name such as centos."
  }
}

variable "timezone" {
  description = "Time zone of the nodes."
  type        = string
  default     = "UTC"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}$", var.timezone))
    error_message = "timezone is a name of the time zone database, such as Europe/Berlin."
  }
}

variable "docker_packages" {
  description = "Packages that bring Docker, from repositories that the image knows; empty where it is there."
  type        = list(string)
  default     = ["docker"]
  nullable    = false

  validation {
    condition     = alltrue([for package in var.docker_packages : can(regex("^[A-Za-z0-9][A-Za-z0-9._+:*-]*$", package))])
    error_message = "docker_packages holds names of packages."
  }
}

variable "insecure_registries" {
  description = "Registries and networks that Docker speaks plain HTTP with."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for place in var.insecure_registries : can(regex("^[A-Za-z0-9.-]+(:[0-9]+|/[0-9]+)?$", place))])
    error_message = "insecure_registries holds hosts, HOST:PORT or networks such as 192.168.0.0/16."
  }
}

variable "registry_host" {
  description = "Registry whose certificate authority the nodes trust; see registry_ca."
  type        = string
  default     = "192.168.0.1"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9.-]+(:[0-9]+)?$", var.registry_host))
    error_message = "registry_host is a host, or HOST:PORT."
  }
}

variable "registry_ca" {
  description = "Certificate of that authority (PEM); the bootstrap node serves it. Empty: nodes trust none besides their image's."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.registry_ca == "" || (startswith(var.registry_ca, "-----BEGIN CERTIFICATE-----\n") && length(var.registry_ca) < 4096)
    error_message = "registry_ca is empty or a certificate in PEM of less than 4 KB."
  }
}

variable "nginx_image" {
  description = "Image of the web server that the bootstrap node serves the installer with."
  type        = string
  default     = "nginx:1.27.5-alpine"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.nginx_image))
    error_message = "nginx_image is an image reference such as nginx:1.27.5-alpine."
  }
}

variable "filebeat_image" {
  description = "Image of Filebeat on every node, which gets LOGSTASH_URI and NODE_TYPE; empty runs none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.filebeat_image == "" || can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.filebeat_image))
    error_message = "filebeat_image is empty or an image reference."
  }
}

variable "sysdig_image" {
  description = "Image of Sysdig's agent on every node, where sysdig_secret_arn is given."
  type        = string
  default     = "quay.io/sysdig/agent-slim:13.9.2"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.sysdig_image))
    error_message = "sysdig_image is an image reference."
  }
}

variable "sysdig_secret_arn" {
  description = "ARN of the secret with Sysdig's access key; empty runs no agent."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.sysdig_secret_arn == "" || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", var.sysdig_secret_arn))
    error_message = "sysdig_secret_arn is empty or the ARN of a secret of Secrets Manager: never the key itself."
  }
}

variable "aws_cli_image" {
  description = "Image with the AWS command line, by which a node reads that secret."
  type        = string
  default     = "amazon/aws-cli:2.27.50"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*(:[0-9]+/[a-z0-9._/-]+)?(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$", var.aws_cli_image))
    error_message = "aws_cli_image is an image reference such as amazon/aws-cli:2.27.50."
  }
}

# Its own: DC/OS.

variable "exhibitor_backend" {
  description = "Where the masters find each other: shared_filesystem (EFS) or aws_s3, which needs an Exhibitor that knows IMDSv2."
  type        = string
  default     = "shared_filesystem"
  nullable    = false

  validation {
    condition     = contains(["shared_filesystem", "aws_s3"], var.exhibitor_backend)
    error_message = "exhibitor_backend is shared_filesystem or aws_s3."
  }
}

variable "oauth_enabled" {
  description = "Ask for a login of DC/OS's own service, which is gone with its maker; without it whoever reaches the masters is in."
  type        = bool
  default     = false
  nullable    = false
}

variable "install_limit_minutes" {
  description = "Minutes that a node waits for the bootstrap node, and that an installation may take."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.install_limit_minutes >= 1 && floor(var.install_limit_minutes) == var.install_limit_minutes
    error_message = "install_limit_minutes is a whole number from 1."
  }
}

# Its own: the ways in.

variable "services" {
  description = "Names besides dcos-PRE_TAG: jenkins (through the internal load balancer) and tyk (through the public one). Leave out what another module serves."
  type        = set(string)
  default     = ["jenkins", "tyk"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.services, ["jenkins", "tyk"])) == 0
    error_message = "services holds jenkins and tyk, or one of them."
  }
}

variable "jenkins_port" {
  description = "Port of the private agents that Jenkins listens on."
  type        = number
  default     = 8080
  nullable    = false

  validation {
    condition     = var.jenkins_port >= 1 && var.jenkins_port <= 65535 && floor(var.jenkins_port) == var.jenkins_port
    error_message = "jenkins_port is a whole number from 1 to 65535."
  }
}

variable "public_port" {
  description = "Port of the public agents that the public load balancer leads to: marathon-lb's of the gateway."
  type        = number
  default     = 10081
  nullable    = false

  validation {
    condition     = var.public_port == 80 || (var.public_port >= 10000 && var.public_port <= 10100 && floor(var.public_port) == var.public_port)
    error_message = "public_port is 80, or a whole number from 10000 to 10100: the security groups open no other."
  }
}

variable "public_health_path" {
  description = "Path on port 9090 of the public agents (marathon-lb) that the public load balancer asks."
  type        = string
  default     = "/haproxy?stats"
  nullable    = false

  validation {
    condition     = can(regex("^/[ -~]{0,999}$", var.public_health_path))
    error_message = "public_health_path begins with a slash."
  }
}

variable "ingress_cidrs" {
  description = "Networks that may reach the public load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.ingress_cidrs : can(cidrnetmask(cidr))])
    error_message = "ingress_cidrs holds IPv4 networks such as 192.0.2.0/24."
  }
}

variable "client_security_group_ids" {
  description = "Security groups that may reach DC/OS, such as that of the VPN server; where client_cidrs is empty too, the whole VPC may."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "client_cidrs" {
  description = "Networks that may reach DC/OS, besides client_security_group_ids."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.client_cidrs : can(cidrnetmask(cidr)) && !endswith(cidr, "/0")])
    error_message = "client_cidrs holds IPv4 networks such as 10.9.0.0/16; the whole world is none of them."
  }
}

variable "certificate_arn" {
  description = "Existing certificate for all names; empty makes one, proved by DNS records."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.certificate_arn == "" || can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "certificate_arn is empty or the ARN of a certificate of ACM."
  }
}

variable "force_destroy" {
  description = "Let destroy delete the bucket with what is in it."
  type        = bool
  default     = false
  nullable    = false
}
