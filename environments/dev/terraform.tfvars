# Values of dev: common inputs first, then one object per unit. `ngp configure dev` adds missing values and
# never changes what you wrote here.

# Prefix and suffix of all resource names, such as shop and dev in shop-vpc-dev: 3 to 12 and 3 to 6 letters, digits or dashes.
pre_tag = "ngp-demo"
# Suffix of all resource names, such as dev in shop-vpc-dev.
post_tag = "dev"

# OpenVPN: VPN server in front of the VPC, as the Access Server appliance or as OpenVPN with easy-rsa
# on Debian 12.
openvpn = {
  # Networks that administrators come from: they reach SSH and the administration pages.
  admin_cidrs = ["198.51.100.0/24"]
  # community (OpenVPN on Debian, profiles by command) or access-server (appliance from the AWS Marketplace, with web
  # pages; subscribe first: https://aws.amazon.com/marketplace/pp?sku=f2ew2wrz425a1jagnifd02u5t).
  engine = "access-server"
}

# Network: VPC with public and private subnets, ways out, flow logs and an alarm topic; or a VPC that
# exists already.
network = {
  # Way out for private nodes: none, single (one NAT gateway) or per_az (one in each zone).
  nat_mode = "single"
}

# Docker Swarm cluster: Managers and worker pools behind a load balancer with TLS; stack files in S3
# are deployed by the leader.
swarm = {
  # 1 (none may fail), 3 (one may) or 5 (two may).
  manager_count = 1
  # Let destroy delete the bucket with what was put there; for environments that come and go.
  force_destroy = true
}

# Private Docker registry: A registry on the Swarm cluster with its images in S3, behind the cluster's
# load balancer and a password.
docker-registry = {
  # Days that a deleted secret can be brought back: 0 or 7 to 30.
  secret_recovery_days = 0
}

# Container repositories (ECR): Repositories with scanning, immutable tags and lifecycle rules, and
# policies for those who pull and push.
ecr = {
  # Repositories by name below the namespace. keep_tagged counts images; immutable tags cannot be moved
  # to another image.
  repositories = {
    app = {}
  }
  # Let destroy delete repositories that hold images; for environments that come and go.
  force_delete = true
}
