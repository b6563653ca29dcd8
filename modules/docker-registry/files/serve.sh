#!/bin/sh
# A copy of the registry, as the first process of its container (POSIX, for BusyBox). With GC_PERIOD_S above 0 every copy
# takes reads only for GC_WINDOW_S seconds of each period, while the first one deletes what no image names any more: all
# look at the same clock, and a registry that takes no writes is what makes that safe.
set -eu
: "${GC_PERIOD_S:?}" "${GC_START_S:?}" "${GC_WINDOW_S:?}" "${SLOT:?}"

SECRETS=${SECRETS:-/run/secrets}
GRACE_S=${GRACE_S:-300} # until every copy has noticed, and before the window ends

say() { echo "$(date -u +%FT%TZ) $*" >&2; }

# The image's own, of release 3 or of release 2.
configuration() {
  for file in /etc/distribution/config.yml /etc/docker/registry/config.yml; do
    if [ -f "$file" ]; then
      echo "$file"
      return
    fi
  done
}

# The secret that copies share is read from the environment only.
REGISTRY_HTTP_SECRET=$(cat "$SECRETS/http_secret")
CONFIGURATION=${CONFIGURATION:-$(configuration)}
export REGISTRY_HTTP_SECRET

if [ "$GC_PERIOD_S" -eq 0 ]; then exec registry serve "$CONFIGURATION"; fi

# serve SECONDS: until they are over. A registry that ends before ends the copy, and Swarm starts another.
serve() {
  until=$(($(date +%s) + $1))
  registry serve "$CONFIGURATION" &
  registry=$!
  # by the clock: one sleep of a week ends minutes late, for BusyBox counts its seconds one by one
  { while [ "$(date +%s)" -lt "$until" ]; do sleep 5; done; kill "$registry"; } &
  watcher=$!
  status=0
  wait "$registry" || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  if [ -n "$stopped" ]; then
    wait "$registry" || true
    exit 0
  fi
  if [ "$(date +%s)" -lt "$until" ]; then exit "$status"; fi
}

# collect SECONDS: deletes, and leaves the rest to the next window where the time is too short.
collect() {
  sleep "$GRACE_S"
  say "deleting what no image names"
  if timeout "$1" registry garbage-collect "$CONFIGURATION" >/dev/null; then say "deleted"; else say "not done: $?"; fi
}

stopped=
registry=
trap 'stopped=yes; kill "$registry" 2>/dev/null || true' TERM INT
while [ -z "$stopped" ]; do
  place=$((($(date +%s) - GC_START_S) % GC_PERIOD_S))
  if [ "$place" -ge "$GC_WINDOW_S" ]; then
    serve $((GC_PERIOD_S - place))
    continue
  fi
  left=$((GC_WINDOW_S - place))
  say "reads only for $left s"
  if [ "$SLOT" -eq 1 ] && [ "$left" -gt $((2 * GRACE_S)) ]; then collect $((left - 2 * GRACE_S)) & fi
  export REGISTRY_STORAGE_MAINTENANCE_READONLY='{"enabled": true}'
  serve "$left"
  unset REGISTRY_STORAGE_MAINTENANCE_READONLY
done
