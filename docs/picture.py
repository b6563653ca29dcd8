"""Draw run.svg: an apply of the demo as today's views show it, from the recorded events of a real run.

`python docs/picture.py --record` records a run anew, on an empty sandbox: `make demo-clean` first.
"""  # noqa: INP001  a folder of pages, not a package

import io
import json
import os
import re
import subprocess  # noqa: TID251  a tool that starts ngp as a user does
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.text import Text

from ngp import files
from ngp.catalogue import loading
from ngp.runs import events
from ngp.runs.results import OutputValue, RunResult, UnitResult
from ngp.settings import Settings
from ngp.views import plans, progress, runs

HERE = Path(__file__).resolve().parent
RECORDING, MODULES = HERE / "run.jsonl", HERE.parent / "modules"
WIDTH, HEIGHT = 112, 40
PREVIEWED, PREVIEW_LINES = "openvpn", 7  # the unit whose preview is shown, and how much of it
CUT = "\x1b[2m  ⋮\x1b[0m"
_FONTS = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"
_FONT = re.compile(r"\s*@font-face \{.*?\n    \}", re.DOTALL)  # a page of ours loads nothing from elsewhere
_BUSY = re.compile(r"▸ apply +(\d+)/\d+ .*\w\.\w")  # a unit that is being applied, with a resource under way
_SETTINGS = Settings(
    environ={"TERM": "xterm-256color", "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"},
    cwd=HERE,
    home=HERE,
    is_ci=False,
    is_interactive=False,
    stdout_is_terminal=True,
    stderr_is_terminal=False,  # the display writes nothing by itself: its frames are asked for
)
Moment = tuple[float, events.RunEvent]  # seconds since the command was started


def record(folder: Path) -> Iterator[str]:
    """Apply the demo of a checkout with `ngp`; yield the lines of a recording."""
    ngp = str(Path(sys.executable).with_name("ngp"))
    for words in (["configure", "dev", "--no-input"], ["render", "dev"]):
        subprocess.run([ngp, *words], cwd=folder, check=True)
    apply = [ngp, "apply", "dev", "--auto-approve", "--jsonl"]
    started = time.monotonic()
    with subprocess.Popen(apply, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            yield _line({"at": round(time.monotonic() - started, 2), **_shorten(json.loads(line))})
    if process.returncode:
        raise SystemExit("ngp apply failed: there is nothing to draw")
    told = subprocess.run([ngp, "output", "dev", "--json"], cwd=folder, check=True, capture_output=True, text=True)
    yield _line({"event": "outputs", "at": round(time.monotonic() - started, 2), **json.loads(told.stdout)})


def read(lines: Sequence[str]) -> tuple[list[Moment], list[OutputValue]]:
    """Return the events of a recording and the outputs at its end."""
    *happened, last = map(json.loads, lines)
    outputs = [
        OutputValue(unit, name, one["value"], one["sensitive"])
        for unit, found in last["units"].items()
        for name, one in found.items()
    ]
    return [(one["at"], _event(one)) for one in happened], outputs


def lay_out(moments: Sequence[Moment], outputs: Sequence[OutputValue]) -> list[str]:
    """The lines of the picture: the start, one preview, a moment of the apply, its end."""
    finished = [event.result for _, event in moments if isinstance(event, events.UnitFinished)]
    started = next(event for _, event in moments if isinstance(event, events.RunStarted))
    previewed = next(result for result in finished if result.unit == PREVIEWED)
    last = {result.unit: result for result in finished}
    result = RunResult(
        started.run_id, started.verb, started.environment, _by_wave(started, last), round(moments[-1][0], 1)
    )
    return [
        "\x1b[1m$ ngp apply dev\x1b[0m",
        *_printed(lambda console: runs.show_start(started, console)),
        CUT,
        *_printed(lambda console: plans.show(previewed, console))[:PREVIEW_LINES],
        CUT,
        *_busiest(moments),
        CUT,
        *takewhile(lambda line: not line.startswith("next:"), _shown(result, _headlines(started, outputs))),
    ]


def draw(lines: Sequence[str]) -> str:
    """The picture as SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for line in lines:
            console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis")
        picture = console.export_svg(title="ngp apply dev", unique_id="ngp")
    return _FONT.sub("", picture).replace("Fira Code, monospace", _FONTS)


def picture() -> str:
    """The text of run.svg."""
    return draw(lay_out(*read(RECORDING.read_text(encoding="utf-8").splitlines())))


def _shorten(happened: dict[str, Any]) -> dict[str, Any]:
    """An event without what the picture does not show: attributes and outputs of plans."""
    result = happened.get("result")
    if result:
        kept = result["changes"] if result["unit"] == PREVIEWED else []
        changes = [{name: each[name] for name in ("address", "type", "action")} for each in kept[:PREVIEW_LINES]]
        happened["result"] = {**result, "changes": changes, "outputs": {}, "log": ""}
    return happened


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _event(told: dict[str, Any]) -> events.RunEvent:
    name = "".join(part.title() for part in told["event"].split("_"))
    body = {key: value for key, value in told.items() if key not in ("at", "schema", "event")}
    found: events.RunEvent = TypeAdapter(getattr(events, name)).validate_python(body)
    return found


def _by_wave(started: events.RunStarted, last: dict[str, UnitResult]) -> tuple[UnitResult, ...]:
    return tuple(last[fact.unit] for fact in started.units)


def _headlines(started: events.RunStarted, outputs: Sequence[OutputValue]) -> list[OutputValue]:
    """The outputs that the manifests of the modules name, by wave."""
    known = {(value.unit, value.name): value for value in outputs if value.value is not None}
    manifests = {fact.unit: loading.load_module(MODULES / fact.module).manifest for fact in started.units}
    wanted = [(unit, name) for unit, manifest in manifests.items() for name in manifest.show]
    return [known[one] for one in wanted if one in known]


def _busiest(moments: Sequence[Moment]) -> list[str]:
    """The display when most units have a resource under way; of these moments the one with most resources done."""
    clock, most, found = [0.0], (0, 0), [""]
    with redirect_stderr(io.StringIO()):
        display = progress.Progress(_SETTINGS, clock=lambda: clock[0])
        for clock[0], event in moments:
            display.on_event(event)
            lines = _printed(lambda console: console.print(display.table()))
            done = [int(one) for one in _BUSY.findall("\n".join(lines))]
            if (len(done), sum(done)) > most:
                most, found = (len(done), sum(done)), lines
    return found


def _printed(show: Callable[[Console], None]) -> list[str]:
    stream = io.StringIO()
    show(Console(file=stream, width=WIDTH, force_terminal=True, color_system="256", highlight=False, markup=False))
    return stream.getvalue().splitlines()


def _shown(result: RunResult, headlines: Sequence[OutputValue]) -> list[str]:
    with redirect_stdout(io.StringIO()) as stream:
        runs.show_result(result, _SETTINGS, headlines)
    return stream.getvalue().splitlines()


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        files.write(RECORDING, "".join(record(HERE.parent)))
    files.write(HERE / "run.svg", picture())
