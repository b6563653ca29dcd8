# Each document comes in two forms: with blanks and an unusual order of keys, and as jsonencode writes it.

data "aws_caller_identity" "here" {}
data "aws_region" "here" {}

locals {
  forms   = toset(["written", "encoded"])
  account = data.aws_caller_identity.here.account_id
  region  = data.aws_region.here.name

  texts = {
    dead_letters          = <<-E
      { "maxReceiveCount" : 4,
        "deadLetterTargetArn" : "${aws_sqs_queue.dead.arn}" }
    E
    redrive_allow         = <<-E
      { "sourceQueueArns" : [ "arn:aws:sqs:${local.region}:${local.account}:${var.words}-source" ],
        "redrivePermission" : "byQueue" }
    E
    of_a_resource         = <<-E
      { "Version" : "2012-10-17",
        "Statement" : [ { "Sid" : "Read", "Resource" : "*", "Effect" : "Allow",
          "Principal" : { "AWS" : "arn:aws:iam::${local.account}:root" }, "Action" : "%s" } ] }
    E
    of_an_identity        = <<-E
      { "Version" : "2012-10-17",
        "Statement" : [ { "Resource" : [ "*" ], "Effect" : "Allow", "Action" : [ "s3:GetObject", "s3:ListBucket" ] } ] }
    E
    assume_role           = <<-E
      { "Version" : "2012-10-17",
        "Statement" : [ { "Principal" : { "Service" : [ "lambda.amazonaws.com", "states.amazonaws.com" ] },
          "Effect" : "Allow", "Action" : "sts:AssumeRole" } ] }
    E
    log_resource          = <<-E
      { "Version" : "2012-10-17",
        "Statement" : [ { "Sid" : "Write", "Resource" : "arn:aws:logs:*:*:*", "Effect" : "Allow",
          "Principal" : { "Service" : "es.amazonaws.com" }, "Action" : [ "logs:PutLogEvents", "logs:CreateLogStream" ] } ] }
    E
    delivery              = <<-E
      { "http" : { "disableSubscriptionOverrides" : false,
        "defaultHealthyRetryPolicy" : { "numRetries" : 3, "minDelayTarget" : 20, "maxDelayTarget" : 20,
          "numMaxDelayRetries" : 0, "numNoDelayRetries" : 0, "numMinDelayRetries" : 0, "backoffFunction" : "linear" } } }
    E
    subscription_delivery = <<-E
      { "healthyRetryPolicy" : { "numRetries" : 3, "minDelayTarget" : 20, "maxDelayTarget" : 20,
        "numMaxDelayRetries" : 0, "numNoDelayRetries" : 0, "numMinDelayRetries" : 0, "backoffFunction" : "linear" } }
    E
    filter                = <<-E
      { "store" : [ "berlin", { "prefix" : "ham" } ], "amount" : [ { "numeric" : [ ">=", 10 ] } ] }
    E
    lifecycle             = <<-E
      { "rules" : [ { "selection" : { "tagStatus" : "untagged", "countType" : "imageCountMoreThan", "countNumber" : 3 },
        "rulePriority" : 1, "description" : "keep three", "action" : { "type" : "expire" } } ] }
    E
    event_pattern         = <<-E
      { "source" : [ "aws.ec2", "aws.autoscaling" ], "detail-type" : [ "Any > other & <thing>" ],
        "detail" : { "state" : [ "stopped" ] } }
    E
    event_input           = <<-E
      { "name" : "documents", "list" : [ 1, 2.5, true, null ], "a" : "<&>" }
    E
    machine               = <<-E
      { "StartAt" : "First", "Comment" : "a machine",
        "States" : { "First" : { "Type" : "Pass", "End" : true } } }
    E
    dashboard             = <<-E
      { "widgets" : [ { "type" : "text", "y" : 0, "x" : 0, "width" : 3, "height" : 3,
        "properties" : { "markdown" : "Hello" } } ] }
    E
    containers            = <<-E
      [ { "name" : "app", "image" : "nginx:1", "memory" : 64, "essential" : true, "cpu" : 10,
          "portMappings" : [ { "hostPort" : 80, "containerPort" : 80, "protocol" : "tcp" } ],
          "environment" : [ { "value" : "b", "name" : "B" }, { "value" : "a", "name" : "A" } ] } ]
    E
    content               = <<-E
      { "schemaVersion" : "2.2", "description" : "a document",
        "mainSteps" : [ { "name" : "run", "action" : "aws:runShellScript", "inputs" : { "runCommand" : [ "true" ] } } ] }
    E
    template              = <<-E
      { "Resources" : { "Topic" : { "Type" : "AWS::SNS::Topic", "Properties" : { "TopicName" : "%s" } } },
        "AWSTemplateFormatVersion" : "2010-09-09" }
    E
    api                   = <<-E
      { "openapi" : "3.0.1", "info" : { "version" : "1", "title" : "api" }, "paths" : {} }
    E
    state                 = <<-E
      { "user" : "admin", "password" : "of a test", "hosts" : [ "a", "b" ] }
    E
  }
  documents = { for name, text in local.texts : name => {
    written = text
    encoded = jsonencode(jsondecode(text))
  } }
  policies = { for action in ["sqs:SendMessage", "sns:Publish", "s3:GetObject", "secretsmanager:GetSecretValue",
    "ecr:BatchGetImage", "events:PutEvents", "elasticfilesystem:ClientMount",
    "execute-api:Invoke", "dynamodb:GetItem", "kms:*", "kinesis:PutRecord", "ec2:*", "glue:GetTable",
    ] : split(":", action)[0] => { for form in local.forms :
  form => format(local.documents.of_a_resource[form], action) } }
}

