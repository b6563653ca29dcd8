#!/bin/bash
# Run every minute on each manager. All keep the sessions of roles that stacks ask for; only the current leader goes on. It keeps the
# cluster as its bucket says: the network `proxy`, the nodes' labels, what is in store for those who join, logins to registries, and
# the stacks below the prefix (NAME/stack.yml, deployed as NAME). It drains workers that are to end, and counts each minute that went
# well: the alarm is raised when none comes.
# What was deployed is recorded in the cluster (as Docker configs), so that the next leader knows it.
set -euo pipefail
# shellcheck source=instance.sh
. "${NGP_LIB:-/usr/local/lib/ngp}/instance.sh"

NGP_STATE=${NGP_STATE:-/var/lib/ngp}
NGP_ROLES=${NGP_ROLES:-/run/ngp/roles}
failures=0
# ECR's login holds for twelve hours. The helper would keep one for six, and hand out what ends before we come again.
export AWS_ECR_DISABLE_CACHE=true

make_network() {
  local options=()
  if docker network inspect proxy >/dev/null 2>&1; then return 0; fi
  if [ "$OVERLAY_ENCRYPTED" = true ]; then options=(--opt encrypted); fi
  docker network create --driver overlay --attachable "${options[@]}" proxy >/dev/null
  log "made the network proxy"
}

# The daemon's label names the pool; only a manager can make a node label of it, which services are placed by.
label_nodes() {
  local id pool label
  while IFS='|' read -r id pool label; do
    if [ -z "$pool" ] || [ "$pool" = "$label" ]; then continue; fi
    docker node update --label-add "pool=$pool" "$id" >/dev/null
    log "labelled node $id: pool=$pool"
  done < <(inspect_nodes | jq -r '.[] | [.ID, .Description.Engine.Labels["ngp.pool"] // "", .Spec.Labels.pool // ""] | join("|")')
}

inspect_nodes() {
  local ids
  mapfile -t ids < <(docker node ls -q)
  docker node inspect "${ids[@]}"
}

