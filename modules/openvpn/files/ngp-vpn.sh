#!/bin/bash
# Clients of this VPN server: ngp-vpn add NAME [--sealed] | profile NAME [--sealed] | revoke NAME | list | renew
# `add` and `profile` print the profile (it holds the client's private key); everything else is said on stderr. With --sealed
# it is encrypted by a passphrase that is asked for: Session Manager may log what a session shows.
set -euo pipefail
umask 077

CONFIGURATION=${NGP_VPN_CONFIGURATION:-/etc/ngp-vpn.conf}
# shellcheck source=/dev/null
. "$CONFIGURATION"
: "${FQDN:?}" "${PKI:?}" "${CRL:?}" "${CERTIFICATE_DAYS:?}"
export EASYRSA_PKI=$PKI EASYRSA_BATCH=1 EASYRSA_ALGO=ec EASYRSA_CURVE=prime256v1 EASYRSA_CERT_EXPIRE=$CERTIFICATE_DAYS EASYRSA_CRL_DAYS=180

die() {
  echo "ngp-vpn: $1" >&2
  exit "${2:-1}"
}
easyrsa() { /usr/share/easy-rsa/easyrsa "$@" >&2; }

check_name() {
  [[ ${1:-} =~ ^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$ ]] || die "a client's name is 1 to 63 letters, digits or ._@-" 64
  [ "$1" != server ] && [ "$1" != ca ] || die "$1 is the server's own name" 64
}

# The server reads the list anew at each connection, as user nobody.
publish_revocations() {
  easyrsa gen-crl
  install -m 644 "$PKI/crl.pem" "$CRL.new"
  mv "$CRL.new" "$CRL"
}

profile() {
  [ -e "$PKI/issued/$1.crt" ] || die "no client $1"
  cat <<PROFILE
client
dev tun
proto udp
remote $FQDN 1194
resolv-retry infinite
nobind
persist-key
persist-tun
remote-cert-tls server
verify-x509-name server name
data-ciphers AES-256-GCM:CHACHA20-POLY1305
auth SHA256
verb 3
<ca>
$(cat "$PKI/ca.crt")
</ca>
<cert>
$(openssl x509 -in "$PKI/issued/$1.crt")
</cert>
<key>
$(cat "$PKI/private/$1.key")
</key>
<tls-crypt>
$(cat "$PKI/tls-crypt.key")
</tls-crypt>
PROFILE
}

# easy-rsa 3.2 (Debian 13) leaves a revoked client's request and key where they are, and would not make another under its name.
take_back() {
  easyrsa revoke "$1"
  rm -f "$PKI/reqs/$1.req" "$PKI/private/$1.key" "$PKI/inline/$1.inline" "$PKI/inline/private/$1.inline" "$PKI/$1.creds"
  publish_revocations
}

# The passphrase is read from the terminal without an echo, and is in no argument and no file.
seal() {
  local first second
  read -rsp "ngp-vpn: passphrase for the profile of $1: " first </dev/tty
  echo >&2
  read -rsp "ngp-vpn: once more: " second </dev/tty
  echo >&2
  [ ${#first} -ge 12 ] || die "a passphrase has at least 12 characters" 64
  [ "$first" = "$second" ] || die "the two differ" 64
  openssl enc -aes-256-cbc -pbkdf2 -iter 600000 -salt -a -pass fd:3 3<<<"$first"
  echo "ngp-vpn: on your own machine: openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -a -in FILE -out $1.ovpn" >&2
}

# A certificate that ran out is taken back first: the client gets another under its name.
add() {
  if [ -e "$PKI/issued/$1.crt" ] && ! openssl x509 -checkend 0 -noout -in "$PKI/issued/$1.crt" >&2; then
    take_back "$1"
  fi
  [ -e "$PKI/issued/$1.crt" ] || easyrsa build-client-full "$1" nopass
  profile "$1"
}

revoke() {
  [ -e "$PKI/issued/$1.crt" ] || die "no client $1"
  take_back "$1"
  echo "ngp-vpn: $1 is revoked; an open connection ends at its next key exchange, at most an hour from now" >&2
}

# State (V valid, R revoked, E expired), end of validity and name of each client.
list() {
  awk -F'\t' '{ name = $6; sub(/.*CN=/, "", name); if (name != "server") print $1, $2, name }' "$PKI/index.txt"
}

[ "$(id -u)" = 0 ] || die "needs root: sudo ngp-vpn ..." 77
exec 9>"$PKI/.ngp-vpn.lock"
flock -w 60 9 || die "another ngp-vpn is at work" 5

case ${1:-} in
add | profile)
  check_name "${2:-}"
  case ${3:-} in
  '') "$1" "$2" ;;
  --sealed) "$1" "$2" | seal "$2" ;;
  *) die "unknown option $3" 64 ;;
  esac
  ;;
revoke)
  check_name "${2:-}"
  revoke "$2"
  ;;
list) list ;;
renew) publish_revocations ;;
*) die "usage: ngp-vpn add NAME [--sealed] | profile NAME [--sealed] | revoke NAME | list | renew" 64 ;;
esac
