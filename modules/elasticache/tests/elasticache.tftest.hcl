mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_elasticache_replication_group" {
    defaults = {
      arn                      = "arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:made"
      primary_endpoint_address = "master.made.euc1.cache.amazonaws.com"
      reader_endpoint_address  = "replica.made.euc1.cache.amazonaws.com"
    }
  }
  mock_resource "aws_elasticache_user" {
    defaults = { arn = "arn:aws:elasticache:eu-central-1:123456789012:user:made" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-0123" }
  }
}

variables {
  project            = "shop"
  environment        = "stage"
  region             = "eu-central-1"
  pre_tag            = "shop-a"
  post_tag           = "stage"
  vpc_id             = "vpc-0123"
  vpc_cidr           = "10.0.0.0/16"
  private_subnet_ids = ["subnet-1", "subnet-2"]
  alarm_topic_arn    = "arn:aws:sns:eu-central-1:123456789012:alarms"
}

run "cache_is_encrypted_redundant_and_kept" {
  command = apply

  assert {
    condition     = aws_elasticache_replication_group.this.replication_group_id == "shop-a-elasticache-stage" && aws_elasticache_replication_group.this.engine == "valkey"
    error_message = "The cache has the unit's name."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required" && tobool(aws_elasticache_replication_group.this.at_rest_encryption_enabled)
    error_message = "TLS only, and encrypted at rest."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "A copy in another zone takes over."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_retention_limit == 7 && startswith(output.elasticache_final_snapshot_name, "shop-a-elasticache-stage-final-")
    error_message = "Snapshots are taken, a last one too."
  }
  assert {
    condition     = output.elasticache_endpoint == "master.made.euc1.cache.amazonaws.com" && output.elasticache_port == 6379
    error_message = "The outputs say where."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.parameter_group_name == "default.valkey8" && length(aws_elasticache_parameter_group.this) == 0
    error_message = "Without parameters AWS's own group is used."
  }
  assert {
    condition     = { for each in aws_elasticache_replication_group.this.log_delivery_configuration : each.log_type => each.destination } == { slow-log = "/aws/elasticache/shop-a-elasticache-stage/slow-log", engine-log = "/aws/elasticache/shop-a-elasticache-stage/engine-log" } && output.elasticache_log_group_names == ["/aws/elasticache/shop-a-elasticache-stage/engine-log", "/aws/elasticache/shop-a-elasticache-stage/slow-log"]
    error_message = "What the engine says is kept, slow commands too."
  }
}

run "users_log_in_by_iam_alone" {
  command = apply

  variables {
    users = { app = "on ~app:* +@all -@dangerous", jobs = "on ~* +@read" }
  }

  assert {
    condition     = output.elasticache_users["app"] == "shop-a-elasticache-stage-app" && aws_elasticache_user.this["jobs"].user_name == "shop-a-elasticache-stage-jobs"
    error_message = "A user's name is its id, as IAM asks."
  }
  assert {
    condition     = alltrue([for user in aws_elasticache_user.this : user.authentication_mode[0].type == "iam" && user.passwords == null])
    error_message = "No user has a password."
  }
  assert {
    condition     = length(aws_elasticache_user.default) == 0 && aws_elasticache_user_group.this[0].engine == "valkey" && tolist(aws_elasticache_replication_group.this.user_group_ids) == tolist(["shop-a-elasticache-stage-valkey"])
    error_message = "A group of Valkey takes no user without a login."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null && output.elasticache_connect_policy_arn == "arn:aws:iam::123456789012:policy/made"
    error_message = "There is no token that a state would hold; a policy lets roles in."
  }
  assert {
    condition     = toset(data.aws_iam_policy_document.connect.statement[0].actions) == toset(["elasticache:Connect"]) && toset(data.aws_iam_policy_document.connect.statement[0].resources) == toset(["arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:made", "arn:aws:elasticache:eu-central-1:123456789012:user:made"])
    error_message = "The policy names the cache and its users."
  }
}

