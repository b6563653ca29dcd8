#!/bin/sh
# An app of Marathon: logs in to ECR, which holds for twelve hours, and puts Docker's configuration where apps fetch it by
# `uris`, on a file system that all agents share. What fails ends it, and Marathon starts it again.
set -eu
umask 077
: "${ARCHIVE:?}" "${AWS_CLI_IMAGE:?}" "${ECR_HOST:?}" "${INTERVAL_S:?}" "${REGION:?}"

login() {
  new=$(mktemp -d "$ARCHIVE.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  password=$(timeout 300 docker run --rm --net host "$AWS_CLI_IMAGE" ecr get-login-password --region "$REGION")
  [ -n "$password" ]
  mkdir "$new/.docker"
  printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$ECR_HOST" "$(printf 'AWS:%s' "$password" | base64 | tr -d '\n')" >"$new/.docker/config.json"
  tar -C "$new" -czf "$new/archive" .docker
  mv "$new/archive" "$ARCHIVE" # whole or not at all
  rm -rf "$new"
  echo "$(date -u +%FT%TZ) logged in to $ECR_HOST"
}

while true; do
  login
  sleep "$INTERVAL_S"
done
