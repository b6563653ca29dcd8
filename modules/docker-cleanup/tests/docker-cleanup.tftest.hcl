mock_provider "aws" {}

variables {
  project            = "shop"
  environment        = "stage"
  region             = "eu-central-1"
  pre_tag            = "shop-a"
  post_tag           = "stage"
  swarm_stack_bucket = "files"
  swarm_stack_prefix = "stacks/"
}

run "every_node_has_one_container" {
  command = plan

  assert {
    condition     = aws_s3_object.stack.bucket == "files" && aws_s3_object.stack.key == "stacks/docker-cleanup/stack.yml" && output.cleanup_stack == "docker-cleanup"
    error_message = "The stack lies where the cluster looks for it."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.cleanup.deploy.mode == "global" && length(yamldecode(aws_s3_object.stack.content).services.cleanup.deploy.placement.constraints) == 0
    error_message = "It runs on all nodes."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.cleanup.entrypoint[2] == replace(file("files/cleanup.sh"), "$", "$$")
    error_message = "The script is whole, and Docker fills in none of its variables."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.cleanup.environment.KEEP_HOURS == "168" && yamldecode(aws_s3_object.stack.content).services.cleanup.environment.INTERVAL_S == "86400" && yamldecode(aws_s3_object.stack.content).services.cleanup.environment.SPREAD_S == "3600"
    error_message = "A week is kept, and cleaned every day."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.cleanup.environment.VOLUMES == "false" && yamldecode(aws_s3_object.stack.content).services.cleanup.environment.ALL_IMAGES == "true"
    error_message = "Volumes are never pruned by default."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).networks.closed.internal && length(yamldecode(aws_s3_object.stack.content).services.cleanup.networks) == 1 && yamldecode(aws_s3_object.stack.content).services.cleanup.read_only && yamldecode(aws_s3_object.stack.content).services.cleanup.cap_drop == ["ALL"]
    error_message = "It has no way out, no disk and no capability."
  }
}

run "what_can_be_chosen_reaches_the_stack" {
  command = plan

  variables {
    unit           = "tidy"
    keep_hours     = 48
    interval_hours = 1
    all_images     = false
    volumes        = true
    placement      = "worker"
    image          = "registry.example.com/docker:cli"
  }

  assert {
    condition     = aws_s3_object.stack.key == "stacks/tidy/stack.yml" && yamldecode(aws_s3_object.stack.content).services.cleanup.image == "registry.example.com/docker:cli" && yamldecode(aws_s3_object.stack.content).services.cleanup.deploy.placement.constraints == ["node.role == worker"]
    error_message = "Name, image and nodes are as chosen."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.cleanup.environment.KEEP_HOURS == "48" && yamldecode(aws_s3_object.stack.content).services.cleanup.environment.SPREAD_S == "600" && yamldecode(aws_s3_object.stack.content).services.cleanup.environment.VOLUMES == "true" && yamldecode(aws_s3_object.stack.content).services.cleanup.environment.ALL_IMAGES == "false"
    error_message = "So is what is pruned, and when."
  }
}

run "the_stack_file_has_no_more_tags_than_s3_takes" {
  command = plan

  variables {
    tags = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal", Service = "mine" }
  }

  assert {
    condition     = length(aws_s3_object.stack.tags) == 10 && aws_s3_object.stack.tags["Service"] == "docker-cleanup" && aws_s3_object.stack.tags["Owner"] == "ops" && !contains(keys(aws_s3_object.stack.tags), "Team")
    error_message = "The module's own tags, and of the operator's as many as there is room for."
  }
}

run "what_is_no_time_and_no_node_is_refused" {
  command = plan

  variables {
    keep_hours     = 0
    interval_hours = 1.5
    placement      = "leader"
    image          = "Docker CLI"
  }

  expect_failures = [var.keep_hours, var.interval_hours, var.placement, var.image]
}
