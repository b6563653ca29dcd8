"""The HTML report in headless Chromium: on a phone and a laptop, by keyboard, in the dark, without the network."""

import re
from dataclasses import replace

import pytest

from ngp.reports import making, page
from ngp.runs.results import Counts, Outcome, UnitResult
from ngp.terraform.plans import Action, Change
from tests import browser
from tests.sample_runs import CANARY, run

pytestmark = pytest.mark.chromium

_COLOURS = """(() => {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map(name => [name, style.getPropertyValue('--' + name).trim()]));
})()"""
_PAIRS = [(ink, paper) for ink in ("text", "muted", "link") for paper in ("page", "card")]
_PAIRS += [(ink, f"{kind}-back") for kind in ("add", "del", "chg", "rep") for ink in (kind, "text")]
_SEARCH = """(() => {
  const search = document.getElementById('search');
  search.value = 'aws_eip';
  search.dispatchEvent(new Event('input'));
})()"""
_LABELLED = """[...document.querySelectorAll('[aria-labelledby]')].every(
  one => one.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id)))"""
_PAPER = 718  # pixels between the margins of A4
_HIDDEN = (
    "[...document.querySelectorAll('.diff, .problem, td, #region svg')].filter(one => !one.getClientRects().length)"
)
_SPLIT = """[...document.querySelectorAll('#dangers td:not(:last-child) > *')]
  .filter(one => one.getClientRects().length > 1).map(one => one.textContent)"""
_LANDMARKS = ("header", "main", "nav[aria-label]", "table caption", "th[scope=col]", "th[scope=row]")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser.opened(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def written(report, tmp_path):
    def write(found=report):
        path = tmp_path / "report.html"
        path.write_text(page.render(found), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("width", [browser.PHONE, browser.LAPTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reviewer_can_read_the_page(chromium, written, tmp_path, width, scheme):
    path = written()
    chromium.open(path, width, scheme)
    assert chromium.ask("innerWidth") == width
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    text = chromium.ask("document.body.innerText")
    for word in ("module.database.aws_db_instance.this", "10.0.1.0/24", "10.0.2.0/24", "AccessDenied", "replace"):
        assert word in text
    assert chromium.requests == [path.as_uri()]
    chromium.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_no_value_asks_the_network_or_runs(chromium, written):
    evil = '"><img src="https://evil.example/x"><script>document.title="owned"</script>'
    evil += "<style>@import url(//evil.example)</style>"
    change = Change("a.b", "a", Action.DELETE, {"id": evil, evil: "x"})
    unit = UnitResult(evil, evil, 1, Outcome.FAILED, Counts(delete=1), (change,), reason=evil)
    made = replace(making.of_run(run(unit), making.RunFacts(), exit_code=1), environment=evil, commit=evil)
    path = written(made)
    chromium.open(path)
    assert chromium.requests == [path.as_uri()]
    assert chromium.ask("document.title").startswith("Plan for")
    assert chromium.ask("document.querySelectorAll('img, iframe, link, object, base').length") == 0
    assert chromium.ask("document.scripts.length") == 1
    chromium.ask("(() => {const i = new Image(); i.src = 'https://evil.example/y'; document.body.append(i)})()")
    chromium.ask("new Promise(done => setTimeout(done, 100))")
    assert chromium.requests == [path.as_uri(), "https://evil.example/y"]
    assert chromium.refused == ["https://evil.example/y"]


def test_the_page_is_used_by_keyboard(chromium, written):
    chromium.open(written())
    chromium.press("Tab", 9)
    assert chromium.ask("document.activeElement.textContent") == "Skip to the changes"
    assert chromium.ask("document.activeElement.getBoundingClientRect().left") >= 0
    chromium.ask("document.querySelector('details.unit summary').focus()")
    is_open = "document.querySelector('details.unit').open"
    assert chromium.ask(is_open)
    chromium.press("Tab", 9)
    style = chromium.ask("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_search_and_expand_work(chromium, written):
    chromium.open(written())
    assert not chromium.ask("document.getElementById('tools').hidden")
    chromium.ask("document.getElementById('expand').click()")
    assert chromium.ask("[...document.querySelectorAll('main details')].every(one => one.open)")
    chromium.ask(_SEARCH)
    assert chromium.ask("document.getElementById('found').textContent") == "1 change found"
    assert chromium.ask("[...document.querySelectorAll('details.unit')].filter(one => one.offsetParent).length") == 1


def test_a_screen_reader_finds_its_way(chromium, written):
    chromium.open(written())
    for one in (*_LANDMARKS, "svg title", "svg desc"):
        assert chromium.ask(f"!!document.querySelector('{one}')"), one
    levels = chromium.ask("[...document.querySelectorAll('h1, h2, h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    drawn = set(chromium.ask("[...document.querySelectorAll('#region svg g text.name')].map(one => one.textContent)"))
    told = chromium.ask("[...document.querySelectorAll('#region li')].map(one => one.textContent.split(':')[0])")
    assert drawn == set(told)
    assert chromium.ask(_LABELLED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out(chromium, written, scheme):
    """WCAG 2.1, 1.4.3: a contrast of 4.5 at least."""
    chromium.open(written(), scheme=scheme)
    names = sorted({name for pair in _PAIRS for name in pair})
    colours = chromium.ask(_COLOURS.replace("NAMES", str(names)))
    weak = [(ink, paper) for ink, paper in _PAIRS if _contrast(colours[ink], colours[paper]) < 4.5]
    assert weak == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_has_everything_open_and_nothing_cut(chromium, written, scheme):
    chromium.open(written(), _PAPER, scheme)
    chromium.print_view(scheme)
    try:
        assert chromium.ask("document.documentElement.scrollWidth") <= _PAPER
        assert chromium.ask(f"{_HIDDEN}.length") == 0
        assert chromium.ask(_SPLIT) == []
        assert chromium.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert chromium.ask("document.getElementById('tools').getClientRects().length") == 0
    finally:
        chromium.print_view(scheme, media="")


def test_a_plan_of_ten_thousand_changes_opens(chromium, written):
    units = []
    for number in range(500):
        changes = tuple(
            Change(f"module.u{number}.aws_thing.this[{one}]", "aws_thing", Action.UPDATE, {"a": "x"}, {"a": "y"})
            for one in range(20)
        )
        units.append(UnitResult(f"u{number}", "m", 1 + number % 5, Outcome.PLANNED, Counts(update=20), changes))
    path = written(making.of_run(run(*units), making.RunFacts(), exit_code=0))
    assert path.stat().st_size < 4_000_000
    chromium.open(path, browser.PHONE)
    assert chromium.ask("document.documentElement.scrollWidth") <= browser.PHONE
    assert chromium.ask("document.querySelectorAll('details.change').length") == 2000
    assert "8,000 more are only counted" in chromium.ask("document.body.innerText")


def test_the_page_has_no_secret(written):
    assert CANARY not in written().read_text()


def _contrast(one, other):
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    assert re.fullmatch(r"#[0-9a-f]{6}", colour)
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
