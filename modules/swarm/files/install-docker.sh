#!/bin/bash
# Installs Docker and what the other scripts call, and configures it. Does nothing where all is done.
set -euo pipefail
# shellcheck source=instance.sh
. "${NGP_LIB:-/usr/local/lib/ngp}/instance.sh"

export DEBIAN_FRONTEND=noninteractive

# Sets `changed` where the file was not so before.
write_file() {
  local path=$1 text=$2
  if [ -f "$path" ] && [ "$(cat "$path")" = "$text" ]; then return 0; fi
  mkdir -p "$(dirname "$path")"
  printf '%s\n' "$text" >"$path.new"
  mv "$path.new" "$path"
  changed=true
}

configure_docker() {
  local id address options
  id=$(retry 60 metadata instance-id)
  address=$(retry 60 metadata local-ipv4)
  case $LOG_DRIVER in
  awslogs)
    # Non-blocking: a container that CloudWatch does not answer loses lines, it does not stop.
    options=$(printf '{"awslogs-region": "%s", "awslogs-group": "%s", "tag": "{{.Name}}/{{.ID}}", %s}' \
      "$AWS_DEFAULT_REGION" "$LOG_GROUP" '"mode": "non-blocking", "max-buffer-size": "4m"')
    ;;
  json-file) options='{"max-size": "20m", "max-file": "5"}' ;;
  *) options='{}' ;;
  esac
  # live-restore must be off in a swarm. The labels tell the leader which instance a node is, and its pool. Metrics are for a
  # Prometheus that the security group lets in.
  write_file "${DOCKER_ETC:-/etc/docker}/daemon.json" "$(
    cat <<JSON
{
  "live-restore": false,
  "log-driver": "$LOG_DRIVER",
  "log-opts": $options,
  "metrics-addr": "$address:9323",
  "labels": ["ngp.instance=$id", "ngp.pool=$POOL"]
}
JSON
  )"
}

# Docker's command line asks the helper for the login to this account's ECR. The daemon never does: what a service is pulled with is
# what the leader's command line gave it (swarm-sync.sh), which also writes other registries' logins into this file.
configure_client() {
  local file=$HOME/.docker/config.json
  if [ -f "$file" ]; then return 0; fi
  mkdir -p "$(dirname "$file")"
  # shellcheck disable=SC2153  # from swarm.env, as EFS_HOST is
  printf '{"credHelpers": {"%s": "ecr-login"}}\n' "$ECR_HOST" >"$file"
}

# ensure PACKAGE[=VERSION]…: installs what is not there yet.
ensure() {
  local package missing=()
  for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "${package%%=*}" 2>/dev/null | grep -q 'ok installed'; then missing+=("$package"); fi
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  log "installing ${missing[*]}"
  retry 600 install_packages "${missing[@]}"
}

install_packages() {
  apt-get -q -o DPkg::Lock::Timeout=120 update &&
    apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

# Session Manager's agent is not in Debian. A node does its work without it, so a failure is said and forgiven until the next boot.
install_session_manager() {
  local package bucket="https://s3.$AWS_DEFAULT_REGION.amazonaws.com/amazon-ssm-$AWS_DEFAULT_REGION"
  for package in amazon-ssm-agent snap.amazon-ssm-agent.amazon-ssm-agent; do
    if systemctl cat "$package.service" >/dev/null 2>&1; then return 0; fi
  done
  package=$(mktemp --suffix=.deb)
  if retry "${AGENT_LIMIT_S:-60}" curl -sSf -m 60 -o "$package" "$bucket/latest/debian_$(dpkg --print-architecture)/amazon-ssm-agent.deb" &&
    retry "${AGENT_LIMIT_S:-300}" dpkg -i "$package" >/dev/null; then # unattended upgrades may hold its lock
    systemctl enable --now amazon-ssm-agent.service
  else
    log "no Session Manager: its agent could not be installed"
  fi
  rm -f "$package"
}

mount_shared() {
  local fstab=${FSTAB:-/etc/fstab} shared=${SHARED_MOUNT:-/mnt/shared}
  local line="$EFS_HOST:/ $shared nfs4 nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev,nofail 0 0"
  mkdir -p "$shared"
  grep -qxF "$line" "$fstab" || printf '%s\n' "$line" >>"$fstab"
  mountpoint -q "$shared" || retry 300 mount "$shared"
}

# docker_packages: those that were asked for, else those of this machine's system, which may be another than that of newer nodes. Since
# Debian 13 Docker's command line is a package of its own; testing has no number, and is newer. Ubuntu has it in docker.io. Containers
# are confined by AppArmor only where its parser is there.
docker_packages() {
  local system id release
  if [ -n "$DOCKER_PACKAGES" ]; then
    echo "$DOCKER_PACKAGES"
    return 0
  fi
  # shellcheck source=/dev/null
  system=$(. "${OS_RELEASE:-/etc/os-release}" && echo "$ID ${VERSION_ID:-}") || return 1 # within $( ) nothing else ends it
  read -r id release <<<"$system"
  release=${release%%.*}
  if [ "$id" = debian ] && { [ -z "$release" ] || ((release >= 13)); }; then
    echo "docker.io apparmor docker-cli"
  else
    echo "docker.io apparmor"
  fi
}

changed=false
packages=$(docker_packages) # a failure ends the script here, as none within <( ) would
read -ra docker_packages <<<"$packages"

ensure ca-certificates curl jq awscli amazon-ecr-credential-helper
install_session_manager
# Before Docker's package: the first start of the daemon is then the configured one.
configure_docker
configure_client
ensure "${docker_packages[@]}"
if [ "$changed" = true ]; then systemctl restart docker.service; fi

if [ -n "$EFS_HOST" ]; then
  ensure nfs-common
  mount_shared
fi

retry 120 docker version --format '{{.Server.Version}}' >/dev/null
log "docker $(docker version --format '{{.Server.Version}}') is ready"
