"""`ngp module new NAME` at a real (pseudo-)terminal."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ngp.catalogue import loading

ROOT = Path(__file__).parents[3]
LIMIT_S = 60


def _answer(terminal, question, keys, said):
    """Wait until the terminal shows `question`, then press `keys`."""
    end = time.monotonic() + LIMIT_S
    while question not in said[0]:
        assert time.monotonic() < end, f"never asked {question}: {said[0]}"
        if select.select([terminal], [], [], 0.2)[0]:
            said[0] += os.read(terminal, 65536).decode(errors="replace")
    said[0] = ""
    os.write(terminal, keys.encode())


def test_what_no_flag_says_is_asked(platform):
    shutil.copytree(ROOT / "modules" / "network", platform / "modules" / "network", dirs_exist_ok=True)
    terminal, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "ngp", "module", "new", "web-site", "--title", "Site"],
        cwd=platform,
        env={**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = [""]
    try:
        _answer(terminal, "Category", "\r", said)
        _answer(terminal, "Summary", "It serves.\r", said)
        _answer(terminal, "What it needs", " \r", said)
        _answer(terminal, "next: ngp module check web-site", "", said)
        assert child.wait(LIMIT_S) == 0
    finally:
        child.kill()
        child.wait()
        os.close(terminal)
    module = loading.load_module(platform / "modules" / "web-site").manifest
    network = loading.load_module(platform / "modules" / "network").manifest
    assert (module.title, module.category, module.summary) == ("Site", network.category, "It serves.")
    assert module.requires == (sorted(network.provides)[0],)
