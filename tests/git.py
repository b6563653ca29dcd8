"""Git as tests run it: as nobody but themselves, for `harness.clean` says who they are."""

import subprocess


def git(folder, *words):
    """Run Git in a folder; what it prints, without the space around it."""
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
