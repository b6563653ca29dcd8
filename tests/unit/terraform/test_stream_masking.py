"""A known secret is masked in every form in which Terraform, a provider or a boot script may repeat it."""

import base64
from urllib.parse import quote, quote_plus

import pytest

from ngp.terraform.streams import REDACTED, Stream

SECRET = "hunter/two+ÿ&3"


@pytest.mark.parametrize("spell", [quote, quote_plus, lambda text: quote(text, safe="")])
def test_a_secret_in_a_url_is_masked(spell):
    assert Stream(None, None, secrets=[SECRET]).redact(f"https://u:{spell(SECRET)}@x") == f"https://u:{REDACTED}@x"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "PASSWORD="])
@pytest.mark.parametrize("after", ["", "\n", "xy", " # the end"])
def test_a_secret_in_base64_is_masked_wherever_it_stands_in_the_text(encode, before, after):
    text = encode(f"{before}{SECRET}{after}".encode()).decode()
    masked = Stream(None, None, secrets=[SECRET]).redact(text)
    assert REDACTED in masked
    assert len(masked.replace(REDACTED, "")) <= len(text) - len(base64.b64encode(SECRET.encode())) + 6


def test_a_line_of_a_long_secret_is_masked():
    """A difference shows a text line by line; short lines such as braces occur everywhere."""
    masked = Stream(None, None, secrets=["{\n  first-half\n  second-half\n}"]).redact(
        "+ first-half\n+ }\n+ second-half"
    )
    assert masked == f"+ {REDACTED}\n+ }}\n+ {REDACTED}"


def test_a_short_piece_of_base64_is_left_alone():
    assert Stream(None, None, secrets=["ab"]).redact("x WFi x") == "x WFi x"


def test_a_secret_that_is_no_unicode_is_masked():
    assert Stream(None, None, secrets=["a\udcff"]).redact("a\udcff") == REDACTED


def test_a_secret_in_plain_lines_of_either_pipe_is_masked_in_what_a_failure_tells(tmp_path):
    with Stream(None, tmp_path / "log", secrets=[SECRET]) as stream:
        stream.take_error(f"Error: cannot log in with {SECRET}")
        stream.take(f"plugin: {SECRET} was refused")
    assert stream.talk.splitlines() == [f"Error: cannot log in with {REDACTED}", f"plugin: {REDACTED} was refused"]
    assert SECRET not in stream.complaint
    assert SECRET not in (tmp_path / "log").read_text()


def test_a_dumped_state_is_kept_byte_for_byte_and_out_of_the_log(tmp_path):
    state = '{"version":4,"serial":12345678901234567890,"outputs":{"x":{"value":1.10}}}'
    line = f'{{"@level":"error","@message":"Emergency state dump","state":{state},"type":"log"}}'
    with Stream(None, tmp_path / "log") as stream:
        stream.take(line)
    assert stream.dumped == state
    assert "Emergency state dump" in (tmp_path / "log").read_text()
    assert "serial" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("line", ['{%s,"state":{"version":4,"ser', "{%s", '{"pid":1,%s}'])
def test_a_dump_without_a_whole_state_is_none(line):
    with Stream(None, None) as stream:
        stream.take(line % '"@message":"Emergency state dump"')
    assert stream.dumped == ""
