# shellcheck shell=bash
# Agents on a node, by Systems Manager: the node exporter from Debian; Sysdig and a shipper of logs as containers, whose images
# are named by their checksums. What is not wanted any more goes. Nothing here may hold two braces in a row.
: "${REGION:?}" "${PROJECT:?}" "${ENVIRONMENT:?}" "${NODE_EXPORTER:?}"

ETC=${ETC:-/etc/ngp/agents}
STATE=${STATE:-/var/lib/ngp/agents}
UNITS=${UNITS:-/etc/systemd/system}
METRICS=${METRICS:-/var/lib/prometheus/node-exporter}

# A node may have archives of its own: one of them that does not answer stops nothing.
online() { timeout 60 apt-get -qq update; }

secret() { timeout 50 aws --region "$REGION" secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text; }

# What a node is to those who read its numbers and logs.
node_type() {
  local told
  told=$(docker info 2>/dev/null || true)
  case $told in
  *"Is Manager: true"*) echo swarm_manager ;;
  *"Swarm: active"*) echo swarm_worker ;;
  *) echo vm ;;
  esac
}

# place MODE FILE TEXT: says in `changed` that the file is another now.
place() {
  if [ "$(cat "$2" 2>/dev/null)" = "$3" ]; then return 0; fi
  write "$1" "$2" <<<"$3"
  changed=true
}

# run NAME IMAGE ARGUMENTS...: a service that runs the image; it starts anew where it or its settings are others.
run() {
  local name=ngp-$1 image=$2
  shift 2
  place 644 "$UNITS/$name.service" "[Unit]
Description=Agent $name
Requires=docker.service
After=docker.service network-online.target

[Service]
Restart=always
RestartSec=10
TimeoutStartSec=600
ExecStartPre=-/usr/bin/docker rm -f $name
ExecStart=/usr/bin/docker run --rm --name $name --log-driver json-file --log-opt max-size=10m $* $image
ExecStop=/usr/bin/docker stop $name

[Install]
WantedBy=multi-user.target"
  systemctl daemon-reload
  systemctl enable --now "$name.service"
  if [ "$changed" = true ]; then systemctl restart "$name.service"; fi
}

remove() {
  local name=ngp-$1
  if [ ! -e "$UNITS/$name.service" ]; then return 0; fi
  systemctl disable --now "$name.service"
  rm -f "$UNITS/$name.service" "$ETC/$1.yaml"
  systemctl daemon-reload
}

sysdig_settings() {
  local key
  key=$(retry 120 secret "$SYSDIG_KEY_SECRET_ARN") || return 1
  cat <<YAML
customerid: "$key"
collector: $SYSDIG_COLLECTOR
collector_port: 6443
ssl: true
tags: NodeType:$(node_type),Project:$PROJECT,Environment:$ENVIRONMENT
${SYSDIG_SETTINGS:-}
YAML
}

