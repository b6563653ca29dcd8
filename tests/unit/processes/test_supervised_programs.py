"""Programs whose output goes to files: followed while they run, and found again when ngp was killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
from pathlib import Path

import pytest

from ngp import processes, supervised
from ngp.supervised import SupervisedCall

ENV = {"PATH": os.environ["PATH"]}
COPIED = {"PYTHONHOME": sys.base_prefix, "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR") or ""}
ROOT = Path(supervised.__file__).parents[1]


def request(script, tmp_path, **more):
    return processes.ProcessRequest(
        (sys.executable, "-c", textwrap.dedent(script)), tmp_path, more.pop("env", ENV), **more
    )


def run(script, tmp_path, *, call=None, **more):
    callbacks = {name: more.pop(name) for name in ("on_stdout", "on_stderr", "stop") if name in more}
    return supervised.run(request(script, tmp_path, **more), call or SupervisedCall(tmp_path / "calls"), **callbacks)


def wait_for(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def pid_in(path):
    return int(wait_for(lambda: path.exists() and path.read_text().strip()))


@pytest.fixture
def program(tmp_path):
    """`program(name, script)` makes a program whose executable has this name, as Terraform's has: a copy of Python."""

    def make(name, script):
        folder = tmp_path / f"bin-{name}"
        folder.mkdir()
        (folder / name).write_bytes(Path(sys.executable).resolve().read_bytes())
        (folder / name).chmod(0o755)
        (folder / "script.py").write_text(textwrap.dedent(script))
        return (str(folder / name), str(folder / "script.py"))

    return make


def killed_owner(tmp_path, argv, call="", wait=lambda: True):
    """Let an ngp of its own run a program, and kill it once `wait` is true; return the folder of its calls."""
    calls = tmp_path / "calls"
    script = f"""
        from pathlib import Path
        from ngp import processes, supervised
        request = processes.ProcessRequest({argv!r}, Path({str(tmp_path)!r}), {ENV | COPIED!r})
        supervised.run(request, supervised.SupervisedCall(Path({str(calls)!r}), "apply swarm"{call}))
    """
    owner = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], env=ENV | {"PYTHONPATH": str(ROOT)})
    try:
        wait_for(wait)
    finally:
        owner.kill()
        owner.wait()
    return calls


def test_outcome_has_both_streams_and_the_exit_code(tmp_path):
    outcome = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (3, "out\n", "err\n")


def test_a_program_that_died_of_a_signal_says_which(tmp_path):
    assert run("import os; os.kill(os.getpid(), 9)", tmp_path).exit_code == -signal.SIGKILL


def test_lines_come_whole_while_the_program_runs(tmp_path):
    seen = []
    script = r"""
        import sys, time
        sys.stdout.write('fir'); sys.stdout.flush(); time.sleep(0.3)
        sys.stdout.write('st\nsec'); sys.stdout.flush(); time.sleep(0.5)
        sys.stdout.buffer.write(b'ond \xc3'); sys.stdout.flush(); time.sleep(0.1)
        sys.stdout.buffer.write(b'\xa4\r\nlast'); sys.stdout.flush()
    """
    run(script, tmp_path, on_stdout=lambda line: seen.append((line, time.monotonic())))
    assert [line for line, _ in seen] == ["first", "second ä", "last"]
    assert seen[1][1] - seen[0][1] > 0.3


def test_a_line_of_a_million_characters_and_many_lines_come_whole(tmp_path):
    seen, errors = [], []
    script = "import sys; print('x' * 3_000_000); [print(n, file=sys.stderr) for n in range(20_000)]"
    run(script, tmp_path, on_stdout=lambda line: seen.append(len(line)), on_stderr=errors.append)
    assert seen == [3_000_000]
    assert errors == [str(number) for number in range(20_000)]


def test_standard_input_is_fed_and_else_empty(tmp_path):
    script = "import sys; text = sys.stdin.read(); print(len(text))"
    assert run(script, tmp_path, stdin="é" * 300_000).stdout == "300000\n"
    assert run(script, tmp_path).stdout == "0\n"


def test_output_is_private_while_the_program_runs_and_gone_afterwards(tmp_path):
    script = """
        import os, stat, sys
        folder = os.path.dirname(os.readlink('/proc/self/fd/1'))
        print(oct(stat.S_IMODE(os.stat(folder).st_mode)), *(oct(stat.S_IMODE(os.fstat(n).st_mode)) for n in (1, 2)))
    """
    os.umask(os.umask(0))
    assert run(script, tmp_path).stdout == "0o700 0o600 0o600\n"
    assert list((tmp_path / "calls").iterdir()) == []
    assert stat.S_IMODE((tmp_path / "calls").stat().st_mode) == 0o700


def test_reserved_room_is_not_taken_for_output(tmp_path):
    call = SupervisedCall(tmp_path / "calls", reserve=1 << 16)
    seen = []
    assert run("print('a')", tmp_path, call=call).stdout == "a\n"
    run("print('b' * 100_000); print('c')", tmp_path, call=call, on_stdout=lambda line: seen.append(len(line)))
    assert seen == [100_000, 1]


