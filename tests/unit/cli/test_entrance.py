"""The entrance: what is loaded for which line, and what an unknown line is answered."""

import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest

import ngp as package
from ngp.cli import loading, table
from ngp.commands import options
from ngp.daemons import client
from ngp.errors import (
    Finding,
    LockHeldError,
    MissingError,
    NgpError,
    RefusedError,
    StaleError,
    StoppedError,
    UsageError,
)

HEAVY = {"boto3", "botocore", "hcl2", "lark", "jinja2", "pydantic", "rich", "questionary", "ruamel", "moto"}


@pytest.fixture
def command(monkeypatch):
    """Put a command called `try` into the table: `command(function)`."""

    def put(function, **attributes):
        module = ModuleType("ngp.commands.attempt")
        function.__name__ = "attempt"
        module.attempt = function
        for name, value in attributes.items():
            setattr(module, name, value)
        monkeypatch.setitem(sys.modules, "ngp.commands.attempt", module)
        entry = table.Entry("attempt", "Tests", "Try something.")
        monkeypatch.setattr(table, "entries", lambda: {"attempt": entry})

    return put


_PROBE = """
import sys
sys.argv = ["ngp", *{argv!r}]
from ngp.__main__ import answer
try:
    answer()
except SystemExit:
    pass
print("LOADED", *sys.modules)
"""


def _loaded(*argv):
    code = _PROBE.format(argv=argv)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout, {name.partition(".")[0] for name in done.stdout.rpartition("LOADED")[2].split()}


def test_version_is_told_without_loading_the_command_line():
    stdout, loaded = _loaded("--version")
    assert stdout.startswith(f"ngp {package.__version__}\n")
    assert loaded & {*HEAVY, "typer"} == set()


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_stream_that_is_closed_from_the_start_is_no_fault(closed):
    line = f'"{sys.executable}" -m ngp --version {closed}'
    assert subprocess.run(["sh", "-c", line], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.parametrize("argv", [("--help",), ("pln",), ("--no-color", "--version")])
def test_help_and_typing_errors_load_nothing_heavy(argv):
    assert _loaded(*argv)[1] & HEAVY == set()


def test_help_lists_the_commands_by_heading(ngp):
    done = ngp.call("--help")
    assert done.exit_code == 0
    for entry in table.entries().values():
        assert f"\n{entry.heading}:\n" in done.stdout
        assert entry.help.split(".")[0][:30] in done.stdout


def test_nothing_at_all_is_answered_with_help_on_stderr(ngp):
    done = ngp.call()
    assert done.exit_code == 64
    assert "Usage: ngp" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("argv", "todo"),
    [
        (["attemt"], "did you mean `attempt`?"),
        (["attempt", "--colr", "x"], "did you mean `--color`?"),
        (["attempt", "-colr=x"], "did you mean `-color`?"),
        (["attempt", "--quite-other"], "see `ngp attempt --help`"),
        (["--no-colour", "attempt"], "did you mean `--no-color`?"),
        (["attempt", "-n", "many"], "see `ngp attempt --help`"),
        (["attempt", "surplus"], "see `ngp attempt --help`"),
        (["attempt", "--color"], "see `ngp attempt --help`"),
    ],
)
def test_a_wrong_word_ends_with_64_and_the_nearest_right_one(ngp, command, argv, todo):
    def attempt(
        color: options.Annotated[str, options.typer.Option("--color", "-color")] = "",
        number: options.Annotated[int, options.typer.Option("-n", "--number")] = 0,
    ) -> None:
        pass

    command(attempt)
    done = ngp.call(*argv)
    assert done.exit_code == 64
    assert todo in done.stderr
    assert done.stdout == ""


ERRORS = [
    (UsageError, 64, "usage"),
    (MissingError, 69, "missing_prerequisite"),
    (NgpError, 1, "failed"),
    (RefusedError, 3, "refused"),
    (StaleError, 4, "stale"),
    (LockHeldError, 5, "lock_held"),
]


@pytest.mark.parametrize(("error", "exit_code", "code"), ERRORS)
def test_every_error_has_its_exit_code_words_and_document(ngp, command, error, exit_code, code):
    def attempt(as_json: options.AsJson = False) -> None:
        raise error("it broke", where="a.tf:3", why="it was old", todo="mend it")

    command(attempt)
    words = ngp.call("attempt")
    assert (words.exit_code, words.stdout) == (exit_code, "")
    assert words.stderr == "error: it broke\n  where: a.tf:3\n  why:   it was old\n  fix:   mend it\n"
    told = ngp.call("attempt", "--json")
    place = {"file": "a.tf", "line": 3, "column": None, "address": None}
    finding = {"what": "it broke", **place, "why": "it was old", "hint": "mend it"}
    assert json.loads(told.stdout) == {
        "schema": "ngp.error/1",
        "error": {"code": code, "exit_code": exit_code, "findings": [finding]},
    }
    assert told.stderr == words.stderr


