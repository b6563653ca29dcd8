"""Ends remote commands and copies in bounded time, whatever a host does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

_END_S = 1.0  # how long a remote command may take to end after its signal, or a copy to clean up


async def end(process: Any) -> bool:
    """Interrupt a remote command, then end it; return whether it is known to have ended.

    OpenSSH passes signals on, but not for root and not to a forced command. `process` is None if sshd has not confirmed
    that the command started.
    """
    if process is None:
        return False
    for signal in ("INT", "TERM", "KILL"):
        with suppress(Exception):
            process.send_signal(signal)
        try:
            async with asyncio.timeout(_END_S):
                await process.wait_closed()
        except (TimeoutError, asyncio.CancelledError):
            continue
        break
    code, signal_number = process.exit_status, process.exit_signal
    process.close()
    return code not in (None, -1) or signal_number is not None


async def cut(task: asyncio.Task[Any], connection: Any) -> None:
    """End work over a connection: let it clean up for a moment, then close the connection under it."""
    for close in (lambda: None, connection.abort, lambda: None):
        if task.done():
            break
        close()
        task.cancel()
        await asyncio.wait([task], timeout=_END_S)
    if task.done() and not task.cancelled():
        task.exception()  # it was reported already, or is caused by the end


def silence(loop: asyncio.AbstractEventLoop) -> None:
    """Silence asyncssh's own tasks after a connection is closed; the host's result reports it."""
    import asyncssh

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), asyncssh.Error):
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def describe_end(*, ended: bool, more: str = "") -> str:
    """Return what is known of a command that was stopped."""
    return "; the remote command has ended" if ended else f"; the remote command may still run{more}"


def outcome(process: Any) -> tuple[int | None, str]:
    """Return the exit code of a command that has ended, and its problem."""
    if process.exit_signal is not None:
        return None, f"killed by SIG{process.exit_signal[0]}"
    if process.exit_status in (None, -1):
        return None, "the connection was lost; the remote command may still run"
    return process.exit_status, ""
