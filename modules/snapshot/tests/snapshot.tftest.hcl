mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "snapshots", arn = "arn:aws:s3:::snapshots" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/made" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:made" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:made", url = "https://sqs.example/made" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:made" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/made" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = { id = "api", api_endpoint = "https://api.example", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:api" }
  }
}

variables {
  project                 = "shop"
  environment             = "stage"
  region                  = "eu-central-1"
  pre_tag                 = "shop-a"
  post_tag                = "stage"
  swarm_stack_bucket      = "files"
  swarm_stack_prefix      = "stacks/"
  swarm_manager_role_name = "managers"
}

run "swarm_gets_a_stack_and_its_managers_the_right" {
  command = apply

  assert {
    condition     = aws_s3_object.stack[0].bucket == "files" && aws_s3_object.stack[0].key == "stacks/snapshot/stack.yml" && output.snapshot_stack == "snapshot"
    error_message = "The stack lies where the cluster looks for it."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.manager[0].role == "managers" && aws_iam_role_policy_attachment.manager[0].policy_arn == aws_iam_policy.keep.arn
    error_message = "Managers may keep snapshots."
  }
  assert {
    condition     = alltrue([for name, config in yamldecode(aws_s3_object.stack[0].content).configs : aws_s3_object.code[name].key == "stacks/snapshot/${trimprefix(config.file, "./")}" && config.name == "snapshot_${name}_${local.code[name].digest}"])
    error_message = "The stack names files that are there, and configs that are new when the code is."
  }
  assert {
    condition     = aws_s3_object.code["swarm"].content == file("files/swarm.py") && length(yamldecode(aws_s3_object.stack[0].content).services.keeper.configs) == 4
    error_message = "All code comes along."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack[0].content).services.keeper.deploy.mode == "global" && yamldecode(aws_s3_object.stack[0].content).services.keeper.deploy.placement.constraints == ["node.role == manager"]
    error_message = "Every manager is ready to lead."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack[0].content).services.keeper.environment.BUCKET == "snapshots" && yamldecode(aws_s3_object.stack[0].content).services.keeper.environment.PREFIX == "stage/" && yamldecode(aws_s3_object.stack[0].content).services.keeper.environment.INTERVAL_S == "3600"
    error_message = "Snapshots go into the bucket every hour, below the environment's name."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack[0].content).services.keeper.logging.options["awslogs-group"] == "/shop/stage/snapshot" && aws_cloudwatch_log_metric_filter.saved.log_group_name == "/shop/stage/snapshot"
    error_message = "What the container writes is what the alarm counts."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack[0].content).services.keeper.read_only && yamldecode(aws_s3_object.stack[0].content).services.keeper.cap_drop == ["ALL"]
    error_message = "The container has neither a disk nor a capability."
  }
  assert {
    condition     = length(aws_lambda_function.snapshot) == 0 && length(aws_apigatewayv2_api.restore) == 0 && length(aws_security_group.function) == 0 && output.snapshot_function_name == null && output.snapshot_restore_url == null
    error_message = "There is no function, and no way in."
  }
}

run "objects_have_no_more_tags_than_s3_takes" {
  command = plan

  variables {
    tags = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal", Backup = "no" }
  }

  assert {
    condition     = alltrue([for each in concat(values(aws_s3_object.code), aws_s3_object.stack) : length(each.tags) <= 10 && each.tags["ngp:unit"] == "snapshot"]) && aws_s3_bucket.snapshots.tags["CostCenter"] == "42"
    error_message = "An object has the module's tags; everything else has the operator's too."
  }
}

run "snapshots_are_versioned_kept_and_missed" {
  command = apply

  variables {
    interval_hours  = 6
    keep_days       = 14
    kms_key_arn     = "arn:aws:kms:eu-central-1:123456789012:key/own"
    alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms"
    unit            = "saved"
  }

  assert {
    condition     = aws_s3_bucket_versioning.snapshots.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_public_access_block.snapshots.restrict_public_buckets
    error_message = "The bucket keeps versions, for itself."
  }
  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.snapshots.rule[0].expiration).days == 14 && one(aws_s3_bucket_lifecycle_configuration.snapshots.rule[0].filter).prefix == "stage/"
    error_message = "Snapshots go when they are old enough."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.missing.period == 21600 && aws_cloudwatch_metric_alarm.missing.evaluation_periods == 2 && aws_cloudwatch_metric_alarm.missing.treat_missing_data == "breaching"
    error_message = "Two missing snapshots raise the alarm."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.missing.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "The alarm goes to the topic."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.snapshots.rule).apply_server_side_encryption_by_default).kms_master_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own"
    error_message = "A given key is used."
  }
  assert {
    condition     = aws_s3_object.stack[0].key == "stacks/saved/stack.yml" && can(regex("^shop-a-saved-stage-[0-9a-f]{8}$", aws_s3_bucket.snapshots.bucket))
    error_message = "Names are those of the unit."
  }
}

