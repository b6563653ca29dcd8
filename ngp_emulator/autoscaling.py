"""Patches for moto's EC2 Auto Scaling."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.models import LifecycleHook

MOTO = "5.2.5"  # the version that this file patches


def return_no_hook_targets() -> None:
    """Return no notification target for a lifecycle hook; moto returns the values of an example."""
    hook_class: Any = LifecycleHook
    begin = hook_class.__init__

    def init(hook: Any, *arguments: Any, **named: Any) -> None:
        begin(hook, *arguments, **named)
        hook.role_arn = hook.notification_target_arn = None

    hook_class.__init__ = init


PATCHES = (return_no_hook_targets,)
