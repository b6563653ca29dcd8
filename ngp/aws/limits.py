"""Limits that AWS states in its documentation only: the sandbox has the same (`ngp_emulator.ec2_refusals`)."""

from __future__ import annotations

import re

# EC2 API reference, SecurityGroup and CreateSecurityGroup
EC2_CHARACTERS = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
EC2_TEXT = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*"
EC2_TEXT_LENGTH = 255
GROUP_NAME_PREFIX = "sg-"  # of ids: no name may begin with it
USER_DATA_BYTES = 16384  # EC2 RunInstances, before Base64


def is_ec2_text(text: str) -> bool:
    """Return whether EC2 accepts `text` as the name or description of a security group or a rule."""
    return len(text) <= EC2_TEXT_LENGTH and re.fullmatch(EC2_TEXT, text) is not None
