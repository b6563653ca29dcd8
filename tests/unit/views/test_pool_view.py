"""What `ngp pool start` and `ngp pool status` say of a pool."""

from types import SimpleNamespace

from ngp.views import pool


def test_the_limits_of_a_pool_are_a_time_and_a_size(capsys):
    record = SimpleNamespace(pid=7, started="2026-11-30T13:29:11+00:00", is_ours=True)
    pool.show(record, {"idle_s": 1800, "memory_bytes": 2048 << 20, "proxies": []})
    text = (
        "process 7, since 2026-11-30T13:29:11+00:00; stops providers after 30 minutes without use; memory limit 2048 MB"
    )
    assert capsys.readouterr().out == f"{text}\n"
