mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      id      = "db-MADE"
      arn     = "arn:aws:rds:eu-central-1:123456789012:db:made"
      address = "made.example.eu-central-1.rds.amazonaws.com"
      db_name = "from-the-snapshot"

      engine_version_actual = "17.6"
    }
  }
  mock_resource "aws_db_parameter_group" {
    defaults = { name = "made" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:made" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-0123" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
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
  master_password    = "correct-horse-battery-staple"
}

run "database_is_private_encrypted_and_kept" {
  command = apply

  assert {
    condition     = aws_db_instance.this.identifier == "shop-a-rds-postgres-stage" && aws_db_instance.this.engine_version == "17"
    error_message = "The database has the unit's name."
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.backup_retention_period == 7
    error_message = "It is encrypted, private, protected and backed up."
  }
  assert {
    condition     = startswith(output.rds_final_snapshot_identifier, "shop-a-rds-postgres-stage-final-") && aws_db_instance.this.engine_lifecycle_support == "open-source-rds-extended-support-disabled" && aws_db_instance.this.database_insights_mode == "standard"
    error_message = "The last snapshot has a name of its own; nothing that costs extra is on."
  }
  assert {
    condition     = output.rds_endpoint == "made.example.eu-central-1.rds.amazonaws.com" && output.rds_port == 5432 && output.rds_username == "master" && output.rds_database == "app"
    error_message = "The outputs say where and who."
  }
  assert {
    condition     = aws_db_instance.this.tags["ngp:unit"] == "rds-postgres" && aws_db_instance.this.tags["Environment"] == "stage" && aws_db_instance.this.copy_tags_to_snapshot
    error_message = "Tags are the catalogue's."
  }
}

run "password_is_in_no_state" {
  command = apply

  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo_version == 1 && aws_secretsmanager_secret_version.password.secret_string == null
    error_message = "The password goes through write-only arguments."
  }
  assert {
    condition     = output.rds_password_secret_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:made"
    error_message = "Its secret is an output."
  }
}

run "new_password_reaches_database_and_secret" {
  command = apply

  variables {
    password_version = 2
  }

  assert {
    condition     = aws_db_instance.this.password_wo_version == 2 && aws_secretsmanager_secret_version.password.secret_string_wo_version == 2
    error_message = "Both are written anew."
  }
}

run "connections_are_encrypted_and_logged_without_texts" {
  command = apply

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17" && { for each in aws_db_parameter_group.this.parameter : each.name => each.value }["rds.force_ssl"] == "1"
    error_message = "TLS only."
  }
  assert {
    condition     = { for each in aws_db_parameter_group.this.parameter : each.name => each.value }["log_connections"] == "1" && { for each in aws_db_parameter_group.this.parameter : each.name => each.value }["log_statement"] == "none" && { for each in aws_db_parameter_group.this.parameter : each.name => each.value }["log_min_duration_statement"] == "1000"
    error_message = "Connections and slow statements are logged, other statements are not."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this["postgresql"].name == "/aws/rds/instance/shop-a-rds-postgres-stage/postgresql" && aws_cloudwatch_log_group.this["upgrade"].retention_in_days == 30 && toset(aws_db_instance.this.enabled_cloudwatch_logs_exports) == toset(["postgresql", "upgrade"])
    error_message = "Logs end."
  }
}

run "own_parameters_do_not_undo_the_modules" {
  command   = apply
  state_key = "parameters"

  override_resource {
    target = aws_db_instance.this
    values = { arn = "arn:aws:rds:eu-central-1:123456789012:db:made", engine_version_actual = "16.4" }
  }

  variables {
    engine_version = "16.4"
    parameters = {
      "rds.force_ssl"            = { value = "0" }
      "shared_preload_libraries" = { value = "pg_stat_statements", at_reboot = true }
    }
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres16" && { for each in aws_db_parameter_group.this.parameter : each.name => each.value }["rds.force_ssl"] == "1"
    error_message = "The family follows the version; TLS stays."
  }
  assert {
    condition     = { for each in aws_db_parameter_group.this.parameter : each.name => each.apply_method }["shared_preload_libraries"] == "pending-reboot"
    error_message = "What needs a restart waits for it."
  }
}

