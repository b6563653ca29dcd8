mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z0123456789" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/made" }
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
  elasticache_endpoint    = "cache.example.net"
  elasticache_port        = 6380
  elasticache_users       = {}
  tyk_secret              = "0123456789abcdef0123456789abcdef"
}

run "gateway_answers_below_the_clusters_domain" {
  command = apply

  assert {
    condition     = output.gateway_url == "https://tyk.apps.stage.example.com" && aws_route53_record.gateway.name == "tyk.apps.stage.example.com"
    error_message = "The gateway has a name of its own."
  }
  assert {
    condition     = aws_s3_object.stack.bucket == "files" && aws_s3_object.stack.key == "stacks/api-gateway/stack.yml" && aws_s3_object.secrets.key == "stacks/api-gateway/secrets.json"
    error_message = "The stack lies where the cluster looks for it."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.gateway[0].secret_string == null
    error_message = "No secret is in the state."
  }
  assert {
    condition     = jsondecode(aws_s3_object.secrets.content) == [{ name = "gateway", secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:made", field = "gateway", version = 1 }]
    error_message = "The gateway's configuration file is the object in the secret."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.manager_secret.role == "managers"
    error_message = "Managers read the secret."
  }
}

run "standalone_gateway_takes_definitions_from_files_and_keys_from_the_cache" {
  command = apply

  variables {
    apis     = { shop = "{\"name\": \"Shop\", \"price\": \"$5\"}" }
    policies = "{\"gold\": {\"rate\": 100}}"
  }

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_STORAGE_ADDRS == "cache.example.net:6380" && yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_STORAGE_USESSL == "true" && yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_STORAGE_SSLINSECURESKIPVERIFY == "false"
    error_message = "Keys lie in the cache, reached by TLS."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_APPPATH == "/etc/tyk/apps" && yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_POLICIES_POLICYSOURCE == "file" && !can(yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_SLAVEOPTIONS_USERPC)
    error_message = "Definitions and policies come from files."
  }
  assert {
    condition     = aws_s3_object.config["api_shop"].key == "stacks/api-gateway/apis/shop.json" && aws_s3_object.config["api_shop"].content == var.apis["shop"] && aws_s3_object.config["policies"].content == var.policies
    error_message = "The files lie beside the stack."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).configs.api_shop == { file = "./apis/shop.json", name = "api-gateway_api_shop_${substr(sha256(var.apis["shop"]), 0, 8)}" }
    error_message = "A changed definition is another Docker config."
  }
  assert {
    condition     = toset(yamldecode(aws_s3_object.stack.content).services.gateway.configs) == toset([{ source = "api_shop", target = "/etc/tyk/apps/shop.json" }, { source = "policies", target = "/etc/tyk/policies.json" }])
    error_message = "Every file is where the gateway looks."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.secrets[0].target == "/opt/tyk-gateway/tyk.conf" && yamldecode(aws_s3_object.stack.content).secrets.gateway.name == "$${SECRET_gateway}"
    error_message = "The secret is the gateway's configuration file; the leader fills its name in."
  }
}

run "gateways_own_api_is_not_routed" {
  command = apply

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.deploy.labels["traefik.http.routers.api-gateway.rule"] == "Host(`tyk.apps.stage.example.com`) && !PathPrefix(`/tyk/`)"
    error_message = "The world reaches the APIs, not the gateway's own."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.deploy.labels["traefik.http.services.api-gateway.loadbalancer.healthcheck.path"] == "/hello" && yamldecode(aws_s3_object.stack.content).services.gateway.deploy.replicas == 2 && yamldecode(aws_s3_object.stack.content).services.gateway.deploy.placement.constraints[0] == "node.role == worker"
    error_message = "Two copies on workers, asked by /hello."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.pump.deploy.labels["traefik.enable"] == "false" && yamldecode(aws_s3_object.stack.content).services.pump.environment.TYK_PMP_PUMPS_STDOUT_TYPE == "stdout"
    error_message = "The pump writes into the log and is not routed."
  }
}

