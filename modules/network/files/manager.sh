# shellcheck shell=bash
# The manager node: Terraform and ngp, each checked against its checksum, and the platform's names in terraform.out.
: "${REGION:?}" "${LOG_GROUP:?}" "${NAMESPACE:?}" "${TERRAFORM_VERSION:?}" "${TERRAFORM_SHA256:?}" "${TERRAFORM_OUT:?}"

BIN=${BIN:-/usr/local/bin}
ETC=${ETC:-/etc/ngp}
HOMES=${HOMES:-/root /home/admin}
NGP=${NGP:-/opt/ngp}

# check SHA256 FILE: refuses anything but what was meant.
check() {
  if ! sha256sum --quiet -c <<<"$1  $2"; then
    say "REFUSED: $2 is not what its checksum says"
    return 1
  fi
}

install_terraform() {
  local folder
  if [ "$(cat "$ETC/terraform.sha256" 2>/dev/null)" = "$TERRAFORM_SHA256" ] && [ -x "$BIN/terraform" ]; then return 0; fi
  folder=$(mktemp -d)
  retry 300 curl -sSfL -m 120 -o "$folder/terraform.zip" "https://releases.hashicorp.com/terraform/$TERRAFORM_VERSION/terraform_${TERRAFORM_VERSION}_linux_amd64.zip"
  check "$TERRAFORM_SHA256" "$folder/terraform.zip"
  unzip -q "$folder/terraform.zip" terraform -d "$folder"
  install -m 755 "$folder/terraform" "$BIN/terraform"
  write 644 "$ETC/terraform.sha256" <<<"$TERRAFORM_SHA256"
  rm -rf "$folder"
}

# From the platform's own bucket, by the instance's role. The libraries that ngp needs come from the package index: exactly those
# that the file of requirements names, each checked against its checksum there.
install_ngp() {
  local folder wheel
  [ -n "${NGP_WHEEL:-}" ] || return 0
  if [ "$(cat "$ETC/ngp.sha256" 2>/dev/null)" = "$NGP_WHEEL_SHA256$NGP_REQUIREMENTS_SHA256" ] && [ -x "$NGP/bin/ngp" ]; then return 0; fi
  folder=$(mktemp -d)
  wheel=$folder/${NGP_WHEEL##*/}
  retry 300 aws --region "$REGION" s3 cp --quiet "$NGP_WHEEL" "$wheel"
  check "$NGP_WHEEL_SHA256" "$wheel"
  retry 300 aws --region "$REGION" s3 cp --quiet "$NGP_REQUIREMENTS" "$folder/requirements.txt"
  check "$NGP_REQUIREMENTS_SHA256" "$folder/requirements.txt"
  rm -rf "$NGP"
  python3 -m venv "$NGP"
  retry 600 "$NGP/bin/pip" install --quiet --require-hashes --no-deps -r "$folder/requirements.txt"
  "$NGP/bin/pip" install --quiet --no-deps --no-index "$wheel"
  ln -sfn "$NGP/bin/ngp" "$BIN/ngp"
  write 644 "$ETC/ngp.sha256" <<<"$NGP_WHEEL_SHA256$NGP_REQUIREMENTS_SHA256"
  rm -rf "$folder"
}

write_names() {
  local home
  write 644 "$ETC/terraform.out" <<<"$TERRAFORM_OUT"
  for home in $HOMES; do
    [ ! -d "$home" ] || write 644 "$home/terraform.out" <<<"$TERRAFORM_OUT"
  done
}

agent_configuration() {
  cat <<JSON
{
  "agent": {"metrics_collection_interval": 60, "region": "$REGION"},
  "logs": {"logs_collected": {"files": {"collect_list": [
    {"file_path": "$LOG", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}/boot"},
    {"file_path": "/var/log/cloud-init-output.log", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}/cloud-init"}
  ]}}},
  "metrics": {
    "namespace": "$NAMESPACE",
    "append_dimensions": {"InstanceId": "\${aws:InstanceId}"},
    "aggregation_dimensions": [["InstanceId"]],
    "metrics_collected": {"mem": {"measurement": ["used_percent"]}, "disk": {"measurement": ["used_percent"], "resources": ["/"]}}
  }
}
JSON
}

main() {
  start_log
  mkdir -p "$ETC"
  install_packages awscli ca-certificates curl git gpg jq python3 python3-venv unattended-upgrades unzip
  write_names
  install_terraform
  install_ngp
  install_cloudwatch_agent
  install_session_manager
  say "ready"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