run "without_named_clients_the_vpc_may_connect" {
  command = apply

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.vpc) == 1 && aws_vpc_security_group_ingress_rule.vpc[0].cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.vpc[0].from_port == 5432
    error_message = "The whole VPC, and nobody else."
  }
}

run "named_clients_alone_may_connect" {
  command = apply

  variables {
    client_security_group_ids = ["sg-nodes"]
    client_cidrs              = ["10.8.0.0/16"]
    port                      = 6432
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.vpc) == 0 && aws_vpc_security_group_ingress_rule.group[0].referenced_security_group_id == "sg-nodes" && keys(aws_vpc_security_group_ingress_rule.network) == ["10.8.0.0/16"]
    error_message = "Those who are named."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.group[0].to_port == 6432 && aws_db_instance.this.port == 6432
    error_message = "On the chosen port."
  }
}

run "alarms_go_to_the_topic" {
  command = apply

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["free-storage"].threshold == 4294967296 && aws_cloudwatch_metric_alarm.this["free-storage"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["cpu"].threshold == 80 && aws_cloudwatch_metric_alarm.this["connections"].metric_name == "DatabaseConnections"
    error_message = "Storage, CPU and connections."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["free-memory"].threshold == 104857600 && aws_cloudwatch_metric_alarm.this["free-memory"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["transactions"].metric_name == "MaximumUsedTransactionIDs" && aws_cloudwatch_metric_alarm.this["transactions"].threshold == 1000000000
    error_message = "Memory, and transaction ids long before PostgreSQL stops."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.down.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.down.statistic == "SampleCount" && aws_cloudwatch_metric_alarm.down.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "A database that reports nothing raises the alarm."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : toset(alarm.alarm_actions) == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])])
    error_message = "All tell the topic."
  }
}

run "events_go_to_the_topic" {
  command = apply

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this[0].event_pattern).detail.SourceIdentifier == ["shop-a-rds-postgres-stage"] && contains(jsondecode(aws_cloudwatch_event_rule.this[0].event_pattern).detail.EventCategories, "failover") && aws_cloudwatch_event_target.this[0].arn == "arn:aws:sns:eu-central-1:123456789012:alarms"
    error_message = "Those of this database, and no other."
  }
}

run "without_a_topic_the_rule_is_off" {
  command   = apply
  state_key = "no-topic"

  variables {
    alarm_topic_arn = ""
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this[0].state == "DISABLED" && aws_cloudwatch_event_target.this[0].arn == "arn:aws:sns:eu-central-1:123456789012:no-topic"
    error_message = "Nothing is sent to nobody."
  }
}

run "events_can_be_turned_off" {
  command   = apply
  state_key = "quiet"

  variables {
    notify_events   = false
    alarm_topic_arn = ""
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.this) == 0 && length(aws_cloudwatch_event_target.this) == 0 && length(aws_cloudwatch_event_rule.backup) == 0
    error_message = "No rule, no target."
  }
}

run "support_that_costs_is_asked_for" {
  command   = apply
  state_key = "support"

  variables {
    extended_support          = true
    performance_insights_days = 465
  }

  assert {
    condition     = aws_db_instance.this.engine_lifecycle_support == "open-source-rds-extended-support"
    error_message = "Extended support on request."
  }
  assert {
    condition     = aws_db_instance.this.database_insights_mode == "advanced" && aws_db_instance.this.performance_insights_retention_period == 465
    error_message = "Fifteen months of history are the advanced mode."
  }
}

run "a_major_upgrade_does_not_wait_for_the_window" {
  command = plan

  variables {
    allow_major_version_upgrade = true
  }

  expect_failures = [var.allow_major_version_upgrade]
}

