#!/bin/bash
# What the other scripts share: settings, log lines, bounded retries, instance metadata (IMDSv2), parameters.
# Sourced, never run. Every wait here ends.

NGP_ETC=${NGP_ETC:-/etc/ngp}
NGP_IMDS=${NGP_IMDS:-http://169.254.169.254}

set -a
# shellcheck source=/dev/null
. "$NGP_ETC/swarm.env"
set +a
export HOME=${ROOT_HOME:-/root} # a system unit has none, and Docker's logins are there

log() {
  printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$(basename "$0")" "$*" >&2
}

fail() {
  log "FAILED: $*"
  exit 1
}

# retry LIMIT_S COMMAND…: until it succeeds, at growing intervals, for at most LIMIT_S seconds.
retry() {
  local limit=$1 pause=2 end
  shift
  end=$((SECONDS + limit))
  until "$@"; do
    if ((SECONDS + pause > end)); then
      log "gave up after ${limit} s: $*"
      return 1
    fi
    sleep "$pause"
    pause=$((pause < 30 ? pause * 2 : 30))
  done
}

# metadata PATH: a value of the instance metadata service, asked with a session token.
metadata() {
  local token
  token=$(curl -sSf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$NGP_IMDS/latest/api/token") || return 1
  curl -sSf -m 5 -H "X-aws-ec2-metadata-token: $token" "$NGP_IMDS/latest/meta-data/$1"
}

# read_parameter NAME: its value. Returns 1 where there is none, 2 where nobody can say.
read_parameter() {
  local errors value
  errors=$(mktemp)
  if value=$(aws ssm get-parameter --name "$PARAMETER_PREFIX/$1" --with-decryption \
    --query Parameter.Value --output text 2>"$errors"); then
    rm -f "$errors"
    printf '%s' "$value"
    return 0
  fi
  if grep -q ParameterNotFound "$errors"; then
    rm -f "$errors"
    return 1
  fi
  log "cannot read $PARAMETER_PREFIX/$1: $(tail -n 1 "$errors")"
  rm -f "$errors"
  return 2
}

# write_parameter NAME TYPE VALUE: the value reaches the AWS command by file, for arguments are seen by every process.
write_parameter() {
  local request key=()
  if [ "$2" = SecureString ]; then key=(--key-id "$KMS_KEY"); fi
  request=$(mktemp)
  printf '%s' "$3" >"$request"
  if ! aws ssm put-parameter --name "$PARAMETER_PREFIX/$1" --type "$2" "${key[@]}" --value "file://$request" \
    --overwrite >/dev/null; then
    rm -f "$request"
    return 1
  fi
  rm -f "$request"
}

swarm_state() {
  docker info --format '{{.Swarm.LocalNodeState}}'
}

is_leader() {
  [ "$(docker node inspect self --format '{{.ManagerStatus.Leader}}' 2>/dev/null)" = true ]
}

# Called by managers: puts the join tokens where the others look for them, when they are new (or were rotated). The managers'
# comes last: who finds it knows that the cluster is complete. (Every step says `|| return`: `set -e` does not hold in a retry.)
publish_tokens() {
  local role token known
  for role in worker manager; do
    token=$(docker swarm join-token -q "$role") || return 1
    known=$(read_parameter "token-$role") || [ $? -eq 1 ] || return 1
    if [ "$token" != "$known" ]; then
      write_parameter "token-$role" SecureString "$token" || return 1
      log "stored the join token of ${role}s"
    fi
  done
}