resource "aws_sqs_queue" "dead" {
  name = "${var.words}-dead"
}

resource "aws_sqs_queue" "inside" {
  for_each             = local.forms
  name                 = "${var.words}-inside-${each.key}"
  policy               = local.policies.sqs[each.key]
  redrive_policy       = local.documents.dead_letters[each.key]
  redrive_allow_policy = local.documents.redrive_allow[each.key]
}

resource "aws_sqs_queue" "beside" {
  for_each = local.forms
  name     = "${var.words}-beside-${each.key}"
}

resource "aws_sqs_queue_policy" "this" {
  for_each  = local.forms
  queue_url = aws_sqs_queue.beside[each.key].id
  policy    = local.policies.sqs[each.key]
}

# In jsonencode's form only: here the provider compares texts, and SQS writes its own (docs/sandbox.md lists it).
resource "aws_sqs_queue_redrive_policy" "this" {
  for_each       = local.forms
  queue_url      = aws_sqs_queue.beside[each.key].id
  redrive_policy = local.documents.dead_letters["encoded"]
}

resource "aws_sqs_queue_redrive_allow_policy" "this" {
  for_each             = local.forms
  queue_url            = aws_sqs_queue.beside[each.key].id
  redrive_allow_policy = local.documents.redrive_allow[each.key]
}

resource "aws_sns_topic" "inside" {
  for_each        = local.forms
  name            = "${var.words}-inside-${each.key}"
  policy          = local.policies.sns[each.key]
  delivery_policy = local.documents.delivery[each.key]
}

resource "aws_sns_topic" "beside" {
  for_each = local.forms
  name     = "${var.words}-beside-${each.key}"
}

resource "aws_sns_topic_policy" "this" {
  for_each = local.forms
  arn      = aws_sns_topic.beside[each.key].arn
  policy   = local.policies.sns[each.key]
}

resource "aws_sns_topic_subscription" "queue" {
  for_each       = local.forms
  topic_arn      = aws_sns_topic.beside[each.key].arn
  protocol       = "sqs"
  endpoint       = aws_sqs_queue.beside[each.key].arn
  filter_policy  = local.documents.filter[each.key]
  redrive_policy = each.key == "written" ? "{ \"deadLetterTargetArn\" : \"${aws_sqs_queue.dead.arn}\" }" : jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn })
}

resource "aws_sns_topic_subscription" "web" {
  for_each        = local.forms
  topic_arn       = aws_sns_topic.beside[each.key].arn
  protocol        = "https"
  endpoint        = "https://${each.key}.example.test/"
  delivery_policy = local.documents.subscription_delivery[each.key]

  endpoint_auto_confirms = true
}

resource "aws_iam_role" "this" {
  for_each           = local.forms
  name               = "${var.words}-${each.key}"
  assume_role_policy = local.documents.assume_role[each.key]
  inline_policy {
    name   = "inside"
    policy = local.documents.of_an_identity[each.key]
  }
}

resource "aws_iam_role" "bare" {
  for_each           = local.forms
  name               = "${var.words}-bare-${each.key}"
  assume_role_policy = local.documents.assume_role[each.key]
}

resource "aws_iam_role_policy" "this" {
  for_each = local.forms
  name     = "beside"
  role     = aws_iam_role.bare[each.key].id
  policy   = local.documents.of_an_identity[each.key]
}

resource "aws_iam_policy" "this" {
  for_each = local.forms
  name     = "${var.words}-${each.key}"
  policy   = local.documents.of_an_identity[each.key]
}

resource "aws_iam_user" "this" {
  name = var.words
}

resource "aws_iam_user_policy" "this" {
  for_each = local.forms
  name     = each.key
  user     = aws_iam_user.this.name
  policy   = local.documents.of_an_identity[each.key]
}

resource "aws_iam_group" "this" {
  name = var.words
}