def test_json_lines_get_the_failure_as_one_line(ngp, command):
    def attempt(as_lines: options.AsJsonLines = False) -> None:
        raise UsageError("it broke")

    command(attempt)
    for done in (ngp.call("attempt", "--jsonl"), ngp.call("attempt", env={"NGP_JSONL": "1"})):
        assert json.loads(done.stdout)["error"]["code"] == "usage"
        assert done.stdout.count("\n") == 1


def test_a_failure_of_many_findings_is_whole_where_all_are_asked_for(ngp, command):
    def attempt(show_all: options.ShowAll = False) -> None:
        raise UsageError([Finding(f"no value for `u{at}.size`") for at in range(100)])

    command(attempt)
    assert "… and 60 more findings" in ngp.call("attempt").stderr
    for done in (ngp.call("attempt", "--all"), ngp.call("attempt", env={"NGP_ALL": "1"})):
        assert len(done.stderr.splitlines()) == 100


def test_a_line_that_cannot_be_parsed_still_gives_a_document(ngp):
    done = ngp.call("plam", "--json")
    assert json.loads(done.stdout)["error"]["exit_code"] == done.exit_code == 64


def test_a_termination_is_told_with_its_own_code(ngp, command):
    def attempt(as_json: options.AsJson = False) -> None:
        raise StoppedError(signal_number=15)

    command(attempt)
    done = ngp.call("attempt", "--json")
    assert json.loads(done.stdout)["error"]["exit_code"] == done.exit_code == 143


def test_a_bug_is_one_line_and_a_report(ngp, command, platform):
    def attempt(as_json: options.AsJson = False) -> None:
        raise KeyError("surprise")

    command(attempt)
    done = ngp.call("attempt")
    assert done.exit_code == 70
    assert "Traceback" not in done.stderr
    report = next((platform / ".ngp" / "reports").iterdir())
    assert f"where: {report}" in done.stderr
    assert "Traceback" in report.read_text()
    assert report.stat().st_mode & 0o777 == 0o600
    assert json.loads(ngp.call("attempt", "--json").stdout)["error"]["code"] == "bug"


