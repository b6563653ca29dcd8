"""Whatever one host does, the others have their results."""

import asyncssh
import pytest

from ngp.hosts import copying, remote
from tests.doubles import odd_hosts


def test_a_key_that_its_console_cut_off_costs_no_other_host_its_result(tmp_path):
    """A line of the kernel may break the line of a key."""
    cut = odd_hosts.PUBLIC[:40]
    with odd_hosts.serving() as port:
        good, bad = odd_hosts.host(port), odd_hosts.host(port, "bad", host_keys=())
        options = odd_hosts.options(tmp_path, witness=lambda host: host.host_keys or (cut,))
        results = remote.run_all([good, bad], "true", options, lambda _: None)
        assert [(one.exit, one.problem) for one in results] == [(0, ""), (None, "its host key is not known")]
        kept = options.login.trust.file("qa")
        assert " bad" not in kept.read_text()
        kept.write_text(f"{kept.read_text()}[127.0.0.1]:{port} {cut} bad\n")  # kept by an older ngp: asked again
        options = odd_hosts.options(tmp_path, witness=lambda _: (odd_hosts.PUBLIC,))
        [result] = remote.run_all([bad], "true", options, lambda _: None)
    assert (result.exit, result.problem) == (0, "")


class _Liar(asyncssh.SFTPServer):
    """Lists a file that no disk can hold."""

    def stat(self, path):
        return asyncssh.SFTPAttrs(type=2, permissions=0o40755, size=3)

    lstat = stat

    async def scandir(self, path):
        yield asyncssh.SFTPName(b"a\0b", attrs=asyncssh.SFTPAttrs(type=1, permissions=0o100644, size=3))


def test_a_name_that_no_file_can_have_costs_no_other_host_its_copy(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").write_text("x")
    with odd_hosts.serving(sftp=True) as good, odd_hosts.serving(sftp=_Liar) as bad:
        hosts = [odd_hosts.host(good, "good"), odd_hosts.host(bad, "bad")]
        wanted = copying.parse([f":{tmp_path}/source", "down"], tmp_path, 2)
        first, second = copying.copy_all(hosts, wanted, odd_hosts.options(tmp_path), lambda _: None)
    assert (first.problem, (tmp_path / "down/good/source/file").read_text()) == ("", "x")
    assert second.problem == r"it lists an invalid file name: 'a\x00b'"


def test_an_error_that_nobody_expects_is_the_result_of_its_host(tmp_path):
    async def work(host, connection):
        if host.name == "bad":
            raise ValueError("odd")
        return ""

    with odd_hosts.serving() as port:
        hosts = [odd_hosts.host(port, "bad"), odd_hosts.host(port, "good")]
        results = remote.work_all(hosts, work, odd_hosts.options(tmp_path), lambda _: None)
    assert [(one.exit, one.problem) for one in results] == [(None, "ValueError: odd"), (0, "")]


def test_what_the_listener_raises_is_raised_at_the_end(tmp_path):
    def emit(_):
        raise UnicodeError("no such character")

    with odd_hosts.serving() as port, pytest.raises(UnicodeError, match="no such character"):
        remote.run_all([odd_hosts.host(port)], "true", odd_hosts.options(tmp_path), emit)
