"""What a bundle is verified against: every difference is found and named, and nothing else is."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import ngp
from ngp.environments import platforms, resolving
from ngp.errors import StaleError
from ngp.runs import units as all_units
from ngp.runs.bundle import facts, verifying
from ngp.runs.bundle.statement import SecretFact, UnitFact
from ngp.runs.bundle.uses import UsedError, Uses
from ngp.runs.bundle.verifying import LocalFacts
from ngp.terraform.binary import Binary
from tests import statements
from tests.harness import lay_platform

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def state(serial, lineage="line", **more):
    return json.dumps({"version": 4, "terraform_version": "1.14.0", "serial": serial, "lineage": lineage, **more})


def put_state(platform, unit, text):
    path = platform / ".ngp/state/dev" / f"{unit}.tfstate"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The facts of a small platform with roots, and what a bundle of all units states that is made of them."""
    folder = tmp_path_factory.mktemp("verified")
    platform = lay_platform(folder / "platform")
    for unit in ("base", "app"):
        root = platform / "environments/dev/units" / unit
        root.mkdir(parents=True)
        (root / "main.tf").write_text(f'module "{unit}" {{\n  source = "../../../../modules/{unit}"\n}}\n')
        (root / "values.auto.tfvars.json").write_text("{}\n")
    put_state(platform, "base", state(3))
    (folder / "terraform").write_text("a program")
    resolved = resolving.resolve(platforms.load(platform), "dev")
    here = LocalFacts(resolved, None, Binary((str(folder / "terraform"),), "1.14.0"), NOW)
    return here, state_all(here)


def state_all(here):
    path = here.resolved.platform.path
    units = all_units.collect(here.resolved)
    sources = facts.sources(here.resolved, units)
    states = {name: facts.state(unit.place, None, path) for name, unit in units.items()}
    known = {
        name: UnitFact(units[name].module, "", one.root, one.modules, one.values, one.wiring, states[name])
        for name, one in sources.items()
    }
    return statements.make(
        "dev",
        platform="small",
        target="sandbox",
        created=NOW - MINUTE,
        expires=NOW + timedelta(hours=1),
        ngp=ngp.__version__,
        terraform=facts.binary(here.binary),
        lock=facts.lock(path),
        units=known,
        files={name: digest for one in sources.values() for name, digest in one.files.items()},
    )


@pytest.fixture
def here(made):
    """The facts; what a test changes is put back."""
    here, _ = made
    folder = here.resolved.platform.path.parent
    before = {path: path.read_bytes() for path in files_below(folder)}
    yield here
    for path in files_below(folder) - before.keys():
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)


def files_below(folder):
    return {path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


@pytest.fixture
def stated(made):
    return made[1]


@pytest.fixture
def platform(here):
    return here.resolved.platform.path


def found(stated, here):
    return [text(one) for one in verifying.find(stated, here)]


def text(one):
    return f"{one.where}: {one.what}" if one.where else one.what


def test_what_did_not_change_is_accepted(stated, here):
    assert found(stated, here) == []
    verifying.require_same(stated, here)
    verifying.require_valid(stated, here, is_bound=True)
    verifying.require_valid(stated, here, is_bound=False)
    assert list(verifying.find_other_files(stated, here.resolved)) == []


def test_all_that_changed_is_one_error_with_the_way_out(stated, here):
    with pytest.raises(StaleError) as caught:
        verifying.require_same(replace(stated, ngp="0.0", lock="other"), here)
    assert [text(one) for one in caught.value.findings] == [
        f"ngp 0.0 made the bundle, but this is ngp {ngp.__version__}",
        ".terraform.lock.hcl: this file changed since the bundle was made",
    ]
    assert {one.todo for one in caught.value.findings} == {"make a new bundle: ngp plan dev --out FILE"}


class TestWhole:
    """`ngp bundle verify`, which starts and locks nothing."""

    @pytest.fixture
    def verify(self, stated, here, monkeypatch):
        settings = SimpleNamespace(environ={}, cache=None)
        monkeypatch.setattr("ngp.terraform.binary.find", lambda *_, **__: here.binary)
        now = replace(stated, created=datetime.now(UTC), expires=datetime.now(UTC) + timedelta(hours=1))
        return lambda: verifying.verify(now, "digest", here.resolved, None, settings)

    def test_roots_that_are_not_rendered_make_it_stale(self, verify):
        with pytest.raises(StaleError):
            verify()

    def test_a_bundle_that_was_applied_is_not_verified(self, verify, here, monkeypatch):
        monkeypatch.setattr("ngp.rendering.staleness.require_rendered", lambda _: None)
        verify()
        Uses.of(here.resolved, None).note("digest", "a run")
        with pytest.raises(UsedError):
            verify()

    def test_what_changed_since_is_told(self, verify, platform, monkeypatch):
        monkeypatch.setattr("ngp.rendering.staleness.require_rendered", lambda _: None)
        put_state(platform, "base", state(4))
        with pytest.raises(StaleError, match="changed from serial 3 to 4"):
            verify()


class TestTheClock:
    @pytest.mark.parametrize(("late", "is_over"), [(timedelta(0), False), (timedelta(seconds=1), True)])
    def test_a_bundle_expires_after_its_last_moment(self, stated, here, late, is_over):
        what = found(stated, replace(here, now=stated.expires + late))
        assert bool(what) is is_over
        assert all("the bundle expired at 2026-11-30 03:00 UTC" in one for one in what)

    @pytest.mark.parametrize(("early", "is_wrong"), [(5 * MINUTE, False), (5 * MINUTE + timedelta(seconds=1), True)])
    def test_clocks_may_differ_by_five_minutes(self, stated, here, early, is_wrong):
        what = found(stated, replace(here, now=stated.created - early))
        assert bool(what) is is_wrong
        assert all("was made at 2026-11-30 01:59 UTC, but it is" in one for one in what)


class TestThePlace:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("platform", "other"),
            ("environment", "stage"),
            ("target", "aws"),
            ("account", "999999999999"),
            ("region", "us-east-1"),
        ],
    )
    def test_a_bundle_for_another_place_names_it_and_nothing_else(self, stated, here, platform, name, value):
        (platform / "environments/dev/units/app/main.tf").write_text("")  # of what another place has, nothing is said
        put_state(platform, "base", state(9))
        other = replace(stated, **{name: value})
        (what,) = found(other, here)
        assert what.startswith(f"the bundle is for the {name} {value}, but this is ")
        assert [one.what for one in verifying.find_other_files(other, here.resolved)] == [what]
        with pytest.raises(StaleError):
            verifying.require_valid(other, here, is_bound=False)


