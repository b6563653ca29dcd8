"""A pool from its start to its end: found by everybody, left by nobody's death, gone without a trace."""

import json
import os
import shutil
import signal
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ngp import processes
from ngp.daemons import record
from ngp.errors import NgpError, UsageError
from ngp.pool import home


def test_it_is_started_once_found_and_stopped(pool):
    with ThreadPoolExecutor(3) as threads:
        found = {one.record for one in threads.map(lambda _: pool.start(), range(3))}
    (made,) = found
    assert pool.status().state["proxies"] == []
    assert pool.stop() == 0
    assert pool.ended([made.pid])
    assert (pool.status(), pool.stop(), record.read(home(pool.workspace))) == (None, None, None)


def test_only_this_user_can_reach_it(pool):
    made = pool.start().record
    modes = [stat.S_IMODE(path.lstat().st_mode) for path in (Path(made.folder), made.socket)]
    assert [mode & 0o077 for mode in modes] == [0, 0]
    assert stat.S_IMODE((home(pool.workspace) / "record.json").stat().st_mode) == 0o600


def test_its_process_has_no_credentials_in_its_environment(pool):
    pool.environ |= {"AWS_SECRET_ACCESS_KEY": "hunter2", "TF_TOKEN_x": "hunter2"}
    made = pool.start().record
    assert b"hunter2" not in Path(f"/proc/{made.pid}/environ").read_bytes()


def test_other_limits_are_refused_while_one_runs(pool):
    pool.start(idle_s=60)
    with pytest.raises(UsageError, match="other limits"):
        pool.start(idle_s=120)


def test_it_ends_when_nobody_came_for_so_long(pool):
    made = pool.start(idle_s=0.5).record
    assert pool.ended([made.pid])
    assert pool.status() is None


def test_it_ends_when_its_platform_is_deleted(pool):
    made = pool.start().record
    shutil.rmtree(pool.workspace)
    assert pool.ended([made.pid])


def test_a_killed_one_is_cleared_away_by_the_next(pool):
    old = pool.start().record
    os.kill(old.pid, signal.SIGKILL)
    assert pool.ended([old.pid])
    assert pool.status() is None
    new = pool.start().record
    assert new.pid != old.pid
    assert not Path(old.folder).exists()


def test_one_that_is_alive_but_silent_is_left_alone_and_told(pool, fake):
    made = pool.start().record
    with fake.session(pool.client()) as session:
        served = fake.configure(session)
        os.kill(made.pid, signal.SIGSTOP)
        try:
            for order in (pool.status, pool.start, pool.stop):
                with pytest.raises(NgpError, match=f"{made.pid}: the pool does not answer"):
                    order()
        finally:
            os.kill(made.pid, signal.SIGCONT)
        assert fake.configure(session) == served
    assert pool.start().record == made


def test_a_pool_of_another_ngp_is_not_used_and_says_so(pool):
    made = pool.start().record
    path = home(pool.workspace) / "record.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "built": "0.0.1 other"}))
    assert pool.client() is None
    assert "another version of ngp" in pool.notes[0]
    os.kill(made.pid, signal.SIGTERM)
    assert pool.ended([made.pid])
    path.unlink(missing_ok=True)


def test_a_second_signal_ends_it_though_it_serves(pool, fake):
    made = pool.start().record
    with fake.session(pool.client()) as session:
        served = fake.configure(session)
        os.kill(made.pid, signal.SIGTERM)
        time.sleep(0.3)
        assert processes.is_alive(made.pid)
        os.kill(made.pid, signal.SIGTERM)
        assert pool.ended([made.pid, *served])


def test_a_killed_one_leaves_no_provider(pool, fake):
    made = pool.start().record
    with fake.session(pool.client()) as session:
        served = fake.configure(session)
        os.kill(made.pid, signal.SIGKILL)
        assert pool.ended([made.pid, *served])
    pool.start()  # what its sockets lay in is cleared away