run "marathon_gets_a_function_that_only_signed_calls_reach" {
  command = apply

  variables {
    runtime                  = "marathon"
    vpc_id                   = "vpc-1"
    vpc_cidr                 = "10.0.0.0/16"
    private_subnet_ids       = ["subnet-a", "subnet-b"]
    dcos_url                 = "https://dcos.stage.example.com/"
    dcos_security_group_id   = "sg-masters"
    marathon_auth_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:marathon"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = aws_lambda_function.snapshot[0].environment[0].variables.MARATHON_URL == "https://dcos.stage.example.com/service/marathon" && aws_lambda_function.snapshot[0].environment[0].variables.SECRET_ARN == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:marathon"
    error_message = "The function knows Marathon, and where the header lies."
  }
  assert {
    condition     = aws_lambda_function.snapshot[0].vpc_config[0].subnet_ids == toset(["subnet-a", "subnet-b"]) && aws_lambda_function.snapshot[0].dead_letter_config[0].target_arn == aws_sqs_queue.failed[0].arn
    error_message = "It stands in the private subnets, and what fails is kept."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.marathon[0].referenced_security_group_id == "sg-masters" && aws_vpc_security_group_egress_rule.marathon[0].from_port == 443 && aws_vpc_security_group_egress_rule.marathon[0].cidr_ipv4 == null
    error_message = "It reaches the masters by their group."
  }
  assert {
    condition     = aws_apigatewayv2_route.restore[0].route_key == "POST /restore" && aws_apigatewayv2_route.restore[0].authorization_type == "AWS_IAM" && output.snapshot_restore_url == "https://api.example/restore"
    error_message = "A restore is signed."
  }
  assert {
    condition     = aws_lambda_permission.restore[0].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:api/*/POST/restore" && aws_cloudwatch_event_rule.hourly[0].schedule_expression == "rate(1 hour)"
    error_message = "Only that route and that schedule call the function."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/shop-a-snapshot-stage" && aws_cloudwatch_log_group.this.retention_in_days == 30 && aws_cloudwatch_log_group.calls[0].retention_in_days == 30
    error_message = "Logs have an end."
  }
  assert {
    condition     = aws_iam_role.function[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && length(aws_s3_object.stack) == 0 && length(aws_s3_object.code) == 0 && length(aws_iam_role_policy_attachment.manager) == 0
    error_message = "The role is bounded, and no cluster is touched."
  }
  assert {
    condition     = length(data.aws_iam_policy_document.function[0].statement) == 4
    error_message = "The function may read its header."
  }
}

run "a_marathon_of_its_own_without_a_header" {
  command = apply

  variables {
    runtime            = "marathon"
    interval_hours     = 12
    vpc_id             = "vpc-1"
    vpc_cidr           = "10.0.0.0/16"
    private_subnet_ids = ["subnet-a"]
    dcos_url           = "http://marathon.stage.example.com:8080"
    marathon_path      = ""
  }

  assert {
    condition     = aws_lambda_function.snapshot[0].environment[0].variables.MARATHON_URL == "http://marathon.stage.example.com:8080" && aws_vpc_security_group_egress_rule.marathon[0].from_port == 8080 && aws_vpc_security_group_egress_rule.marathon[0].cidr_ipv4 == "10.0.0.0/16"
    error_message = "The port is the address's, in the VPC."
  }
  assert {
    condition     = length(data.aws_iam_policy_document.function[0].statement) == 3 && aws_cloudwatch_event_rule.hourly[0].schedule_expression == "rate(12 hours)"
    error_message = "No secret may be read."
  }
}

run "swarm_without_a_cluster_is_refused" {
  command = plan

  variables {
    swarm_stack_bucket      = ""
    swarm_stack_prefix      = ""
    swarm_manager_role_name = ""
  }

  expect_failures = [var.swarm_stack_bucket, var.swarm_stack_prefix, var.swarm_manager_role_name]
}

run "marathon_without_a_place_is_refused" {
  command = plan

  variables {
    runtime = "marathon"
  }

  expect_failures = [var.vpc_id, var.vpc_cidr, var.private_subnet_ids, var.dcos_url]
}

run "a_header_in_the_clear_is_refused" {
  command = plan

  variables {
    runtime                  = "marathon"
    vpc_id                   = "vpc-1"
    vpc_cidr                 = "10.0.0.0/16"
    private_subnet_ids       = ["subnet-a"]
    dcos_url                 = "http://dcos.stage.example.com"
    marathon_auth_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:marathon"
  }

  expect_failures = [var.marathon_auth_secret_arn]
}

run "values_that_mean_nothing_are_refused" {
  command = plan

  variables {
    interval_hours     = 5
    keep_days          = 1
    image              = "Python 3"
    dcos_url           = "dcos.example.com"
    marathon_path      = "service/marathon/"
    marathon_ca_pem    = "no certificate"
    function_runtime   = "python3.9"
    function_timeout_s = 10
  }

  expect_failures = [
    var.interval_hours,
    var.keep_days,
    var.image,
    var.dcos_url,
    var.marathon_path,
    var.marathon_ca_pem,
    var.function_runtime,
    var.function_timeout_s,
  ]
}

run "a_runtime_that_is_neither_is_refused" {
  command = plan

  variables {
    runtime = "kubernetes"
  }

  expect_failures = [var.runtime]
}
