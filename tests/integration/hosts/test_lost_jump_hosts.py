"""A jump host that drops a connection is tried again, and one that dies is replaced and named."""

import asyncio
import contextlib
import socket
import threading

from ngp.hosts import remote
from tests.doubles import odd_hosts


@contextlib.contextmanager
def front(port, drops):
    """A port before another one; it drops the first connections, as MaxStartups of sshd does."""
    server, left = socket.create_server(("127.0.0.1", 0)), [drops]

    def pump(source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                ours, _ = server.accept()
                if left[0]:
                    left[0] -= 1
                    ours.close()
                    continue
                onward = socket.create_connection(("127.0.0.1", port))
                for pair in ((ours, onward), (onward, ours)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def options_behind(folder, port):
    """Options by which all hosts are behind the jump host at a port; one host after the other."""
    (folder / ".ssh").mkdir()
    (folder / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {odd_hosts.PUBLIC}\n")
    config = f"Match host 127.0.0.1 user anna\n  ProxyJump jump@127.0.0.1:{port}\n"
    return odd_hosts.options(folder, config=config, parallelism=1)


def test_a_jump_host_that_drops_the_first_connection_is_tried_again(tmp_path):
    with odd_hosts.serving() as target, odd_hosts.serving() as jump, front(jump, 1) as port:
        hosts = [odd_hosts.host(target, f"host-{number}") for number in range(3)]
        results = remote.run_all(hosts, "true", options_behind(tmp_path, port), lambda _: None)
    assert [(one.exit, one.problem) for one in results] == [(0, "")] * 3


def test_a_jump_host_that_drops_every_connection_is_named(tmp_path):
    with odd_hosts.serving() as target, front(target, -1) as port:
        [result] = remote.run_all([odd_hosts.host(target)], "true", options_behind(tmp_path, port), lambda _: None)
    assert result.problem.startswith(f"cannot connect through the jump host jump@127.0.0.1:{port}: ")


def test_a_jump_host_that_dies_midway_is_connected_to_again(tmp_path):
    jumps, ran = [], []

    class Jump(odd_hosts.OpenServer):
        def connection_made(self, connection):
            jumps.append(connection)

    async def process(process):
        ran.append(process)
        process.exit(0)
        if len(ran) == 2:
            await asyncio.sleep(0.3)
            jumps[0]._loop.call_soon_threadsafe(jumps[0].abort)

    with odd_hosts.serving(process) as target, odd_hosts.serving(server=Jump) as port:
        hosts = [odd_hosts.host(target, f"host-{number}") for number in range(5)]

        def emit(event):
            if isinstance(event, remote.HostResult) and len(ran) == 2:
                threading.Event().wait(1)  # until the jump host is gone

        results = remote.run_all(hosts, "true", options_behind(tmp_path, port), emit)
    assert [(one.exit, one.problem) for one in results] == [(0, "")] * 5
    assert len(jumps) == 2