# remove_dead_nodes: those that are down and whose instance has ended, or lives on as another member. A node that is
# only silent is left alone: it may come back.
remove_dead_nodes() {
  local nodes id instance role twin state
  nodes=$(inspect_nodes)
  while IFS='|' read -r id instance role twin; do
    if [ -z "$instance" ]; then continue; fi
    state=twin
    if [ "$twin" = false ]; then state=$(instance_state "$instance"); fi
    case $state in
    twin | terminated | gone) ;;
    *) continue ;;
    esac
    if [ "$role" = manager ]; then docker node demote "$id" >/dev/null; fi
    # A demotion takes a moment; what does not go now goes in a minute.
    if docker node rm --force "$id" >/dev/null; then log "removed node $id: instance $instance ($state)"; fi
  done < <(jq -r '([.[] | select(.Status.State == "ready") | .Description.Engine.Labels["ngp.instance"]]) as $alive
    | .[] | select(.Status.State == "down") | (.Description.Engine.Labels["ngp.instance"] // "") as $i
    | [.ID, $i, .Spec.Role, (any($alive[]; . == $i))] | map(tostring) | join("|")' <<<"$nodes")
}

# Terminated instances are forgotten by EC2 after an hour. An answer that is neither leaves the node alone.
instance_state() {
  local errors
  errors=$(mktemp)
  if ! aws ec2 describe-instances --instance-ids "$1" --query 'Reservations[0].Instances[0].State.Name' --output text \
    2>"$errors"; then
    if grep -q InvalidInstanceID.NotFound "$errors"; then echo gone; else echo unknown; fi
  fi
  rm -f "$errors"
}

# forget_managers: addresses in store where no manager of the cluster is any more, so that nobody who joins waits for one.
forget_managers() {
  local here kept name address
  # before we look who is here: nobody who joins now is forgotten
  kept=$(aws ssm get-parameters-by-path --path "$PARAMETER_PREFIX/managers" --output json |
    jq -r '.Parameters[] | "\(.Name) \(.Value)"') || return 0
  here=$(inspect_nodes | jq -r '.[].ManagerStatus.Addr // empty | sub(":[0-9]+$"; "")')
  if [ -z "$here" ]; then return 0; fi
  while read -r name address; do
    if [ -z "$address" ] || grep -qxF -e "$address" <<<"$here"; then continue; fi
    aws ssm delete-parameter --name "$name" || return 0
    log "forgot the manager at $address"
  done <<<"$kept"
}

# drain_leaving_workers: those that their group is about to end wait for us, for drain_timeout_s at most. Their tasks start elsewhere;
# once none runs here the instance may go. Also one that is no member, or is silent.
drain_leaving_workers() {
  local filters instance group id
  read -ra filters <<<"$GROUP_FILTERS"
  while read -r instance group; do
    id=$(inspect_nodes | jq -r --arg instance "$instance" \
      '[.[] | select(.Status.State == "ready" and .Description.Engine.Labels["ngp.instance"] == $instance) | .ID][0] // ""')
    if [ -n "$id" ] && is_busy "$id"; then continue; fi
    aws autoscaling complete-lifecycle-action --lifecycle-action-result CONTINUE --lifecycle-hook-name "$DRAIN_HOOK" \
      --auto-scaling-group-name "$group" --instance-id "$instance" || continue
    log "instance $instance is drained and may go"
  done < <(aws autoscaling describe-auto-scaling-groups --filters "${filters[@]}" --output json |
    jq -r '.AutoScalingGroups[] | .AutoScalingGroupName as $group | .Instances[]
      | select(.LifecycleState == "Terminating:Wait") | "\(.InstanceId) \($group)"')
}

# is_busy ID: drains the node; whether a task still runs there.
is_busy() {
  local tasks
  docker node update --availability drain "$1" >/dev/null || return 0
  tasks=$(docker node ps --format '{{.CurrentState}}' "$1") || return 0
  grep -q '^Running' <<<"$tasks"
}

count_kept() {
  aws cloudwatch put-metric-data --namespace "$METRIC_NAMESPACE" --metric-name "$METRIC" --value 1 ||
    log "could not count that the cluster is kept"
}

fetch_stacks() {
  mkdir -p "$NGP_STATE/stacks"
  # Exact: else a newer file of the same size is passed over.
  aws s3 sync --only-show-errors --delete --exact-timestamps "s3://$STACK_BUCKET/$STACK_PREFIX" "$NGP_STATE/stacks/"
}

# keep_roles: a container that needs AWS has a role of its own, not the node's, which it cannot reach. stacks/NAME/roles.json is a
# list of {name, role_arn}; the stack file mounts /run/ngp/roles/NAME/ROLE at /run/ngp/role, where `config` is AWS's configuration file.
keep_roles() {
  local file stack rows name arn
  for file in "$NGP_STATE"/stacks/*/roles.json; do
    if [ ! -f "$file" ]; then continue; fi
    stack=$(basename "$(dirname "$file")")
    if ! rows=$(jq -r '.[] | [.name, .role_arn] | join("|")' "$file"); then
      log "cannot read roles.json of stack $stack"
      failures=$((failures + 1))
      continue
    fi
    while IFS='|' read -r name arn; do
      if [ -z "$name" ] || keep_session "$NGP_ROLES/$stack/$name" "$arn"; then continue; fi
      log "no session of the role $name of stack $stack: $arn"
      failures=$((failures + 1))
    done <<<"$rows"
  done
}

# keep_session FOLDER ROLE_ARN: a session lives an hour, the most that AWS gives a role which takes another. A new one every 20
# minutes: who reads the file when its own has ended finds one that is good for 40.
keep_session() {
  local new
  if [ "$(cat "$1/arn" 2>/dev/null)" = "$2" ] && [ -n "$(find "$1/session.json" -mmin -20 2>/dev/null)" ]; then return 0; fi
  mkdir -p "$1" || return 1
  new=$(mktemp "$1/new.XXXXXX") || return 1 # for root only
  if ! aws sts assume-role --role-arn "$2" --role-session-name "ngp-$CLUSTER" --duration-seconds 3600 --output json |
    jq '{Version: 1} + (.Credentials | {AccessKeyId, SecretAccessKey, SessionToken, Expiration})' >"$new"; then
    rm -f "$new"
    return 1
  fi
  mv "$new" "$1/session.json" || return 1
  printf '[default]\ncredential_process = cat /run/ngp/role/session.json\n' >"$1/config" || return 1
  printf '%s' "$2" >"$1/arn"
}

# keep_logins: what is pulled from a registry is pulled with the login that its service holds. stacks/NAME/logins.json is a list of
# {host, secret_arn, field}, the field being NAME:PASSWORD. When it changes, and every six hours, services of these registries and of ECR get their login anew;
# Swarm starts no running task again for that (swarmkit#971).
keep_logins() {
  local kept=$NGP_STATE/logins all hosts
  all=$(find "$NGP_STATE/stacks" -name logins.json -print0 | sort -z | xargs -0 -r cat | jq -cs 'add // []') || return 1
  if [ "$(cat "$kept" 2>/dev/null)" = "$all" ] && [ -n "$(find "$kept" -mmin -360)" ]; then return 0; fi
  write_logins "$all" || return 1
  hosts=$(jq -r --arg ecr "$ECR_HOST" '[$ecr, .[].host] | .[] + "/"' <<<"$all")
  renew_services "$hosts" || return 1
  printf '%s\n' "$all" >"$kept"
}

# write_logins LIST: for Docker's command line. Passwords go from program to program, never by an argument.
write_logins() {
  local rows host arn field new
  rows=$(jq -r '.[] | [.host, .secret_arn, .field] | join("|")' <<<"$1") || return 1
  mkdir -p "$HOME/.docker" || return 1
  new=$(mktemp "$HOME/.docker/new.XXXXXX") || return 1 # for root only
  while IFS='|' read -r host arn field; do
    if [ -z "$host" ]; then continue; fi
    aws secretsmanager get-secret-value --secret-id "$arn" --output json |
      jq --arg host "$host" --arg field "$field" '{($host): {auth: (.SecretString | fromjson | .[$field]
        // error("the secret has no field \($field): raise secret_version of its unit") | @base64)}}' || return 1
  done <<<"$rows" | jq -s --arg ecr "$ECR_HOST" '{credHelpers: {($ecr): "ecr-login"}, auths: (add // {})}' >"$new" || {
    rm -f "$new"
    return 1
  }
  mv "$new" "$HOME/.docker/config.json"
}

# renew_services HOSTS: one a line, each with its slash.
renew_services() {
  local name image status=0
  while read -r name image; do
    if [ -z "$image" ] || ! grep -qxF -e "${image%%/*}/" <<<"$1"; then continue; fi
    docker service update --quiet --detach --with-registry-auth "$name" >/dev/null || status=1
  done < <(docker service ls --format '{{.Name}} {{.Image}}')
  return "$status"
}

# digest NAME: of all files of a stack, with their names.
digest() {
  (cd "$NGP_STATE/stacks/$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -d ' ' -f 1
}

deployed_digest() {
  docker config inspect --format '{{index .Spec.Labels "ngp.digest"}}' "ngp.stack.$1" 2>/dev/null || true
}

# make_secrets NAME: what secrets.json asks for becomes Docker secrets. It is a list of {name, secret_arn, field}; the stack
# file takes the secret's name from the variable SECRET_name. A value never changes under a name, so the version is part of it.
make_secrets() {
  local file="$NGP_STATE/stacks/$1/secrets.json" rows name arn field answer secret
  if [ ! -f "$file" ]; then return 0; fi
  # By way of a variable: a file that is no JSON stops here, not a deployment without its secrets.
  rows=$(jq -r '.[] | [.name, .secret_arn, .field // ""] | join("|")' "$file")
  while IFS='|' read -r name arn field; do
    if [ -z "$name" ]; then continue; fi
    answer=$(aws secretsmanager get-secret-value --secret-id "$arn" --output json)
    secret="$1_${name}_$(jq -j .VersionId <<<"$answer" | sha256sum | cut -c 1-12)"
    if ! docker secret inspect "$secret" >/dev/null 2>&1; then
      jq -j --arg field "$field" 'if $field == "" then .SecretString else .SecretString | fromjson | .[$field] end' \
        <<<"$answer" | docker secret create --label "ngp.stack=$1" "$secret" - >/dev/null
      log "made secret $secret"
    fi
    export "SECRET_$name=$secret"
  done <<<"$rows"
}

record() {
  docker config rm "ngp.stack.$1" >/dev/null 2>&1 || true
  docker config create --label ngp.stack="$1" --label ngp.digest="$2" "ngp.stack.$1" "$NGP_STATE/stacks/$1/stack.yml" >/dev/null
}

deploy() {
  local digest
  digest=$(digest "$1")
  if [ "$digest" = "$(deployed_digest "$1")" ]; then return 0; fi
  log "deploying stack $1"
  make_secrets "$1"
  docker stack deploy --with-registry-auth --prune -c "$NGP_STATE/stacks/$1/stack.yml" "$1"
  record "$1" "$digest"
}

deploy_stacks() {
  local file name
  for file in "$NGP_STATE"/stacks/*/stack.yml; do
    if [ ! -f "$file" ]; then continue; fi
    name=$(basename "$(dirname "$file")")
    # One stack that cannot be deployed must not keep the others back; it is tried again in a minute.
    # (A script of its own: `set -e` does not reach into what stands behind an `if`.)
    if ! bash "$0" deploy "$name"; then
      log "stack $name could not be deployed"
      failures=$((failures + 1))
    fi
  done
}

# Stacks that we deployed and whose file is gone. An empty prefix removes nothing: the router is always there, so an
# empty answer is a mistake.
remove_stacks() {
  local name
  if ! compgen -G "$NGP_STATE/stacks/*/stack.yml" >/dev/null; then return 0; fi
  while read -r name; do
    if [ -f "$NGP_STATE/stacks/$name/stack.yml" ]; then continue; fi
    log "removing stack $name"
    docker stack rm "$name"
    docker config rm "ngp.stack.$name" >/dev/null
  done < <(docker config ls --filter label=ngp.stack --format '{{.Name}}' | sed -n 's/^ngp\.stack\.//p')
}

if [ "${1:-}" = deploy ]; then
  deploy "$2"
  exit 0
fi

if [ "$(swarm_state 2>/dev/null)" != active ]; then exit 0; fi
if ! is_leader; then
  fetch_stacks
  keep_roles
  if ((failures > 0)); then fail "a stack has no session of its role here"; fi
  exit 0
fi
make_network
publish_tokens
label_nodes
remove_dead_nodes
forget_managers
drain_leaving_workers
fetch_stacks
keep_roles
if ! keep_logins; then
  log "services could not be given the login to their registry"
  failures=$((failures + 1))
fi
deploy_stacks
remove_stacks
if ((failures > 0)); then fail "$failures of roles, logins and stacks could not be kept"; fi
count_kept