def test_a_program_that_is_not_ready_for_an_interrupt_gets_it_later(tmp_path):
    """In the background of a shell it ignores SIGINT until it asks for it: one that came before would be lost."""
    stop = threading.Event()
    script = """
        import signal, sys, time
        print("up", flush=True)
        time.sleep(0.5)
        signal.signal(signal.SIGINT, lambda *_: sys.exit(1))
        time.sleep(60)
    """
    outcome = run(script, tmp_path, stop=stop, on_stdout=lambda _: stop.set(), grace_s=5)
    assert (outcome.exit_code, outcome.stopped) == (1, True)


def test_a_callback_that_raises_is_raised_after_the_program_has_ended(tmp_path):
    def fail(line):
        raise ValueError(line)

    with pytest.raises(ValueError, match="x"):
        run("print('x', flush=True); print('y'); open('done', 'w').close()", tmp_path, on_stdout=fail)
    assert (tmp_path / "done").exists()


def test_a_missing_program_is_told(tmp_path):
    for name in ("no-such-program", "/no/such/program"):
        with pytest.raises(FileNotFoundError) as raised:
            supervised.run(processes.ProcessRequest((name,), tmp_path, ENV), SupervisedCall(tmp_path / "calls"))
        assert raised.value.filename == name


def test_time_limit_ends_the_program(tmp_path):
    outcome = run("import time; time.sleep(60)", tmp_path, timeout_s=0.3, grace_s=1)
    assert outcome.timed_out
    assert outcome.duration_s < 20


def test_a_stop_is_one_interrupt(tmp_path):
    script = """
        import signal, sys, time
        count = 0
        def interrupted(*_):
            global count
            count += 1
        signal.signal(signal.SIGINT, interrupted)
        print('ready', flush=True)
        while not count:
            time.sleep(0.01)
        time.sleep(1)
        print('interrupts', count)
        sys.exit(7)
    """
    stop, seen = threading.Event(), []
    outcome = run(script, tmp_path, on_stdout=lambda line: (seen.append(line), stop.set()), stop=stop)
    assert (outcome.stopped, outcome.exit_code) == (True, 7)
    assert seen == ["ready", "interrupts 1"]


def test_what_ignores_the_interrupt_is_killed_after_the_grace(tmp_path):
    script = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    stop = threading.Event()
    outcome = run(script, tmp_path, grace_s=0.3, on_stdout=lambda _: stop.set(), stop=stop)
    assert outcome.exit_code == -signal.SIGKILL
    assert outcome.duration_s < 20


CAREFUL = """
    import os, signal, sys, time
    def end(number, _):
        print('told', signal.Signals(number).name, flush=True)
        time.sleep(1.0)
        open('state', 'w').write('written')
        print('last words', flush=True)
        sys.exit(0)
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end)
    open('pid', 'w').write(str(os.getpid()))
    for number in range(20):
        print('line', number, flush=True)
        time.sleep(0.1)
    open('state', 'w').write('written by itself')
"""


def test_a_killed_ngp_costs_what_changes_something_nothing(tmp_path, program):
    calls = killed_owner(tmp_path, program("terraform", CAREFUL), ", tied=False", (tmp_path / "pid").exists)
    (found,) = supervised.find(calls)
    assert (found.about, found.at_work, found.tied, found.exit_code) == ("apply swarm", True, False, None)
    assert found.pids == (pid_in(tmp_path / "pid"),)
    wait_for(lambda: not supervised.is_at_work(calls))
    (found,) = supervised.find(calls)
    assert (tmp_path / "state").read_text() == "written by itself"
    assert (found.at_work, found.exit_code) == (False, 0)
    assert found.output().splitlines()[-1] == "line 19"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_what_only_reads_is_told_to_end_and_ends_in_order(tmp_path, program):
    calls = killed_owner(tmp_path, program("terraform", CAREFUL), "", (tmp_path / "pid").exists)
    wait_for(lambda: not supervised.is_at_work(calls))
    (found,) = supervised.find(calls)
    assert (tmp_path / "state").read_text() == "written"
    assert "told SIGTERM" in found.output()
    assert (found.exit_code, found.output().splitlines()[-1]) == (0, "last words")


PARENT = """
    import subprocess, sys, time
    child = subprocess.Popen([{provider!r}, '-c', 'import time; time.sleep(60)'])
    open('provider', 'w').write(str(child.pid))
    open('pid', 'w').write(str(__import__('os').getpid()))
    time.sleep(60)
"""