run "a_database_of_one_major_version" {
  command   = apply
  state_key = "major"
}

run "a_major_upgrade_that_is_not_allowed_is_refused" {
  command   = plan
  state_key = "major"

  variables {
    engine_version = "18"
  }

  expect_failures = [aws_db_instance.this]
}

run "a_snapshot_of_another_major_version_is_restored_with_a_generation" {
  command   = plan
  state_key = "major"

  variables {
    engine_version      = "16"
    generation          = 2
    snapshot_identifier = "before-the-upgrade"
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres16"
    error_message = "The new database has the snapshot's version, and is not an upgrade."
  }
}

run "a_major_upgrade_that_is_allowed_is_made" {
  command   = apply
  state_key = "major"

  variables {
    engine_version              = "18"
    allow_major_version_upgrade = true
    apply_immediately           = true
  }

  assert {
    condition     = aws_db_instance.this.engine_version == "18" && aws_db_parameter_group.this.family == "postgres18"
    error_message = "Version and parameters go together."
  }
}

run "a_permission_that_goes_with_a_new_version_allows_nothing" {
  command   = plan
  state_key = "major"

  variables {
    engine_version = "16"
  }

  expect_failures = [aws_db_instance.this]
}

run "a_database_that_aws_has_upgraded" {
  command   = apply
  state_key = "upgraded"

  variables {
    engine_version = "18"
  }

  override_resource {
    target = aws_db_instance.this
    values = { arn = "arn:aws:rds:eu-central-1:123456789012:db:made", engine_version_actual = "18.1" }
  }
}

run "the_permission_may_go_afterwards" {
  command   = plan
  state_key = "upgraded"

  variables {
    engine_version = "18"
  }
}

run "it_does_not_go_back" {
  command   = plan
  state_key = "upgraded"

  expect_failures = [aws_db_instance.this]
}

run "a_minor_version_that_is_named_stays" {
  command = plan

  variables {
    engine_version = "17.4"
  }

  assert {
    condition     = !aws_db_instance.this.auto_minor_version_upgrade
    error_message = "RDS would raise it, and the next plan would ask it to go back."
  }
}

run "a_minor_version_that_is_not_named_is_renewed" {
  command = plan

  assert {
    condition     = aws_db_instance.this.auto_minor_version_upgrade
    error_message = "By RDS, in its window."
  }
}

run "large_storage_has_the_figures_that_rds_asks_for" {
  command = plan

  variables {
    storage_gib     = 400
    max_storage_gib = 1000
  }

  assert {
    condition     = aws_db_instance.this.iops == 12000 && aws_db_instance.this.storage_throughput == 500
    error_message = "Without them the provider repeats those of the smaller storage, which RDS refuses."
  }
}

run "the_alarm_of_connections_follows_the_class" {
  command = plan

  variables {
    instance_class = "db.t4g.micro"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 75
    error_message = "A micro instance allows some 80 connections."
  }
}

run "a_bigger_class_allows_more_connections" {
  command = plan

  variables {
    instance_class = "db.r6g.large"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 1215
    error_message = "Nine tenths of LEAST(memory / 9531392, 5000), three quarters of 16 GiB being the memory."
  }
}

run "a_large_class_allows_five_thousand_connections" {
  command = plan

  variables {
    instance_class = "db.m7g.8xlarge"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 4500
    error_message = "RDS allows no more by default."
  }
}

run "a_class_of_unknown_memory_has_a_low_alarm" {
  command = plan

  variables {
    instance_class = "db.q1.large"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 150
    error_message = "Any class but micro allows more."
  }
}

run "an_alarm_of_its_own_counts_for_every_class" {
  command = plan

  variables {
    instance_class    = "db.q1.large"
    alarm_connections = 400
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 400
    error_message = "What is given is not replaced by the default."
  }
}

run "an_alarm_that_the_class_may_reach_is_no_warning" {
  command = plan

  variables {
    instance_class    = "db.m5.large"
    alarm_connections = 740
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 740
    error_message = "Three quarters of the memory allow 675 connections, all of it 901: AWS decides between them."
  }
}

