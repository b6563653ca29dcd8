"""A run's way to the proxy: when it is gone again, when it is left, and what is said of it."""

import json
from pathlib import Path

import pytest

from ngp.proxy import session
from ngp.proxy.packages import ProviderPackage
from ngp.proxy.session import Attached, Detached, ProxyError
from ngp.terraform import serving
from ngp.terraform.lockfile import Locked
from ngp.terraform.serving import ServablePackages, Serving

ROOT = Path("/root-of-a-unit")
FOUND = ServablePackages((ProviderPackage("registry.terraform.io/hashicorp/aws", Path("/packages/aws"), ()),))


class Door:
    """Takes the place of the proxy's process; says of each Terraform process what it was told to say."""

    def __init__(self, *judgements):
        self.judgements, self.asked, self.said, self.broken = list(judgements), [], [], ""

    def attach(self, root, texts, *, is_apply, whole_schema, calls):
        if self.broken:
            raise ProxyError(self.broken)
        self.asked.append((is_apply, whole_schema))
        return Attached(len(self.asked), {session.VARIABLE: "{}"})

    def detach(self, attached, said):
        self.said.append(said)
        return self.judgements.pop(0) if self.judgements else Detached()


def run(door, answers, verb="plan", notes=None, environ=None):
    calls = []

    def go(attempt):
        calls.append((dict(attempt.environ), attempt.is_last))
        return answers.pop(0)

    way = Serving(door, FOUND, environ or {"GOGC": "100"}, (notes if notes is not None else []).append)
    return way, way.run(ROOT, ROOT / ".terraform", verb, go), calls


def test_success_is_run_once_with_a_schema_that_is_cut():
    door = Door()
    _, served, calls = run(door, [""])
    assert (served, calls, door.asked) == (True, [({session.VARIABLE: "{}"}, False)], [(False, False)])


def test_an_init_is_told_what_it_need_not_install_and_asks_nobody():
    door = Door()
    _, served, calls = run(door, [""], "init")
    assert (served, door.asked) == (True, [])
    assert list(json.loads(calls[0][0][session.VARIABLE])) == ["registry.terraform.io/hashicorp/aws"]


def test_a_served_terraform_collects_its_garbage_more_rarely_unless_the_shell_says_how_often():
    assert run(Door(), [""], environ={"PATH": ""})[2][0][0]["GOGC"] == "400"
    assert "GOGC" not in run(Door(), [""], environ={"GOGC": "50"})[2][0][0]


def test_a_whole_schema_needs_memory_so_its_garbage_is_collected_as_usual():
    _, _, calls = run(Door(Detached(lacks=True)), ["no schema", ""], environ={"PATH": ""})
    assert ["GOGC" in environ for environ, _ in calls] == [True, False]


def test_a_failure_for_want_of_a_schema_is_run_again_with_the_whole_one_and_the_root_is_remembered():
    door = Door(Detached(lacks=True))
    way, served, calls = run(door, ["no schema", ""])
    assert (served, len(calls), door.asked) == (True, 2, [(False, False), (False, True)])
    assert way.run(ROOT, ROOT / ".terraform", "apply", lambda _: "")
    assert door.asked[-1] == (True, True)


def test_a_failure_of_terraforms_own_is_not_run_again():
    _, served, calls = run(Door(Detached()), ["an error"])
    assert (served, len(calls)) == (True, 1)
    _, served, calls = run(Door(Detached(lacks=True), Detached(lacks=True)), ["an error", "the same"])
    assert (served, len(calls)) == (True, 2)


def test_an_apply_is_never_run_again():
    detached = Detached(lacks=True, failures=("the provider did not start",))
    _, served, calls = run(Door(detached), ["an error"], "apply")
    assert (served, [is_last for _, is_last in calls]) == (True, [True])


def test_a_test_is_run_again_for_a_schema_alone():
    door = Door(Detached(lacks=True))
    _, served, calls = run(door, ["no schema", ""], "test")
    assert (served, len(calls), door.asked) == (True, 2, [(True, False), (True, True)])
    _, served, calls = run(Door(Detached(failures=("the provider did not start",))), ["an error"], "test")
    assert (served, len(calls)) == (True, 1)


