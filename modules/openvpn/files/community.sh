# shellcheck shell=bash
# Engine community: Debian's openvpn and easy-rsa. The certificate authority is made on this disk and never leaves it.
: "${LOG_GROUP:?}" "${NAMESPACE:?}" "${FQDN:?}" "${VPN_NETWORK:?}" "${VPN_NETMASK:?}" "${VPN_CIDR:?}" "${PUSHED_ROUTES:?}" "${RESOLVER:?}" "${REROUTE_GATEWAY:?}" "${REROUTE_DNS:?}" "${CERTIFICATE_DAYS:?}" "${CLIENT_TOOL:?}"

PKI=${PKI:-/etc/openvpn/pki}
SERVER=${SERVER:-/etc/openvpn/server}
DAEMON_LOG=${DAEMON_LOG:-/var/log/openvpn/server.log}
TOOL=${TOOL:-/usr/local/sbin/ngp-vpn}

# All or nothing: the authority grows beside its place and is moved there when it is whole.
make_authority() {
  [ ! -e "$PKI/ca.crt" ] || return 0
  say "making the certificate authority"
  local new=$PKI.new
  rm -rf "$new"
  (
    umask 077
    export EASYRSA_PKI=$new EASYRSA_BATCH=1 EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 EASYRSA_CA_EXPIRE=7300 EASYRSA_CERT_EXPIRE=7300 EASYRSA_CRL_DAYS=180
    /usr/share/easy-rsa/easyrsa init-pki
    EASYRSA_REQ_CN="$FQDN authority" /usr/share/easy-rsa/easyrsa build-ca nopass
    /usr/share/easy-rsa/easyrsa build-server-full server nopass
    /usr/share/easy-rsa/easyrsa gen-crl
    openvpn --genkey tls-crypt "$new/tls-crypt.key"
  )
  mv -T "$new" "$PKI"
}

install_tool() {
  base64 -d <<<"$CLIENT_TOOL" | write 755 "$TOOL"
  write 644 /etc/ngp-vpn.conf <<CONF
FQDN='$FQDN'
PKI='$PKI'
CRL='$SERVER/crl.pem'
CERTIFICATE_DAYS='$CERTIFICATE_DAYS'
CONF
}

server_configuration() {
  cat <<CONF
port 1194
proto udp
dev tun
topology subnet
server $VPN_NETWORK $VPN_NETMASK
ca $PKI/ca.crt
cert $PKI/issued/server.crt
key $PKI/private/server.key
dh none
tls-crypt $PKI/tls-crypt.key
tls-version-min 1.2
data-ciphers AES-256-GCM:CHACHA20-POLY1305
auth SHA256
remote-cert-tls client
crl-verify $SERVER/crl.pem
keepalive 10 60
explicit-exit-notify 1
persist-key
persist-tun
user nobody
group nogroup
verb 3
log-append $DAEMON_LOG
$PUSHED_ROUTES
CONF
  if [ "$REROUTE_GATEWAY" = true ]; then echo 'push "redirect-gateway def1"'; fi
  if [ "$REROUTE_DNS" = true ]; then echo "push \"dhcp-option DNS $RESOLVER\""; fi
}

# Packets of clients leave with the server's own address: the VPC needs no route back.
masquerade() {
  write 644 /etc/openvpn/ngp.nft <<NFT
table ip ngp_openvpn
delete table ip ngp_openvpn
table ip ngp_openvpn {
  chain postrouting {
    type nat hook postrouting priority srcnat
    ip saddr $VPN_CIDR oifname != "tun*" masquerade
  }
}
NFT
  write 644 /etc/systemd/system/ngp-openvpn-nat.service <<'UNIT'
[Unit]
Description=Address translation for VPN clients
Before=openvpn-server@ngp.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/openvpn/ngp.nft
ExecReload=/usr/sbin/nft -f /etc/openvpn/ngp.nft

[Install]
WantedBy=multi-user.target
UNIT
}

# A revocation list that ran out keeps every client out: it is renewed each week.
renew_revocations() {
  write 644 /etc/systemd/system/ngp-openvpn-crl.service <<UNIT
[Unit]
Description=Renew the VPN's revocation list

[Service]
Type=oneshot
ExecStart=$TOOL renew
UNIT
  write 644 /etc/systemd/system/ngp-openvpn-crl.timer <<'UNIT'
[Unit]
Description=Renew the VPN's revocation list each week

[Timer]
OnCalendar=weekly
Persistent=true
RandomizedDelaySec=1h

[Install]
WantedBy=timers.target
UNIT
  "$TOOL" renew
}

serve() {
  systemctl daemon-reload
  systemctl enable ngp-openvpn-nat.service openvpn-server@ngp.service
  systemctl reload-or-restart ngp-openvpn-nat.service
  systemctl enable --now ngp-openvpn-crl.timer
  if server_configuration | cmp -s - "$SERVER/ngp.conf"; then
    systemctl start openvpn-server@ngp.service
  else
    server_configuration | write 600 "$SERVER/ngp.conf"
    systemctl restart openvpn-server@ngp.service
  fi
  retry 60 systemctl is-active -q openvpn-server@ngp.service
}

# OpenVPN keeps its log open: it is cut where it lies.
rotate_log() {
  mkdir -p "${DAEMON_LOG%/*}"
  write 644 /etc/logrotate.d/ngp-openvpn <<ROTATE
$DAEMON_LOG {
  weekly
  rotate 4
  copytruncate
  compress
  missingok
  notifempty
}
ROTATE
}

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
  install_packages ca-certificates curl easy-rsa gpg logrotate nftables openvpn unattended-upgrades
  forward_packets
  make_authority
  install_tool
  masquerade
  renew_revocations
  rotate_log
  serve
  install_cloudwatch_agent
  install_session_manager
  say "ready: $FQDN, udp 1194; ngp-vpn add NAME makes a client"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
