#!/bin/bash
# Installs Logstash from its archive, checked against its checksum, and starts it. Does nothing where all is done.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# shellcheck source=/dev/null
. "${NGP_ETC:-/etc/ngp}/elk.env"
OPT=${OPT:-/opt}
CONFIGURATION=${CONFIGURATION:-/etc/logstash}
KEPT=${KEPT:-/var/lib/logstash /var/log/logstash}

say() { printf '%s collector: %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }

# retry LIMIT_S COMMAND…: until it succeeds, with growing pauses, for at most LIMIT_S seconds.
retry() {
  local limit=$1 pause=2 end
  shift
  end=$((SECONDS + limit))
  until "$@"; do
    if ((SECONDS + pause > end)); then
      say "gave up after $limit s: $1"
      return 1
    fi
    sleep "$pause"
    pause=$((pause < 30 ? pause * 2 : 30))
  done
}

# ensure PACKAGE…: installs what is not there yet.
ensure() {
  local package missing=()
  for package in "$@"; do
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then missing+=("$package"); fi
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  say "installing ${missing[*]}"
  retry 600 install_packages "${missing[@]}"
}

install_packages() {
  apt-get -q -o DPkg::Lock::Timeout=120 update &&
    apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

# The folder bears the checksum, so another archive is another folder and half of one is never run.
install_logstash() {
  local folder=$OPT/logstash-${ARCHIVE_SHA512:0:16} new
  if [ ! -d "$folder" ]; then
    say "installing $ARCHIVE_URL"
    new=$(mktemp -d "$OPT/logstash-new.XXXXXX")
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$new'" EXIT
    retry 1200 curl -sSfL -m 900 -o "$new/archive.tar.gz" "$ARCHIVE_URL"
    if ! sha512sum --quiet -c <<<"$ARCHIVE_SHA512  $new/archive.tar.gz"; then
      say "REFUSED: $ARCHIVE_URL is not what its checksum says"
      return 1
    fi
    mkdir "$new/logstash"
    tar -xzf "$new/archive.tar.gz" -C "$new/logstash" --strip-components=1
    mv "$new/logstash" "$folder"
  fi
  ln -sfn "$folder" "$OPT/logstash"
  cp "$folder/config/jvm.options" "$folder/config/log4j2.properties" "$CONFIGURATION/"
}

# Session Manager's agent is not in Debian. Collectors work without it, so a failure is said and forgiven.
install_session_manager() {
  local package
  if systemctl cat amazon-ssm-agent.service >/dev/null 2>&1; then return 0; fi
  package=$(mktemp --suffix=.deb)
  if retry 120 curl -sSf -m 60 -o "$package" "https://s3.$AWS_DEFAULT_REGION.amazonaws.com/amazon-ssm-$AWS_DEFAULT_REGION/latest/debian_amd64/amazon-ssm-agent.deb" &&
    retry 300 dpkg -i "$package"; then # unattended upgrades may hold its lock
    systemctl enable --now amazon-ssm-agent.service
  else
    say "no Session Manager: its agent could not be installed"
  fi
  rm -f "$package"
}

ensure ca-certificates curl python3-boto3
install_session_manager
install_logstash
id -u logstash >/dev/null 2>&1 || useradd --system --home-dir /var/lib/logstash --shell /usr/sbin/nologin logstash
for folder in $KEPT; do install -d -o logstash -g logstash -m 750 "$folder"; done
# First the rights, without which the domain refuses what is written; where that fails, Logstash waits with a full queue.
if [ "$SETTLES" = true ]; then
  systemctl enable --now ngp-elk-settle.timer
  systemctl start ngp-elk-settle.service || say "the domain is not settled: its timer tries again"
fi
systemctl enable --now logstash.service
say "logstash is started"
