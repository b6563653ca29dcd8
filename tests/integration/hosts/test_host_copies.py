"""Copies to and from real machines: whole, with their modes, compared; and what is left when they fail."""

import os
import subprocess
from dataclasses import replace

import pytest

from ngp.errors import UsageError
from ngp.hosts import copying, downloading, staging, uploading
from ngp.hosts.remote import HostCopied, HostResult, HostStarted
from tests.integration.hosts.sshds import free_port, key, sshd
from tests.integration.terminals import at_terminal
from tests.prerequisites import missing


def copy(farm, tmp_path, words, count=1, **more):
    wanted = copying.parse(words, tmp_path, count)
    hosts = farm.hosts(count)
    return copying.copy_all(hosts, wanted, farm.options(tmp_path, **more), lambda _: None)


def test_a_folder_goes_up_with_its_modes_and_comes_down_from_several_into_a_folder_each(farm, tmp_path):
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a b'c").write_bytes(os.urandom(300_000))
    (source / "run").write_text("#!/bin/sh\n")
    (source / "run").chmod(0o750)
    there = tmp_path / "there"
    there.mkdir()
    [result] = copy(farm, tmp_path, ["source", f":{there}/"])
    assert result.is_good, result.problem
    assert (there / "source/inner/a b'c").read_bytes() == (source / "inner/a b'c").read_bytes()
    assert (there / "source/run").stat().st_mode & 0o777 == 0o750
    results = copy(farm, tmp_path, [f":{there}/source", "down"], count=2)
    assert [one.problem for one in results] == ["", ""]
    for name in ("node-1", "node-2"):
        assert (tmp_path / "down" / name / "source/inner/a b'c").read_bytes() == (source / "inner/a b'c").read_bytes()
        assert (tmp_path / "down" / name / "source/run").stat().st_mode & 0o777 == 0o750
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]  # no temporary name is left


