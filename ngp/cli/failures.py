"""Error output: a message on stderr, a JSON document on stdout, a report file for a bug."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path

from ngp import __version__
from ngp.errors import Failure, NgpError, StoppedError
from ngp.settings import TRUE, Settings

BUG = 70  # EX_SOFTWARE of sysexits.h


_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE)


class Form(Enum):
    """How to report a failure besides the message on stderr."""

    WORDS = "words"
    JSON = "json"
    JSON_LINE = "jsonl"


class UnexpectedError(NgpError):
    """A bug in ngp, reported like any other error."""

    exit_code = BUG
    code = "bug"


def form(argv: Sequence[str], environ: Mapping[str, str]) -> Form:
    """Return the output form that a command line asks for. It reads the raw words, because parsing may be what
    fails."""
    for form in (Form.JSON, Form.JSON_LINE):
        if _is_asked(form.value, argv, environ):
            return form
    return Form.WORDS


def is_whole(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Return whether the command line asks for everything with `--all`."""
    return _is_asked("all", argv, environ)


def print_failure(error: Failure, form: Form, *, whole: bool = False) -> int:
    """Print an expected failure, either all findings (`whole`) or the first ones; return its exit code."""
    from ngp.views import documents, findings

    code = 128 + error.signal_number if isinstance(error, StoppedError) else error.exit_code
    with suppress(OSError):
        findings.show_error(error, whole=whole)
    if form is not Form.WORDS:
        with suppress(OSError):  # stdout may be what failed; stderr has the message
            documents.write(documents.failure(error, exit_code=code), one_line=form is Form.JSON_LINE)
            sys.stdout.flush()
    return code


def print_settings_failure(error: OSError, settings: Settings, form: Form, *, debug: bool) -> int:
    """Print an OSError of this machine (a full disk, a folder of another user); any other is a bug."""
    if error.errno not in _REFUSALS:
        return report(error, settings, form, debug=debug)
    if debug:
        import traceback

        traceback.print_exception(error)
    if error.filename == "stdout":
        return print_failure(NgpError("cannot write to stdout", why=str(error.strerror)), form)
    where = str(error.filename) if error.filename else ""
    return print_failure(
        NgpError(f"{error.strerror}".lower(), where=where, todo="fix it, then run the command again"), form
    )


def note_escapes() -> None:
    """Print a note that characters were escaped, because a name then looks different."""
    encodings = dict.fromkeys(getattr(stream, "encoding", "") for stream in (sys.stdout, sys.stderr))
    text = f"note: {' and '.join(encodings)} cannot show some characters, so they are escaped (\\u2713)"
    sys.stderr.write(f"{text}; set LC_ALL to a UTF-8 locale\n")


def report(error: Exception, settings: Settings, form: Form, *, debug: bool) -> int:
    """Print a bug in one line with the path of its report; the traceback is shown only with `--debug`."""
    import traceback

    if isinstance(error, RecursionError) and not debug:
        return print_failure(NgpError("a value is nested too deeply", todo="use fewer levels"), form)
    text = "".join(traceback.format_exception(error))
    if debug:
        sys.stderr.write(text)
    kept = _keep(text, settings)
    return print_failure(
        UnexpectedError(
            f"ngp itself failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(
                ": "
            ),
            where=str(kept) if kept else "",
            todo="report it with that file" if kept else "run it again with --debug and report what it says",
        ),
        form,
    )


def _is_asked(flag: str, argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    return f"--{flag}" in argv or environ.get(f"NGP_{flag.upper()}", "").lower() in TRUE


def _keep(text: str, settings: Settings) -> Path | None:
    from ngp import files
    from ngp.environments import platforms
    from ngp.workspace import Workspace

    try:
        folder = Workspace.of(platforms.find(settings.cwd)).failures
    except (NgpError, OSError):
        try:
            folder = settings.cache / "reports"
        except NgpError:
            return None
    path = folder / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.txt"
    head = f"ngp {__version__}, Python {sys.version.split()[0]} on {sys.platform}\n\n"
    try:
        files.write(path, head + text, mode=0o600)
    except OSError:
        return None
    return path
