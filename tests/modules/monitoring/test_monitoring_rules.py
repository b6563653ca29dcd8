"""The alert rules of `monitoring` by Prometheus' own tests of rules: series go in, alerts come out."""

import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "rules"
TEMPLATES = Path(__file__).parents[3] / "modules/monitoring/files/rules"
DEFAULTS = {"${down_for}": "120s", "${certificate_days}": "21"}
pytestmark = [pytest.mark.proves("real", "monitoring"), pytest.mark.integration, pytest.mark.prometheus]


def render(name):
    text = (TEMPLATES / f"{name}.yml.tftpl").read_text()
    for parameter, value in DEFAULTS.items():
        text = text.replace(parameter, value)
    return text


def promtool(*argv):
    done = subprocess.run(["promtool", *argv], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["recent", "longterm"])
def test_alerts_are_raised_when_they_should_be(tmp_path, name):
    (tmp_path / "rules.yml").write_text(render(name))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test.yml").write_text((HERE / f"{name}.yml").read_text())
    promtool("check", "rules", "--lint-fatal", str(tmp_path / "rules.yml"))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "tests" / "test.yml"))


@pytest.mark.parametrize("name", ["recent", "longterm"])
def test_every_alert_is_tried(name):
    alerts = set(re.findall(r"alert: (\w+)", render(name)))
    assert alerts == set(re.findall(r"alertname: (\w+)", (HERE / f"{name}.yml").read_text()))
