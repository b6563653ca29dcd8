# shellcheck shell=bash
# Grafana on a monitoring server: the package that the checksum names, both servers as its sources, the password of the secret.
# Its database (dashboards, users) is on the data disk, which outlives the machine.
: "${GRAFANA_VERSION:?}" "${GRAFANA_SHA256:?}" "${GRAFANA_URL:?}" "${GRAFANA_SECRET_ARN:?}"

GRAFANA_ETC=${GRAFANA_ETC:-/etc/grafana}
GRAFANA_DATA=${GRAFANA_DATA:-$DATA/grafana}
GRAFANA_OLD=${GRAFANA_OLD:-/var/lib/grafana}
UNITS=${UNITS:-/etc/systemd/system}
GRAFANA_DOWNLOADS=${GRAFANA_DOWNLOADS:-https://dl.grafana.com/oss/release}

install_grafana_package() {
  local package
  if [ "$(dpkg-query -W -f '${Version}' grafana 2>/dev/null)" = "$GRAFANA_VERSION" ]; then return 0; fi
  package=$(mktemp --suffix=.deb)
  retry 600 curl -sSfL -m 300 -o "$package" "$GRAFANA_DOWNLOADS/grafana_${GRAFANA_VERSION}_amd64.deb"
  if ! sha256sum --quiet -c <<<"$GRAFANA_SHA256  $package"; then
    rm -f "$package"
    say "REFUSED: the package of Grafana $GRAFANA_VERSION is not what its checksum says"
    return 1
  fi
  chmod 644 "$package"
  retry 900 apt-get -qq -y -o DPkg::Lock::Timeout=300 -o DPkg::Options::=--force-confold --no-install-recommends install "$package"
  rm -f "$package"
}

grafana_sources() {
  cat <<YAML
apiVersion: 1
datasources:
  - {name: recent, type: prometheus, access: proxy, url: "http://$PEER:9090", isDefault: true}
  - {name: longterm, type: prometheus, access: proxy, url: "http://$ADDRESS:9090"}
YAML
}

# The password is a file of Grafana's own: it is in no setting that a process list or a page shows.
grafana_settings() {
  cat <<INI
[paths]
data = $GRAFANA_DATA
plugins = $GRAFANA_DATA/plugins
[server]
http_addr = $ADDRESS
http_port = 3000
root_url = $GRAFANA_URL
[security]
admin_user = admin
admin_password = \$__file{$GRAFANA_ETC/ngp-password}
[users]
allow_sign_up = false
[analytics]
reporting_enabled = false
check_for_updates = false
INI
}

read_grafana_password() {
  timeout 50 aws --region "$REGION" secretsmanager get-secret-value --secret-id "$GRAFANA_SECRET_ARN" --query SecretString --output text
}

# The disk comes first: without it Grafana would begin with an empty database on the system disk. A database of an earlier
# version of this script is taken along; the user may have had another number on the machine that filled the disk.
own_grafana_data() {
  if [ ! -e "$GRAFANA_DATA" ] && [ -f "$GRAFANA_OLD/grafana.db" ]; then
    systemctl stop grafana-server.service
    rm -rf "$GRAFANA_DATA.new"
    cp -a "$GRAFANA_OLD" "$GRAFANA_DATA.new"
    mv "$GRAFANA_DATA.new" "$GRAFANA_DATA"
  fi
  mkdir -p "$GRAFANA_DATA/plugins"
  chown -R grafana:grafana "$GRAFANA_DATA"
  mkdir -p "$UNITS/grafana-server.service.d"
  write 644 "$UNITS/grafana-server.service.d/ngp.conf" <<UNIT
[Unit]
RequiresMountsFor=$DATA
UNIT
  systemctl daemon-reload
}

# A new database takes the password from the settings at its first start; one that is there has another one set. What was
# set last is known beside the database, so that a new machine with an old disk knows it too.
set_grafana_password() {
  local password
  password=$(retry 300 read_grafana_password)
  [ -n "$password" ]
  printf '%s' "$password" | write 640 "$GRAFANA_ETC/ngp-password"
  chgrp grafana "$GRAFANA_ETC/ngp-password"
  if [ -f "$GRAFANA_DATA/grafana.db" ] && ! sha256sum --status -c <<<"$(cat "$GRAFANA_DATA/.ngp-password-sha256" 2>/dev/null)  $GRAFANA_ETC/ngp-password"; then
    grafana-cli --homepath /usr/share/grafana --config "$GRAFANA_ETC/grafana.ini" admin reset-admin-password --password-from-stdin <<<"$password" >/dev/null
    chown -R grafana:grafana "$GRAFANA_DATA"
  fi
  sha256sum "$GRAFANA_ETC/ngp-password" | cut -d' ' -f1 | write 600 "$GRAFANA_DATA/.ngp-password-sha256"
}

install_grafana() {
  install_grafana_package
  own_grafana_data
  grafana_settings | write 640 "$GRAFANA_ETC/grafana.ini"
  set_grafana_password
  grafana_sources | write 640 "$GRAFANA_ETC/provisioning/datasources/ngp.yaml"
  chgrp grafana "$GRAFANA_ETC/grafana.ini" "$GRAFANA_ETC/provisioning/datasources/ngp.yaml"
  systemctl enable grafana-server.service
  systemctl restart grafana-server.service
}
