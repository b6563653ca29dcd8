"""Follows a run without output, for `--quiet`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ngp.runs.events import RunEvent


class SilentProgress:
    """Replaces `progress.Progress`: results, errors and questions are shown elsewhere."""

    def __enter__(self) -> SilentProgress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def pause(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def on_event(self, happened: RunEvent) -> None:
        """Do nothing."""