@pytest.mark.parametrize("verb", ["apply", "test"])
def test_what_makes_things_and_fails_with_the_proxy_is_told_why_and_of_no_other_way(verb):
    notes, door = [], Door(*(Detached(failures=("it has ended",)) for _ in range(2)), Detached(failures=("other",)))
    way, _, _ = run(door, ["an error"], verb, notes)
    for _ in range(2):
        assert way.run(ROOT, ROOT / ".terraform", verb, lambda _: "an error")
    assert notes == ["the provider proxy: it has ended", "the provider proxy: other"]


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_crash_is_told_and_not_run_again(verb):
    notes = []
    _, served, calls = run(Door(Detached(crashes=("panic: boom", "panic: boom"))), ["an error"], verb, notes)
    assert (served, len(calls), notes) == (True, 1, ["panic: boom"])


def test_a_failure_of_the_proxy_is_told_in_one_line_and_leads_to_the_plain_way():
    notes = []
    way, served, calls = run(Door(Detached(failures=("no handshake",))), ["an error"], notes=notes)
    assert (served, len(calls)) == (False, 1)
    way._session.broken = "it has ended"
    assert not way.run(ROOT, ROOT / ".terraform", "plan", lambda _: "")
    assert notes == ["without the provider proxy: no handshake"]


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, ""),
        ({"NGP_PROVIDER_PROXY": "1", "TF_LOG": ""}, ""),
        ({"NGP_PROVIDER_PROXY": "0"}, "NGP_PROVIDER_PROXY is 0"),
        ({"NGP_PROVIDER_PROXY": "False"}, "NGP_PROVIDER_PROXY is False"),
        ({"TF_LOG_PROVIDER": "trace"}, "TF_LOG_PROVIDER is set, and a provider behind the proxy would not log"),
    ],
)
def test_surroundings_that_do_not_want_the_proxy(environ, reason):
    assert session.why_disabled(environ) == reason


def test_reasons_for_the_plain_way_that_lie_in_the_packages(tmp_path):
    locked = Locked("registry.terraform.io/hashicorp/aws", "1.0.0", "", ("h1:x", "zh:y"))
    package = tmp_path / locked.address / "1.0.0" / "linux_amd64"
    assert "own configuration" in serving.find_packages((locked,), "linux_amd64", None).reason
    assert serving.find_packages((), "linux_amd64", None).reason == ""
    assert "no unpacked package" in serving.find_packages((locked,), "linux_amd64", tmp_path).reason
    package.mkdir(parents=True)
    bare = Locked(locked.address, "1.0.0", "", ("zh:y",))
    assert "no hash" in serving.find_packages((bare,), "linux_amd64", tmp_path).reason
    (found,) = serving.find_packages((locked,), "linux_amd64", tmp_path).packages
    assert (found.address, found.folder, found.hashes) == (locked.address, package, ("h1:x",))


def test_a_run_without_the_proxy_says_why_and_one_without_providers_says_nothing(tmp_path):
    notes = []
    with serving.open_serving(serving.ServablePackages(reason="packed"), {}, {}, tmp_path, notes.append) as way:
        assert way is None
    with serving.open_serving(serving.ServablePackages(), {}, {}, tmp_path, notes.append) as way:
        assert way is None
    assert notes == ["without the provider proxy: packed"]


def test_texts_are_those_of_the_root_its_modules_and_its_state(tmp_path):
    root, module, fetched = (
        tmp_path / "root",
        tmp_path / "modules" / "a",
        tmp_path / "root" / "data" / "modules" / "far" / "deep",
    )
    for folder in (root, module, fetched):
        folder.mkdir(parents=True)
    (root / "main.tf").write_text('module "a" {\n  source = "../modules/a"\n}\n')
    wanted = [
        root / "main.tf",
        module / "a.tf",
        root / "values.auto.tfvars.json",
        root / "terraform.tfstate",
        fetched / "b.tf",
    ]
    for path in wanted[1:]:
        path.touch()
    (root / "README.md").touch()
    assert set(serving.collect_texts(root, root / "data")) == set(wanted)


def test_the_types_of_a_test_are_named_in_the_tests_their_mocks_and_the_modules_below_the_root(tmp_path):
    wanted = [tmp_path / name for name in ("a.tf", "tests/a.tftest.hcl", "tests/aws.tfmock.hcl", "tests/made/b.tf")]
    for path in [*wanted, tmp_path / "README.md", tmp_path / ".terraform" / "modules" / "c.tf"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert set(serving.collect_test_texts(tmp_path)) == set(wanted)