resource "aws_iam_group_policy" "this" {
  for_each = local.forms
  name     = each.key
  group    = aws_iam_group.this.name
  policy   = local.documents.of_an_identity[each.key]
}

resource "aws_s3_bucket" "this" {
  for_each = local.forms
  bucket   = "${var.words}-${each.key}"
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.forms
  bucket   = aws_s3_bucket.this[each.key].id
  policy   = replace(local.policies.s3[each.key], "\"*\"", "\"${aws_s3_bucket.this[each.key].arn}/*\"")
}

resource "aws_secretsmanager_secret" "inside" {
  for_each                = local.forms
  name                    = "${var.words}-inside-${each.key}"
  policy                  = local.policies.secretsmanager[each.key]
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret" "beside" {
  for_each                = local.forms
  name                    = "${var.words}-beside-${each.key}"
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_policy" "this" {
  for_each   = local.forms
  secret_arn = aws_secretsmanager_secret.beside[each.key].arn
  policy     = local.policies.secretsmanager[each.key]
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each      = local.forms
  secret_id     = aws_secretsmanager_secret.beside[each.key].id
  secret_string = local.documents.state[each.key]
}

resource "aws_ssm_parameter" "this" {
  for_each = local.forms
  name     = "/${var.words}/${each.key}"
  type     = "String"
  value    = local.documents.state[each.key]
}

resource "aws_ssm_document" "this" {
  for_each      = local.forms
  name          = "${var.words}-${each.key}"
  document_type = "Command"
  content       = local.documents.content[each.key]
}

resource "aws_kms_key" "inside" {
  for_each = local.forms
  policy   = local.policies.kms[each.key]
}

resource "aws_kms_key" "beside" {
  for_each = local.forms
}

resource "aws_kms_key_policy" "this" {
  for_each = local.forms
  key_id   = aws_kms_key.beside[each.key].id
  policy   = local.policies.kms[each.key]
}

resource "aws_ecr_repository" "this" {
  for_each = local.forms
  name     = "${var.words}-${each.key}"
}

resource "aws_ecr_repository_policy" "this" {
  for_each   = local.forms
  repository = aws_ecr_repository.this[each.key].name
  policy     = replace(local.policies.ecr[each.key], "/\"Resource\" ?: ?\"[*]\",/", "")
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = local.forms
  repository = aws_ecr_repository.this[each.key].name
  policy     = local.documents.lifecycle[each.key]
}

resource "aws_cloudwatch_log_resource_policy" "this" {
  for_each        = local.forms
  policy_name     = "${var.words}-${each.key}"
  policy_document = local.documents.log_resource[each.key]
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each       = local.forms
  dashboard_name = "${var.words}-${each.key}"
  dashboard_body = local.documents.dashboard[each.key]
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each      = local.forms
  name          = "${var.words}-${each.key}"
  event_pattern = local.documents.event_pattern[each.key]
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.forms
  rule     = aws_cloudwatch_event_rule.this[each.key].name
  arn      = aws_sqs_queue.beside[each.key].arn
  input    = local.documents.event_input[each.key]
}

resource "aws_cloudwatch_event_target" "transformed" {
  for_each = local.forms
  rule     = aws_cloudwatch_event_rule.this[each.key].name
  arn      = aws_sqs_queue.inside[each.key].arn
  input_transformer {
    input_paths    = { state = "$.detail.state" }
    input_template = each.key == "written" ? "{ \"state\" : <state> }" : "{\"state\":<state>}"
  }
}

resource "aws_cloudwatch_event_bus" "this" {
  for_each = local.forms
  name     = "${var.words}-${each.key}"
}

resource "aws_cloudwatch_event_bus_policy" "this" {
  for_each       = local.forms
  event_bus_name = aws_cloudwatch_event_bus.this[each.key].name
  policy         = replace(local.policies.events[each.key], "\"*\"", "\"${aws_cloudwatch_event_bus.this[each.key].arn}\"")
}

resource "aws_cloudwatch_event_archive" "this" {
  for_each         = local.forms
  name             = "${var.words}-${each.key}"
  event_source_arn = aws_cloudwatch_event_bus.this[each.key].arn
  event_pattern    = local.documents.event_pattern[each.key]
}

resource "aws_scheduler_schedule" "this" {
  for_each            = local.forms
  name                = "${var.words}-${each.key}"
  schedule_expression = "rate(1 hours)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_sqs_queue.dead.arn
    role_arn = aws_iam_role.bare[each.key].arn
    input    = local.documents.event_input[each.key]
  }
}

resource "aws_sfn_state_machine" "this" {
  for_each   = local.forms
  name       = "${var.words}-${each.key}"
  role_arn   = aws_iam_role.bare[each.key].arn
  definition = local.documents.machine[each.key]
}

resource "aws_api_gateway_rest_api" "inside" {
  for_each = local.forms
  name     = "${var.words}-inside-${each.key}"
  policy   = local.policies.execute-api[each.key]
}

