"""The calendar of ends of support: its file, what it says of versions, and the modules' own defaults."""

import re
import shutil
import warnings
from datetime import date
from pathlib import Path

import pytest

from ngp.catalogue import loading, support
from ngp.catalogue.rules import source
from ngp.catalogue.rules import support as rule
from ngp.errors import UsageError

ROOT = Path(__file__).parents[3]
NAMES = [folder.name for folder in loading.folders(ROOT / "modules")]


@pytest.fixture
def on(monkeypatch):
    return lambda text: monkeypatch.setattr(support, "today", lambda: date.fromisoformat(text))


@pytest.mark.parametrize(
    ("product", "version", "last_day"),
    [
        ("eks", "1.34", "2026-12-02"),
        ("rds-postgres", "17", "2030-02-28"),
        ("rds-postgres", "17.4", "2030-02-28"),
        ("opensearch", "OpenSearch_2.19", "2027-11-07"),
        ("terraform", "1.11.4", "2025-08-20"),
        ("lambda", "python3.12", "2028-10-31"),
        ("debian", "12", "2026-07-11"),
    ],
)
def test_version_has_the_end_of_its_release(product, version, last_day):
    assert support.find(product, version).last_day == date.fromisoformat(last_day)


@pytest.mark.parametrize("version", ["1.3", "1.340", "2.34", ""])
def test_version_without_an_announced_end_has_none(version):
    assert support.find("eks", version) is None


def test_unknown_product_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="no product `debien`"):
        support.find("debien", "13")


def test_every_product_names_who_decides_and_the_file_is_read_whole():
    for product in support.calendar().values():
        assert product.source.startswith("https://")
        assert product.title


def test_end_is_told_in_days():
    end = support.find("eks", "1.34")
    told = [end.describe(date(2026, 12, day)).rpartition(", ")[2] for day in (1, 2, 4)]
    assert told == ["in 1 day", "today", "2 days ago"]


def test_what_ends_within_half_a_year_is_near():
    ends = [support.find("eks", version) for version in ("1.36", "1.35", "1.34")]
    assert support.near(ends, date(2026, 11, 30)) == [ends[2], ends[1]]
    assert support.near(ends, date(2026, 6, 1)) == []
    assert support.near(ends, date(2026, 6, 5)) == [ends[2]]  # 180 days


@pytest.mark.parametrize(
    ("product", "version", "told"),
    [
        ("terraform", "1.13.2", "standard support of Terraform 1.13.2 ended on 2026-04-29, 215 days ago"),
        ("opentofu", "1.12.11", "standard support of OpenTofu 1.12.11 ends on 2027-02-01, in 63 days"),
        ("opentofu", "1.11.14", "standard support of OpenTofu 1.11.14 ended on 2026-08-01, 121 days ago"),
        ("opentofu", "1.13.2", ""),
        ("terraform", "1.15.0", ""),
        ("rds-postgres", "17.4", ""),
        ("aws-provider", "6.2.0", ""),
        ("aws-provider", "50.1.0", ""),
    ],
)
def test_version_is_told_of_when_its_end_is_near_or_over(product, version, told):
    assert support.describe(product, version, date(2026, 11, 30)) == told


def test_version_whose_end_nobody_names_is_told_of_without_a_day():
    for product, version in (("aws-provider", "5.100.0"), ("opentofu", "1.10.8")):
        assert "publish" in support.describe(product, version, date(2026, 11, 30))
        assert support.find(product, version) is None


def test_item_of_a_manifest_takes_the_inputs():
    values = {"engine": "redis", "engine_version": "6.2"}
    assert support.resolve("elasticache-{engine}:{engine_version}", values).last_day == date(2027, 1, 31)
    assert list(support.inputs("elasticache-{engine}:{engine_version}")) == ["engine", "engine_version"]


def faults(name):
    return list(rule.defaults(source.load(loading.load_module(ROOT / "modules" / name))))


def test_default_that_ends_within_ninety_days_is_a_finding_at_the_input(on):
    on("2027-05-03")  # 91 days before
    assert faults("kubernetes") == []
    on("2027-05-04")
    [fault] = faults("kubernetes")
    assert fault.rule == "support"
    assert "standard support of Kubernetes on EKS 1.36 ends on 2027-08-02, in 90 days" in fault.finding.what
    assert "kubernetes-variables.tf:" in fault.finding.where
    on("2028-01-01")
    assert "ended on 2027-08-02, 152 days ago" in faults("kubernetes")[0].finding.what


def test_dummy_that_ends_within_ninety_days_is_a_finding_in_the_dummies(tmp_path, on):
    """An operator's first values are the dummies: they say no version that the default has left."""
    shutil.copytree(ROOT / "modules" / "kubernetes", tmp_path / "kubernetes")
    dummies = tmp_path / "kubernetes" / "kubernetes.dummy"
    dummies.write_text(re.sub("kubernetes_version = .*", 'kubernetes_version = "1.34"', dummies.read_text()))
    on("2026-10-01")
    [fault] = rule.defaults(source.load(loading.load_module(tmp_path / "kubernetes")))
    assert "the dummy is near its end: standard support of Kubernetes on EKS 1.34" in fault.finding.what
    assert "kubernetes.dummy:" in fault.finding.where


@pytest.mark.parametrize("item", ["eks:{no_such_input}", "debien:12"])
def test_item_that_cannot_be_looked_up_is_a_finding(tmp_path, item):
    shutil.copytree(ROOT / "modules" / "kubernetes", tmp_path / "kubernetes")
    manifest = tmp_path / "kubernetes" / "module.yaml"
    manifest.write_text(manifest.read_text().replace('"eks:{kubernetes_version}"', f'"{item}"'))
    [fault] = rule.defaults(source.load(loading.load_module(tmp_path / "kubernetes")))
    assert fault.finding.where == str(manifest)


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_supported_for_some_time(name):
    """Warn half a year before; ninety days before, `ngp module check` fails."""
    module = loading.load_module(ROOT / "modules" / name)
    for item in module.manifest.support:
        end = support.resolve(item, {key: module.variables[key].default for key in support.inputs(item)})
        if end is not None and support.near([end], support.today()):
            warnings.warn(f"{name}: {end.describe(support.today())}", stacklevel=1)
    assert faults(name) == []


def test_every_module_with_a_debian_release_names_its_end_of_support():
    catalogue = loading.load(ROOT / "modules")
    having = {name for name, module in catalogue.modules.items() if "debian_release" in module.variables}
    naming = {name for name in having if "debian:{debian_release}" in catalogue.modules[name].manifest.support}
    assert "swarm" in having
    assert naming == having