def test_nobody_else_can_read_a_file_before_it_has_its_mode(farm, tmp_path):
    """What is closed at its source is never open on its way."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "secret").write_bytes(b"x" * 300_000)
    (tmp_path / "source" / "secret").chmod(0o600)
    for words in (["source", f":{tmp_path}/there"], [f":{tmp_path}/source", "here"]):
        target, modes = tmp_path / words[1].rpartition("/")[2], set()
        wanted = copying.parse(words, tmp_path, 1)

        def look(_, target=target, modes=modes):
            modes |= {path.stat().st_mode & 0o7777 for path in target.rglob("*")}

        [result] = copying.copy_all([farm.host(1)], wanted, farm.options(tmp_path), look)
        assert (result.problem, modes) == ("", {0o600})
        assert [(path.name, path.stat().st_mode & 0o777) for path in target.iterdir()] == [("secret", 0o600)]


def test_a_download_takes_no_rights_of_another_user_and_keeps_to_the_umask(farm, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for path, mode in ((source / "run", 0o6777), (source, 0o3777)):
        path.write_text("x") if path != source else None
        path.chmod(mode)
    before = os.umask(0o027)
    try:
        [result] = copy(farm, tmp_path, [f":{source}", "here"])
    finally:
        os.umask(before)
    assert result.problem == ""
    assert [oct((tmp_path / name).stat().st_mode & 0o7777) for name in ("here", "here/run")] == ["0o750", "0o750"]


def test_a_folder_that_is_there_keeps_its_mode(farm, tmp_path):
    """Files for /etc must not open /etc."""
    source, there = tmp_path / "etc", tmp_path / "there" / "etc"
    source.mkdir()
    there.mkdir(parents=True)
    (source / "conf").write_text("x")
    source.chmod(0o775)
    there.chmod(0o700)
    for words in (["etc", f":{tmp_path}/there/"], [f":{source}", "there/"]):
        [result] = copy(farm, tmp_path, words)
        assert (result.problem, (there / "conf").read_text()) == ("", "x")
        assert there.stat().st_mode & 0o777 == 0o700
        (there / "conf").unlink()


def test_a_folder_that_lets_nobody_write_can_be_copied(farm, person, tmp_path):
    host, home = person
    (tmp_path / "source" / "inner").mkdir(parents=True)
    (tmp_path / "source" / "inner" / "file").write_text("x")
    for path in (tmp_path / "source" / "inner", tmp_path / "source"):
        path.chmod(0o555)
    wanted = copying.parse(["source", f":{home}/closed"], tmp_path, 1)
    [result] = copying.copy_all([host], wanted, farm.options(tmp_path), lambda _: None)
    assert (result.problem, (home / "closed/inner/file").read_text()) == ("", "x")
    assert [oct((home / "closed" / name).stat().st_mode & 0o777) for name in ("", "inner")] == ["0o555", "0o555"]


def test_files_of_hosts_with_one_name_do_not_overwrite_each_other(farm, tmp_path):
    """Machines of a scaling group share their tag `Name`."""
    names = {1: "web", 2: "web", 3: "a b", 4: "a-b"}
    hosts = [replace(farm.host(number, name=name), id=f"i-{number}") for number, name in names.items()]
    (tmp_path / "source").write_text("x")
    wanted = copying.parse([f":{tmp_path}/source", "down"], tmp_path, len(hosts))
    results = copying.copy_all(hosts, wanted, farm.options(tmp_path), lambda _: None)
    assert [one.problem for one in results] == [""] * 4
    found = sorted(str(path.relative_to(tmp_path / "down")) for path in (tmp_path / "down").rglob("source"))
    assert found == ["a-b-i-3/source", "a-b-i-4/source", "web-i-1/source", "web-i-2/source"]


def test_a_pattern_and_the_home_folder_mean_what_they_mean_to_scp(farm, tmp_path, person):
    host, home = person
    there = home / "there"
    there.mkdir(mode=0o777)
    for name in ("a.log", "b.log", "c.txt", "d[1].log"):
        (there / name).write_text(name)
    for source, expected in ((f":{there}/*.log", 3), (f":{there}/d[1].log", 1), (f":{there}/[ab].log", 2)):
        target = tmp_path / f"down-{expected}/"
        wanted = copying.parse([source, f"{target}/"], tmp_path, 1)
        [result] = copying.copy_all([host], wanted, farm.options(tmp_path), lambda _: None)
        assert (result.problem, len(list(target.iterdir()))) == ("", expected)
    wanted = copying.parse([f":{there}/*.zip", "none"], tmp_path, 1)
    [result] = copying.copy_all([host], wanted, farm.options(tmp_path), lambda _: None)
    assert result.problem == f"{there}/*.zip on the host: no matches found"
    (tmp_path / "new").write_text("new")
    for word, path in ((":~/inner", "inner"), (":~", "."), (":~/", "."), (":~anna/x", "~anna/x"), (":", ".")):
        assert copying.parse(["new", word], tmp_path, 1).target == path


def test_a_machine_without_sftp_costs_no_other_its_copy(farm, tmp_path):
    """Some have no `Subsystem sftp`, or let nobody have a session."""
    lacking = farm.host(250, port=free_port())
    (tmp_path / "new").write_text("new")
    wanted = copying.parse(["new", f":{tmp_path}/there"], tmp_path, 2)
    authorized, more = farm.folder / "authorized", ["MaxSessions 0"]
    with sshd(tmp_path, [lacking.address], lacking.port, farm.folder / "host", authorized, more=more):
        hosts = [lacking, farm.host(1)]
        results = copying.copy_all(hosts, wanted, farm.options(tmp_path), lambda _: None)
    assert results[0].problem.startswith("its sshd offers no SFTP: ")
    assert (results[1].problem, (tmp_path / "there").read_text()) == ("", "new")


def test_a_file_is_renamed_into_place(farm, tmp_path):
    (tmp_path / "new").write_text("new")
    target = tmp_path / "there"
    target.write_text("old")
    before = target.stat().st_ino
    [result] = copy(farm, tmp_path, ["new", f":{target}"])
    assert (result.problem, target.read_text()) == ("", "new")
    assert target.stat().st_ino != before


def test_what_is_not_there_is_told_and_leaves_nothing(farm, tmp_path):
    [result] = copy(farm, tmp_path, [f":{tmp_path}/nothing", "down"])
    assert "no such file" in result.problem
    assert not (tmp_path / "down").exists()
    (tmp_path / "new").write_text("new")
    [result] = copy(farm, tmp_path, ["new", f":{tmp_path}/no/such/folder"])
    assert "no such file" in result.problem


def test_a_checksum_that_differs_leaves_the_old_file(farm, tmp_path, monkeypatch):
    (tmp_path / "new").write_text("new")
    target = tmp_path / "there"
    target.write_text("old")
    put = uploading._put

    async def torn(sftp, path, final, counter):
        staged = await put(sftp, path, final, counter)
        async with sftp.open(staged.temporary, "ab") as file:
            await file.write(b"!")
        return staged

    monkeypatch.setattr(uploading, "_put", torn)
    [result] = copy(farm, tmp_path, ["new", f":{target}"])
    assert "checksum of the copy differs" in result.problem
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["new", "there"]


def test_what_is_not_whole_leaves_no_folder(farm, tmp_path, monkeypatch):
    async def broken(*_, **__):
        raise staging.CopyError("broken")

    monkeypatch.setattr(uploading, "differing", broken)
    monkeypatch.setattr(downloading, "differing", broken)
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "folder" / "inner" / "new").write_text("new")
    for words in (["folder", f":{tmp_path}/made"], [f":{tmp_path}/folder", "made"]):
        [result] = copy(farm, tmp_path, words)
        assert (result.problem, (tmp_path / "made").exists()) == ("broken", False)


def test_a_log_that_grows_is_copied_as_far_as_it_was_read(farm, tmp_path, monkeypatch):
    """What is compared is what was copied, not what has come since."""
    log, compare = tmp_path / "app.log", staging.differing
    log.write_bytes(b"line\n" * 1000)

    async def grown(connection, files, **more):
        with log.open("a") as file:
            file.write("more\n")
        return await compare(connection, files, **more)

    monkeypatch.setattr(downloading, "differing", grown)
    [result] = copy(farm, tmp_path, [f":{log}", "down"])
    assert (result.problem, (tmp_path / "down").read_bytes()) == ("", b"line\n" * 1000)


def test_a_file_that_changed_meanwhile_is_named_and_the_others_are_kept(farm, tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    for name in ("bad.log", "good.log"):
        (tmp_path / "logs" / name).write_text("old")
    compare = staging.differing

    async def changed(connection, files, **more):
        (tmp_path / "logs" / "bad.log").write_text("new")
        return await compare(connection, files, **more)

    monkeypatch.setattr(downloading, "differing", changed)
    [result] = copy(farm, tmp_path, [f":{tmp_path}/logs/*.log", "down/"])
    bad = f"{tmp_path}/logs/bad.log on the host: the checksum of the copy differs"
    assert (result.exit, result.problem) == (1, f"not copied: {bad}")
    assert [path.name for path in (tmp_path / "down").iterdir()] == ["good.log"]


def test_of_two_files_with_one_name_none_replaces_the_other(farm, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(name)
    for sources in ([f":{tmp_path}/a/x", f":{tmp_path}/b/x"], [f":{tmp_path}/[ab]/x"]):
        [result] = copy(farm, tmp_path, [*sources, "down/"])
        assert result.problem == f"{tmp_path}/a/x and {tmp_path}/b/x have the same name; copy them to two folders"
        assert not (tmp_path / "down").exists()
    with pytest.raises(UsageError, match="b/x: two sources have the same name"):
        copying.parse(["a/x", "b/x", ":there"], tmp_path, 1)


def test_links_that_lead_nowhere_or_round_are_named_and_the_rest_is_copied(farm, tmp_path):
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "file").write_text("x")
    (tree / "inner" / "loop").symlink_to("..")
    (tree / "nowhere").symlink_to("nothing")
    (tree / "other").symlink_to("inner")  # leads to no folder that it is in
    for words, side in ((["tree", f":{tmp_path}/up"], "here"), ([f":{tree}", "down"], "on the host")):
        [result] = copy(farm, tmp_path, words)
        loops = [
            f"{tree}/{name}/loop {side}: this link points to a folder that contains it" for name in ("inner", "other")
        ]
        assert result.problem.startswith("not copied: ")
        assert set(result.problem.removeprefix("not copied: ").split("; ")) == {
            *loops, f"{tree}/nowhere {side}: the target of this link does not exist",
        }  # fmt: skip
        target = tmp_path / words[1].rpartition("/")[2]
        found = sorted(str(path.relative_to(target)) for path in target.rglob("*"))
        assert found == ["inner", "inner/file", "other", "other/file"]


def test_a_problem_names_the_path_and_its_side(farm, person, tmp_path):
    host, home = person
    (home / "shut").write_text("x")
    (home / "shut").chmod(0o000)
    (tmp_path / "new").write_text("x")
    for words, said in (
        (["new", ":/etc/ngp-test"], "/etc/ngp-test on the host: permission denied"),
        ([f":{home}/shut", "down"], f"{home}/shut on the host: permission denied"),
        ([f":{home}/none", "down"], f"{home}/none on the host: no such file"),
        ([f":{home}/passwd", "new/inner"], f"{tmp_path}/new/inner here: file exists"),
    ):
        if words[0] == f":{home}/passwd":
            (home / "passwd").touch()
        wanted = copying.parse(words, tmp_path, 1)
        [result] = copying.copy_all([host], wanted, farm.options(tmp_path), lambda _: None)
        assert result.problem == said


def test_the_bytes_of_each_host_are_told_up_and_down(farm, tmp_path):
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "big").write_bytes(b"x" * 300_000)
    (source / "small").write_bytes(b"y" * 7)
    (source / "empty").touch()
    (source / "link").symlink_to("small")
    for words in (["source", f":{tmp_path}/there"], [f":{tmp_path}/there", "down"]):
        events = []
        hosts = farm.hosts(2)[:1] if words[0] == "source" else farm.hosts(2)
        wanted = copying.parse(words, tmp_path, len(hosts))
        results = copying.copy_all(hosts, wanted, farm.options(tmp_path), events.append)
        assert [one.problem for one in results] == [""] * len(hosts)
        for host in hosts:
            first, *copied, last = [event for event in events if event.host == host]
            assert (type(first), type(last)) == (HostStarted, HostResult)
            assert {type(event) for event in copied} == {HostCopied}
            assert {event.total for event in copied} == {300_014}
            counts = [event.done for event in copied]
            assert (counts, counts[-1], len(counts) > 3) == (sorted(counts), 300_014, True)


def test_a_full_disk_is_told(farm, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk]).returncode:
        missing("a small disk: it takes root, and the right to mount")
    try:
        (tmp_path / "big").write_bytes(b"x" * 1_000_000)
        [result] = copy(farm, tmp_path, ["big", f":{disk}/big"])
        assert result.problem == "its disk is full"
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("words", [["a"], [":a", ":b"], ["ngp", "other"], ["no-such-file", ":x"]])
def test_lines_that_make_no_sense_are_refused(words, tmp_path):
    (tmp_path / "ngp").touch()
    with pytest.raises(UsageError):
        copying.parse(words, tmp_path, 1)


def test_a_terminal_is_shown_how_far_it_is(farm, platform, tmp_path):
    row = f"{{environment: qa, address: 127.0.7.1, port: {farm.port}, host_keys: ['{farm.host_key}']}}"
    (platform / "hosts.yaml").write_text(f"hosts:\n  alone: {row}\n")
    with (tmp_path / "big").open("wb") as file:
        file.truncate(80_000_000)
    argv = ("host", "copy", "qa", str(tmp_path / "big"), f":{tmp_path}/there")
    code, shown = at_terminal(platform, *argv, env={"NGP_SSH_CONFIG": str(farm.config), "TERM": "xterm"})
    assert (code, "alone  " in shown, " of 80.0 MB, " in shown) == (0, True, True), shown
    assert "0 of 1 host done" in shown


def test_the_command_copies_and_refuses_a_changed_key(farm, platform, ngp, tmp_path):
    text = f"{{{{environment: qa, address: 127.0.7.{{}}, port: {farm.port}, host_keys: ['{{}}']}}}}"
    rows = {"sound": (1, farm.host_key), "changed": (2, key(tmp_path / "other"))}
    (platform / "hosts.yaml").write_text("hosts:\n" + "".join(f"  {n}: {text.format(*r)}\n" for n, r in rows.items()))
    argv = ("host", "copy", "qa", "ngp.yaml", f":{tmp_path}/copied", "--json")
    done = ngp.run(*argv, env={"NGP_SSH_CONFIG": str(farm.config)})
    assert done.exit_code == 1
    assert {one["name"]: one["exit"] for one in done.document["hosts"]} == {"changed": None, "sound": 0}
    assert (tmp_path / "copied").read_text() == (platform / "ngp.yaml").read_text()
