"""Images and SSM parameters that AWS and vendors publish in every region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Image:
    """A machine image that AWS or a vendor publishes in every region."""

    id: str
    name: str
    owner: str
    owner_alias: str
    architecture: str = "x86_64"
    product_code: str = ""
    root_device: str = "/dev/xvda"


_DEBIAN, _MARKETPLACE = "136693071363", "679593333241"

IMAGES = (
    Image("ami-0deb1200000000001", "debian-12-amd64-20250316-2053", _DEBIAN, "amazon"),
    Image("ami-0deb1200000000002", "debian-12-arm64-20250316-2053", _DEBIAN, "amazon", architecture="arm64"),
    Image("ami-0deb1300000000001", "debian-13-amd64-20250814-2204", _DEBIAN, "amazon"),
    Image("ami-0deb1300000000002", "debian-13-arm64-20250814-2204", _DEBIAN, "amazon", architecture="arm64"),
    Image(
        "ami-0a5e000000000001f",
        "OpenVPN Access Server Community Image-2.14.3",
        _MARKETPLACE,
        "aws-marketplace",
        product_code="f2ew2wrz425a1jagnifd02u5t",
        root_device="/dev/sda1",
    ),
)

# Public SSM parameters: name → value
PARAMETERS: Mapping[str, str] = {
    "/aws/service/debian/release/12/latest/amd64": "ami-0deb1200000000001",
    "/aws/service/debian/release/12/latest/arm64": "ami-0deb1200000000002",
    "/aws/service/debian/release/13/latest/amd64": "ami-0deb1300000000001",
    "/aws/service/debian/release/13/latest/arm64": "ami-0deb1300000000002",
}
