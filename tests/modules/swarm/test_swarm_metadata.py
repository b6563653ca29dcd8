"""No container reaches the instance metadata: the real iptables, in a network of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.prerequisites import missing

pytestmark = [pytest.mark.proves("real", "swarm"), pytest.mark.integration]
SCRIPT = Path(__file__).parents[3] / "modules" / "swarm" / "files" / "close-metadata.sh"


def test_no_bridge_reaches_the_instance_metadata():
    """The rule stands once, however often Docker starts."""
    lacks = [name for name in ("iptables", "unshare") if shutil.which(name) is None]
    if os.geteuid() != 0:
        lacks.append("root")
    if lacks:
        missing(f"{', '.join(lacks)} (as root, .ci/run installs what Debian has)")
    script = f"bash {SCRIPT} && bash {SCRIPT} && iptables -t raw -S PREROUTING"
    told = subprocess.run(["unshare", "-n", "bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["-P PREROUTING ACCEPT", "-A PREROUTING -d 169.254.169.254/32 -j DROP"]
