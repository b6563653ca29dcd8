"""Shows long text on a terminal with the operator's pager: NGP_PAGER, PAGER, else less."""

from __future__ import annotations

import io
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from ngp import processes
from ngp.settings import Settings

_DEFAULT = "less"
_LESS = "FRX"  # quit if it fits, keep colours, leave the text on the screen: what Git sets


def command(settings: Settings) -> tuple[str, ...]:
    """Return the pager's command line, () if the text is printed directly.

    NGP_PAGER comes before PAGER; an empty one, or `cat`, turns paging off. Only a person at a terminal gets a pager.
    """
    environ = settings.environ
    if not (settings.is_interactive and settings.stdout_is_terminal):
        return ()
    words = shlex.split(environ.get("NGP_PAGER", environ.get("PAGER", _DEFAULT)))
    if not words or words == ["cat"] or shutil.which(words[0], path=environ.get("PATH")) is None:
        return ()
    return tuple(words)


@contextmanager
def paged(settings: Settings) -> Iterator[None]:
    """Collect the block's stdout; show it with the pager if it is longer than the screen."""
    argv = command(settings)
    if not argv:
        yield
        return
    with redirect_stdout(io.StringIO()) as written:
        yield
    text = written.getvalue()
    if text.count("\n") < shutil.get_terminal_size().lines:
        sys.stdout.write(text)
        return
    request = processes.ProcessRequest(argv, settings.cwd, {"LESS": _LESS, **settings.environ})
    if not processes.show(request, text):
        sys.stdout.write(text)
