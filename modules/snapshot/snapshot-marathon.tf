# Marathon: a function in the private subnets, called every hour, and by POST /restore.

data "aws_partition" "current" {}

locals {
  url = "${trimsuffix(var.dcos_url, "/")}${var.marathon_path}"
  # The port that the address names, else that of its scheme.
  port = tonumber(try(regex("^https?://[^:/]+:([0-9]+)", var.dcos_url)[0], startswith(var.dcos_url, "https") ? 443 : 80))
}

resource "aws_security_group" "function" {
  count = local.is_marathon

  name_prefix = "${local.name}-"
  description = "Function that saves what runs on Marathon"
  vpc_id      = var.vpc_id
  tags        = merge(local.tags, { Name = local.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "marathon" {
  count = local.is_marathon

  security_group_id            = aws_security_group.function[0].id
  description                  = "Marathon"
  referenced_security_group_id = var.dcos_security_group_id != "" ? var.dcos_security_group_id : null
  cidr_ipv4                    = var.dcos_security_group_id != "" ? null : var.vpc_cidr
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  tags                         = merge(local.tags, { Name = "${local.name}-marathon" })
}

resource "aws_vpc_security_group_egress_rule" "aws" {
  count = local.is_marathon

  security_group_id = aws_security_group.function[0].id
  description       = "S3, and Secrets Manager for the header"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = merge(local.tags, { Name = "${local.name}-aws" })
}

# What it may do.

data "aws_iam_policy_document" "function_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  count = local.is_marathon

  statement {
    sid = "StandInTheSubnets"
    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]
  }

  # That is for Lambda itself: the function's code may not.
  statement {
    sid    = "ButNotItsCode"
    effect = "Deny"
    actions = [
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeSubnets",
      "ec2:AssignPrivateIpAddresses",
      "ec2:UnassignPrivateIpAddresses",
    ]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "lambda:SourceFunctionArn"
      values   = ["arn:${data.aws_partition.current.partition}:lambda:${var.region}:${data.aws_caller_identity.current.account_id}:function:${local.name}"]
    }
  }

  statement {
    sid       = "TellWhatFailed"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failed[0].arn]
  }

  dynamic "statement" {
    for_each = compact([var.marathon_auth_secret_arn])

    content {
      sid       = "ReadTheHeader"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "function" {
  count = local.is_marathon

  name                 = "${local.name}-function"
  description          = "Saves and restores what runs on Marathon"
  assume_role_policy   = data.aws_iam_policy_document.function_trust.json
  permissions_boundary = local.boundary_arn
  tags                 = merge(local.tags, { Name = "${local.name}-function" })
}

resource "aws_iam_role_policy" "function" {
  count = local.is_marathon

  name   = "function"
  role   = aws_iam_role.function[0].id
  policy = data.aws_iam_policy_document.function[0].json
}

resource "aws_iam_role_policy_attachment" "function" {
  count = local.is_marathon

  role       = aws_iam_role.function[0].name
  policy_arn = aws_iam_policy.keep.arn
}

# The function. Its archive stands in the module as text, made of functions/snapshot by `ngp render`.

resource "aws_s3_object" "archive" {
  count = local.is_marathon

  bucket         = aws_s3_bucket.snapshots.id
  key            = "_code/snapshot.zip" # no environment's name begins with an underscore
  content_type   = "application/zip"
  content_base64 = replace(file("${path.module}/functions/snapshot.zip.b64"), "\n", "")
  tags           = merge(local.own_tags, { Name = "${local.name}-code" }) # an object may have ten tags

  depends_on = [
    aws_s3_bucket_server_side_encryption_configuration.snapshots,
    aws_s3_bucket_versioning.snapshots,
    aws_s3_bucket_policy.snapshots,
  ]
}

resource "aws_lambda_function" "snapshot" {
  count = local.is_marathon

  function_name     = local.name
  description       = "Saves and restores what runs on Marathon"
  role              = aws_iam_role.function[0].arn
  runtime           = var.function_runtime
  architectures     = ["arm64"]
  handler           = "handler.handle"
  s3_bucket         = aws_s3_bucket.snapshots.id
  s3_key            = aws_s3_object.archive[0].key
  s3_object_version = aws_s3_object.archive[0].version_id
  memory_size       = 256
  timeout           = var.function_timeout_s
  kms_key_arn       = local.kms_key_arn
  tags              = merge(local.tags, { Name = local.name })

  vpc_config {
    subnet_ids         = var.private_subnet_ids
    security_group_ids = [aws_security_group.function[0].id]
  }

  environment {
    variables = {
      BUCKET       = aws_s3_bucket.snapshots.id
      PREFIX       = local.prefix
      MARATHON_URL = local.url
      MARATHON_CA  = var.marathon_ca_pem
      SECRET_ARN   = var.marathon_auth_secret_arn
    }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.failed[0].arn
  }

  depends_on = [
    aws_iam_role_policy.function,
    aws_iam_role_policy_attachment.function,
    aws_cloudwatch_log_group.this,
    aws_vpc_security_group_egress_rule.marathon,
    aws_vpc_security_group_egress_rule.aws,
  ]
}

# Saves that failed three times.

resource "aws_sqs_queue" "failed" {
  count = local.is_marathon

  name                      = "${local.name}-failed"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
  tags                      = merge(local.tags, { Name = "${local.name}-failed" })
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  count = local.is_marathon

  alarm_name          = "${local.name}-failed"
  alarm_description   = "A snapshot of ${local.unit} failed three times; the queue ${local.name}-failed says which."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.failed[0].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  ok_actions          = local.alarm_actions
  tags                = merge(local.tags, { Name = "${local.name}-failed" })
}

# Every hour.

resource "aws_cloudwatch_event_rule" "hourly" {
  count = local.is_marathon

  name                = local.name
  description         = "Saves what runs on Marathon"
  schedule_expression = var.interval_hours == 1 ? "rate(1 hour)" : "rate(${var.interval_hours} hours)"
  tags                = merge(local.tags, { Name = local.name })
}

resource "aws_cloudwatch_event_target" "hourly" {
  count = local.is_marathon

  rule  = aws_cloudwatch_event_rule.hourly[0].name
  arn   = aws_lambda_function.snapshot[0].arn
  input = jsonencode({ action = "save" })
}

resource "aws_lambda_permission" "hourly" {
  count = local.is_marathon

  statement_id  = "hourly"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.snapshot[0].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.hourly[0].arn
}

# POST /restore, signed by whoever has the policy `restore`.

resource "aws_apigatewayv2_api" "restore" {
  count = local.is_marathon

  name          = local.name
  description   = "Restores what ran on Marathon"
  protocol_type = "HTTP"
  tags          = merge(local.tags, { Name = local.name })
}

resource "aws_apigatewayv2_integration" "restore" {
  count = local.is_marathon

  api_id                 = aws_apigatewayv2_api.restore[0].id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_function.snapshot[0].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "restore" {
  count = local.is_marathon

  api_id             = aws_apigatewayv2_api.restore[0].id
  route_key          = "POST /restore"
  authorization_type = "AWS_IAM"
  target             = "integrations/${aws_apigatewayv2_integration.restore[0].id}"
}

resource "aws_cloudwatch_log_group" "calls" {
  count = local.is_marathon

  name              = "/aws/apigateway/${local.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = merge(local.tags, { Name = "/aws/apigateway/${local.name}" })
}

resource "aws_apigatewayv2_stage" "restore" {
  count = local.is_marathon

  api_id      = aws_apigatewayv2_api.restore[0].id
  name        = "$default"
  auto_deploy = true
  tags        = merge(local.tags, { Name = local.name })

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.calls[0].arn
    format          = jsonencode({ at = "$context.requestTime", caller = "$context.identity.userArn", status = "$context.status", id = "$context.requestId" })
  }

  default_route_settings {
    throttling_burst_limit = 2
    throttling_rate_limit  = 1
  }
}

resource "aws_lambda_permission" "restore" {
  count = local.is_marathon

  statement_id  = "restore"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.snapshot[0].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.restore[0].execution_arn}/*/POST/restore"
}

data "aws_iam_policy_document" "restore" {
  count = local.is_marathon

  statement {
    sid       = "Restore"
    actions   = ["execute-api:Invoke"]
    resources = ["${aws_apigatewayv2_api.restore[0].execution_arn}/*/POST/restore"]
  }
}

resource "aws_iam_policy" "restore" {
  count = local.is_marathon

  name        = "${local.name}-restore"
  description = "May call POST /restore of ${local.unit}; attach it to those who operate Marathon"
  policy      = data.aws_iam_policy_document.restore[0].json
  tags        = merge(local.tags, { Name = "${local.name}-restore" })
}