class TestTheTools:
    def test_another_version_of_terraform(self, stated, here):
        what = found(stated, replace(here, binary=replace(here.binary, version="1.15.0")))
        assert what == ["terraform 1.14.0 made the plan, but this machine has terraform 1.15.0"]

    def test_another_flavour_of_the_same_version(self, stated, here):
        what = found(stated, replace(here, binary=replace(here.binary, flavour="tofu")))
        assert what == ["terraform 1.14.0 made the plan, but this machine has tofu 1.14.0"]

    def test_another_program_of_the_same_version(self, stated, here, platform):
        (platform.parent / "terraform").write_text("another program")
        assert found(stated, here) == ["the terraform 1.14.0 here is not the program that made the plan"]

    def test_the_lock_file(self, stated, here, platform):
        (platform / ".terraform.lock.hcl").write_text("# other\n")
        assert found(stated, here) == [".terraform.lock.hcl: this file changed since the bundle was made"]

    def test_they_count_for_a_new_plan_too(self, stated, here):
        with pytest.raises(StaleError, match="made the bundle"):
            verifying.require_valid(replace(stated, ngp="0.0"), here, is_bound=False)


class TestFiles:
    ROOT, MODULE = "environments/dev/units/app", "modules/base"

    @pytest.mark.parametrize("place", [f"{ROOT}/main.tf", f"{MODULE}/base.tf"])
    def test_a_changed_file(self, stated, here, platform, place):
        (platform / place).write_text((platform / place).read_text() + "# more\n")
        what = f"{place}: this file changed since the bundle was made"
        assert found(stated, here) == [what]
        assert [text(one) for one in verifying.find_other_files(stated, here.resolved)] == [what]

    @pytest.mark.parametrize("place", [ROOT, MODULE])
    def test_a_new_file(self, stated, here, platform, place):
        (platform / place / "more.txt").write_text("")
        assert found(stated, here) == [f"{place}/more.txt: this file was added since the bundle was made"]

    def test_a_removed_file(self, stated, here, platform):
        (platform / self.ROOT / "values.auto.tfvars.json").unlink()
        assert found(stated, here) == [
            f"{self.ROOT}/values.auto.tfvars.json: this file was removed since the bundle was made"
        ]

    def test_line_ends_and_wired_values_do_not_count(self, stated, here, platform):
        path = platform / self.ROOT / "main.tf"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        (platform / self.ROOT / "wired.auto.tfvars.json").write_text("{}")
        assert found(stated, here) == []

    def test_another_wiring(self, stated, here):
        units = {**stated.units, "app": replace(stated.units["app"], wiring="other")}
        assert found(replace(stated, units=units), here) == ["the wiring of `app` changed"]

    def test_of_a_bundle_for_other_tools_files_are_not_compared(self, stated, here, platform):
        (platform / self.ROOT / "more.txt").write_text("")
        with pytest.raises(StaleError) as caught:
            verifying.require_valid(replace(stated, ngp="0.0"), here, is_bound=True)
        assert len(caught.value.findings) == 1

    def test_a_new_plan_is_bound_to_them_only_where_they_were_approved(self, stated, here, platform):
        (platform / self.ROOT / "more.txt").write_text("")
        verifying.require_valid(stated, here, is_bound=False)
        with pytest.raises(StaleError, match=r"more\.txt: this file was added"):
            verifying.require_valid(stated, here, is_bound=True)


