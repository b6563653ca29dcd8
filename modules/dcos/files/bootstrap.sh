# shellcheck shell=bash
# The bootstrap node: makes the installation of the installer and what is configured, and serves it to the nodes on port 9999.
: "${INSTALLER_URL:?}" "${INSTALLER_SHA256:?}" "${CONFIG:?}" "${IP_DETECT:?}" "${NGINX_IMAGE:?}"

WORK=${WORK:-/opt/ngp-dcos}
SERVE=$WORK/genconf/serve

is_installer() { sha256sum --status -c <<<"$INSTALLER_SHA256  $1"; }

# A partial download goes on where it ended; anything but what was meant is refused and not kept.
fetch_installer() {
  local installer="$WORK/dcos_generate_config.sh"
  if [ -e "$installer" ] && is_installer "$installer"; then return 0; fi
  rm -f "$installer"
  if [ ! -e "$installer.part" ] || ! is_installer "$installer.part"; then
    retry "$LIMIT_S" curl -sSfL -m "$LIMIT_S" -C - -o "$installer.part" "$INSTALLER_URL"
  fi
  if ! is_installer "$installer.part"; then
    rm -f "$installer.part"
    say "REFUSED: what $INSTALLER_URL gave is not what installer_sha256 says"
    return 1
  fi
  mv "$installer.part" "$installer"
}

write_configuration() {
  base64 -d <<<"$CONFIG" | write 644 "$WORK/genconf/config.yaml"
  base64 -d <<<"$IP_DETECT" | write 755 "$WORK/genconf/ip-detect"
}

# Anew whenever installer or configuration changed. A running node does not notice: it is installed once.
generate() {
  local digest
  digest=$(cat "$WORK/genconf/config.yaml" "$WORK/genconf/ip-detect" <(echo "$INSTALLER_SHA256") | sha256sum)
  if [ "$(cat "$WORK/generated" 2>/dev/null)" = "$digest" ]; then return 0; fi
  say "generating"
  (cd "$WORK" && timeout "$LIMIT_S" bash dcos_generate_config.sh)
  [ -e "$SERVE/dcos_install.sh" ]
  write 644 "$WORK/generated" <<<"$digest"
}

serve() {
  if [ -n "${REGISTRY_CA:-}" ]; then base64 -d <<<"$REGISTRY_CA" | write 644 "$SERVE/registry-ca.crt"; fi
  docker rm -f ngp-dcos-serve >/dev/null 2>&1 || true
  retry 300 docker run -d --name ngp-dcos-serve --restart unless-stopped -p 9999:80 -v "$SERVE:/usr/share/nginx/html:ro" "$NGINX_IMAGE"
  retry 120 curl -sSf -m 10 -o /dev/null http://127.0.0.1:9999/dcos_install.sh
}

main() {
  start_log
  set_time
  install_packages curl
  install_docker
  mkdir -p "$WORK/genconf"
  fetch_installer
  write_configuration
  generate
  serve
  say "ready"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
