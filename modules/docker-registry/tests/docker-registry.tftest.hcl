mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "images", arn = "arn:aws:s3:::images" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:made" }
  }
}

variables {
  project                 = "shop"
  environment             = "stage"
  region                  = "eu-central-1"
  domain_name             = "stage.example.com"
  pre_tag                 = "shop-a"
  post_tag                = "stage"
  swarm_domain            = "apps.stage.example.com"
  swarm_lb_dns_name       = "lb.example.net"
  swarm_lb_zone_id        = "Z1"
  swarm_stack_bucket      = "files"
  swarm_stack_prefix      = "stacks/"
  swarm_network_name      = "proxy"
  swarm_manager_role_name = "managers"
  swarm_kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/swarm"
  registry_password       = "correct-horse-battery"
  registry_http_secret    = "0123456789abcdef0123456789abcdef"
}

run "registry_answers_below_the_clusters_domain" {
  command = apply

  assert {
    condition     = output.registry_url == "https://registry.apps.stage.example.com" && aws_route53_record.registry.name == "registry.apps.stage.example.com"
    error_message = "The registry has a name of its own."
  }
  assert {
    condition     = aws_s3_object.stack.bucket == "files" && aws_s3_object.stack.key == "stacks/docker-registry/stack.yml" && aws_s3_object.secrets.key == "stacks/docker-registry/secrets.json"
    error_message = "The stack lies where the cluster looks for it."
  }
  assert {
    condition     = aws_iam_role_policy.storage.role == aws_iam_role.storage.id && one(data.aws_iam_policy_document.assume_storage.statement[0].condition).values == tolist(["arn:aws:iam::123456789012:role/managers"])
    error_message = "The images are reached by a role that managers alone take."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.manager_secret.role == "managers" && data.aws_iam_policy_document.secret.statement[0].actions == toset(["sts:AssumeRole"]) && data.aws_iam_policy_document.secret.statement[0].resources == toset([aws_iam_role.storage.arn])
    error_message = "Managers may take that role, and read the secret."
  }
  assert {
    condition     = jsondecode(aws_s3_object.roles.content) == [{ name = "storage", role_arn = aws_iam_role.storage.arn }] && aws_s3_object.roles.key == "stacks/docker-registry/roles.json"
    error_message = "The cluster is told which role the containers get."
  }
  assert {
    condition     = jsondecode(aws_s3_object.logins.content)[0].host == "registry.apps.stage.example.com" && jsondecode(aws_s3_object.logins.content)[0].secret_arn == aws_secretsmanager_secret.runtime.arn && aws_s3_object.logins.key == "stacks/docker-registry/logins.json"
    error_message = "The cluster is told how it logs in to pull."
  }
  assert {
    condition     = alltrue([for secret in jsondecode(aws_s3_object.secrets.content) : secret.secret_arn == aws_secretsmanager_secret.runtime.arn])
    error_message = "The stack's secrets come from the runtime secret."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.password.secret_string == null && aws_secretsmanager_secret_version.runtime.secret_string == null
    error_message = "No secret is in the state."
  }
}

run "stack_file_says_what_the_registry_needs" {
  command = apply

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.environment.REGISTRY_STORAGE_S3_ROOTDIRECTORY == "/docker-registry" && yamldecode(aws_s3_object.stack.content).services.registry.environment.REGISTRY_STORAGE_S3_BUCKET == "images"
    error_message = "Images lie in the bucket, below /docker-registry."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.environment.REGISTRY_STORAGE_REDIRECT_DISABLE == "false" && yamldecode(aws_s3_object.stack.content).services.registry.environment.REGISTRY_STORAGE_S3_KEYID == "arn:aws:kms:eu-central-1:123456789012:key/swarm"
    error_message = "Layers come from S3, encrypted by the cluster's key."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.deploy.labels["traefik.http.routers.docker-registry.rule"] == "Host(`registry.apps.stage.example.com`)" && length(yamldecode(aws_s3_object.stack.content).services.registry.deploy.placement.constraints) == 1
    error_message = "The router knows it by its name; it runs where its role is."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).secrets.htpasswd.name == "$${SECRET_htpasswd}"
    error_message = "The name of a Docker secret is filled in by the leader."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.entrypoint[2] == replace(file("files/serve.sh"), "$", "$$") && yamldecode(aws_s3_object.stack.content).services.registry.environment.GC_PERIOD_S == "0"
    error_message = "The script is whole, and deletes nothing unless asked to."
  }
  assert {
    condition     = [for statement in data.aws_iam_policy_document.storage.statement : join(" ", one(statement.condition).values) if statement.sid == "UseTheKey"] == ["s3.eu-central-1.amazonaws.com"]
    error_message = "The key serves the bucket, and nothing else."
  }
}

