"""The request of a run, and its caller."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ngp.proxy.session import open_session
from ngp.runs.authority import Authority
from ngp.runs.events import RunEvent
from ngp.runs.results import Verb
from ngp.terraform.commands import PlanOptions
from ngp.terraform.serving import Opener

if TYPE_CHECKING:
    from ngp.settings import Settings

Emit = Callable[[RunEvent], None]


@dataclass(frozen=True)
class RunRequest:
    """What the operator requested. No `units` means all of them."""

    verb: Verb
    units: tuple[str, ...] = ()
    parallelism: int = 2
    options: PlanOptions = field(default_factory=PlanOptions)
    may_lose_data: tuple[str, ...] = ()  # units and addresses whose data may be lost
    accepts_legacy: bool = False
    is_apart: bool = False  # every unit is planned and applied separately
    accepts_lost: tuple[str, ...] = ()  # addresses of possibly lost objects that the operator accounted for
    is_dry_run: bool = False  # of destroy: plan only
    authority: Authority | None = None  # to change a protected environment
    is_cleared: bool = False  # the environment is known to need no authority

    @property
    def accepts_answers(self) -> bool:
        """Whether whoever applies may answer questions: a change with an authority was approved as it is."""
        return self.authority is None


@dataclass(frozen=True)
class Caller:
    """The caller of a run: its settings, the receiver of events, and the event that stops the run gracefully.

    `stopped_by` returns the number of the signal that set `stop`. `opener` opens the proxy if no pool runs.
    """

    settings: Settings
    emit: Emit
    stop: threading.Event = field(default_factory=threading.Event)
    stopped_by: Callable[[], int] = lambda: 0
    opener: Opener = open_session
