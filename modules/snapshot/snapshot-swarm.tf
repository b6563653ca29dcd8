# Swarm: a stack that the cluster's leader finds in its bucket, with one container on each manager.

locals {
  # A Docker config never changes under a name, nor may a file that a stack still names: both have the text's checksum.
  code = { for source in ["files/engine.py", "files/state.py", "files/swarm.py", "functions/snapshot/store.py"] :
    trimsuffix(basename(source), ".py") => {
      content = file("${path.module}/${source}")
      digest  = substr(filesha256("${path.module}/${source}"), 0, 12)
    }
  }
  stack_directory = "${var.swarm_stack_prefix}${local.unit}/"
}

resource "aws_iam_role_policy_attachment" "manager" {
  count = local.is_swarm

  role       = var.swarm_manager_role_name
  policy_arn = aws_iam_policy.keep.arn
}

resource "aws_s3_object" "code" {
  for_each = local.is_swarm == 1 ? local.code : {}

  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}${each.key}-${each.value.digest}.py"
  content_type = "text/x-python"
  content      = each.value.content
  tags         = merge(local.own_tags, { Name = each.key }) # an object may have ten tags

  # The old file goes when no stack names it any more.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_object" "stack" {
  count = local.is_swarm

  bucket       = var.swarm_stack_bucket
  key          = "${local.stack_directory}stack.yml"
  content_type = "application/yaml"
  content = templatefile("${path.module}/files/snapshot.yml.tftpl", {
    stack      = local.unit
    image      = var.image
    code       = { for name, each in local.code : name => each.digest }
    region     = var.region
    bucket     = aws_s3_bucket.snapshots.id
    prefix     = local.prefix
    log_group  = aws_cloudwatch_log_group.this.name
    interval_s = var.interval_hours * 3600
  })
  tags = merge(local.own_tags, { Name = "stack" })

  # The stack comes when all that it needs is there, and goes before any of that does.
  depends_on = [
    aws_s3_object.code,
    aws_iam_role_policy_attachment.manager,
    aws_s3_bucket_policy.snapshots,
    aws_s3_bucket_versioning.snapshots,
    aws_s3_bucket_server_side_encryption_configuration.snapshots,
  ]
}
