# shellcheck shell=bash
# A monitoring server: its disk, Prometheus, Alertmanager and exporters from Debian, and what brings their configuration.
: "${REGION:?}" "${ROLE:?}" "${BUCKET:?}" "${VOLUME_ID:?}" "${ADDRESS:?}" "${PEER:?}" "${FQDN:?}" "${RETENTION_DAYS:?}" "${RETENTION_GB:?}" "${SYNC:?}"

ETC=${ETC:-/etc/ngp}
DATA=${DATA:-/var/lib/prometheus}
DEVICES=${DEVICES:-/dev}
FSTAB=${FSTAB:-/etc/fstab}
UNITS=${UNITS:-/etc/systemd/system}
TOOL=${TOOL:-/usr/local/lib/ngp/monitoring-sync.sh}
LIVE=$ETC/monitoring

# Terraform attaches the disk once the machine runs. Its name is the volume's id, with an older type /dev/xvdf.
find_disk() {
  local name
  for name in "$DEVICES/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME_ID/-/}" "$DEVICES/xvdf" "$DEVICES/sdf"; do
    if [ -e "$name" ]; then
      readlink -f "$name"
      return 0
    fi
  done
  return 1
}

# Whether a disk can be read and its first 4 MiB are zeros, as a new volume's are. blkid also answers "nothing found" where it
# could not read, and would not know the beginning of a damaged file system.
is_blank() { cmp -s -n 4194304 "$1" /dev/zero; }

# Only a disk on which nothing at all is found, and nothing is, is formatted.
mount_disk() {
  local disk found=0
  retry 600 find_disk >/dev/null
  disk=$(find_disk)
  blkid -p "$disk" >/dev/null || found=$?
  case $found in
  0) ;;
  2)
    if ! is_blank "$disk"; then
      say "REFUSED: $disk has no file system that blkid knows, but is not empty, or cannot be read"
      return 1
    fi
    mkfs.ext4 -q -m 1 -L ngp-monitoring "$disk"
    ;;
  *)
    say "REFUSED: nobody can say what is on $disk"
    return 1
    ;;
  esac
  mkdir -p "$DATA"
  if ! grep -q " $DATA " "$FSTAB"; then
    echo "LABEL=ngp-monitoring $DATA ext4 defaults,nofail,x-systemd.device-timeout=600 0 2" >>"$FSTAB"
  fi
  if ! mountpoint -q "$DATA"; then mount "$disk" "$DATA"; fi
  resize2fs "$disk" # the volume may have grown
}

prometheus_arguments() {
  echo "--config.file=$LIVE/prometheus.yml --storage.tsdb.path=$DATA/metrics2" \
    "--storage.tsdb.retention.time=${RETENTION_DAYS}d --storage.tsdb.retention.size=${RETENTION_GB}GB" \
    "--web.listen-address=$ADDRESS:9090 --web.external-url=http://$FQDN:9090"
}

alertmanager_arguments() {
  echo "--config.file=$LIVE/alertmanager.yml --storage.path=$DATA/alertmanager" \
    "--web.listen-address=$ADDRESS:9093 --web.external-url=http://$FQDN:9093" \
    "--cluster.listen-address=$ADDRESS:9094 --cluster.peer=$PEER:9094"
}

node_exporter_arguments() {
  echo "--web.listen-address=$ADDRESS:9100 --collector.textfile.directory=$DATA/node-exporter"
}

blackbox_exporter_arguments() {
  echo "--web.listen-address=127.0.0.1:9115 --config.file=/etc/prometheus/blackbox.yml"
}

# How a service is run. Debian gives Prometheus 20 seconds to stop and then leaves it running, in the way of the next one.
service_settings() {
  cat <<UNIT
[Unit]
RequiresMountsFor=$DATA
ConditionPathExists=$LIVE

[Service]
Restart=always
RestartSec=5
TimeoutStopSec=180
SendSIGKILL=yes
EnvironmentFile=
EnvironmentFile=$1
UNIT
}

# service NAME ARGUMENTS: tells Debian's unit how it is started; `changed` gets those that run in another way.
service() {
  local name=$1 settings="$ETC/$1.env" unit="$UNITS/$1.service.d/ngp.conf"
  if [ "$(cat "$settings" "$unit" 2>/dev/null)" = "ARGS=\"$2\"
$(service_settings "$settings")" ]; then return 0; fi
  mkdir -p "${unit%/*}"
  service_settings "$settings" | write 644 "$unit"
  write 644 "$settings" <<<"ARGS=\"$2\""
  changed+=("$name")
}

# Before the packages are there, so that even their first start is as it should be: not yet, without a configuration.
describe_services() {
  service prometheus "$(prometheus_arguments)"
  service prometheus-alertmanager "$(alertmanager_arguments)"
  service prometheus-node-exporter "$(node_exporter_arguments)"
  service prometheus-blackbox-exporter "$(blackbox_exporter_arguments)"
}

# The user may have had another number on the machine that filled the disk.
own_data() {
  local folder
  for folder in "$DATA/metrics2" "$DATA/alertmanager"; do
    mkdir -p "$folder"
    if [ -n "$(find "$folder" ! -user prometheus -print -quit)" ]; then chown -R prometheus:prometheus "$folder"; fi
  done
  mkdir -p "$DATA/node-exporter"
}

install_sync() {
  mkdir -p "${TOOL%/*}"
  base64 -d <<<"$SYNC" | write 755 "$TOOL"
  write 600 "$ETC/monitoring.env" <<SETTINGS
REGION='$REGION'
BUCKET='$BUCKET'
ROLE='$ROLE'
TOKEN_SECRET_ARN='${TOKEN_SECRET_ARN:-}'
SETTINGS
  write 644 "$UNITS/ngp-monitoring-sync.service" <<UNIT
[Unit]
Description=Bring the configuration of Prometheus and Alertmanager
RequiresMountsFor=$DATA

[Service]
Type=oneshot
ExecStart=$TOOL
TimeoutStartSec=180
StandardOutput=append:/var/log/ngp/monitoring-sync.log
StandardError=append:/var/log/ngp/monitoring-sync.log
UNIT
  write 644 "$UNITS/ngp-monitoring-sync.timer" <<'UNIT'
[Unit]
Description=Every minute: the configuration of Prometheus and Alertmanager

[Timer]
OnBootSec=60
OnUnitInactiveSec=60

[Install]
WantedBy=timers.target
UNIT
}

start_services() {
  local services=(prometheus prometheus-alertmanager prometheus-node-exporter prometheus-blackbox-exporter)
  systemctl daemon-reload
  retry 600 systemctl start ngp-monitoring-sync.service
  systemctl enable --now ngp-monitoring-sync.timer
  systemctl enable "${services[@]}"
  # One start for each: Prometheus that is stopped while it still opens its disk may not end in time.
  if ((${#changed[@]})); then systemctl restart "${changed[@]}"; fi
  systemctl start "${services[@]}"
  retry 120 curl -sSf -m 5 -o /dev/null "http://$ADDRESS:9090/-/ready"
  retry 120 curl -sSf -m 5 -o /dev/null "http://$ADDRESS:9093/-/ready"
}

changed=()

main() {
  mkdir -p "${LOG%/*}" "$ETC"
  start_log
  install_packages awscli ca-certificates curl e2fsprogs unattended-upgrades
  mount_disk
  describe_services
  install_packages prometheus prometheus-alertmanager prometheus-node-exporter prometheus-blackbox-exporter
  own_data
  install_sync
  start_services
  if [ -n "${GRAFANA_VERSION:-}" ]; then install_grafana; fi
  install_session_manager
  say "ready: http://$FQDN:9090"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
