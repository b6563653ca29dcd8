"""A Terraform provider for tests, of protocol 6 by the package `tf`: it is in a bad mood wherever it is told to be.

A mood is WHAT:CALL, as in `crash:create`. In that call it gives an `error` or a `warning` at an attribute, ends
midway (`crash`), waits for Stop (`hang`) or does not hear it (`deaf`), or takes its time (`slow`). Before it waits it
makes a file of this name in the folder FICKLE_MARKS.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import tf.provider
from tf import runner
from tf.function import Function, FunctionSignature, Parameter, Return
from tf.iface import DataSource, Provider, Resource
from tf.schema import Attribute, Schema
from tf.types import List, Number, String

ADDRESS, VERSION = "example.test/ours/fickle", "1.0.0"
SLOW_S = 1.5
stopped = threading.Event()


class Servicer(tf.provider.ProviderServicer):
    """Hears Stop and goes on, as providers in Go do."""

    def StopProvider(self, request, context):  # noqa: N802  the protocol's name
        stopped.set()
        return super().StopProvider(request, context)


class Ending(runner._ShutdownInterceptor):  # noqa: SLF001
    """The library's own ends the server at Stop, while calls are under way."""

    def intercept_service(self, continuation, details):
        if details.method.endswith("/StopProvider"):
            return continuation(details)
        return super().intercept_service(continuation, details)


def act(mood, call, diagnostics):
    """Do what `mood` says of this call; return whether the call may go on."""
    what, _, where = (mood if isinstance(mood, str) else "").partition(":")
    if where != call:
        return True
    if what in ("hang", "deaf", "slow") and "FICKLE_MARKS" in os.environ:
        (Path(os.environ["FICKLE_MARKS"]) / mood).touch()
    match what:
        case "error":
            diagnostics.add_error("It will not", f"The mood forbids to {call}.", path=["mood"])
        case "warning":
            diagnostics.add_warning("It would rather not", f"The mood is against: {call}.", path=["mood"])
        case "crash":
            sys.stderr.write(f"panic: it cannot {call} any more\n")
            os._exit(2)
        case "hang":
            stopped.wait()
            diagnostics.add_error("It was stopped", f"While it was to {call}.", path=["mood"])
        case "deaf":
            threading.Event().wait()
        case "slow":
            time.sleep(SLOW_S)
    return what not in ("error", "hang")


class Fickle(Provider):
    greeting = ""

    def full_name(self):
        return ADDRESS

    def get_model_prefix(self):
        return "fickle_"

    def get_provider_schema(self, diags):
        return Schema(version=0, attributes=[Attribute(name, String(), optional=True) for name in ("greeting", "mood")])

    def validate_config(self, diags, config):
        act(config["mood"], "validate", diags)

    def configure_provider(self, diags, config):
        if act(config["mood"], "configure", diags):
            self.greeting = config["greeting"] or "Hello"

    def get_resources(self):
        return [Thing, Other]

    def get_data_sources(self):
        return [Echo]

    def get_functions(self):
        return [Shout, Act]


class Thing(Resource):
    """Lives in its state alone. A change of `name` makes another; a thing named `gone` is gone when it is read."""

    def __init__(self, provider):
        self.greeting = provider.greeting

    @classmethod
    def get_name(cls):
        return "thing"

    @classmethod
    def get_schema(cls):
        return Schema(
            version=1,
            attributes=[
                Attribute("name", String(), required=True, requires_replace=True),
                Attribute("notes", List(String()), optional=True),
                Attribute("secret", String(), optional=True, sensitive=True),
                Attribute("mood", String(), optional=True),
                Attribute("greeting", String(), computed=True),
                Attribute("changes", Number(), computed=True),
            ],
        )

    def validate(self, diags, type_name, config):
        act(config["mood"], "validate", diags)

    def plan(self, ctx, current, planned):
        act(planned["mood"], "plan", ctx.diagnostics)
        return planned | {"changes": current["changes"] + 1} if ctx.changed_fields - {"mood"} else planned

    def create(self, ctx, planned):
        if act(planned["mood"], "create", ctx.diagnostics):
            return planned | {"greeting": f"{self.greeting}, {planned['name']}!", "changes": 0}
        return None

    def read(self, ctx, current):
        act(current["mood"], "read", ctx.diagnostics)
        return None if current["name"] == "gone" else current

    def update(self, ctx, current, planned):
        return planned if act(planned["mood"], "update", ctx.diagnostics) else current

    def delete(self, ctx, current):
        return None if act(current["mood"], "delete", ctx.diagnostics) else current

    def import_(self, ctx, id):  # noqa: A002  the library's name
        if id == "nowhere":
            return None
        empty = dict.fromkeys(("notes", "secret", "mood"))
        return {"name": id, "greeting": f"{self.greeting}, {id}!", "changes": 0} | empty


class Other(Thing):
    @classmethod
    def get_name(cls):
        return "other"


class Echo(DataSource):
    def __init__(self, provider):
        self.greeting = provider.greeting

    @classmethod
    def get_name(cls):
        return "echo"

    @classmethod
    def get_schema(cls):
        written = [Attribute("name", String(), required=True), Attribute("mood", String(), optional=True)]
        return Schema(version=0, attributes=[*written, Attribute("answers", List(String()), computed=True)])

    def read(self, ctx, config):
        if act(config["mood"], "ask", ctx.diagnostics):
            return config | {"answers": [f"{self.greeting}, {config['name']}", config["name"]]}
        return None


class Shout(Function):
    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return "shout"

    @classmethod
    def get_signature(cls):
        return FunctionSignature([Parameter("text", String())], Return(String()), Parameter("more", String()))

    def call(self, ctx, arguments):
        return " ".join(arguments).upper()


class Act(Shout):
    @classmethod
    def get_name(cls):
        return "act"

    def call(self, ctx, arguments):
        act(arguments[0], "call", ctx.diagnostics)
        return "done"


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Terraform says when to stop; go-plugin's servers do the same
    tf.provider.ProviderServicer = Servicer
    runner._ShutdownInterceptor = Ending  # noqa: SLF001
    runner.run_provider(Fickle())
