#!/bin/sh
# Runs in one container on every node and prunes what Docker keeps and nobody uses. It stands inside the stack file, so it
# is read by the image's own shell (BusyBox), and its parameters come from the service's environment.
# `once` cleans and ends.
set -eu

log() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) ${NODE:-} $*"; }

# prune KIND [OPTION…]: in a bounded time. What fails is said and keeps nothing else back; the next time is near.
prune() {
  kind=$1
  shift
  if answer=$(timeout "$STEP_LIMIT_S" docker "$kind" prune --force "$@" 2>&1); then
    log "$kind: $(echo "$answer" | tail -n 1)"
  else
    log "$kind: not pruned: $(echo "$answer" | tail -n 1)"
  fi
}

clean() {
  prune container --filter "until=${KEEP_HOURS}h" --filter "label!=ngp.keep"
  if [ "$ALL_IMAGES" = true ]; then
    prune image --all --filter "until=${KEEP_HOURS}h" --filter "label!=ngp.keep"
  else
    prune image --filter "until=${KEEP_HOURS}h" --filter "label!=ngp.keep"
  fi
  prune builder --all --filter "until=${KEEP_HOURS}h"
  if [ "$VOLUMES" = true ]; then remove_volumes; fi
}

# Volumes without a name have 64 hexadecimal digits. `volume prune` of Docker before 23 takes named ones too.
remove_volumes() {
  unused=$(timeout "$STEP_LIMIT_S" docker volume ls --quiet --filter dangling=true) || unused=
  count=0
  for volume in $(echo "$unused" | grep -Ex '[0-9a-f]{64}'); do
    # One that is taken into use meanwhile cannot be removed.
    if timeout "$STEP_LIMIT_S" docker volume rm "$volume" >/dev/null 2>&1; then count=$((count + 1)); fi
  done
  log "volume: removed $count"
}

# The shell answers a signal after a command only: sleep beside it, so that the container stops at once.
pause() {
  sleep "$1" &
  wait $!
}

if [ "${1:-}" = once ]; then
  clean
  exit 0
fi

trap 'exit 0' TERM INT
# Nodes that start together must not all be busy at the same time.
random=$(od -An -N2 -tu2 /dev/urandom)
pause $((random % SPREAD_S + 1))
while true; do
  clean
  pause "$INTERVAL_S"
done
