mock_provider "aws" {
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  project     = "shop"
  environment = "stage"
  region      = "eu-central-1"
  domain_name = "stage.example.com"
  pre_tag     = "Shop-A"
  post_tag    = "stage"
}

run "no_repository_by_default" {
  command = apply

  assert {
    condition     = length(output.repository_urls) == 0 && output.registry_id == "123456789012" && output.ecr_host == "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    error_message = "The registry is the account's; it holds nothing yet."
  }
  assert {
    condition     = length(aws_ecr_registry_scanning_configuration.this) == 0 && length(aws_ecr_pull_through_cache_rule.this) == 0 && length(aws_iam_role.cache) == 0 && length(aws_cloudwatch_event_rule.findings) == 0 && length(aws_ecr_repository_policy.cross_account) == 0
    error_message = "What is for the whole account or others is off unless asked for."
  }
}

run "repositories_are_scanned_immutable_and_cleaned" {
  command = apply

  variables {
    repositories = {
      "app"       = {}
      "tools/cli" = { immutable = false, scan_on_push = false, untagged_days = 3, keep_tagged = 9 }
    }
  }

  assert {
    condition     = aws_ecr_repository.this["app"].name == "shop-a/app" && aws_ecr_repository.this["app"].image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this["app"].image_scanning_configuration[0].scan_on_push
    error_message = "A repository is safe by default."
  }
  assert {
    condition     = aws_ecr_repository.this["tools/cli"].image_tag_mutability == "MUTABLE" && !aws_ecr_repository.this["tools/cli"].image_scanning_configuration[0].scan_on_push
    error_message = "A repository is as it says."
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["tools/cli"].policy).rules : rule.selection.countNumber] == [3, 9]
    error_message = "Untagged images go after days, tagged ones by number."
  }
  assert {
    condition     = keys(output.repository_urls) == ["app", "tools/cli"] && aws_ecr_repository.this["app"].encryption_configuration[0].encryption_type == "AES256"
    error_message = "Every repository is shown."
  }
}

run "given_key_encrypts" {
  command = apply

  variables {
    repositories = { app = {} }
    namespace    = "team"
    kms_key_arn  = "arn:aws:kms:eu-central-1:123456789012:key/given"
  }

  assert {
    condition     = aws_ecr_repository.this["app"].encryption_configuration[0].encryption_type == "KMS" && aws_ecr_repository.this["app"].encryption_configuration[0].kms_key == "arn:aws:kms:eu-central-1:123456789012:key/given" && aws_ecr_repository.this["app"].name == "team/app"
    error_message = "Key and namespace are as given."
  }
}

run "other_accounts_may_pull_from_every_repository" {
  command = apply

  variables {
    repositories     = { app = {}, web = {} }
    pull_account_ids = ["111122223333"]
  }

  assert {
    condition     = keys(aws_ecr_repository_policy.cross_account) == ["app", "web"]
    error_message = "Each repository has the policy."
  }
}

run "whole_registry_is_scanned_where_asked" {
  command = apply

  variables {
    registry_scanning = "ENHANCED"
  }

  assert {
    condition     = one(aws_ecr_registry_scanning_configuration.this[0].rule).scan_frequency == "CONTINUOUS_SCAN"
    error_message = "Enhanced scanning is continuous."
  }
}

