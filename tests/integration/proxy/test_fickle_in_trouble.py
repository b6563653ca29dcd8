"""The test provider errs, warns, crashes and hangs: the same words and states, plainly and through the proxy."""

import threading
import time

import pytest

from ngp import processes
from tests.comparing import require_equal

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


def thing(name, mood="", more=""):
    return f'resource "fickle_thing" "{name}" {{\n  name = "{name}"\n  mood = "{mood}"\n{more}}}\n'


def test_warnings_and_errors(fickle_lab):
    """Each from a call of another kind; all of them at an attribute, hence at a line."""
    moods = ["warning:create", "error:create", "warning:validate", "error:delete", "error:update", "warning:read"]

    def visit(walk):
        walk.init()
        walk.validate()
        walk.make("made")
        text = (walk.path / "main.tf").read_text()
        (walk.path / "main.tf").write_text(text.replace("\n}", '\n  notes = ["b"]\n}').replace("error:create", ""))
        walk.make("changed")
        walk.make("gone", destroy=True)

    seen = fickle_lab.both(visit, "".join(thing(mood.replace(":", "-"), mood) for mood in moods))
    require_equal(seen)
    codes = {step.name: step.exit_code for step in seen[1]}
    assert [codes[name] for name in ("validate", "made", "changed", "gone")] == [0, 1, 1, 1]
    places = {place for step in seen[1] for *_, place in step.said}
    assert len(places - {""}) >= 5


@pytest.mark.parametrize(
    "text",
    [
        thing("wrong", "error:validate"),
        'data "fickle_echo" "wrong" {\n  name = "x"\n  mood = "error:ask"\n}\n',
        'provider "fickle" { mood = "error:validate" }\n' + thing("never"),
        'provider "fickle" { mood = "warning:configure" }\n' + thing("made"),
        'provider "fickle" { mood = "error:configure" }\n' + thing("never"),
        'resource "fickle_thing" "typo" { nmae = "x" }\n',
        'resource "fickle_think" "typo" { name = "x" }\n',
    ],
    ids=["validate", "ask", "provider", "configure", "refused", "attribute", "type"],
)
def test_plans_that_end_with_words(fickle_lab, text):
    def visit(walk):
        walk.init()
        walk.validate()
        walk.plan("plan")

    seen = fickle_lab.both(visit, text)
    require_equal(seen)
    assert seen[1][-1].said


@pytest.mark.parametrize("call", ["validate", "ask", "plan", "create", "delete", "call", "configure"])
def test_crash(fickle_lab, call):
    """In any call; nothing else is asked at that moment, for what becomes of that is a matter of chance."""

    def visit(walk):
        walk.init()
        file = walk.plan("plan")
        if file is not None:
            walk.apply("apply", file)
            walk.make("once more", destroy=call == "delete")

    crash = f"crash:{call}"
    text = {
        "ask": f'data "fickle_echo" "crash" {{\n  name = "{crash}"\n  mood = "{crash}"\n}}\n',
        "call": f'output "crash" {{ value = provider::fickle::act("{crash}") }}\n',
        "configure": f'provider "fickle" {{ mood = "{crash}" }}\n',
        "plan": thing("crash", crash, "  notes = [plantimestamp()]\n  depends_on = [fickle_thing.before]\n"),
    }.get(call, thing("crash", crash, "  depends_on = [fickle_thing.before]\n"))
    before = "" if call in ("ask", "call") else thing("before")
    fickle_lab.has_crash = True
    seen = fickle_lab.both(visit, before + text)
    require_equal(seen)
    assert any("GONE" in str(step.said) for step in seen[1])


class Moment:
    """Sets `stop` as soon as a provider has begun to wait."""

    def __init__(self, lab, folder):
        self.folder, self.stop = folder, threading.Event()
        self.folder.mkdir()
        lab.extra = {"FICKLE_MARKS": str(folder)}

    def watch(self):
        for mark in self.folder.iterdir():
            mark.unlink()
        self.stop = stop = threading.Event()

        def look():
            while not any(self.folder.iterdir()) and not stop.is_set():
                time.sleep(0.02)
            stop.set()

        threading.Thread(target=look, daemon=True).start()
        return stop


@pytest.mark.parametrize("mood", ["hang", "slow"])
def test_ctrl_c_midway_in_an_apply(fickle_lab, tmp_path, mood):
    """One that hears Stop says so; one that is busy ends its work, and nothing after it is begun."""
    moment = Moment(fickle_lab, tmp_path / "marks")

    def visit(walk):
        walk.init()
        walk.apply("apply", walk.plan("plan"), stop=moment.watch())
        walk.plan("what is left")

    text = thing("before") + thing("midway", f"{mood}:create", "  depends_on = [fickle_thing.before]\n")
    seen = fickle_lab.both(visit, text + thing("after", "", "  depends_on = [fickle_thing.midway]\n"))
    require_equal(seen)
    made = [one["name"] for one in seen[1][2].documents["state"]["resources"]]
    assert made == (["before"] if mood == "hang" else ["before", "midway"])


@pytest.mark.parametrize("mood", ["hang", "slow", "deaf"])
def test_ctrl_c_midway_in_a_plan(fickle_lab, tmp_path, monkeypatch, mood):
    moment = Moment(fickle_lab, tmp_path / "marks")
    monkeypatch.setattr(processes, "GRACE_S", 4.0)  # for one that is deaf
    seen = fickle_lab.both(
        lambda walk: walk.init() and walk.plan("plan", moment.watch()),
        f'data "fickle_echo" "midway" {{\n  name = "x"\n  mood = "{mood}:ask"\n}}\n'
        + thing("after", "", "  depends_on = [data.fickle_echo.midway]\n"),
    )
    require_equal(seen)
    assert seen[1][-1].exit_code != 0
