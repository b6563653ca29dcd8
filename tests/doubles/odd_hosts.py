"""Hosts that do what no OpenSSH does: asyncssh's server in a thread, with a process and an SFTP server of a test."""

import asyncio
import contextlib
import subprocess
import threading

import asyncssh

from ngp.hosts.host import Host
from ngp.hosts.logins import Login
from ngp.hosts.remote import Options
from ngp.hosts.trust import Trust

KEY = asyncssh.generate_private_key("ssh-ed25519")
PUBLIC = KEY.export_public_key().decode().strip()


class OpenServer(asyncssh.SSHServer):
    """Lets everybody in, and onward."""

    def begin_auth(self, username):
        return False

    def connection_requested(self, *_):
        return True


async def shell(process):
    """Do a command as a shell here does, as the machine of a host would."""
    done = await asyncio.to_thread(subprocess.run, ["sh", "-c", process.command], capture_output=True)
    process.stdout.write(done.stdout)
    process.stderr.write(done.stderr)
    process.exit(done.returncode)


@contextlib.contextmanager
def serving(process=shell, sftp=None, server=OpenServer):
    """Give the port on 127.0.0.1 of a host."""
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []

    async def listen():
        more = {"process_factory": process, "sftp_factory": sftp, "encoding": None}
        found.append(await asyncssh.listen("127.0.0.1", 0, server_host_keys=[KEY], server_factory=server, **more))
        ready.set()

    def serve():
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0].sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


def host(port, name="odd", **more):
    said = {"private_address": "127.0.0.1", "port": port, "user": "anna", "host_keys": (PUBLIC,), "source": "file"}
    return Host(name, name, "qa", **{**said, **more})


def options(folder, *, witness=lambda host: host.host_keys, config="", **more):
    (folder / "ssh_config").write_text(f"IdentityFile none\nIdentityAgent none\n{config}")
    login = Login(Trust(folder / "trust", folder, witness), config=folder / "ssh_config")
    return Options(**{"login": login, **more})
