mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
  mock_resource "aws_efs_file_system" {
    defaults = { id = "fs-1", arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-1", dns_name = "fs-1.efs.eu-central-1.amazonaws.com" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }
}

variables {
  project                 = "shop"
  environment             = "stage"
  region                  = "eu-central-1"
  domain_name             = "stage.example.com"
  pre_tag                 = "Shop-a"
  post_tag                = "stage"
  vpc_id                  = "vpc-1"
  private_subnet_ids      = ["subnet-1", "subnet-2", "subnet-3"]
  swarm_domain            = "apps.stage.example.com"
  swarm_lb_dns_name       = "lb.example.net"
  swarm_lb_zone_id        = "Z1"
  swarm_stack_bucket      = "files"
  swarm_stack_prefix      = "stacks/"
  swarm_network_name      = "proxy"
  swarm_manager_role_name = "managers"
  swarm_worker_role_name  = "workers"
  swarm_security_group_id = "sg-nodes"
  swarm_kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/swarm"
  client_cidrs            = ["198.51.100.0/24", "192.0.2.0/24"]
}

run "jenkins_answers_its_clients_below_the_clusters_domain" {
  command = apply

  assert {
    condition     = output.jenkins_url == "https://jenkins-shop-a.apps.stage.example.com" && aws_route53_record.jenkins[0].name == "jenkins-shop-a.apps.stage.example.com"
    error_message = "Its name is jenkins-PRE in lower case."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.labels["traefik.http.middlewares.jenkins-clients.ipallowlist.sourcerange"] == "192.0.2.0/24,198.51.100.0/24" && yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.labels["traefik.http.middlewares.jenkins-clients.ipallowlist.ipstrategy.depth"] == "1" && yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.labels["traefik.http.routers.jenkins.middlewares"] == "jenkins-clients"
    error_message = "The router lets its clients in only."
  }
  assert {
    condition     = !can(yamldecode(aws_s3_object.stack.content).services.jenkins.ports) && yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.endpoint_mode == "dnsrr"
    error_message = "Nodes publish no port."
  }
}

run "home_lies_on_a_file_system_that_every_node_mounts" {
  command = apply

  assert {
    condition     = aws_efs_file_system.home.encrypted && aws_efs_file_system.home.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/swarm" && length(aws_efs_mount_target.home) == 3
    error_message = "It is encrypted by the cluster's key and reached from each subnet."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.home.referenced_security_group_id == "sg-nodes" && aws_vpc_security_group_ingress_rule.home.from_port == 2049
    error_message = "Nodes alone mount it."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).volumes.home.name == "jenkins_home_fs-1" && startswith(yamldecode(aws_s3_object.stack.content).volumes.home.driver_opts.o, "addr=fs-1.efs.eu-central-1.amazonaws.com,nfsvers=4.1,")
    error_message = "The volume is the file system, and has its name."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.replicas == 1 && yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.update_config.order == "stop-first"
    error_message = "Never two at once."
  }
}

run "nothing_is_restored_unless_asked_for" {
  command = apply

  assert {
    condition     = keys(yamldecode(aws_s3_object.stack.content).services) == ["jenkins"] && keys(aws_s3_object.script) == ["start"] && length(aws_iam_policy.restore) == 0
    error_message = "No archive is fetched."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.jenkins.environment.RESTORE_JENKINS == "0" && yamldecode(aws_s3_object.stack.content).services.jenkins.healthcheck.start_period == "10m"
    error_message = "Jenkins waits for none."
  }
}

run "home_and_jobs_are_restored_from_archives" {
  command = apply

  variables {
    restore_jenkins  = 1
    restore_jobs     = 1
    restore_bucket   = "archives"
    restore_version  = 3
    restore_excludes = ["workspace", "logs"]
    placement        = "any"
  }

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.restore.networks == ["node"] && yamldecode(aws_s3_object.stack.content).networks.node == { external = true, name = "host" } && !contains(yamldecode(aws_s3_object.stack.content).services.jenkins.networks, "node")
    error_message = "The node's role is the fetching container's, and not Jenkins's."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.restore.environment.RESTORE_KEY == "jenkins/home.tar.gz" && yamldecode(aws_s3_object.stack.content).services.restore.environment.RESTORE_VERSION == "3"
    error_message = "What fetches knows what and which time."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.jenkins.environment.RESTORE_EXCLUDES == "workspace\nlogs" && yamldecode(aws_s3_object.stack.content).services.jenkins.healthcheck.start_period == "70m"
    error_message = "Jenkins leaves out what is excluded, and has time."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).configs.fetch.name == "jenkins_fetch_${substr(sha256(aws_s3_object.script["fetch"].content), 0, 8)}" && aws_s3_object.script["fetch"].key == "stacks/jenkins/fetch.sh"
    error_message = "The scripts lie beside the stack."
  }
  assert {
    condition     = data.aws_iam_policy_document.restore.statement[0].resources == toset(["arn:aws:s3:::archives/jenkins/home.tar.gz", "arn:aws:s3:::archives/jenkins/jobs.tar.gz"])
    error_message = "Two objects may be read and nothing else."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.manager_restore[0].role == "managers" && aws_iam_role_policy_attachment.worker_restore[0].role == "workers"
    error_message = "Wherever it may run, it may read them."
  }
}

