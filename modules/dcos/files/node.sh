# shellcheck shell=bash
# A master or an agent: prepares the machine, waits for the bootstrap node, and installs DC/OS once.
: "${ROLE:?}" "${NODE_TYPE:?}" "${BOOTSTRAP:?}"

DCOS=${DCOS:-/opt/mesosphere}
FSTAB=${FSTAB:-/etc/fstab}
WORK=${WORK:-/opt/ngp-dcos}
UNITS=${UNITS:-/etc/systemd/system}

# MOUNTS holds HOST:FOLDER:MODE, one a word. What cannot be mounted stops the boot: masters that wrote beside it would be strangers.
mount_shared() {
  local each host folder mode line
  if [ -z "${MOUNTS:-}" ]; then return 0; fi
  install_packages nfs-utils
  for each in $MOUNTS; do
    IFS=: read -r host folder mode <<<"$each"
    line="$host:/ $folder nfs4 nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev,nofail 0 0"
    mkdir -p "$folder"
    grep -qxF "$line" "$FSTAB" || printf '%s\n' "$line" >>"$FSTAB"
    mountpoint -q "$folder" || retry 600 timeout 60 mount "$folder"
    chmod "$mode" "$folder"
  done
}

# The registry's authority, from the bootstrap node.
trust_registry() {
  local folder="$ETC/docker/certs.d/${REGISTRY_HOST:-}"
  if [ -z "${REGISTRY_HOST:-}" ]; then return 0; fi
  mkdir -p "$folder"
  retry "$LIMIT_S" curl -sSf -m 30 -o "$folder/ca.crt.new" "http://$BOOTSTRAP:9999/registry-ca.crt"
  mv "$folder/ca.crt.new" "$folder/ca.crt"
}

# The bootstrap node may come later than we do, and generating takes minutes.
install_dcos() {
  if [ -e "$WORK/installed" ]; then return 0; fi
  if [ -e "$DCOS" ]; then
    say "DC/OS is half installed: replace this node, its installer goes over nothing"
    return 1
  fi
  install_packages curl unzip tar xz ipset libseccomp
  getent group nogroup >/dev/null || groupadd nogroup
  mkdir -p "$WORK"
  retry "$LIMIT_S" curl -sSf -m 60 -o "$WORK/dcos_install.sh" "http://$BOOTSTRAP:9999/dcos_install.sh"
  say "installing as $ROLE"
  (cd "$WORK" && timeout "$LIMIT_S" bash dcos_install.sh "$ROLE")
  touch "$WORK/installed"
}

# unit NAME IMAGE OPTION...: a container that systemd keeps running.
unit() {
  local name=$1 image=$2
  shift 2
  write 644 "$UNITS/$name.service" <<UNIT
[Unit]
Description=$name
Requires=docker.service
After=docker.service network-online.target

[Service]
ExecStartPre=-/usr/bin/docker rm -f $name
ExecStart=/usr/bin/docker run --rm --name $name $* $image
ExecStop=/usr/bin/docker stop $name
Restart=always
RestartSec=30
TimeoutStartSec=600

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl enable --now --no-block "$name.service"
}

ship_logs() {
  if [ -z "${FILEBEAT_IMAGE:-}" ]; then return 0; fi
  unit filebeat "$FILEBEAT_IMAGE" --net host --user root -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
    -v /var/log:/var/log:ro -v /var/lib/mesos/slave:/var/lib/mesos/slave:ro -v filebeat:/usr/share/filebeat/data \
    -e "LOGSTASH_URI=$LOGSTASH_URI" -e "NODE_TYPE=$NODE_TYPE"
}

# The access key goes by a file that root alone reads, never by an argument.
read_key() {
  docker run --rm --net host "$AWS_CLI_IMAGE" secretsmanager get-secret-value --region "$REGION" --secret-id "$SYSDIG_SECRET_ARN" \
    --query SecretString --output text >"$1.key"
}

watch_node() {
  local file="$ETC/ngp/sysdig.env"
  if [ -z "${SYSDIG_SECRET_ARN:-}" ]; then return 0; fi
  mkdir -p "$ETC/ngp"
  (
    umask 077
    retry 300 read_key "$file"
    printf 'ACCESS_KEY=%s\nTAGS=NodeType:%s,dcosName:%s\n' "$(cat "$file.key")" "$NODE_TYPE" "$CLUSTER" | write 600 "$file"
    rm -f "$file.key"
  )
  unit sysdig-agent "$SYSDIG_IMAGE" --privileged --net host --pid host --env-file "$file" -v /var/run/docker.sock:/host/var/run/docker.sock \
    -v /dev:/host/dev -v /proc:/host/proc:ro -v /boot:/host/boot:ro -v /lib/modules:/host/lib/modules:ro -v /usr:/host/usr:ro
}

main() {
  start_log
  set_time
  disable_resolved
  install_docker
  mount_shared
  trust_registry
  install_dcos
  ship_logs
  watch_node
  say "ready"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
