#!/bin/bash
# Runs beside Jenkins in a container with AWS's command line, in the node's network and so with its role: lays the archives that are asked for on the
# shelf in the home, each whole or not at all. What fails is tried again, for the service is started again.
set -euo pipefail

shelf=$JENKINS_HOME/.ngp

# fetch WHAT KEY
fetch() {
  local archive="$shelf/$1-$RESTORE_VERSION.tar.gz"
  if [ -e "$archive" ] || [ -e "$shelf/restored-$1-$RESTORE_VERSION" ]; then return 0; fi
  timeout "$FETCH_LIMIT_S" aws s3 cp --only-show-errors "s3://$RESTORE_BUCKET/$2" "$archive.part"
  mv "$archive.part" "$archive"
  echo "fetched s3://$RESTORE_BUCKET/$2"
}

mkdir -p "$shelf"
if [ "$RESTORE_JENKINS" = 1 ]; then fetch home "$RESTORE_KEY"; fi
if [ "$RESTORE_JOBS" = 1 ]; then fetch jobs "$RESTORE_JOBS_KEY"; fi