run "upstream_is_cached_below_its_prefix" {
  command = apply

  variables {
    pull_through = {
      quay = { upstream = "quay.io" }
      hub  = { upstream = "registry-1.docker.io", credential_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ecr-pullthroughcache/hub" }
    }
  }

  assert {
    condition     = aws_ecr_pull_through_cache_rule.this["quay"].upstream_registry_url == "quay.io" && aws_ecr_pull_through_cache_rule.this["quay"].credential_arn == null && aws_ecr_pull_through_cache_rule.this["hub"].credential_arn != null
    error_message = "A rule has credentials only where given."
  }
  assert {
    condition     = local.cached_arns[1] == "arn:aws:ecr:eu-central-1:123456789012:repository/quay/*"
    error_message = "Who pulls may fill the cache below its prefix."
  }
  assert {
    condition     = aws_ecr_repository_creation_template.this["quay"].prefix == "quay" && jsondecode(aws_ecr_repository_creation_template.this["quay"].lifecycle_policy).rules[0].selection.countNumber == 50 && aws_ecr_repository_creation_template.this["quay"].resource_tags["ngp:unit"] == "ecr" && aws_ecr_repository_creation_template.this["quay"].encryption_configuration[0].encryption_type == "AES256"
    error_message = "What ECR makes itself is cleaned and has the unit's tags."
  }
}

run "caches_have_the_key_that_is_given" {
  command = plan

  variables {
    pull_through             = { quay = { upstream = "quay.io" } }
    cached_images            = 9
    kms_key_arn              = "arn:aws:kms:eu-central-1:123456789012:key/given"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_ecr_repository_creation_template.this["quay"].encryption_configuration[0].kms_key == "arn:aws:kms:eu-central-1:123456789012:key/given" && jsondecode(aws_ecr_repository_creation_template.this["quay"].lifecycle_policy).rules[0].selection.countNumber == 9
    error_message = "So are the repositories of this module."
  }
  assert {
    condition     = aws_iam_role.cache[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && data.aws_iam_policy_document.cache.statement[1].resources == toset(["arn:aws:kms:eu-central-1:123456789012:key/given"])
    error_message = "ECR makes them by a role that may use the key."
  }
}

run "policies_name_the_units_repositories" {
  command = plan

  variables {
    repositories = { app = {}, web = {} }
  }

  assert {
    condition     = data.aws_iam_policy_document.push.statement[0].resources == toset(["arn:aws:ecr:eu-central-1:123456789012:repository/shop-a/app", "arn:aws:ecr:eu-central-1:123456789012:repository/shop-a/web"]) && data.aws_iam_policy_document.pull.statement[1].resources == data.aws_iam_policy_document.push.statement[0].resources
    error_message = "Another unit may have the same namespace."
  }
}

run "a_unit_without_repositories_has_no_right_to_any" {
  command = plan

  assert {
    condition     = length(data.aws_iam_policy_document.pull.statement) == 1 && length(data.aws_iam_policy_document.push.statement) == 0
    error_message = "It may log in, and that is all."
  }
}

run "policies_name_the_namespace_where_the_names_do_not_fit" {
  command = plan

  variables {
    repositories = { for number in range(60) : "service-of-the-shop-${number}" => {} }
  }

  assert {
    condition     = data.aws_iam_policy_document.push.statement[0].resources == toset(["arn:aws:ecr:eu-central-1:123456789012:repository/shop-a/*"]) && data.aws_iam_policy_document.pull.statement[1].resources == toset(["arn:aws:ecr:eu-central-1:123456789012:repository/shop-a/*"])
    error_message = "IAM takes 6,144 characters."
  }
}

run "findings_go_to_the_alarm_topic" {
  command = apply

  variables {
    notify_findings = true
    alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms"
  }

  assert {
    condition     = aws_cloudwatch_event_target.findings[0].arn == "arn:aws:sns:eu-central-1:123456789012:alarms" && jsondecode(aws_cloudwatch_event_rule.findings[0].event_pattern).detail["repository-name"][0].prefix == "shop-a/"
    error_message = "Only what was found in this namespace is told."
  }
  assert {
    condition     = contains(jsondecode(aws_cloudwatch_event_rule.findings[0].event_pattern).source, "aws.inspector2") && jsondecode(aws_cloudwatch_event_rule.findings[0].event_pattern).detail["repository-name"][1].prefix == "arn:aws:ecr:eu-central-1:123456789012:repository/shop-a/"
    error_message = "Inspector, which scans when scanning is enhanced, names repositories by their ARNs."
  }
}

run "agents_of_dcos_have_a_login_where_asked" {
  command = plan

  variables {
    marathon_archive = "/var/jenkins_nfs/docker.tar.gz"
  }

  assert {
    condition     = jsondecode(output.ecr_marathon_app).env.ARCHIVE == "/var/jenkins_nfs/docker.tar.gz" && jsondecode(output.ecr_marathon_app).env.ECR_HOST == output.ecr_host && jsondecode(output.ecr_marathon_app).cmd == file("files/login.sh")
    error_message = "The app writes the archive, for this registry."
  }
}

run "nodes_pull_through_rules" {
  command = plan

  variables {
    pull_through    = { quay = { upstream = "quay.io" } }
    pull_role_names = ["shop-a-swarm-Manager-stage", "shop-a-swarm-Worker-stage"]
  }

  assert {
    condition     = [for each in aws_iam_role_policy_attachment.pull : each.role] == ["shop-a-swarm-Manager-stage", "shop-a-swarm-Worker-stage"]
    error_message = "The nodes get the right to the first pull."
  }
  assert {
    condition     = endswith(output.ecr_pull_through["quay"], "/quay") && startswith(output.ecr_pull_through["quay"], output.ecr_host)
    error_message = "Whoever names an image is told where it is."
  }
}

run "a_role_named_twice_is_refused" {
  command = plan

  variables {
    pull_role_names = ["nodes", "nodes"]
  }

  expect_failures = [var.pull_role_names]
}

run "single_dashes_begin_every_name" {
  command = plan

  variables {
    pre_tag      = "a--B"
    repositories = { app = {} }
  }

  assert {
    condition     = aws_ecr_repository.this["app"].name == "a-b/app" && output.ecr_marathon_app == null
    error_message = "ECR refuses two dashes together."
  }
}

run "upstreams_that_ecr_does_not_cache_are_refused" {
  command = plan

  variables {
    pull_through     = { hub = { upstream = "registry-1.docker.io" } }
    marathon_archive = "/var/jenkins_nfs/login.tar.gz"
    repositories     = { app = { keep_tagged = 1.5 } }
  }

  expect_failures = [var.pull_through, var.marathon_archive, var.repositories]
}

run "findings_without_a_topic_are_refused" {
  command = plan

  variables {
    notify_findings = true
  }

  expect_failures = [var.notify_findings]
}

run "capitals_in_a_repository_are_refused" {
  command = plan

  variables {
    repositories = { App = {} }
  }

  expect_failures = [var.repositories]
}

run "wrong_accounts_and_prefixes_are_refused" {
  command = plan

  variables {
    pull_account_ids  = ["1234"]
    pull_through      = { "Quay" = { upstream = "quay.io" } }
    registry_scanning = "DEEP"
    cached_images     = 0
  }

  expect_failures = [var.pull_account_ids, var.pull_through, var.registry_scanning, var.cached_images]
}