class TestUnits:
    def test_a_unit_that_is_gone_is_named_and_its_files_are_not(self, stated, here):
        gone = {**stated.units, "old": stated.units["app"]}
        files = {**stated.files, "modules/old/old.tf": "digest"}
        assert found(replace(stated, units=gone, files=files), here) == ["the unit `old` was removed or renamed"]

    def without_app(self, stated, **more):
        units = {"base": stated.units["base"]}
        files = {name: digest for name, digest in stated.files.items() if "app" not in name}
        return replace(stated, units=units, files=files, **more)

    def test_a_unit_that_is_new_is_missing_in_a_bundle_of_all(self, stated, here):
        assert found(self.without_app(stated), here) == ["the unit `app` was added"]

    @pytest.mark.parametrize("more", [{"chosen": ("base",)}, {"verb": "destroy"}])
    def test_a_bundle_of_some_units_or_of_what_goes_away_lacks_no_unit(self, stated, here, more):
        assert found(self.without_app(stated, **more), here) == []


class TestStates:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (state(4), "changed from serial 3 to 4"),
            (state(3, "other"), "was replaced by another one: its lineage differs"),
            (state(3, check_results=None), "was written again with serial 3"),
            (state(0), "changed from serial 3 to 0"),
            ("", "is gone"),
        ],
    )
    def test_a_state_that_moved(self, stated, here, platform, text, says):
        put_state(platform, "base", text)
        assert found(stated, here) == [f"the state of `base` {says}"]
        verifying.require_valid(stated, here, is_bound=True)

    @pytest.mark.parametrize("serial", [0, 1])
    def test_a_state_that_exists_now(self, stated, here, platform, serial):
        put_state(platform, "app", state(serial))
        assert found(stated, here) == [f"the state of `app` exists now, with serial {serial}"]

    def test_a_state_at_another_place(self, stated, here):
        before = replace(stated.units["base"].state, place="elsewhere")
        units = {**stated.units, "base": replace(stated.units["base"], state=before)}
        (what,) = found(replace(stated, units=units), here)
        assert what == ("the state of `base` was at elsewhere, but is now expected at .ngp/state/dev/base.tfstate")

    def test_a_state_that_cannot_be_read(self, stated, here, platform):
        put_state(platform, "base", "[")
        (what,) = found(stated, here)
        assert what == "cannot read the state of `base`"

    def test_a_state_whose_outputs_are_used(self, stated, here, platform):
        outside = {"base": replace(stated.units["base"].state, serial=2)}
        units = {"app": stated.units["app"]}
        now = replace(stated, units=units, outside=outside, chosen=("app",))
        files = {name: digest for name, digest in stated.files.items() if "base" not in name}
        assert found(replace(now, files=files), here) == [
            "the state of `base` (whose outputs this plan uses) changed from serial 2 to 3"
        ]


class TestSecrets:
    KNOWN = SecretFact("ssm:/password", "1")

    @pytest.mark.parametrize(
        ("now", "says"),
        [
            ({"password": KNOWN}, []),
            (
                {"password": replace(KNOWN, version="2")},
                ["the secret ssm:/password for `password` of `app` has a new version"],
            ),
            ({"password": SecretFact("env:P", "1")}, ["the secret input `password` of `app` has another reference"]),
            ({}, ["the secret input `password` of `app` has another reference"]),
            ({"password": KNOWN, "token": KNOWN}, ["the secret input `token` of `app` has another reference"]),
        ],
    )
    def test_another_version_or_reference(self, stated, here, monkeypatch, now, says):
        before = replace(stated.units["app"], secrets={"password": self.KNOWN})
        given = iter([{}, now] if next(iter(all_units.collect(here.resolved))) == "base" else [now, {}])
        monkeypatch.setattr(facts, "secret_versions", lambda *_: next(given))
        assert found(replace(stated, units={**stated.units, "app": before}), here) == says