fluent_bit_settings() {
  local login='' user password
  if [ -n "${LOGS_SECRET_ARN:-}" ]; then login=$(retry 120 secret "$LOGS_SECRET_ARN") || return 1; fi
  cat <<YAML
service:
  flush: 5
  parsers_file: /fluent-bit/etc/parsers.conf
pipeline:
  inputs:
    - {name: systemd, tag: node, path: /var/log/journal, db: /state/journal.db, read_from_tail: on}
    - {name: tail, tag: container, path: /var/lib/docker/containers/*/*-json.log, parser: docker, db: /state/containers.db, skip_long_lines: on}
  filters:
    - {name: modify, match: "*", add: node_type $(node_type)}
    - {name: modify, match: "*", add: environment $ENVIRONMENT}
  outputs:
    - name: opensearch
      match: "*"
      host: $ELK_DOMAIN_ENDPOINT
      port: 443
      tls: on
      suppress_type_name: on
      logstash_format: on
      logstash_prefix: $ELK_INDEX_PREFIX
      replace_dots: on
YAML
  if [ -z "$login" ]; then
    printf '      aws_auth: on\n      aws_region: %s\n' "$REGION"
    return 0
  fi
  user=${login%%:*} password=${login#*:}
  printf "      http_user: '%s'\n      http_passwd: '%s'\n" "${user//\'/\'\'}" "${password//\'/\'\'}"
}

filebeat_settings() {
  cat <<YAML
filebeat.inputs:
  - {type: container, paths: ["/var/lib/docker/containers/*/*.log"]}
  - {type: log, paths: ["/var/log/ngp/*.log", "/var/log/cloud-init-output.log"]}
fields: {NODE_TYPE: $(node_type), environment: $ENVIRONMENT}
path.data: /state
output.logstash:
  hosts: ["$LOGSTASH_URI"]
  ssl.enabled: $ELK_LOGSTASH_TLS
YAML
}

# Whether the shipper can read what containers of this node write. Their default driver decides: with awslogs it goes to
# CloudWatch Logs and nowhere else. The node exporter tells it, and so an alert does.
report_container_logs() {
  local driver shipped=1
  if [ -z "${LOG_SHIPPER:-}" ]; then
    rm -f "$METRICS/agents.prom"
    return 0
  fi
  driver=$(docker info 2>/dev/null | sed -n 's/^ *Logging Driver: *//p')
  case $LOG_SHIPPER:$driver in
  fluent-bit:json-file | fluent-bit:journald | filebeat:json-file) ;;
  *)
    shipped=0
    say "containers log by ${driver:-no driver}, which $LOG_SHIPPER does not read: set container_log_driver of their cluster to journald (fluent-bit) or json-file"
    ;;
  esac
  if [ -d "$METRICS" ]; then
    printf 'ngp_agents_container_logs_shipped{driver="%s",shipper="%s"} %s\n' "$driver" "$LOG_SHIPPER" "$shipped" | write 644 "$METRICS/agents.prom"
  fi
}

install_sysdig() {
  local settings
  changed=false
  if [ -z "${SYSDIG_IMAGE:-}" ]; then
    remove sysdig
    return 0
  fi
  settings=$(sysdig_settings)
  place 600 "$ETC/sysdig.yaml" "$settings"
  run sysdig "$SYSDIG_IMAGE" --privileged --net host --pid host -e SYSDIG_AGENT_DRIVER=universal_ebpf \
    -v "$ETC/sysdig.yaml:/opt/draios/etc/dragent.yaml:ro" -v /var/run/docker.sock:/host/var/run/docker.sock \
    -v /sys/kernel/debug:/sys/kernel/debug:ro -v /dev:/host/dev -v /proc:/host/proc:ro -v /boot:/host/boot:ro -v /etc:/host/etc:ro
}

# install_shipper NAME MOUNT [COMMAND]: the one that was chosen; the other goes.
install_shipper() {
  local settings
  changed=false
  if [ "${LOG_SHIPPER:-}" != "$1" ]; then
    remove "$1"
    return 0
  fi
  settings=$("${1//-/_}_settings")
  place 600 "$ETC/$1.yaml" "$settings"
  run "$1" "$LOG_SHIPPER_IMAGE ${3:-}" --net host --user 0 -v "$ETC/$1.yaml:$2:ro" -v "$STATE:/state" -v /var/log:/var/log:ro \
    -v /var/lib/docker/containers:/var/lib/docker/containers:ro
}

main() {
  mkdir -p "${LOG%/*}" "$ETC" "$STATE"
  chmod 700 "$ETC"
  start_log
  install_packages awscli ca-certificates curl
  if [ "$NODE_EXPORTER" = true ]; then install_packages prometheus-node-exporter; fi
  if [ -n "${SYSDIG_IMAGE:-}${LOG_SHIPPER:-}" ] && ! command -v docker >/dev/null; then install_packages docker.io; fi
  install_sysdig
  install_shipper filebeat /usr/share/filebeat/filebeat.yml
  install_shipper fluent-bit /fluent-bit/etc/ngp.yaml "/fluent-bit/bin/fluent-bit -c /fluent-bit/etc/ngp.yaml"
  report_container_logs
  say "agents are as they should be"
}

changed=false
if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