run "hybrid_gateway_is_a_data_plane_with_the_operators_secret" {
  command = apply

  variables {
    mode                     = "hybrid"
    hybrid_secret_arn        = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tyk-abc"
    hybrid_connection_string = "mdcb.example.net:443"
  }

  assert {
    condition     = length(aws_secretsmanager_secret.gateway) == 0 && output.gateway_secret_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tyk-abc"
    error_message = "No secret is made beside the operator's."
  }
  assert {
    condition     = [for secret in jsondecode(aws_s3_object.secrets.content) : secret.field] == ["gateway", "pump"]
    error_message = "Gateway and pump have their parts of it."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_SLAVEOPTIONS_CONNECTIONSTRING == "mdcb.example.net:443" && yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_SLAVEOPTIONS_GROUPID == "shop-a-api-gateway-stage" && yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_POLICIES_POLICYSOURCE == "rpc"
    error_message = "It listens to the control plane."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.pump.environment.TYK_PMP_PUMPS_HYBRID_META_CONNECTIONSTRING == "mdcb.example.net:443" && yamldecode(aws_s3_object.stack.content).services.pump.secrets[0].target == "/opt/tyk-pump/pump.conf"
    error_message = "The pump carries analytics to the control plane."
  }
  assert {
    condition     = length(aws_s3_object.config) == 0
    error_message = "Definitions come from the control plane."
  }
}

run "what_can_be_chosen_reaches_the_stack" {
  command = apply

  variables {
    unit        = "edge"
    hostname    = "api"
    replicas    = 5
    listen_port = 8181
    placement   = "any"
    pump        = false
    memory      = 512
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/own"
  }

  assert {
    condition     = output.gateway_host == "api.apps.stage.example.com" && output.gateway_stack == "edge" && aws_s3_object.stack.key == "stacks/edge/stack.yml" && output.gateway_api_url == "http://edge_gateway:8181/tyk"
    error_message = "A second gateway is another stack."
  }
  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.deploy.replicas == 5 && length(yamldecode(aws_s3_object.stack.content).services.gateway.deploy.placement.constraints) == 0 && yamldecode(aws_s3_object.stack.content).services.gateway.deploy.labels["traefik.http.services.edge.loadbalancer.server.port"] == "8181" && yamldecode(aws_s3_object.stack.content).services.gateway.deploy.resources.limits.memory == "512M"
    error_message = "Copies, nodes, port and memory are as chosen."
  }
  assert {
    condition     = keys(yamldecode(aws_s3_object.stack.content).services) == ["gateway"] && yamldecode(aws_s3_object.stack.content).services.gateway.environment.TYK_GW_ENABLEANALYTICS == "false"
    error_message = "Without a pump nothing is recorded."
  }
  assert {
    condition     = aws_secretsmanager_secret.gateway[0].kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/own"
    error_message = "A given key is used."
  }
}

run "new_secret_is_deployed" {
  command = apply

  variables {
    secret_version = 2
  }

  assert {
    condition     = aws_secretsmanager_secret_version.gateway[0].secret_string_wo_version == 2 && jsondecode(aws_s3_object.secrets.content)[0].version == 2
    error_message = "The secret is written anew, and the stack's file changes with it."
  }
}

run "a_cache_that_asks_for_iam_is_refused" {
  command = plan

  variables {
    elasticache_users = { app = "app-0123" }
  }

  expect_failures = [var.elasticache_users]
}

run "hybrid_without_secret_is_refused" {
  command = plan

  variables {
    mode                     = "hybrid"
    hybrid_connection_string = "mdcb.example.net:443"
  }

  expect_failures = [var.mode]
}

run "hybrid_with_definitions_is_refused" {
  command = plan

  variables {
    mode                     = "hybrid"
    hybrid_secret_arn        = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tyk-abc"
    hybrid_connection_string = "mdcb.example.net:443"
    apis                     = { shop = "{}" }
  }

  expect_failures = [var.apis]
}

run "a_key_in_place_of_an_arn_is_refused" {
  command = plan

  variables {
    hybrid_secret_arn = "5f1c7d2e9b"
  }

  expect_failures = [var.hybrid_secret_arn]
}

run "definitions_that_are_no_json_objects_are_refused" {
  command = plan

  variables {
    apis = { shop = "[1]" }
  }

  expect_failures = [var.apis]
}

run "a_single_copy_is_refused" {
  command = plan

  variables {
    replicas = 1
  }

  expect_failures = [var.replicas]
}

run "objects_have_no_more_tags_than_s3_takes" {
  command = plan

  variables {
    tags = { Owner = "ops", CostCenter = "42", Team = "shop", Data = "internal", Backup = "no" }
  }

  assert {
    condition     = length(aws_s3_object.stack.tags) <= 10 && aws_s3_object.stack.tags["ngp:unit"] == "api-gateway" && aws_secretsmanager_secret.gateway[0].tags["CostCenter"] == "42"
    error_message = "An object has the module's tags; everything else has the operator's too."
  }
}

run "images_of_docker_hub_come_from_the_cache" {
  command = plan

  variables {
    swarm_image_cache = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub"
  }

  assert {
    condition     = yamldecode(aws_s3_object.stack.content).services.gateway.image == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub/${var.image}"
    error_message = "An image of an organisation keeps its name."
  }
}