run "a_group_of_redis_has_a_default_user_that_may_do_nothing" {
  command   = apply
  state_key = "redis"

  variables {
    engine         = "redis"
    engine_version = "7.1"
    parameters     = { maxmemory-policy = "allkeys-lru" }
  }

  assert {
    condition     = aws_elasticache_user.default[0].user_name == "default" && startswith(aws_elasticache_user.default[0].access_string, "off ") && length(aws_elasticache_user_group.this[0].user_ids) == 2
    error_message = "Who does not say who he is gets nothing."
  }
  assert {
    condition     = aws_elasticache_parameter_group.this[0].family == "redis7" && aws_elasticache_replication_group.this.parameter_group_name == "shop-a-elasticache-stage-redis7"
    error_message = "Own parameters have a group of their own."
  }
}

run "network_authentication_has_no_users" {
  command   = apply
  state_key = "network"

  variables {
    authentication            = "network"
    nodes                     = 1
    client_security_group_ids = ["sg-nodes"]
    skip_final_snapshot       = true
    kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/own"
    alarm_evictions           = 0
  }

  assert {
    condition     = length(aws_elasticache_user.this) == 0 && length(aws_elasticache_user_group.this) == 0 && output.elasticache_connect_policy_arn == null && output.elasticache_users == {}
    error_message = "Nobody logs in."
  }
  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled && output.elasticache_final_snapshot_name == null
    error_message = "One node has none to take over."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.vpc) == 0 && aws_vpc_security_group_ingress_rule.group[0].referenced_security_group_id == "sg-nodes"
    error_message = "Named clients alone may connect."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own" && alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own"])
    error_message = "A given key is used."
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["001-cpu", "001-host", "001-memory"])
    error_message = "Alarms that are turned off are not there."
  }
}

run "every_node_has_its_alarms" {
  command = apply

  variables {
    nodes = 3
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 15 && length(aws_cloudwatch_metric_alarm.down) == 3 && aws_cloudwatch_metric_alarm.down[2].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.down[2].dimensions["CacheClusterId"] == "shop-a-elasticache-stage-003" && aws_cloudwatch_metric_alarm.this["003-evictions"].dimensions["CacheClusterId"] == "shop-a-elasticache-stage-003" && toset(aws_cloudwatch_metric_alarm.this["001-cpu"].alarm_actions) == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "CPU, memory, evictions, lag and silence, by node."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["002-lag"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.this["002-cpu"].treat_missing_data == "missing"
    error_message = "Whichever node is the primary has no lag."
  }
}

run "alarms_follow_the_nodes_that_are_left" {
  command   = apply
  state_key = "members"

  override_resource {
    target = aws_elasticache_replication_group.this
    values = {
      arn             = "arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:made"
      member_clusters = ["shop-a-elasticache-stage-003", "shop-a-elasticache-stage-001"]
    }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["002-cpu"].dimensions["CacheClusterId"] == "shop-a-elasticache-stage-003" && aws_cloudwatch_metric_alarm.down[1].dimensions["CacheClusterId"] == "shop-a-elasticache-stage-003" && aws_cloudwatch_metric_alarm.down[0].dimensions["CacheClusterId"] == "shop-a-elasticache-stage-001"
    error_message = "AWS chooses which node it removes: none is watched that is gone, and every one that is there."
  }
}

run "no_version_comes_by_itself" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.auto_minor_version_upgrade == "false"
    error_message = "The next plan would replace the cache."
  }
}

run "another_snapshot_alone_replaces_nothing" {
  command = apply

  variables {
    snapshot_name = "yesterday"
  }

  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_name == null
    error_message = "A snapshot counts when the cache is made."
  }
}

run "a_new_generation_is_made_from_it" {
  command = apply

  variables {
    snapshot_name = "yesterday"
    generation    = 2
  }

  assert {
    condition     = aws_elasticache_replication_group.this.snapshot_name == "yesterday"
    error_message = "The cache is made anew from the snapshot."
  }
}

