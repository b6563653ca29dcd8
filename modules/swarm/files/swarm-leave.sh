#!/bin/bash
# A worker that goes for good (its group shrinks, its instance ends) leaves, so that its tasks start elsewhere at once.
# A reboot does not leave; a manager never does by itself: that would be the quorum's loss.
set -euo pipefail
# shellcheck source=instance.sh
. "${NGP_LIB:-/usr/local/lib/ngp}/instance.sh"

# shellcheck disable=SC2153  # from swarm.env
if [ "$ROLE" != worker ]; then exit 0; fi
if ! systemctl list-jobs --no-legend | grep -Eq '(poweroff|halt)\.target'; then exit 0; fi

log "leaving the cluster: the instance powers off"
timeout 60 docker swarm leave || log "could not leave; the leader removes this node when its instance has ended"
