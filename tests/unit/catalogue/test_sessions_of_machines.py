"""What machines may do for Session Manager: each module says it itself, for it is taken alone, and all say the same."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
POLICY = re.compile(r'^data "aws_iam_policy_document" "session" \{\n.*?^\}$', re.MULTILINE | re.DOTALL)


def test_every_module_with_machines_gives_its_agent_the_same_rights():
    found = {
        path.relative_to(ROOT / "modules").parts[0]: match[0]
        for path in sorted((ROOT / "modules").glob("*/*.tf"))
        if (match := POLICY.search(path.read_text()))
    }
    assert {"dcos", "elk", "kubernetes", "monitoring", "network", "openvpn", "swarm"} == set(found)
    assert len(set(found.values())) == 1, {name: hash(text) for name, text in found.items()}