run "long_names_stay_within_forty_characters" {
  command = plan

  variables {
    pre_tag = "9shop-longer"
    unit    = "sessions-of-the-shop-in-europe"
    users   = { a-user-with-a-name = "on ~* +@read" }
  }

  assert {
    condition     = length(aws_elasticache_replication_group.this.replication_group_id) <= 33 && length(aws_elasticache_user_group.this[0].user_group_id) <= 40 && startswith(aws_elasticache_replication_group.this.replication_group_id, "c-9shop-longer-sessions-")
    error_message = "A long name is cut, with a hash of the whole."
  }
  assert {
    condition     = length(aws_elasticache_user.this["a-user-with-a-name"].user_id) <= 40 && endswith(aws_elasticache_user.this["a-user-with-a-name"].user_id, "-a-user-with-a-name")
    error_message = "So is a user's id."
  }
}

run "what_elasticache_would_refuse_is_refused" {
  command = plan

  variables {
    private_subnet_ids      = ["subnet-1"]
    client_cidrs            = ["0.0.0.0/0"]
    authentication          = "password"
    engine_version          = "7.1"
    nodes                   = 7
    node_type               = "t4g.small"
    maintenance_window      = "sunday"
    snapshot_retention_days = 36
    snapshot_name           = "last night"
    parameters              = { "maxmemory policy" = "allkeys-lru" }
    alarm_lag_s             = -1
  }

  expect_failures = [
    var.private_subnet_ids, var.client_cidrs, var.authentication, var.engine_version, var.nodes, var.node_type,
    var.maintenance_window, var.snapshot_retention_days, var.snapshot_name, var.parameters, var.alarm_lag_s,
  ]
}

run "a_user_called_default_is_refused" {
  command = plan

  variables {
    users = { default = "on ~* +@all" }
  }

  expect_failures = [var.users]
}

run "iam_without_users_is_refused" {
  command = plan

  variables {
    users = {}
  }

  expect_failures = [var.users]
}

run "a_window_that_crosses_midnight_is_known_to_overlap" {
  command = plan

  variables {
    snapshot_window    = "23:30-00:30"
    maintenance_window = "tue:00:00-tue:01:00"
  }

  expect_failures = [var.snapshot_window]
}

run "windows_may_touch_and_cross_midnight" {
  command = plan

  variables {
    snapshot_window    = "22:30-00:00"
    maintenance_window = "sun:00:00-sun:01:00"
  }
}

run "a_daily_window_that_is_too_short_is_refused" {
  command = plan

  variables {
    snapshot_window = "02:00-02:59"
  }

  expect_failures = [var.snapshot_window]
}

run "a_weekly_window_that_is_too_short_is_refused" {
  command = plan

  variables {
    maintenance_window = "sun:23:50-mon:00:10"
  }

  expect_failures = [var.maintenance_window]
}

run "a_weekly_window_of_a_day_is_refused" {
  command = plan

  variables {
    maintenance_window = "sun:23:00-mon:23:00"
  }

  expect_failures = [var.maintenance_window]
}

run "a_weekly_window_whose_ends_are_swapped_is_refused" {
  command = plan

  variables {
    maintenance_window = "sun:05:00-sun:04:00"
  }

  expect_failures = [var.maintenance_window]
}

run "windows_that_overlap_are_refused" {
  command = plan

  variables {
    snapshot_window = "04:30-05:30"
  }

  expect_failures = [var.snapshot_window]
}

run "a_cache_with_parameters" {
  command   = apply
  state_key = "parameters"

  variables {
    engine_version = "7.2"
    parameters     = { maxmemory-policy = "allkeys-lru" }
  }
}

run "another_family_does_not_wait_for_the_window" {
  command   = plan
  state_key = "parameters"

  variables {
    parameters = { maxmemory-policy = "allkeys-lru" }
  }

  expect_failures = [aws_elasticache_replication_group.this]
}

run "another_family_comes_at_once" {
  command   = apply
  state_key = "parameters"

  variables {
    parameters        = { maxmemory-policy = "allkeys-lru" }
    apply_immediately = true
  }

  assert {
    condition     = aws_elasticache_replication_group.this.parameter_group_name == "shop-a-elasticache-stage-valkey8"
    error_message = "The new group is used."
  }
}

run "afterwards_changes_wait_again" {
  command   = apply
  state_key = "parameters"

  variables {
    parameters = { maxmemory-policy = "allkeys-lru" }
  }

  assert {
    condition     = terraform_data.parameter_group.input == "shop-a-elasticache-stage-valkey8"
    error_message = "The group that the cache has is remembered."
  }
}
