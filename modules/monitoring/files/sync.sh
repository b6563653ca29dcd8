#!/bin/bash
# Brings the configuration from the bucket and has it read, once promtool and amtool have found it good. A timer starts it
# every minute; what is refused changes nothing, and a metric says so.
set -euo pipefail
umask 027

# shellcheck source=/dev/null
. "${NGP_SETTINGS:-/etc/ngp/monitoring.env}"
: "${REGION:?}" "${BUCKET:?}" "${ROLE:?}"

LIVE=${LIVE:-/etc/ngp/monitoring}
METRICS=${METRICS:-/var/lib/prometheus/node-exporter}
GROUP=${GROUP:-prometheus}
NEXT=$LIVE.next

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }

# tell 0|1: for the node exporter, and so for the alerts.
tell() {
  local new
  new=$(mktemp "$METRICS/.monitoring.XXXXXX")
  printf 'ngp_monitoring_configuration_good %s\nngp_monitoring_configuration_looked_at_seconds %s\n' "$1" "$(date +%s)" >"$new"
  chmod 644 "$new"
  mv "$new" "$METRICS/monitoring.prom"
}

# (Every step says `&&` or `|| return`: `set -e` does not hold in a condition.)
fetch() {
  mkdir -p "$NEXT/checks" "$NEXT/rules" &&
    timeout 50 aws --region "$REGION" s3 sync --only-show-errors --delete --exclude 'checks/*' --exclude webhook-token "s3://$BUCKET/$ROLE/" "$NEXT/" &&
    timeout 50 aws --region "$REGION" s3 sync --only-show-errors --delete "s3://$BUCKET/checks/" "$NEXT/checks/"
}

# The token changes seldom, and each question costs: once an hour.
fetch_token() {
  local new
  if [ -z "${TOKEN_SECRET_ARN:-}" ]; then
    rm -f "$NEXT/webhook-token"
    return 0
  fi
  if [ -n "$(find "$NEXT/webhook-token" -mmin -60 2>/dev/null)" ]; then return 0; fi
  new=$(mktemp "$LIVE.token.XXXXXX") || return 1
  if ! timeout 50 aws --region "$REGION" secretsmanager get-secret-value --secret-id "$TOKEN_SECRET_ARN" --query SecretString --output text >"$new"; then
    rm -f "$new"
    return 1
  fi
  mv "$new" "$NEXT/webhook-token"
}

good() {
  promtool check config "$NEXT/prometheus.yml" && amtool check-config "$NEXT/alertmanager.yml"
}

install_next() {
  rm -rf "$LIVE.new" "$LIVE.old"
  cp -r "$NEXT" "$LIVE.new"
  chgrp -R "$GROUP" "$LIVE.new"
  chmod -R u=rwX,g=rX,o= "$LIVE.new"
  if [ -d "$LIVE" ]; then mv "$LIVE" "$LIVE.old"; fi
  mv "$LIVE.new" "$LIVE"
  rm -rf "$LIVE.old"
}

reload() {
  local service
  for service in prometheus prometheus-alertmanager; do
    if systemctl -q is-active "$service.service"; then systemctl reload "$service.service"; fi
  done
}

main() {
  local found
  if ! fetch || ! fetch_token; then
    say "the bucket or the secret does not answer; the configuration stays"
    exit 1
  fi
  if diff -rq "$NEXT" "$LIVE" >/dev/null 2>&1; then
    tell 1
    return 0
  fi
  if ! found=$(good 2>&1); then
    say "REFUSED: $found"
    tell 0
    exit 1
  fi
  install_next
  reload
  tell 1
  say "a new configuration is read"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then main; fi
