# shellcheck shell=bash
# What the boot scripts share. They run at every boot, as root: each step looks first whether it is done, and every wait ends.
set -eEuo pipefail
umask 022
export HOME=/root

: "${LOG:?}" "${LIMIT_S:?}" "${TIMEZONE:?}" "${RESOLVER:?}"
ETC=${ETC:-/etc}

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

# write MODE FILE: standard input becomes the file, at once or not at all.
write() {
  local mode=$1 file=$2 new
  mkdir -p "$(dirname "$file")"
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

install_packages() {
  local missing=() package tool
  for package; do
    rpm -q --quiet "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  tool=$(command -v dnf || command -v yum) || {
    say "there is neither dnf nor yum: the image must bring ${missing[*]}"
    return 1
  }
  say "installing ${missing[*]}"
  retry 900 timeout 600 "$tool" -q -y install "${missing[@]}"
}

set_time() {
  timedatectl set-timezone "$TIMEZONE"
  # The clocks of a quorum must agree.
  install_packages chrony
  systemctl enable --now chronyd.service
}

# DC/OS writes resolv.conf itself; systemd-resolved would hold port 53 against its own resolver.
disable_resolved() {
  if ! systemctl is-active --quiet systemd-resolved.service; then return 0; fi
  systemctl disable --now systemd-resolved.service
  rm -f "$ETC/resolv.conf"
  write 644 "$ETC/resolv.conf" <<<"nameserver $RESOLVER"
}

# Docker's settings stand before its first start; changed ones count from the next.
docker_settings() {
  local registries="" registry
  for registry in ${INSECURE_REGISTRIES:-}; do registries+="${registries:+, }\"$registry\""; done
  cat <<JSON
{
  "log-driver": "json-file",
  "log-opts": {"max-size": "20m", "max-file": "5"},
  "insecure-registries": [$registries]
}
JSON
}

install_docker() {
  local packages settings="$ETC/docker/daemon.json"
  read -ra packages <<<"${DOCKER_PACKAGES:-}"
  if [ "$(cat "$settings" 2>/dev/null)" != "$(docker_settings)" ]; then docker_settings | write 644 "$settings"; fi
  install_packages "${packages[@]}"
  systemctl enable --now docker.service
  retry 120 docker info >/dev/null
}