run "workers_alone_may_read_where_workers_alone_run_it" {
  command = plan

  variables {
    restore_jobs   = 1
    restore_bucket = "archives"
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.manager_restore) == 0 && length(aws_iam_role_policy_attachment.worker_restore) == 1
    error_message = "Managers have no part in it."
  }
}

run "published_port_is_for_a_load_balancer_of_its_own" {
  command = apply

  variables {
    client_cidrs   = []
    published_port = 18080
    hostname       = "ci"
  }

  assert {
    condition     = length(aws_route53_record.jenkins) == 0 && yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.labels == { "traefik.enable" = "false" }
    error_message = "It is not routed, and its name is left to the other load balancer."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.jenkins.ports[0].published == 18080 && yamldecode(aws_s3_object.stack.content).services.jenkins.deploy.endpoint_mode == "vip" && output.jenkins_host == "ci.apps.stage.example.com"
    error_message = "Every node leads to it."
  }
}

run "backups_go_into_a_vault" {
  command = apply

  variables {
    backup_vault             = "nightly"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = one(aws_backup_plan.home[0].rule).target_vault_name == "nightly" && aws_iam_role.backup[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_backup_selection.home[0].resources == toset([aws_efs_file_system.home.arn])
    error_message = "The home is kept, by a role within its boundary."
  }
}

run "a_long_name_fits_a_plan_of_backups" {
  command = plan

  variables {
    pre_tag      = "shop-longer1"
    post_tag     = "stage1"
    unit         = "jenkins-of-the-shop-in-europe-1"
    backup_vault = "nightly"
  }

  assert {
    condition     = length(aws_backup_plan.home[0].name) == 50 && aws_backup_selection.home[0].name == aws_backup_plan.home[0].name
    error_message = "It is cut, with a hash of the whole."
  }
}

run "a_home_that_no_subnet_reaches_is_refused" {
  command = plan

  variables {
    private_subnet_ids = []
  }

  expect_failures = [var.private_subnet_ids]
}

run "the_world_is_refused" {
  command = plan

  variables {
    client_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.client_cidrs]
}

run "a_jenkins_that_nobody_reaches_is_refused" {
  command = plan

  variables {
    client_cidrs = []
  }

  expect_failures = [var.published_port]
}

run "a_restore_without_bucket_is_refused" {
  command = plan

  variables {
    restore_jenkins = 1
  }

  expect_failures = [var.restore_bucket]
}

run "a_switch_is_0_or_1" {
  command = plan

  variables {
    restore_jenkins = 2
    restore_bucket  = "archives"
  }

  expect_failures = [var.restore_jenkins]
}

run "an_absolute_exclude_is_refused" {
  command = plan

  variables {
    restore_excludes = ["/var/jenkins_home/logs"]
  }

  expect_failures = [var.restore_excludes]
}

run "objects_have_no_more_tags_than_s3_takes" {
  command = plan

  variables {
    tags = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal", Backup = "no" }
  }

  assert {
    condition     = length(aws_s3_object.stack.tags) <= 10 && aws_s3_object.stack.tags["ngp:unit"] == "jenkins" && aws_efs_file_system.home.tags["CostCenter"] == "42"
    error_message = "An object has the module's tags; everything else has the operator's too."
  }
}

run "archives_that_kms_encrypts_are_read_by_their_key" {
  command = plan

  variables {
    restore_jenkins     = 1
    restore_bucket      = "archives"
    restore_kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/archives"
  }

  assert {
    condition     = data.aws_iam_policy_document.restore.statement[1].resources == toset([var.restore_kms_key_arn]) && one(data.aws_iam_policy_document.restore.statement[1].condition).values == tolist(["s3.eu-central-1.amazonaws.com"])
    error_message = "By way of S3 alone, and no other key."
  }
}

run "the_home_has_backups_where_nobody_names_a_vault" {
  command = plan

  assert {
    condition     = one(aws_efs_backup_policy.home.backup_policy).status == "ENABLED" && length(aws_backup_plan.home) == 0
    error_message = "EFS makes them by itself."
  }
}

run "a_vault_takes_the_place_of_backups_of_efs" {
  command = plan

  variables {
    backup_vault = "nightly"
  }

  assert {
    condition     = one(aws_efs_backup_policy.home.backup_policy).status == "DISABLED" && length(aws_backup_plan.home) == 1
    error_message = "Each copy costs."
  }
}
