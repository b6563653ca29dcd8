"""Draw run.svg: what `make demo` shows on a terminal, cut to what fits a page.

`python docs/picture.py` runs it on a terminal of its own; `python docs/picture.py LOG` takes a log of `script`.
"""  # noqa: INP001  a folder of pages, not a package

import os
import pty
import re
import sys
from itertools import takewhile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ngp import files

HERE = Path(__file__).resolve().parent
WIDTH = 112  # columns
SHOWN = (
    "vpc_id",
    "openvpn_admin_url",
    "openvpn_admin_user",
    "openvpn_connect_url",
    "swarm_manager_ips",
    "swarm_url",
    "registry_url",
    "ecr_host",
)
# How Rich's display takes its lines away before it draws them anew; the cursor is always on the last line.
_REDRAW = re.compile(r"(\r(?:\x1b\[2K)?(?:\x1b\[1A\x1b\[2K)+|\r\x1b\[2K)")
_CODE = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")
_FONTS = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"
_FONT = re.compile(r"\s*@font-face \{.*?\n    \}", re.DOTALL)  # a page of ours loads nothing from elsewhere


def record(folder: Path) -> str:
    """What `make demo` writes to a terminal."""
    heard: list[bytes] = []

    def read(terminal: int) -> bytes:
        heard.append(os.read(terminal, 65536))
        return heard[-1]

    size = (f"COLUMNS={WIDTH}", "LINES=40", "TERM=xterm-256color")
    if pty.spawn(("env", *size, "make", "-C", str(folder), "demo"), read):
        raise SystemExit("make demo failed: there is nothing to draw")
    return b"".join(heard).decode()


def replay(log: str) -> tuple[list[str], list[list[str]]]:
    """The lines that stay on the screen, and every frame of the live display."""
    screen, frames = [""], []
    for part in _REDRAW.split(log.replace("\x1b[?25l", "").replace("\x1b[?25h", "")):
        if _REDRAW.fullmatch(part):
            height = part.count("\x1b[1A")
            frames.append(screen[-height - 1 :])
            screen[-height - 1 :] = [""]
        else:
            first, *others = part.replace("\r", "").split("\n")
            screen[-1] += first
            screen += others
    return screen, frames


def cut(log: str) -> list[str]:
    """The lines of the picture: the beginning, one preview, a moment of the apply, its end, some outputs."""
    screen, frames = replay(log)
    start = _find(screen, "apply dev:")
    preview = _find(screen, r"openvpn \(wave")
    results = _find(screen, "unit +result ")
    outputs = _find(screen, "unit +output ")
    return [
        "\x1b[1m$ make demo\x1b[0m",
        *takewhile(lambda line: "(wave" not in line, screen[start:]),
        "\x1b[2m  ⋮\x1b[0m",
        *screen[preview : preview + 7],
        "\x1b[2m  ⋮\x1b[0m",
        *_busiest(frames),
        "\x1b[2m  ⋮\x1b[0m",
        *takewhile(lambda line: not _plain(line).startswith("next:"), screen[results:]),
        "",
        screen[outputs],
        *_excerpt(screen[outputs:]),
        "",
        screen[_find(screen, r"dev: \d+ of")],
    ]


def draw(lines: list[str]) -> str:
    """The picture as SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for line in lines:
            console.print(Text.from_ansi(line), no_wrap=True, overflow="ellipsis")
        picture = console.export_svg(title="make demo", unique_id="ngp")
    return _FONT.sub("", picture).replace("Fira Code, monospace", _FONTS)


def _excerpt(table: list[str]) -> list[str]:
    """The rows of SHOWN; a unit's name stands in the first row of the unit that is left."""
    rows, unit = [], ""
    for line in map(_plain, table):
        unit = line.split(" ")[0] or unit
        if any(f" {name} " in line for name in SHOWN):
            rows.append(unit + line[len(unit) :])
            unit = " " * len(unit)
    return rows


def _busiest(frames: list[list[str]]) -> list[str]:
    """The frame in which most units are being applied, of these the one that has got farthest."""

    def weight(frame: list[str]) -> tuple[int, int]:
        done = re.findall(r" apply +(\d+)/", _plain("\n".join(frame)))
        return len(done), sum(map(int, done))

    return max(frames, key=weight)


def _find(screen: list[str], pattern: str) -> int:
    return next(at for at, line in enumerate(screen) if re.match(pattern, _plain(line)))


def _plain(text: str) -> str:
    return _CODE.sub("", text)


if __name__ == "__main__":
    log = Path(sys.argv[1]).read_bytes().decode() if sys.argv[1:] else record(HERE.parent)
    files.write(HERE / "run.svg", draw(cut(log)))
