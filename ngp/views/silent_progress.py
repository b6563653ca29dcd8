"""Follows a run and shows nothing: `--quiet`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ngp.runs.events import RunEvent


class SilentProgress:
    """In the place of `progress.Progress`: results, errors and questions are shown by others."""

    def __enter__(self) -> SilentProgress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def pause(self) -> AbstractContextManager[None]:
        """Nothing to take away."""
        return nullcontext()

    def on_event(self, happened: RunEvent) -> None:
        """Show nothing."""
