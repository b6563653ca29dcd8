"""`ngp env new` and `ngp configure` on a real terminal."""

import os
import pty
import select
import subprocess
import sys
import time

DOWN, ENTER = "\x1b[B", "\r"


def _talk(folder, argv, steps):
    """Run ngp on a terminal; at each text that appears type the keys beside it. Exit code and all that was shown."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": "120", "LINES": "40"}
    command = [sys.executable, "-m", "ngp", *argv]
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said, waiting, seen, end = "", [*steps], 0, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                said += os.read(ours, 65536).decode(errors="replace")
            except OSError:
                break
        if waiting and waiting[0][0] in said[seen:]:
            seen = len(said)
            time.sleep(0.3)  # it is drawn before it listens
            os.write(ours, waiting.pop(0)[1].encode())
    os.close(ours)
    assert not waiting, f"never asked: {waiting}\n{said}"
    return process.wait(timeout=30), said


def test_a_new_environment_asks_where_it_lives(house):
    steps = [
        ("Where does the environment live?", DOWN + ENTER),
        ("region:", "eu-west-1" + ENTER),
        ("domain:", "lab.example.com" + ENTER),
    ]
    code, _ = _talk(house.path, ["env", "new", "lab"], steps)
    assert code == 0
    text = house.read("environment.yaml", "lab")
    assert "target: sandbox\n" in text
    assert 'account: "123456789012"' in text


def test_a_flag_spares_the_question(house):
    steps = [("region:", "eu-west-1" + ENTER), ("domain:", "lab.example.com" + ENTER)]
    code, said = _talk(house.path, ["env", "new", "lab", "--sandbox"], steps)
    assert code == 0
    assert "Where does" not in said


def test_facts_of_another_environment_say_where_they_are_from(house):
    steps = [
        ("Where does the environment live?", ENTER),  # dev's own: the sandbox
        ("region (from `dev`):", ENTER),
        ("domain (from `dev`):", ENTER),
    ]
    code, _ = _talk(house.path, ["env", "new", "lab", "--from", "dev"], steps)
    assert code == 0
    assert "region: eu-central-1" in house.read("environment.yaml", "lab")


def test_configure_goes_back_to_the_modules(house):
    house.environment(values="")
    steps = [
        ("Modules of dev", ENTER),
        ("pre_tag:", "\x1b[Z"),
        ("Modules of dev", ENTER),
        ("pre_tag:", ENTER),
        ("post_tag:", ENTER),
        ("openvpn.admin_cidrs:", ENTER),
    ]
    code, said = _talk(house.path, ["configure", "dev"], steps)
    assert code == 0
    assert "(a dummy)" in said
    assert 'pre_tag = "demo"' in house.read("terraform.tfvars")


def _tagged(house):
    house.environment(values='pre_tag = "demo"\npost_tag = "one"\nopenvpn = {\n  admin_cidrs = []\n}\n')
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"], ["tag", "v1.0.0"]):
        subprocess.run(["git", *who, *words], cwd=house.path, check=True)
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=house.path, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_configure_asks_for_a_version_where_there_are_some(house):
    commit = _tagged(house)
    version = "Version of the modules, such as v1.0.0 (empty: the working tree)"
    steps = [(version, "v2" + ENTER), ("Git has no commit `v2`", "\x7f1.0.0" + ENTER), ("Modules of dev", ENTER)]
    code, said = _talk(house.path, ["configure", "dev"], steps)
    assert code == 0, said
    assert f"catalogue: {commit}\n" in house.read("environment.yaml")
    code, said = _talk(house.path, ["configure", "dev"], [(version, ENTER), ("Modules of dev", ENTER)])
    assert (code, "nothing to change" in said) == (0, True)
    code, said = _talk(house.path, ["configure", "dev"], [(version, "\x15" + ENTER), ("Modules of dev", ENTER)])
    assert code == 0
    assert "catalogue:" not in house.read("environment.yaml")


def test_a_named_version_is_not_asked_for(house):
    _tagged(house)
    code, said = _talk(house.path, ["configure", "dev", "--catalogue", ""], [("Modules of dev", ENTER)])
    assert (code, "Version of" in said) == (0, False)
