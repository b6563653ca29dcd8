"""Log lines on stderr with `-v` or `--log-level debug`: started processes and calls of AWS."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress

from ngp.settings import Level, Settings
from ngp.views import terminal


class _Lines(logging.Handler):
    """Writes to the current stderr, which a live display or a test may have replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        line = f"{at}.{int(record.msecs):03d} {record.levelname.lower()}: {record.getMessage()}"
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{terminal.clean(line)}\n")


def configure(settings: Settings) -> None:
    """Write ngp's own log lines if the level asks for them; other libraries stay silent."""
    reset()
    if settings.level is Level.DEBUG:
        logger = logging.getLogger("ngp")
        logger.addHandler(_Lines())
        logger.setLevel(logging.DEBUG)
        logger.propagate = False


def reset() -> None:
    """Stop writing log lines."""
    logger = logging.getLogger("ngp")
    for handler in [one for one in logger.handlers if isinstance(one, _Lines)]:
        logger.removeHandler(handler)
    logger.setLevel(logging.WARNING)
