"""What every test stands on: clean surroundings, a small platform, `ngp` as a caller sees it, a sandbox."""

import difflib
import gc
import os
import platform as machine
import signal
import sys
from functools import lru_cache
from pathlib import Path

import hypothesis
import pytest

from tests import harness
from tests.harness import ROOT, Ngp, check_published, lay_platform, stop_sandbox
from tests.prerequisites import IS_CI, TOFU, can_import, lacking, missing
from tests.selection import INTEGRATION, spread

TESTS = Path(__file__).parent


def _listen():
    """What is started in the background of a shell, or with nohup, ignores these, and so would every child."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


harness.clean()
_listen()
gc.disable()  # until the tests are collected: what is made then lives to the end
hypothesis.settings.register_profile("ngp", deadline=None, derandomize=IS_CI)  # two cores, many tests at once
hypothesis.settings.load_profile("ngp")


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew; look at the diff")
    parser.addoption("--kills", type=int, default=1, help="how often each test of tests/faults kills something")
    parser.addoption("--whole", action="store_true", help="also run what applies the whole catalogue")


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(config, items):
    """Mark what is in a folder of integration tests; leave out what is marked `whole`, unless it is asked for."""
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in INTEGRATION:
            item.add_marker("integration")
    if not config.getoption("--whole"):
        left = [item for item in items if item.get_closest_marker("whole")]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
    if hasattr(config, "workerinput"):  # a worker of several
        items[:] = spread(items)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Let no garbage collection look through what collecting has made: some 100,000 objects, none of them garbage."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000)  # the tests' own heap is large, and little of it is garbage
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail in CI what skips for want of a prerequisite, by a mark or by itself: the reason begins with MISSING."""
    report = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if IS_CI and "MISSING: " in reason:
        report.outcome, report.longrepr = "failed", f"missing in CI: {reason.partition('MISSING: ')[2]}"
    return report


def pytest_runtest_setup(item):
    if what := lacking(item):
        missing(what)


@pytest.fixture(autouse=True, scope="session")
def _home(tmp_path_factory):
    """HOME and every cache below it belong to this session."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[maintenance]\n\tauto = false\n")  # else each commit starts another Git for it
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(home)
    yield home
    if before is not None:
        os.environ["HOME"] = before


@pytest.fixture(autouse=True, scope="session")
def _equal_texts_are_parsed_once():
    """Many tests read the same modules, and python-hcl2 takes a second for 100 kB. Nothing edits a tree."""
    import hcl2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hcl2, "parses_to_tree", lru_cache(maxsize=2000)(hcl2.parses_to_tree))
        yield


@pytest.fixture(autouse=True)
def _surroundings_stay(request):
    """No test leaves the environment or the working directory changed."""
    before, folder = _environ(), Path.cwd()
    yield
    now, moved = _environ(), _has_moved(folder)
    os.chdir(folder)
    for name in now.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before if now != before else {})
    assert now == before, "the test changed the environment; use monkeypatch"
    assert not moved, "the test changed the working directory; use monkeypatch"


def _has_moved(folder):
    try:
        return Path.cwd() != folder
    except FileNotFoundError:  # the working directory is gone, as tmp_path is after a test that passed
        return True


def _environ():
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture
def as_published():
    """Holds a document against its published schema, and gives it back."""
    return check_published


@pytest.fixture
def platform(tmp_path):
    """A small platform for each test; its sandbox, if a run started one, ends with it."""
    yield lay_platform(tmp_path / "platform")
    stop_sandbox(tmp_path / "platform")


@pytest.fixture(scope="module")
def shared_platform(tmp_path_factory):
    """The small platform, rendered, for a whole file of tests that leave it as it is."""
    folder = lay_platform(tmp_path_factory.mktemp("shared") / "platform")
    done = Ngp(folder).run("render")
    assert done.exit_code == 0, done.stderr
    yield folder
    stop_sandbox(folder)


@pytest.fixture
def ngp(request, tmp_path) -> Ngp:
    """`ngp.run("plan", "dev") -> Outcome`, in the test's platform where it has one, else in an empty folder."""
    for name in ("platform", "shared_platform"):
        if name in request.fixturenames:
            return Ngp(request.getfixturevalue(name))
    return Ngp(tmp_path)


@pytest.fixture(scope="session")
def tofu() -> str:
    """The path of OpenTofu, for tests with the mark of that name."""
    return TOFU


@pytest.fixture(scope="session")
def ngp_in():
    """`ngp_in(folder)` runs `ngp` there, for tests that share a platform."""
    return Ngp


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    """One running sandbox a session (a worker): its `url`. It knows the account by the access key of the caller."""
    if not can_import("moto"):
        missing("the sandbox (pip install -e '.[sandbox]')")
    from ngp.sandbox import server

    workspace = tmp_path_factory.mktemp("sandbox") / ".ngp"
    yield server.start(workspace, dict(os.environ))
    assert server.stop(workspace), "a test ended the sandbox that all tests of this process share"


@pytest.fixture(scope="session")
def mirror_of_providers():
    """The folder of provider packages on this machine, found as ngp finds it; without one nothing works offline."""
    from ngp.terraform import lockfile, mirror

    lock = lockfile.load(ROOT / lockfile.NAME)
    system = f"{sys.platform}_{'arm64' if machine.machine() in ('arm64', 'aarch64') else 'amd64'}"
    places = mirror.Places(dict(os.environ), Path.home(), Path.home() / ".cache")
    found = mirror.find(lock, system, places)
    if found is None or found.folder is None:
        missing("a provider mirror on this machine")
    return found.folder


@pytest.fixture
def golden(request):
    """`golden("name.txt", text)` holds what people read against tests/golden/name.txt."""

    def check(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"there is no {path.name}: run with --update-golden and look at it"
        kept = path.read_text(encoding="utf-8")
        if text != kept:  # pytest cuts a long text off before the line that differs
            lines = difflib.unified_diff(kept.splitlines(), text.splitlines(), name, "now", lineterm="")
            pytest.fail("\n".join(lines), pytrace=False)

    return check
