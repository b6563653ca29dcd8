# shellcheck shell=bash
# What boot scripts share. They run at every boot: each step looks first whether it is done.
set -eEuo pipefail
umask 022
export DEBIAN_FRONTEND=noninteractive HOME=/root

: "${LOG:?}"
METADATA=${METADATA:-http://169.254.169.254}

# On standard error, so that what a function answers with stays clean.
say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }

# retry LIMIT_S COMMAND...: until it succeeds, with growing pauses, at most LIMIT_S seconds.
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

# Instance metadata, version 2 only: a token first.
metadata() {
  local token
  token=$(curl -sSf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$METADATA/latest/api/token")
  curl -sSf -m 5 -H "X-aws-ec2-metadata-token: $token" "$METADATA/latest/meta-data/$1"
}

# An address, or the way through NAT, may come after the first boot began. By itself apt-get also succeeds where it reaches nothing.
online() { timeout 60 apt-get -qq --error-on=any update; }

install_packages() {
  local missing=() package
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  retry 600 online
  retry 900 apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install "${missing[@]}"
}

# A package that was fetched; unattended upgrades may hold the lock at that moment.
install_file() { timeout 600 apt-get -qq -y -o DPkg::Lock::Timeout=300 install "$1"; }

# Session Manager's agent is not in Debian. The server works without it, so a failure is said and forgiven.
install_session_manager() {
  local package
  if systemctl cat amazon-ssm-agent.service >/dev/null 2>&1 || systemctl cat snap.amazon-ssm-agent.amazon-ssm-agent.service >/dev/null 2>&1; then
    return 0
  fi
  package=$(mktemp --suffix=.deb)
  if retry 120 curl -sSf -m 60 -o "$package" "https://s3.$REGION.amazonaws.com/amazon-ssm-$REGION/latest/debian_amd64/amazon-ssm-agent.deb" &&
    install_file "$package"; then
    systemctl enable --now amazon-ssm-agent.service
  else
    say "no Session Manager: its agent could not be installed"
  fi
  rm -f "$package"
}

# signed FINGERPRINT KEY FILE: whether FILE.sig is a signature of FILE by the key with this fingerprint, and no other.
signed() {
  local home told
  home=$(mktemp -d)
  gpg --homedir "$home" --batch --quiet --import "$2" 2>/dev/null || true
  told=$(gpg --homedir "$home" --batch --status-fd 1 --verify "$3.sig" "$3" 2>/dev/null) || true
  rm -rf "$home"
  grep -Eq "^\\[GNUPG:\\] VALIDSIG ($1 .*|.* $1)\$" <<<"$told"
}

CLOUDWATCH=${CLOUDWATCH:-/opt/aws/amazon-cloudwatch-agent}
CLOUDWATCH_KEY=${CLOUDWATCH_KEY:-937616F3450B7D806CBD9725D58167303B789C72} # AWS's, for the packages of this agent

fetch_cloudwatch_agent() {
  local host=amazoncloudwatch-agent-$REGION.s3.$REGION.amazonaws.com name=debian/amd64/latest/amazon-cloudwatch-agent.deb
  curl -sSf -m 120 -o "$1" "https://$host/$name" &&
    curl -sSf -m 60 -o "$1.sig" "https://$host/$name.sig" &&
    curl -sSf -m 60 -o "$1.gpg" https://amazoncloudwatch-agent.s3.amazonaws.com/assets/amazon-cloudwatch-agent.gpg
}

# CloudWatch's agent is not in Debian. The machine works without it, so a failure is said and forgiven; a package that AWS
# did not sign is never installed. `agent_configuration` says what it sends.
install_cloudwatch_agent() {
  local folder
  if [ ! -x "$CLOUDWATCH/bin/amazon-cloudwatch-agent-ctl" ]; then
    folder=$(mktemp -d)
    chmod 755 "$folder"
    if ! retry 120 fetch_cloudwatch_agent "$folder/agent.deb"; then
      say "no metrics: CloudWatch's agent could not be fetched"
    elif ! signed "$CLOUDWATCH_KEY" "$folder/agent.deb.gpg" "$folder/agent.deb"; then
      say "REFUSED: the package of CloudWatch's agent is not signed by AWS's key"
    elif ! install_file "$folder/agent.deb"; then
      say "no metrics: CloudWatch's agent could not be installed"
    fi
    rm -rf "$folder"
    if [ ! -x "$CLOUDWATCH/bin/amazon-cloudwatch-agent-ctl" ]; then return 0; fi
  fi
  agent_configuration | write 644 "$CLOUDWATCH/etc/ngp.json"
  "$CLOUDWATCH/bin/amazon-cloudwatch-agent-ctl" -a fetch-config -m ec2 -s -c "file:$CLOUDWATCH/etc/ngp.json" || say "CloudWatch's agent does not start"
}

# write MODE FILE: standard input becomes the file, at once or not at all.
write() {
  local mode=$1 file=$2 new
  new=$(mktemp "$file.XXXXXX")
  cat >"$new"
  chmod "$mode" "$new"
  mv "$new" "$file"
}

start_log() {
  mkdir -p "$(dirname "$LOG")"
  touch "$LOG"
  chmod 600 "$LOG"
  exec > >(tee -a "$LOG") 2>&1
  trap 'say "FAILED in line $LINENO: $BASH_COMMAND"' ERR
  say "begins"
}
