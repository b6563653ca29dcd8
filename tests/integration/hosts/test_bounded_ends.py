"""A time limit and the first Ctrl-C end commands and copies, whatever a host does."""

import asyncio
import os
import threading
import time

import asyncssh
import pytest

from ngp.errors import UsageError
from ngp.hosts import copying, remote
from tests.doubles import odd_hosts


async def never():
    await asyncio.sleep(3600)


class _Silent(asyncssh.SFTPServer):
    """Answers neither a read nor what is asked to clean up."""

    async def read(self, *_):
        await never()

    async def write(self, *_):
        await never()

    async def close(self, *_):
        await never()

    async def remove(self, *_):
        await never()


class _Busy(odd_hosts.OpenServer):
    """Never says whether a command may begin."""

    def session_requested(self):
        return never()


@pytest.fixture(params=["limit", "stop"])
def ending(request, tmp_path):
    """Options by which all ends after half a second, and what is then said."""
    if request.param == "limit":
        return odd_hosts.options(tmp_path, timeout_s=0.5), "timed out after 0.5 s"
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    return odd_hosts.options(tmp_path, stop=stop), "interrupted"


@pytest.mark.parametrize("words", [["file", ":{}/there"], [":{}/file", "here"]])
def test_a_copy_ends_though_its_host_answers_nothing(ending, words, tmp_path, caplog):
    options, said = ending
    (tmp_path / "file").write_text("x")
    began = time.monotonic()
    with odd_hosts.serving(sftp=_Silent) as port:
        wanted = copying.parse([word.format(tmp_path) for word in words], tmp_path, 1)
        [result] = copying.copy_all([odd_hosts.host(port)], wanted, options, lambda _: None)
    assert result.problem == said
    assert time.monotonic() - began < 20
    assert not [*tmp_path.glob(".here.*")]
    assert not [one for one in caplog.records if "never retrieved" in one.message]  # a user would read it


def test_a_command_ends_though_it_never_began(ending):
    options, said = ending
    began = time.monotonic()
    with odd_hosts.serving(process=None, server=_Busy) as port:
        [result] = remote.run_all([odd_hosts.host(port)], "true", options, lambda _: None)
    assert (result.exit, result.problem) == (None, f"{said}; the remote command may still run")
    assert time.monotonic() - began < 20


def test_a_pipe_is_refused_before_a_copy_begins(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")
    with pytest.raises(UsageError, match="folder/pipe: this is neither a file nor a folder"):
        copying.parse(["folder", ":there"], tmp_path, 1)
    (tmp_path / "folder" / "pipe").unlink()
    (tmp_path / "folder" / "link").symlink_to("nowhere")
    assert copying.parse(["folder", ":there"], tmp_path, 1).is_up
