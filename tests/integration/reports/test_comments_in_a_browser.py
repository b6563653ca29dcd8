"""The comments of `ngp ci` as people see them: rendered as Markdown, in headless Chromium, on a phone and a laptop."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from ngp.ci import comment
from ngp.ci.comment import Marker
from ngp.errors import Finding
from tests import browser
from tests.harness import ROOT

pytestmark = pytest.mark.chromium

GOLDEN = ROOT / "tests" / "golden" / "ci"
HOSTILE = "```\n````\n</details><img src=//e.example><script>1</script> @anna #1 https://e.example [a](b) \u202e"
MARKER = "<!-- ngp environment="
OURS = "https://ci.example/run/1"
ALLOWED = re.compile(r"<!-- ngp [^>]*-->|</?(details|summary|code)>")
# What GitHub and GitLab make of plain text: mentions, references, links, quick actions.
ACTIVE = re.compile(r"(?<![\w`])@\w|(?<![\w&])[#!]\d|https?://|www\.|\b[0-9a-f]{40}\b|^/\w", re.MULTILINE)
# What counts of GitHub's style for the question whether a comment can be read: what scrolls, and what wraps.
STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 sans-serif; margin: 0; padding: 16px; overflow-wrap: break-word }
body { background: Canvas; color: CanvasText }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-collapse: collapse }
th, td { border: 1px solid #8888; padding: 6px 13px }
pre { overflow: auto; padding: 16px; background: #8882; font-size: 13.6px; line-height: 1.45 }
:not(pre) > code { background: #8883; padding: .2em .4em; font-size: 85%; white-space: break-spaces }
details { margin-bottom: 16px }
h3, h4 { margin: 24px 0 16px }
blockquote { border-left: 4px solid #8888; margin: 0; padding: 0 1em }
"""
PAGE = '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
WIDE = """[...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('pre, table'))
  .map(one => one.outerHTML.slice(0, 200))"""
HIDDEN = "[...document.querySelectorAll('pre, td, summary')].filter(one => !one.getBoundingClientRect().height).length"
RAGGED = """[...document.querySelectorAll('tr')].filter(one =>
  one.children.length !== one.closest('table').querySelectorAll('thead th').length).length"""


def golden():
    """Every comment of the golden files, once, by the file and its place there."""
    seen = {}
    for path in sorted(GOLDEN.glob("*.md")):
        for number, part in enumerate(path.read_text(encoding="utf-8").split(MARKER)[1:]):
            body = MARKER + re.split(r"\n# [^\n]+\n\n`ngp |\n<!-- ngp ", part)[0]
            seen.setdefault(body, f"{path.stem}-{number}")
    return {name: body for body, name in seen.items()}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser.opened(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def comments(report):
    """The golden comments, and those of a plan with everything."""
    about = Marker("dev", "c" * 64, "a" * 40)
    report = replace(report, flags=(Finding("a template changed", "templates/root/main.tf.j2"),))
    full = comment.render(report, about, OURS)
    unit = replace(report.units[1], unit=HOSTILE, reason=HOSTILE, why=(HOSTILE,), findings=(Finding(*[HOSTILE] * 4),))
    flagged = replace(report, units=(unit, *report.units[2:]), flags=(Finding(HOSTILE, HOSTILE),))
    evil = comment.render(flagged, about, OURS)
    return {**golden(), "everything": full, "outdated": comment.outdate(full, "b" * 40), "evil": evil}


def page(body):
    """A comment as a page: raw HTML goes through, as that of folds does on GitHub."""
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(body)
    return f"{PAGE}<style>{STYLE}</style>{made}"


def test_no_value_is_more_than_text_in_any_comment(comments):
    assert len(comments) > 8
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for name, body in comments.items():
        lines, open_folds = body.splitlines(), 0
        for token in reader.parse(body):
            if token.type == "fence":
                assert lines[token.map[1] - 1].strip() == token.markup, f"{name}: a fence is not closed"
            for one in [token, *(token.children or ())]:
                if one.type in ("html_block", "html_inline"):
                    assert not ALLOWED.sub("", one.content).strip().startswith("<"), f"{name}: {one.content}"
                    open_folds += one.content.count("<details>") - one.content.count("</details>")
                    text = re.sub(r"<code>.*?</code>|<!--.*?-->", "", one.content)
                    assert not ACTIVE.search(text), f"{name}: {one.content}"
                assert one.type != "image", name
                assert one.type != "link_open" or one.attrGet("href") == OURS, name
                assert one.type != "text" or not ACTIVE.search(one.content), f"{name}: {one.content}"
        assert open_folds == 0, f"{name}: a fold is not closed"


@pytest.mark.parametrize(("width", "scheme"), [(browser.PHONE, "dark"), (browser.LAPTOP, "light")])
def test_every_comment_can_be_read(chromium, comments, tmp_path, width, scheme):
    for name, body in comments.items():
        path = tmp_path / f"{name}.html"
        path.write_text(page(body), encoding="utf-8")
        chromium.open(path, width, scheme)
        chromium.ask("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert chromium.ask("document.documentElement.scrollWidth") <= width, name
        assert chromium.ask(WIDE) == [], name
        assert chromium.ask(HIDDEN) == 0, name
        assert chromium.ask(RAGGED) == 0, name
        folds = chromium.ask("document.querySelectorAll('details > summary:first-child').length")
        assert folds == body.count("<details>"), name
        assert chromium.ask("document.querySelectorAll('table tbody tr').length") == rows(body), name
        assert "```diff" not in chromium.ask("document.body.innerText"), name
        assert chromium.ask("document.querySelectorAll('img, script').length") == 0, name
        assert chromium.requests == [path.as_uri()], name
        chromium.picture(tmp_path / f"{name}.png")


def rows(body):
    """How many rows the tables of a comment have, by its text."""
    return len(re.findall(r"(?m)^\| ", body)) - len(re.findall(r"(?m)^\|---", body))
