# shellcheck shell=bash
# Engine access-server: the appliance is there already; it gets its name, its routes and its administrator.
: "${REGION:?}" "${LOG_GROUP:?}" "${NAMESPACE:?}" "${FQDN:?}" "${VPN_NETWORK:?}" "${VPN_CIDR:?}" "${ROUTES:?}" "${REROUTE_GATEWAY:?}" "${REROUTE_DNS:?}" "${ADMIN_USER:?}" "${SECRET_ARN:?}"

DAEMON_LOG=${DAEMON_LOG:-/var/log/openvpnas.log}
APPLIANCE=${APPLIANCE:-/usr/local/openvpn_as}

sacli() { timeout 60 "$APPLIANCE/scripts/sacli" "$@"; }
answers() { [ -S "$APPLIANCE/etc/sock/sagent" ] && sacli status >/dev/null 2>&1; }

# Once: the appliance's own first configuration. Newer images do it by themselves.
initialise() {
  if [ ! -e "$APPLIANCE/etc/as.conf" ]; then
    say "initialising the appliance"
    timeout 600 "$APPLIANCE/bin/ovpn-init" --ec2 --batch --force
  fi
  systemctl enable --now openvpnas.service
  retry 300 answers
}

# The value goes from Secrets Manager into a variable, by the instance's role; it is in no file and no log.
read_password() {
  python3 -c '
import sys, boto3
print(boto3.client("secretsmanager", region_name=sys.argv[1]).get_secret_value(SecretId=sys.argv[2])["SecretString"])
' "$REGION" "$SECRET_ARN"
}

set_administrator() {
  local password
  password=$(retry 300 read_password)
  [ -n "$password" ]
  sacli --user "$ADMIN_USER" --key type --value user_connect UserPropPut
  sacli --user "$ADMIN_USER" --key prop_superuser --value true UserPropPut
  sacli --user "$ADMIN_USER" --key user_auth_type --value local UserPropPut
  sacli --user "$ADMIN_USER" --new_pass "$password" SetLocalPassword
  if [ "$ADMIN_USER" != openvpn ]; then # the appliance's own administrator goes
    sacli --user openvpn UserPropDelAll || true
  fi
} >/dev/null

configure() {
  local route number=0
  sacli --key host.name --value "$FQDN" ConfigPut
  sacli --key vpn.daemon.0.client.network --value "$VPN_NETWORK" ConfigPut
  sacli --key vpn.daemon.0.client.netmask_bits --value "${VPN_CIDR#*/}" ConfigPut
  sacli --key vpn.client.routing.reroute_gw --value "$REROUTE_GATEWAY" ConfigPut
  sacli --key vpn.client.routing.reroute_dns --value "$REROUTE_DNS" ConfigPut
  sacli --key vpn.server.routing.private_access --value nat ConfigPut
  # Port 443 is the world's: it leads to the users' pages only. They move to a port of their own, which no security group
  # opens, for what shares a port is forwarded together; administration stays on 943.
  sacli --key admin_ui.https.port --value 943 ConfigPut
  sacli --key cs.https.port --value 944 ConfigPut
  sacli --key vpn.server.port_share.service --value client ConfigPut
  sacli --key cs.tls_version_min --value 1.2 ConfigPut
  for route in $ROUTES; do
    sacli --key "vpn.server.routing.private_network.$number" --value "$route" ConfigPut
    number=$((number + 1))
  done
  # networks of an earlier, longer list
  while sacli --key "vpn.server.routing.private_network.$number" ConfigDel >/dev/null 2>&1 && ((number < 64)); do
    number=$((number + 1))
  done
  sacli start
} >/dev/null

forward_packets() {
  write 644 /etc/sysctl.d/90-ngp-openvpn.conf <<<'net.ipv4.ip_forward = 1'
  sysctl -q -p /etc/sysctl.d/90-ngp-openvpn.conf
}

# What the server reports: its logs, and how many processes of OpenVPN run.
agent_configuration() {
  cat <<JSON
{
  "agent": {"metrics_collection_interval": 60, "region": "$REGION"},
  "logs": {"logs_collected": {"files": {"collect_list": [
    {"file_path": "$LOG", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}/boot"},
    {"file_path": "/var/log/cloud-init-output.log", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}/cloud-init"},
    {"file_path": "$DAEMON_LOG", "log_group_name": "$LOG_GROUP", "log_stream_name": "{instance_id}/openvpn"}
  ]}}},
  "metrics": {
    "namespace": "$NAMESPACE",
    "append_dimensions": {"InstanceId": "\${aws:InstanceId}"},
    "aggregation_dimensions": [["InstanceId"]],
    "metrics_collected": {"procstat": [{"exe": "openvpn", "measurement": ["pid_count"]}]}
  }
}
JSON
}

main() {
  start_log
  install_packages curl gpg python3-boto3 unattended-upgrades
  forward_packets
  initialise
  set_administrator
  configure
  install_cloudwatch_agent
  install_session_manager
  say "ready: https://$FQDN/"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