run "few_connections_keep_those_that_are_reserved" {
  command = plan

  variables {
    parameters = { max_connections = { value = "30", at_reboot = true } }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 24
    error_message = "Ordinary roles never get the last six."
  }
}

run "the_alarm_of_connections_follows_the_parameter" {
  command = plan

  variables {
    instance_class = "db.t4g.micro"
    parameters     = { max_connections = { value = "200", at_reboot = true } }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 180
    error_message = "The parameter says how many connections there are."
  }
}

run "the_alarm_of_connections_follows_a_formula" {
  command = plan

  variables {
    instance_class = "db.t4g.medium"
    parameters     = { max_connections = { value = "LEAST({DBInstanceClassMemory/19062784},100)", at_reboot = true } }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["connections"].threshold == 90
    error_message = "The formula's own limit is below the memory's 168."
  }
}

run "an_alarm_that_is_never_raised_is_told" {
  command = plan

  variables {
    instance_class    = "db.t4g.micro"
    alarm_connections = 150
  }

  expect_failures = [check.connections]
}

run "a_restored_database_keeps_the_names_of_its_snapshot" {
  command   = apply
  state_key = "restored"

  variables {
    snapshot_identifier = "before-the-accident"
  }

  assert {
    condition     = aws_db_instance.this.snapshot_identifier == "before-the-accident" && output.rds_database == "from-the-snapshot"
    error_message = "Names that the snapshot holds are not asked for."
  }
}

run "another_snapshot_alone_replaces_nothing" {
  command   = apply
  state_key = "restored"

  variables {
    snapshot_identifier = "another"
  }

  assert {
    condition     = aws_db_instance.this.snapshot_identifier == "before-the-accident"
    error_message = "A snapshot counts when the database is made."
  }
}

run "an_emptied_snapshot_brings_no_names_back" {
  command   = apply
  state_key = "restored"

  variables {
    snapshot_identifier = ""
  }

  assert {
    condition     = aws_db_instance.this.db_name == "from-the-snapshot" && aws_db_instance.this.username != "master"
    error_message = "The database keeps the names that the snapshot gave it: others would replace it."
  }
}

run "a_new_generation_is_made_from_it" {
  command   = apply
  state_key = "restored"

  variables {
    snapshot_identifier = "another"
    generation          = 2
  }

  assert {
    condition     = aws_db_instance.this.snapshot_identifier == "another"
    error_message = "The database is made anew from the snapshot."
  }
}

run "vault_and_own_key" {
  command   = apply
  state_key = "vault"

  variables {
    unit                      = "orders"
    kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/own"
    permissions_boundary_arn  = "arn:aws:iam::123456789012:policy/boundary"
    backup_vault              = "vault"
    performance_insights_days = 0
    multi_az                  = true
    skip_final_snapshot       = true
  }

  assert {
    condition     = aws_db_instance.this.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own" && aws_secretsmanager_secret.password.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own" && aws_cloudwatch_log_group.this["upgrade"].kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own"
    error_message = "A given key is used."
  }
  assert {
    condition     = one(aws_backup_plan.this[0].rule).schedule == "cron(0 7 * * ? *)" && tolist(aws_backup_selection.this[0].resources) == tolist(["arn:aws:rds:eu-central-1:123456789012:db:made"]) && aws_iam_role.backup[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "Copies go to the vault, by a role with the boundary."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.backup[0].event_pattern).detail.resourceArn == ["arn:aws:rds:eu-central-1:123456789012:db:made"] && contains(jsondecode(aws_cloudwatch_event_rule.backup[0].event_pattern).detail.state, "FAILED") && aws_cloudwatch_event_target.backup[0].arn == "arn:aws:sns:eu-central-1:123456789012:alarms"
    error_message = "A copy that fails is told."
  }
  assert {
    condition     = aws_db_instance.this.identifier == "shop-a-orders-stage" && aws_db_instance.this.multi_az && !aws_db_instance.this.performance_insights_enabled && output.rds_final_snapshot_identifier == null
    error_message = "A second unit has a name of its own; the rest is as chosen."
  }
}

