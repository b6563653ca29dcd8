#!/bin/bash
# Starts Jenkins as its own user, after the home is its own and holds what was asked for. Runs as root, for a new file system is root's.
set -euo pipefail

shelf=$JENKINS_HOME/.ngp
export HOME=$JENKINS_HOME

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >&2; }

# wait_for FILE: at most RESTORE_LIMIT_S seconds. Without an archive that was asked for Jenkins does not start: an empty one
# would be taken for the restored one.
wait_for() {
  local end=$((SECONDS + RESTORE_LIMIT_S))
  until [ -e "$1" ]; do
    if ((SECONDS >= end)); then
      say "FAILED: $(basename "$1") did not arrive in $RESTORE_LIMIT_S s; the service restore says why"
      exit 1
    fi
    sleep "${PAUSE_S:-5}"
  done
}

# restore WHAT FOLDER: unpacks beside the folder first, so that a broken archive changes nothing. What was there is set aside.
restore() {
  local marker="$shelf/restored-$1-$RESTORE_VERSION" archive="$shelf/$1-$RESTORE_VERSION.tar.gz"
  local new="$shelf/new" old path excludes=(--anchored --exclude=.ngp --exclude=./.ngp)
  if [ -e "$marker" ]; then return 0; fi
  wait_for "$archive"
  if [ "$1" = home ]; then
    while read -r path; do excludes+=("--exclude=$path" "--exclude=./$path"); done <<<"$RESTORE_EXCLUDES"
  fi
  rm -rf "$new"
  mkdir -p "$new" "$2"
  tar -xzf "$archive" -C "$new" "${excludes[@]}"
  chown -R jenkins: "$new"
  old=$(mktemp -d "$shelf/before-$1-$RESTORE_VERSION.XXXXXX")
  find "$2" -mindepth 1 -maxdepth 1 ! -path "$shelf" -exec mv -t "$old" -- {} +
  find "$new" -mindepth 1 -maxdepth 1 -exec mv -t "$2" -- {} +
  touch "$marker"
  rm -rf "$new" "$archive"
  rmdir --ignore-fail-on-non-empty "$old"
  say "restored $1; what was there before is in $old, if there was anything"
}

mkdir -p "$shelf"
if [ "$RESTORE_JENKINS" = 1 ]; then restore home "$JENKINS_HOME"; fi
if [ "$RESTORE_JOBS" = 1 ]; then restore jobs "$JENKINS_HOME/jobs"; fi
for path in "$JENKINS_HOME" "$shelf" "$JENKINS_HOME/jobs"; do
  if [ -d "$path" ]; then chown jenkins: "$path"; fi
done
exec setpriv --reuid=jenkins --regid=jenkins --init-groups -- /usr/bin/tini -- /usr/local/bin/jenkins.sh