run "space_comes_back_at_the_time_that_is_said" {
  command = plan

  variables {
    gc_schedule = "Sun 03:30"
    gc_minutes  = 90
  }

  # 1 January 1970 was a Thursday, so the first Sunday was the fourth day.
  assert {
    condition     = local.gc == { period_s = 604800, start_s = 3 * 86400 + 3 * 3600 + 30 * 60, window_s = 5400 }
    error_message = "Once a week, from then on for so long."
  }
}

run "or_every_day" {
  command = plan

  variables {
    gc_schedule = "daily 23:00"
    bucket_name = "images-of-the-shop"
  }

  assert {
    condition     = local.gc == { period_s = 86400, start_s = 23 * 3600, window_s = 3600 } && aws_s3_bucket.images.bucket == "images-of-the-shop"
    error_message = "Once a day; and the bucket has the name that is said."
  }
}

run "what_is_no_time_or_no_bucket_is_refused" {
  command = plan

  variables {
    gc_schedule = "Sunday 3:00"
    gc_minutes  = 5
    bucket_name = "Images"
  }

  expect_failures = [var.gc_schedule, var.gc_minutes, var.bucket_name]
}

run "the_registry_may_keep_images_and_nothing_else" {
  command = apply

  assert {
    condition     = toset(data.aws_iam_policy_document.storage.statement[1].actions) == toset(["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]) && toset(data.aws_iam_policy_document.storage.statement[1].resources) == toset(["${aws_s3_bucket.images.arn}/docker-registry/*"])
    error_message = "It writes, reads and deletes below root_directory."
  }

  assert {
    condition     = toset(data.aws_iam_policy_document.secret.statement[1].resources) == toset([aws_secretsmanager_secret.runtime.arn])
    error_message = "Managers read the runtime secret alone."
  }
}

run "what_can_be_chosen_reaches_the_stack" {
  command = apply

  variables {
    hostname           = "images"
    replicas           = 5
    redirect_to_bucket = false
    root_directory     = "/a/b"
    kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/own"
    unit               = "images"
  }

  assert {
    condition     = output.registry_host == "images.apps.stage.example.com" && output.registry_stack == "images" && aws_s3_object.stack.key == "stacks/images/stack.yml"
    error_message = "A second registry is another stack."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.deploy.replicas == 5 && yamldecode(aws_s3_object.stack.content).services.registry.volumes == ["/run/ngp/roles/images/storage:/run/ngp/role:ro"]
    error_message = "Copies are as chosen, and find the role of their own stack."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.environment.REGISTRY_STORAGE_REDIRECT_DISABLE == "true" && yamldecode(aws_s3_object.stack.content).services.registry.environment.REGISTRY_STORAGE_S3_ROOTDIRECTORY == "/a/b"
    error_message = "Layers come through the registry."
  }
  assert {
    condition     = aws_secretsmanager_secret.runtime.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own"
    error_message = "A given key is used."
  }
}

run "new_secret_is_deployed" {
  command = apply

  variables {
    secret_version = 2
  }

  assert {
    condition     = aws_secretsmanager_secret_version.runtime.secret_string_wo_version == 2 && aws_secretsmanager_secret_version.password.secret_string_wo_version == 2 && jsondecode(aws_s3_object.secrets.content)[0].version == 2
    error_message = "Both secrets are written anew, and the stack's file changes with them."
  }
}

run "a_hostname_of_two_labels_is_refused" {
  command = plan

  variables {
    hostname = "docker.registry"
  }

  expect_failures = [var.hostname]
}

run "a_root_directory_without_slash_is_refused" {
  command = plan

  variables {
    root_directory = "docker-registry/"
  }

  expect_failures = [var.root_directory]
}

run "a_registry_that_cannot_reach_its_bucket_is_refused" {
  command = plan

  variables {
    image = "registry:2.8.3"
  }

  expect_failures = [var.image]
}

run "another_build_of_release_2_is_the_operators_matter" {
  command = plan

  variables {
    image = "mirror.example.com/registry:2.8.3"
  }

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.image == "mirror.example.com/registry:2.8.3"
    error_message = "Only the official image is known to be too old."
  }
}

run "images_of_docker_hub_come_from_the_cache" {
  command = plan

  variables {
    swarm_image_cache = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub"
  }

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.registry.image == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub/library/registry:3.0.0"
    error_message = "An official image is below library/."
  }
}

run "a_short_password_is_refused" {
  command = plan

  variables {
    registry_password = "short"
  }

  expect_failures = [var.registry_password]
}

run "recovery_that_aws_does_not_know_is_refused" {
  command = plan

  variables {
    secret_recovery_days = 3
  }

  expect_failures = [var.secret_recovery_days]
}

run "objects_have_no_more_tags_than_s3_takes" {
  command = plan

  variables {
    tags = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal", Backup = "no" }
  }

  assert {
    condition     = length(aws_s3_object.stack.tags) <= 10 && aws_s3_object.stack.tags["ngp:unit"] == "docker-registry" && aws_s3_bucket.images.tags["CostCenter"] == "42"
    error_message = "An object has the module's tags; everything else has the operator's too."
  }
}