@pytest.mark.parametrize("also_ngp", [False, True])
def test_providers_end_with_their_killed_terraform(tmp_path, program, also_ngp):
    provider, _ = program("terraform-provider-aws_v5", "")
    argv = program("terraform", PARENT.format(provider=provider))
    env = ENV | COPIED
    if also_ngp:
        killed_owner(tmp_path, argv, ", tied=False", (tmp_path / "pid").exists)
        os.kill(pid_in(tmp_path / "pid"), signal.SIGKILL)
    else:
        threading.Thread(target=lambda: os.kill(pid_in(tmp_path / "pid"), signal.SIGKILL), daemon=True).start()
        outcome = supervised.run(
            processes.ProcessRequest(argv, tmp_path, env), SupervisedCall(tmp_path / "calls", tied=False)
        )
        assert outcome.exit_code == -signal.SIGKILL
    wait_for(lambda: not processes.is_alive(pid_in(tmp_path / "provider")))
    wait_for(lambda: not supervised.is_at_work(tmp_path / "calls"))
    assert not also_ngp or supervised.find(tmp_path / "calls")[0].exit_code == 128 + signal.SIGKILL


WRAPPER = """
    import signal, subprocess, sys
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(subprocess.Popen([{real!r}, {script!r}, 'apply']).wait())
"""


def shim(program, real, script):
    """A binary whose name is Terraform's too, and which starts the real one with the arguments that it got."""
    wrapper, _ = program("terraform-shim", "")
    wrapping = textwrap.dedent(WRAPPER.format(real=real, script=script))
    careful = Path(script).read_text()
    choice = "import os\nif os.path.basename(os.readlink('/proc/self/exe')) == 'terraform-shim':\n"
    Path(script).write_text(choice + textwrap.indent(wrapping, "    ") + careful)
    return wrapper


@pytest.mark.parametrize("kind", ["python", "shell", "same name", "dies"])
def test_a_stop_reaches_terraform_and_never_the_script_that_wraps_it(tmp_path, program, kind):
    """Version managers and CI put one in Terraform's place, which dies of SIGINT while Terraform writes its state."""
    real, script = program("terraform", CAREFUL)
    env = ENV | COPIED
    argv = {
        "python": lambda: (sys.executable, "-c", textwrap.dedent(WRAPPER.format(real=real, script=script))),
        "shell": lambda: ("/bin/sh", "-c", f"{real} {script} apply; exit $?"),
        "same name": lambda: (shim(program, real, script), script, "apply"),
        "dies": lambda: ("/bin/sh", "-c", f"{real} {script} apply & sleep 0.5; kill -INT $$; kill -KILL $$"),
    }[kind]()
    stop = threading.Event()
    seen = []
    threading.Thread(target=lambda: (pid_in(tmp_path / "pid"), time.sleep(0.9), stop.set()), daemon=True).start()
    outcome = supervised.run(
        processes.ProcessRequest(argv, tmp_path, env, grace_s=30),
        SupervisedCall(tmp_path / "calls"),
        on_stdout=seen.append,
        stop=stop,
    )
    assert outcome.stopped
    assert (tmp_path / "state").read_text() == "written"
    assert [line for line in seen if line.startswith("told")] == ["told SIGINT"]
    assert seen[-1] == "last words"
    assert outcome.exit_code == (-signal.SIGKILL if kind == "dies" else 0)


def test_a_wrapper_is_left_alone_also_while_its_terraform_ignores_the_interrupt(tmp_path, program):
    """A short call ends well before it hears: its wrapper still has to hand its result on."""
    script = """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("up", flush=True)
        time.sleep(0.6)
    """
    wrapper = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGINT, lambda *_: sys.exit(99))
        subprocess.run({argv!r}, check=True)
        time.sleep(0.6)
    """
    code = textwrap.dedent(wrapper.format(argv=list(program("terraform", script))))
    stop = threading.Event()
    outcome = supervised.run(
        processes.ProcessRequest((sys.executable, "-c", code), tmp_path, ENV | COPIED, grace_s=30),
        SupervisedCall(tmp_path / "calls"),
        on_stdout=lambda _: stop.set(),
        stop=stop,
    )
    assert (outcome.exit_code, outcome.stopped) == (0, True)


def test_hurry_interrupts_again_and_kills_what_has_not_ended_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(supervised, "HURRY_S", 1.0)
    script = """
        import signal, time
        signal.signal(signal.SIGINT, lambda *_: print('interrupt', flush=True))
        print('ready', flush=True)
        for _ in range(600):
            time.sleep(0.1)
    """
    seen, stop = [], threading.Event()

    def take(line):
        seen.append(line)
        if line == "ready":
            stop.set()
        elif len(seen) == 2:
            assert supervised.hurry()

    outcome = run(script, tmp_path, on_stdout=take, stop=stop, grace_s=60)
    assert seen == ["ready", "interrupt", "interrupt"]
    assert outcome.exit_code == -signal.SIGKILL
    assert not supervised.hurry()


def test_a_folder_of_a_call_tells_what_it_is(tmp_path):
    seen = []
    call = SupervisedCall(tmp_path / "calls", "plan base")
    run(
        "print('x', flush=True); import time; time.sleep(0.5)",
        tmp_path,
        call=call,
        on_stdout=lambda _: seen.extend(supervised.find(tmp_path / "calls")),
    )
    (found,) = seen
    assert (found.about, found.at_work, found.tied) == ("plan base", True, True)
    assert supervised.find(tmp_path / "calls") == []