resource "aws_api_gateway_rest_api" "beside" {
  for_each = local.forms
  name     = "${var.words}-beside-${each.key}"
}

resource "aws_api_gateway_rest_api_policy" "this" {
  for_each    = local.forms
  rest_api_id = aws_api_gateway_rest_api.beside[each.key].id
  policy      = local.policies.execute-api[each.key]
}

resource "aws_api_gateway_rest_api" "described" {
  for_each = local.forms
  name     = "api"
  body     = local.documents.api[each.key]
}

resource "aws_efs_file_system" "this" {
  for_each       = local.forms
  creation_token = "${var.words}-${each.key}"
}

resource "aws_efs_file_system_policy" "this" {
  for_each       = local.forms
  file_system_id = aws_efs_file_system.this[each.key].id
  policy         = replace(local.policies.elasticfilesystem[each.key], "\"*\"", "\"${aws_efs_file_system.this[each.key].arn}\"")
}

resource "aws_s3_object" "nothing" {
  bucket         = aws_s3_bucket.this["encoded"].id
  key            = "nothing.zip"
  content_base64 = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==" # an archive without files
}

resource "aws_lambda_function" "this" {
  function_name = var.words
  role          = aws_iam_role.bare["encoded"].arn
  s3_bucket     = aws_s3_object.nothing.bucket
  s3_key        = aws_s3_object.nothing.key
  runtime       = "python3.12"
  handler       = "main.main"
}

resource "aws_lambda_permission" "this" {
  statement_id  = "events"
  function_name = aws_lambda_function.this.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this["encoded"].arn
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each         = local.forms
  function_name    = aws_lambda_function.this.arn
  event_source_arn = aws_sqs_queue.beside[each.key].arn
  filter_criteria {
    filter {
      pattern = each.key == "written" ? "{ \"body\" : { \"b\" : [ 1 ], \"a\" : [ 2 ] } }" : jsonencode({ body = { b = [1], a = [2] } })
    }
  }
}

resource "aws_dynamodb_table" "this" {
  for_each     = local.forms
  name         = "${var.words}-${each.key}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_dynamodb_resource_policy" "this" {
  for_each     = local.forms
  resource_arn = aws_dynamodb_table.this[each.key].arn
  policy       = replace(local.policies.dynamodb[each.key], "\"*\"", "\"${aws_dynamodb_table.this[each.key].arn}\"")
}

resource "aws_dynamodb_table_item" "this" {
  for_each   = local.forms
  table_name = aws_dynamodb_table.this[each.key].name
  hash_key   = "id"
  item       = each.key == "written" ? "{ \"value\" : { \"N\" : \"1\" }, \"id\" : { \"S\" : \"a\" } }" : jsonencode({ id = { S = "a" }, value = { N = "1" } })
}

resource "aws_ecs_task_definition" "this" {
  for_each              = local.forms
  family                = "${var.words}-${each.key}"
  container_definitions = local.documents.containers[each.key]
}

resource "aws_cloudformation_stack" "this" {
  for_each      = local.forms
  name          = "${var.words}-${each.key}"
  template_body = format(local.documents.template[each.key], "${var.words}-stack-${each.key}")
}

resource "aws_vpc" "this" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_vpc_endpoint" "this" {
  for_each     = local.forms
  vpc_id       = aws_vpc.this.id
  service_name = "com.amazonaws.${local.region}.${each.key == "written" ? "s3" : "dynamodb"}"
  policy       = local.policies.ec2[each.key]
}

resource "aws_glue_resource_policy" "this" {
  policy = replace(local.policies.glue["written"], "\"*\"", "\"arn:aws:glue:${local.region}:${local.account}:catalog\"")
}

resource "aws_kinesis_stream" "this" {
  for_each    = local.forms
  name        = "${var.words}-${each.key}"
  shard_count = 1
}

resource "aws_kinesis_resource_policy" "this" {
  for_each     = local.forms
  resource_arn = aws_kinesis_stream.this[each.key].arn
  policy       = replace(local.policies.kinesis[each.key], "\"*\"", "\"${aws_kinesis_stream.this[each.key].arn}\"")
}

# No documents: the sandbox keeps these two types by repairs, and their second plan must be empty too.
resource "aws_ecr_pull_through_cache_rule" "this" {
  ecr_repository_prefix = var.words
  upstream_registry_url = "public.ecr.aws"
}

resource "aws_dlm_lifecycle_policy" "this" {
  description        = var.words
  execution_role_arn = "arn:aws:iam::${local.account}:role/${var.words}"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { Backup = var.words }

    schedule {
      name = "daily"

      create_rule {
        interval = 24
        times    = ["03:00"]
      }

      retain_rule {
        count = 7
      }
    }
  }
}
