#!/bin/bash
# Docker's unit runs this before each start: no container reaches the instance metadata, and so the node's role. What a container
# sends arrives on a bridge and passes PREROUTING; what the node itself sends (a container in its network, too) does not. The hop
# limit of the instance says the same; Docker changes neither.
set -euo pipefail

rule=(PREROUTING -d 169.254.169.254/32 -j DROP)
iptables -w 30 -t raw -C "${rule[@]}" 2>/dev/null || iptables -w 30 -t raw -I "${rule[@]}"
