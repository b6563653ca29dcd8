from hypothesis import given
from hypothesis import strategies as st

from ngp.ci.matrix import LIMITS, MatrixSystem, document, group


def test_every_affected_environment_is_a_job():
    jobs = group({"dev": 2, "stage": 5, "idle": 0}, 256)
    assert [(job.name, job.environments, job.units) for job in jobs] == [
        ("dev", ("dev",), 2),
        ("stage", ("stage",), 5),
    ]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(0, 40)), st.integers(1, 9))
def test_each_environment_is_in_exactly_one_job(units, limit):
    jobs = group(units, limit)
    held = [name for job in jobs for name in job.environments]
    assert sorted(held) == sorted(name for name in units if units[name])
    assert len(jobs) <= limit
    assert all(job.units == sum(units[name] for name in job.environments) for job in jobs)


def test_ten_thousand_units_fit_and_the_jobs_are_even():
    units = {f"env-{number}": 25 for number in range(400)}
    for system, limit in LIMITS.items():
        jobs = group(units, limit)
        assert (
            len(document(jobs, system) if system is MatrixSystem.GITLAB else document(jobs, system)["include"]) == limit
        )
        assert max(job.units for job in jobs) - min(job.units for job in jobs) <= 25


def test_one_environment_of_ten_thousand_units_is_one_job():
    assert len(group({"dev": 10_000}, 256)) == 1


def test_what_the_systems_take():
    jobs = group({"dev": 2, "prod": 1, "stage": 3}, 2)
    assert document(jobs, MatrixSystem.GITHUB) == {
        "include": [
            {"name": "dev and 1 more", "environments": "dev prod", "units": 3},
            {"name": "stage", "environments": "stage", "units": 3},
        ]
    }
    assert document(jobs, MatrixSystem.GITLAB) == [{"NGP_ENVIRONMENTS": "dev prod"}, {"NGP_ENVIRONMENTS": "stage"}]
    assert document((), MatrixSystem.GITHUB) == {"include": []}