run "copies_begin_in_the_hour_in_which_a_window_ends" {
  command = plan

  variables {
    backup_vault  = "vault"
    backup_window = "06:00-07:00"
  }

  assert {
    condition     = one(aws_backup_plan.this[0].rule).schedule == "cron(0 7 * * ? *)"
    error_message = "The window is over at 7:00."
  }
}

run "copies_wait_for_a_window_that_goes_on" {
  command = plan

  variables {
    backup_vault  = "vault"
    backup_window = "06:30-07:30"
  }

  assert {
    condition     = one(aws_backup_plan.this[0].rule).schedule == "cron(0 8 * * ? *)"
    error_message = "At 7:00 RDS is at work."
  }
}

run "a_long_name_fits_a_plan_of_backups" {
  command = plan

  variables {
    pre_tag      = "shop-longer1"
    post_tag     = "stage1"
    unit         = "orders-of-the-shop-in-europe-12"
    backup_vault = "vault"
  }

  assert {
    condition     = length(aws_backup_plan.this[0].name) == 50 && aws_backup_selection.this[0].name == aws_backup_plan.this[0].name
    error_message = "It is cut, with a hash of the whole."
  }
}

run "a_name_that_rds_would_refuse_is_mended" {
  command = plan

  variables {
    pre_tag = "9--Shop"
    unit    = "a-"
  }

  assert {
    condition     = aws_db_instance.this.identifier == "db-9-shop-a-stage"
    error_message = "Lower case, a letter first, no two dashes in a row."
  }
}

run "what_rds_would_refuse_is_refused" {
  command = plan

  variables {
    private_subnet_ids        = ["subnet-1"]
    client_cidrs              = ["0.0.0.0/0"]
    engine_version            = "9.6"
    storage_gib               = 10
    database_name             = "postgres"
    username                  = "rdsadmin"
    performance_insights_days = 731
    maintenance_window        = "sunday"
    backup_retention_days     = 36
    master_password           = "with@sign-and/slash"
    secret_recovery_days      = 3
    port                      = 22
    parameters                = { "Work Mem" = { value = "1" } }
    backup_vault              = "a vault"
    snapshot_identifier       = "before/after"
    alarm_free_memory_mib     = 0
  }

  expect_failures = [
    var.private_subnet_ids, var.client_cidrs, var.engine_version, var.storage_gib, var.database_name,
    var.username, var.performance_insights_days, var.maintenance_window, var.backup_retention_days,
    var.master_password, var.secret_recovery_days, var.port, var.parameters, var.backup_vault, var.snapshot_identifier,
    var.alarm_free_memory_mib,
  ]
}

run "storage_that_hardly_grows_is_refused" {
  command = plan

  variables {
    storage_gib     = 100
    max_storage_gib = 105
  }

  expect_failures = [var.max_storage_gib]
}

run "a_window_that_crosses_midnight_is_known_to_overlap" {
  command = plan

  variables {
    backup_window      = "23:30-00:30"
    maintenance_window = "tue:00:00-tue:01:00"
  }

  expect_failures = [var.backup_window]
}

run "windows_may_touch_and_cross_midnight" {
  command = plan

  variables {
    backup_window      = "22:30-00:00"
    maintenance_window = "sun:00:00-sun:01:00"
  }
}

run "a_daily_window_that_is_too_short_is_refused" {
  command = plan

  variables {
    backup_window = "02:00-02:29"
  }

  expect_failures = [var.backup_window]
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
    maintenance_window = "sun:02:30-sun:03:30"
  }

  expect_failures = [var.backup_window]
}

run "a_window_that_is_none_is_refused" {
  command = plan

  variables {
    backup_window = "29:00-30:00"
  }

  expect_failures = [var.backup_window]
}
