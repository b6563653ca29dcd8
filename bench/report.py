"""Writes the results as JSON, as Markdown and into the documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench import chart, machine
from bench.contest import OURS, Result, Score, Verdict
from bench.measuring import Sample
from ngp import files

SCHEMA = "bench.results/1"
_HEAD = ("who", "time", "from – to", "processor", "memory", "of it private", "API", "of ngp's time")
_MET = {True: "met", False: "**not met**", None: "–"}


@dataclass(frozen=True)
class Report:
    """`machine` describes the last machine, `results` are in the order of measurement.

    An older result, perhaps from elsewhere, has its own machine.
    """

    machine: Mapping[str, str]
    results: tuple[Result, ...]


def dump(report: Report) -> str:
    """Return the report as JSON: every sample, in seconds and MB."""
    results = [asdict(result) for result in report.results]
    return json.dumps({"schema": SCHEMA, "machine": report.machine, "results": results}, indent=2) + "\n"


def load(path: Path) -> Report:
    """Load what `dump` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return Report(document["machine"], tuple(map(_result, document["results"])))


def merge(old: Report, new: Report) -> Report:
    """Return the new report, with the old cases that were not measured again, and their machines."""
    measured = {result.id: result for result in new.results}
    earlier = [replace(result, machine=result.machine or old.machine) for result in old.results]
    kept = [measured.pop(result.id, result) for result in earlier]
    return Report(new.machine, (*kept, *measured.values()))


def render(report: Report) -> str:
    """Return the report as Markdown."""
    warned = machine.warning(max((report.machine, *(one.machine for one in report.results)), key=machine.load))
    lines = (
        *((warned, "") if warned else ()),
        *("### Machine", "", *_table(("what", "is"), report.machine.items())),
        *("", "### Goals", "", *_goals(report), *_details(report)),
    )
    return "\n".join(lines) + "\n"


def write(report: Report, folder: Path) -> None:
    """Write ``results.json``, ``results.md`` and ``performance.svg`` into `folder`."""
    files.write(folder / "results.json", dump(report))
    files.write(folder / "results.md", f"![{chart.TITLE}](performance.svg)\n\n{render(report)}")
    files.write(folder / "performance.svg", chart.draw(report.results))


def write_page(report: Report, page: Path) -> None:
    """Renew the generated part of `page`, and the picture beside it."""
    head, tail = "<!-- figures: written by bench -->\n", "<!-- end of figures -->"
    text, count = re.subn(
        f"({re.escape(head)}).*?({re.escape(tail)})",
        lambda match: f"{match[1]}\n{render(report)}\n{match[2]}",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    assert count == 1, f"{page} has no place for the figures"
    files.write(page, text)
    files.write(page.with_suffix(".svg"), chart.draw(report.results))


def _result(said: Mapping[str, Any]) -> Result:
    scores = {
        name: Score(tuple(Sample(**one) for one in score["samples"]), score["failure"])
        for name, score in said["scores"].items()
    }
    verdicts = tuple(Verdict(**one) for one in said["verdicts"])
    return Result(said["id"], said["title"], said["about"], scores, verdicts, said.get("machine", {}))


def _goals(report: Report) -> Iterator[str]:
    rows = [
        (result.title, one.goal, one.measured, _MET[one.is_met]) for result in report.results for one in result.verdicts
    ]
    yield from _table(("case", "goal", "measured", ""), rows)


def _details(report: Report) -> Iterator[str]:
    for result in report.results:
        yield from ("", f"### {result.title}", "", f"{result.about}{_elsewhere(result, report.machine)}", "")
        rows = [_HEAD, *(_row(result, name, score) for name, score in result.scores.items())]
        used = [at for at in range(len(_HEAD)) if any(row[at] for row in rows[1:])]
        head, *others = ([row[at] for at in used] for row in rows)
        yield from _table(head, others)


def _elsewhere(result: Result, now: Mapping[str, str]) -> str:
    """What was another machine, program or day when this was measured, "" where nothing was."""
    then = result.machine or now
    others = [f"{what} {then.get(what, '–')}" for what in {**now, **then} if then.get(what) != now.get(what)]
    return f" **Measured before, with {', '.join(others)}.**" if others else ""


def _row(result: Result, name: str, score: Score) -> tuple[str, ...]:
    if not score.samples:
        return (name, f"failed: {_one_line(score.failure)}", *[""] * (len(_HEAD) - 2))
    walls = sorted(sample.wall_s for sample in score.samples)
    ours = result.scores.get(OURS)
    ratio = f"{score.median('wall_s') / ours.median('wall_s'):.1f}×" if ours and ours.samples and name != OURS else ""
    return (
        name,
        _seconds(score.median("wall_s")),
        f"{_seconds(walls[0])} – {_seconds(walls[-1])}",
        _seconds(score.median("cpu_s")) if score.median("cpu_s") else "",
        *(f"{score.median(what):.0f} MB" if score.median(what) else "" for what in ("memory_mb", "private_mb")),
        f"{_seconds(score.median('api_s'))} ({score.median('api_calls'):.0f} calls)"
        if score.median("api_calls")
        else "",
        ratio,
    )


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:200]


def _table(head: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
