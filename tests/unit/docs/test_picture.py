"""The picture of a run is drawn from what a terminal was sent, and loads nothing from elsewhere."""

import re
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"
PICTURE = runpy.run_path(str(DOCS / "picture.py"))
UP = "\x1b[1A\x1b[2K"
LOG = f"before\r\n\x1b[?25la  apply 1/4\r\n1 of 2\r\x1b[2K{UP}a  apply 3/4\r\n1 of 2\r\n\x1b[?25h\r{UP}{UP}after\r\n"


def test_replay_leaves_what_stays_on_the_screen_and_every_frame():
    screen, frames = PICTURE["replay"](LOG)
    assert screen == ["before", "after", ""]
    assert frames == [["a  apply 1/4", "1 of 2"], ["a  apply 3/4", "1 of 2", ""]]


def test_busiest_frame_is_the_one_that_got_farthest():
    _, frames = PICTURE["replay"](LOG)
    assert PICTURE["_busiest"](frames) == frames[1]


def test_excerpt_names_the_unit_once():
    table = ["unit  output  value", "net   other   1", "      vpc_id  vpc-1", "ecr   ecr_host  h"]
    assert PICTURE["_excerpt"](table) == ["net   vpc_id  vpc-1", "ecr   ecr_host  h"]


def test_picture_loads_nothing_and_shows_the_run():
    text = (DOCS / "run.svg").read_text(encoding="utf-8")
    assert not re.search(r"url\(['\"]?http|@import|href=|<script", text)
    assert "make&#160;demo" in text
    assert "openvpn_connect_url" in text
