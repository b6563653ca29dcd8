"""``python -m bench``: runs the requested cases and writes the report."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import machine, memory, report
from bench.cases import applies, contracts, hosts, plans, region, scale, scheduling, start, units
from bench.cases.environment import Bench
from bench.cases.options import Options
from bench.contest import Case, Result, play
from bench.lab import TERRAFORM, open_lab

_QUICK = Options(units=5, sizes=(8, 16), repeats=1)
Group = Callable[[Bench], Iterator[Case]]
# in the order in which they are measured: what is short first
GROUPS: dict[str, Group] = {
    "start": lambda bench: start.cases(bench.lab, bench.options),
    "scheduling": lambda bench: scheduling.cases(bench.lab, bench.options),
    "contracts": lambda bench: contracts.cases(bench.lab, bench.options),
    "hosts": hosts.cases,
    "plans": plans.cases,
    "units": units.cases,
    "applies": applies.cases,
    "region": region.cases,
    "scale": lambda bench: scale.cases(bench.lab, bench.options),
}
_NEED_TERRAFORM = {"plans", "units", "applies", "region"}


def main(argv: Sequence[str]) -> int:
    """Measure, and write ``results.json``, ``results.md`` and ``performance.svg``; return 1 if a contestant failed."""
    asked = _parse(argv)
    if asked.report_only:
        _write(report.load(asked.out / "results.json"), asked)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends either way
    memory.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="ngp-bench-") as folder, open_lab(Path(folder)) as lab:
        facts = machine.describe(lab)
        print(machine.warning(facts), file=sys.stderr)
        bench = Bench(lab, _options(asked))
        results: list[Result] = []
        for name in asked.groups or GROUPS:
            if name in _NEED_TERRAFORM and not lab.has(TERRAFORM):
                print(f"{name}: there is no terraform on PATH", file=sys.stderr)
                continue
            results += [play(case) for case in GROUPS[name](bench) if case.contestants]
        measured = report.Report(facts, tuple(results))
    kept = asked.out / "results.json"
    _write(report.merge(report.load(kept), measured) if asked.groups and kept.is_file() else measured, asked)
    return 1 if any(score.failure for result in results for score in result.scores.values()) else 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure ngp beside the peers that are on PATH, and write a report."
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"what to measure: {', '.join(GROUPS)}; all")
    parser.add_argument("--units", type=int, metavar="N", help=f"units that are planned and applied; {Options.units}")
    standard = ",".join(map(str, Options.sizes))
    parser.add_argument("--sizes", metavar="N,N", help=f"sizes that are only looked at; {standard}")
    parser.add_argument("--repeats", type=int, metavar="N", help=f"rounds of each case; {Options.repeats}")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: says that it works, not how fast")
    parser.add_argument("--out", type=Path, default=Path(".ngp/bench"), metavar="DIR", help="where the report goes")
    parser.add_argument("--page", type=Path, metavar="FILE", help="renew the figures of this page, too")
    parser.add_argument("--report-only", action="store_true", help="write the report anew from its JSON")
    asked = parser.parse_args(argv)
    unknown = sorted({*asked.groups} - GROUPS.keys())
    if unknown:
        parser.error(f"there is no group {', '.join(unknown)}")
    return asked


def _options(asked: argparse.Namespace) -> Options:
    standard = _QUICK if asked.quick else Options()
    sizes = tuple(map(int, asked.sizes.split(","))) if asked.sizes else standard.sizes
    return Options(asked.units or standard.units, sizes, asked.repeats or standard.repeats, standard.parallelism)


def _write(measured: report.Report, asked: argparse.Namespace) -> None:
    report.write(measured, asked.out)
    if asked.page:
        report.write_page(measured, asked.page)
    print(report.render(measured))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
