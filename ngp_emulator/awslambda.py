"""Patches for moto's Lambda."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction

MOTO = "5.2.5"  # the version that this file patches


def keep_dead_letter_queues() -> None:
    """Keep the dead-letter queue of a function."""
    function_class: Any = LambdaFunction
    begin, update, tell = (
        getattr(function_class, name) for name in ("__init__", "update_configuration", "get_configuration")
    )

    def init(function: Any, account_id: str, spec: dict[str, Any], *arguments: Any, **named: Any) -> None:
        function.dead_letter_config = spec.get("DeadLetterConfig")
        begin(function, account_id, spec, *arguments, **named)

    def update_configuration(function: Any, updates: dict[str, Any]) -> Any:
        function.dead_letter_config = updates.get("DeadLetterConfig", function.dead_letter_config)
        return update(function, updates)

    def get_configuration(function: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        told: dict[str, Any] = tell(function, *arguments, **named)
        return {**told, "DeadLetterConfig": function.dead_letter_config} if function.dead_letter_config else told

    function_class.__init__ = init
    function_class.update_configuration = update_configuration
    function_class.get_configuration = get_configuration


PATCHES = (keep_dead_letter_queues,)