def test_a_bug_outside_a_platform_is_kept_in_the_cache(ngp, command, tmp_path):
    def attempt() -> None:
        raise KeyError("surprise")

    command(attempt)
    done = ngp.call("attempt", env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert list((tmp_path / "cache" / "ngp" / "reports").iterdir())
    assert done.exit_code == 70


def test_what_the_machine_refuses_is_no_bug(ngp, command):
    def attempt() -> None:
        raise OSError(28, "No space left on device", "/somewhere/a.tf")

    command(attempt)
    done = ngp.call("attempt")
    assert done.exit_code == 1
    assert done.stderr == (
        "error: no space left on device\n  where: /somewhere/a.tf\n  fix:   fix it, then run the command again\n"
    )


def test_debug_shows_the_traceback(ngp, command):
    def attempt() -> None:
        raise KeyError("surprise")

    command(attempt)
    assert "Traceback" in ngp.call("--debug", "attempt").stderr


def test_chdir_is_where_the_command_works(ngp, command, tmp_path):
    seen = []
    command(lambda: seen.append(options.context().cwd))
    (tmp_path / "there").mkdir()
    assert ngp.call("-C", "there", "attempt").exit_code == 0
    assert ngp.call("attempt", env={"NGP_CHDIR": "there"}).exit_code == 0
    assert seen == [tmp_path / "there"] * 2
    assert ngp.call("-C", "elsewhere", "attempt").exit_code == 64


def test_no_color_reaches_whatever_the_command_shows(ngp, command):
    seen = []
    command(lambda: seen.append(options.context().settings.environ.get("NO_COLOR")))
    ngp.call("--no-color", "attempt")
    ngp.call("attempt")
    assert seen == ["1", None]


def test_a_command_may_return_its_exit_code(ngp, command):
    command(lambda: 2)
    assert ngp.call("attempt").exit_code == 2


def test_words_behind_two_dashes_reach_a_command_that_hands_them_on(ngp, command):
    seen = []
    command(lambda: seen.append(options.context().terraform_args), PASSES_THROUGH=True)
    assert ngp.call("attempt", "--", "-compact-warnings", "--", "x").exit_code == 0
    assert seen == [("-compact-warnings", "--", "x")]


def test_words_behind_two_dashes_are_refused_by_any_other(ngp, command):
    command(lambda: None)
    done = ngp.call("attempt", "--", "-compact-warnings")
    assert done.exit_code == 64
    assert "passes nothing to Terraform" in done.stderr


def test_a_flag_has_the_variable_of_its_name(ngp, command):
    seen = []

    def attempt(
        detailed_exitcode: options.DetailedExitCode = False,
        target: options.Targets = None,
        parallelism: options.Parallelism = 4,
        refresh: options.Refresh = options.Switch.ON,
    ) -> None:
        seen.append((detailed_exitcode, target, parallelism, bool(refresh)))

    command(attempt)
    env = {"NGP_DETAILED_EXITCODE": "Yes", "NGP_TARGET": 'a["x y"]\nb\n', "NGP_PARALLELISM": "7", "NGP_REFRESH": "no"}
    assert ngp.call("attempt", env=env).exit_code == 0
    assert ngp.call("attempt", "-j2", "-target=c", "-refresh=true", "-detailed-exitcode", env=env).exit_code == 0
    assert seen == [(True, ['a["x y"]', "b"], 7, False), (True, ["c"], 2, True)]


@pytest.mark.parametrize("word", ["on", "t", "2", "nah"])
def test_a_boolean_variable_that_is_neither_is_64(ngp, command, word):
    def attempt(
        detailed_exitcode: options.DetailedExitCode = False, refresh: options.Refresh = options.Switch.ON
    ) -> None:
        pass

    command(attempt)
    assert ngp.call("attempt", env={"NGP_DETAILED_EXITCODE": word}).exit_code == 64
    assert ngp.call("attempt", env={"NGP_REFRESH": word}).exit_code == 64


def test_consent_and_disclosure_have_no_variable(ngp, command):
    seen = []

    def attempt(auto_approve: options.AutoApprove = False, reveal: options.Reveal = False) -> None:
        seen.append((auto_approve, reveal))

    command(attempt)
    ngp.call("attempt", env={"NGP_AUTO_APPROVE": "1", "NGP_REVEAL": "1"})
    ngp.call("attempt", "-auto-approve", "--reveal")
    assert seen == [(False, False), (True, True)]


def _tree():
    for name in table.entries():
        todo = [(name, loading.load(name))]
        while todo:
            path, one = todo.pop()
            todo += [(f"{path} {below}", command) for below, command in getattr(one, "commands", {}).items()]
            yield path, one


TREE = dict(_tree())


@pytest.mark.parametrize("path", TREE)
def test_every_option_of_every_command_has_its_variable_or_is_consent(path):
    for option in loading.options(TREE[path]):
        flag = next(flag for flag in option.opts if flag.startswith("--"))
        consent = flag in ("--auto-approve", "--emergency", "--reveal") or flag.startswith("--accept-")
        assert option.envvar == (None if consent else "NGP_" + flag[2:].replace("-", "_").upper())
        assert option.help, f"{flag} says nothing"


@pytest.mark.parametrize("name", table.entries())
def test_table_and_docstrings_agree(name):
    assert TREE[name].get_short_help_str(200) == table.entries()[name].help


def test_fork_server_runs_commands_of_the_table():
    assert set(table.entries()) >= client.SERVED


def test_every_module_that_holds_a_command_is_in_the_table():
    here = Path(options.__file__).parent
    modules = {path.stem: import_module(f"ngp.commands.{path.stem}") for path in here.glob("[!_]*.py")}
    commands = {name for name, module in modules.items() if hasattr(module, "app") or hasattr(module, name)}
    assert commands == set(table.entries())


def test_a_variable_means_the_same_to_every_command():
    """Who exports NGP_TARGET for one command must not change another: one flag, one kind of value."""
    kinds = {}
    for path, command in TREE.items():
        hints = get_type_hints(inspect.unwrap(command.callback)) if command.callback else {}
        for option in loading.options(command):
            kind = (option.metavar, option.multiple, str(hints.get(option.name)))
            if option.envvar and option.envvar != "NGP_FORMAT":  # one meaning; which forms there are differs
                kinds.setdefault(option.envvar, {}).setdefault(kind, []).append(path)
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


@pytest.mark.parametrize("argv", [("render", "ü…"), ("render", "ü…", "--json"), ("module", "list")])
def test_a_stream_that_cannot_show_a_character_is_no_reason_to_fail(ngp, platform, argv):
    manifest = next(platform.glob("modules/*/module.yaml"))
    manifest.write_text(manifest.read_text().replace("summary: ", "summary: ü… "))
    outcome = ngp.run(*argv, env={"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"})
    assert outcome.exit_code == (0 if argv[0] == "module" else 64), outcome.stderr
    if "--json" in argv:
        assert outcome.document["schema"] == "ngp.error/1"
