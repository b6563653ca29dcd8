"""Limits that AWS only documents. The sandbox has the same (`ngp_emulator.ec2_refusals`)."""

from __future__ import annotations

# EC2 API reference, SecurityGroup and CreateSecurityGroup
EC2_CHARACTERS = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
EC2_TEXT = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*"
EC2_TEXT_LENGTH = 255
GROUP_NAME_PREFIX = "sg-"  # of ids: no name may begin with it
USER_DATA_BYTES = 16384  # EC2 RunInstances, before Base64
