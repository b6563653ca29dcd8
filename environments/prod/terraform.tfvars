# Values of prod: common inputs first, then one object per unit. `ngp configure prod` adds missing values and
# never changes what you wrote here.

# Prefix and suffix of all resource names, such as shop and dev in shop-vpc-dev: 3 to 12 and 3 to 6 letters, digits or dashes.
pre_tag = "ngp-prod"
# Suffix of all resource names, such as dev in shop-vpc-dev.
post_tag = "prod"
# Days that log groups keep their events.
log_retention_days = 365

# OpenVPN: VPN server in front of the VPC, as the Access Server appliance or as OpenVPN with easy-rsa
# on Debian 12.
openvpn = {
  # Networks that administrators come from: they reach SSH and the administration pages.
  admin_cidrs = ["198.51.100.0/24"]
  # community (OpenVPN on Debian, profiles by command) or access-server (appliance from the AWS Marketplace, with web
  # pages; subscribe first: https://aws.amazon.com/marketplace/pp?sku=f2ew2wrz425a1jagnifd02u5t).
  engine = "community"
  # Days that daily backups are kept; 0 makes none.
  backup_retention_days = 14
}

# Network: VPC with public and private subnets, ways out, flow logs and an alarm topic; or a VPC that
# exists already.
network = {
  # Availability zones, each with a public and a private subnet (1 to 4).
  az_count = 3
  # Way out for private nodes: none, single (one NAT gateway) or per_az (one in each zone).
  nat_mode = "per_az"
  # Endpoints inside the VPC, so that private nodes reach AWS without NAT.
  private_endpoints = true
  # Three services beside NAT, in three zones: those whose traffic through NAT would cost more.
  endpoint_services = ["ecr.api", "ecr.dkr", "logs"]
}

# Docker Swarm cluster: Managers and worker pools behind a load balancer with TLS; stack files in S3
# are deployed by the leader.
swarm = {
  # 1 (none may fail), 3 (one may) or 5 (two may).
  manager_count = 3
  # Keep AWS from deleting the load balancer.
  lb_deletion_protection = true
  # Pools of workers; services are placed by `node.labels.pool == NAME`.
  worker_pools = {
    default = {
      instance_type = "m6i.large"
      min_size      = 2
      max_size      = 6
      desired_size  = 3
      volume_size   = 100
    }
  }
}

# Container repositories (ECR): Repositories with scanning, immutable tags and lifecycle rules, and
# policies for those who pull and push.
ecr = {
  # Repositories by name below the namespace. keep_tagged counts images; immutable tags cannot be moved
  # to another image.
  repositories = {
    app = {}
  }
}
