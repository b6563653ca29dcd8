"""`sandboxes.choose`: which environment's region and account the sandbox stands for."""

import pytest

from ngp.environments import platforms, sandboxes
from ngp.errors import UsageError

TEXT = 'target: {}\naccount: "{}"\nregion: {}\ndomain: example.com\nunits: {{}}\n'


@pytest.fixture
def write(platform):
    for path in (platform / "environments").glob("*/environment.yaml"):
        path.unlink()

    def write(name, target="sandbox", account="123456789012", region="eu-west-1"):
        folder = platform / "environments" / name
        folder.mkdir(exist_ok=True)
        (folder / "environment.yaml").write_text(TEXT.format(target, account, region))
        return platforms.load(platform)

    return write


def test_those_of_the_sandbox_stand_for_each_other(write):
    write("prod", target="aws", account="111122223333", region="us-east-1")
    write("one")
    home = write("two")
    assert sandboxes.choose(home, "").name in ("one", "two")
    assert sandboxes.choose(home, "prod").region == "us-east-1"


def test_nobody_chooses_between_two_regions(write):
    write("one")
    with pytest.raises(UsageError, match="one, two differ in account or region"):
        sandboxes.choose(write("two", region="us-east-1"), "")


def test_without_any_a_name_is_needed(write):
    with pytest.raises(UsageError, match="no environment has `target: sandbox`"):
        sandboxes.choose(write("prod", target="aws"), "")
