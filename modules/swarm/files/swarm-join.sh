#!/bin/bash
# Makes this node a member of the cluster, once; at later boots it only looks whether it still is.
#
# The first cluster is born by election: `put-parameter --no-overwrite` creates `leader` for exactly one slot, and
# that slot's manager initialises and stores the join tokens. Tokens in store mean that a cluster exists: from then on
# everybody, also a manager that was made anew, joins a living manager and never initialises a second cluster.
set -euo pipefail
# shellcheck source=instance.sh
. "${NGP_LIB:-/usr/local/lib/ngp}/instance.sh"

JOIN_LIMIT_S=${JOIN_LIMIT_S:-1200}
PAUSE_S=${PAUSE_S:-10}

manager_addresses() {
  aws ssm get-parameters-by-path --path "$PARAMETER_PREFIX/managers" --query 'Parameters[].Value' --output text |
    tr -s '\t ' '\n' | grep -vxF -e "$address" -e None -e '' || true
}

# Is this slot the one that may initialise? Slots, not instances: a slot has one instance at a time, so a manager that was
# replaced before it finished may take its predecessor's claim up again.
claim_leadership() {
  local holder errors
  errors=$(mktemp)
  if aws ssm put-parameter --name "$PARAMETER_PREFIX/leader" --type String --value "$SLOT" --no-overwrite \
    >/dev/null 2>"$errors"; then
    rm -f "$errors"
    log "slot $SLOT is elected to initialise the cluster"
    return 0
  fi
  if ! grep -q ParameterAlreadyExists "$errors"; then
    log "cannot stand for election: $(tail -n 1 "$errors")"
    rm -f "$errors"
    return 1
  fi
  rm -f "$errors"
  holder=$(read_parameter leader) || return 1
  [ "$holder" = "$SLOT" ]
}

# Its own address first: who reads a token must find a manager to go to.
publish() {
  write_parameter "managers/$SLOT" String "$address" || return 1
  if is_leader; then publish_tokens; fi
}

initialise() {
  docker swarm init --advertise-addr "$address" --default-addr-pool "$OVERLAY_CIDR" --default-addr-pool-mask-length 24 \
    >/dev/null
  log "initialised the cluster at $address"
}

# join TOKEN: by the first manager that takes us.
join() {
  local manager
  for manager in $(manager_addresses); do
    if timeout 90 docker swarm join --token "$1" --advertise-addr "$address" "$manager:2377" >/dev/null; then
      log "joined by $manager"
      return 0
    fi
    # Docker may go on trying behind our back; the next manager needs a clean node.
    if [ "$(swarm_state)" != inactive ] && [ "$(swarm_state)" != active ]; then docker swarm leave --force || true; fi
    if [ "$(swarm_state)" = active ]; then return 0; fi
  done
  return 1
}

become_member() {
  local end=$((SECONDS + JOIN_LIMIT_S)) token status=1
  while ((SECONDS < end)); do
    status=0
    # shellcheck disable=SC2153  # from swarm.env
    token=$(read_parameter "token-$ROLE") || status=$?
    if [ "$status" -eq 0 ]; then
      if join "$token"; then return 0; fi
      log "no manager takes this node; trying again"
    elif [ "$status" -eq 1 ] && [ "$ROLE" = manager ] && claim_leadership; then
      initialise
      return 0
    fi
    sleep "$PAUSE_S"
  done
  if [ "$status" -eq 0 ]; then
    fail "no living manager in ${JOIN_LIMIT_S} s. A cluster exists ($PARAMETER_PREFIX/token-manager) and is not initialised" \
      "anew by itself. Bring a manager back; or, if the cluster is lost for good, raise the module's input generation."
  fi
  fail "no cluster came up in ${JOIN_LIMIT_S} s. Look at the manager of slot $PARAMETER_PREFIX/leader: /var/log/ngp/swarm.log."
}

address=$(retry 60 metadata local-ipv4)

state=$(swarm_state)
for _ in $(seq 12); do
  [ "$state" = pending ] || break
  sleep "$PAUSE_S"
  state=$(swarm_state)
done

case $state in
active) log "is a member already" ;;
inactive) become_member ;;
locked) fail "the swarm is locked: docker swarm unlock" ;;
*)
  # A worker holds nothing that the cluster needs; a manager's state may be the last copy.
  if [ "$ROLE" = manager ]; then fail "swarm state is $state: docker info says why"; fi
  log "swarm state is $state: joining anew"
  docker swarm leave --force || true
  become_member
  ;;
esac

if [ "$ROLE" = manager ]; then retry 300 publish; fi
