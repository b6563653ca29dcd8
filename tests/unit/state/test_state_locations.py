import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ngp.state import locations
from ngp.workspace import Workspace


def derive(unit, **options):
    return locations.derive("Shop", "123456789012", "eu-central-1", "dev", unit, **options)


def test_bucket_is_named_for_platform_account_and_region():
    assert derive("network").bucket == "shop-tfstate-123456789012-eu-central-1"


def test_key_is_named_for_environment_and_unit():
    place = derive("network")
    assert (place.kind, place.key, place.region) == ("s3", "environments/dev/network.tfstate", "eu-central-1")
    assert str(place) == "s3://shop-tfstate-123456789012-eu-central-1/environments/dev/network.tfstate"


def test_single_state_is_the_same_for_every_unit():
    assert derive("network", single=True) == derive("openvpn", single=True)
    assert derive("network", single=True).key == "environments/dev/root.tfstate"


def test_named_bucket_wins_over_the_derived_one():
    assert derive("network", bucket="ours").bucket == "ours"


def test_local_state_lies_in_the_workspace():
    place = derive("network", kind="local", workspace=Workspace.of(Path("/p")))
    assert place.path == Path("/p/.ngp/state/dev/network.tfstate")
    assert (place.bucket, place.key) == ("", "")
    assert str(place) == "/p/.ngp/state/dev/network.tfstate"


def test_long_names_stay_apart():
    first, second = ("a" * 60 + end for end in ("x", "y"))
    assert locations.bucket_name(first, "1" * 12, "ap-southeast-2") != locations.bucket_name(
        second, "1" * 12, "ap-southeast-2"
    )


@given(
    st.text(max_size=120),
    st.from_regex(r"\A[0-9]{12}\Z"),
    st.sampled_from(["eu-central-1", "ap-southeast-2", "us-gov-west-1"]),
)
def test_bucket_name_is_one_that_s3_takes(platform, account, region):
    name = locations.bucket_name(platform, account, region)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name)
    assert name.endswith(f"-tfstate-{account}-{region}")


def test_a_name_that_just_fits_is_not_cut():
    tail = "-tfstate-123456789012-eu-central-1"
    longest = "a" * (63 - len(tail))
    assert locations.bucket_name(longest, "123456789012", "eu-central-1") == longest + tail
    cut = locations.bucket_name(longest + "a", "123456789012", "eu-central-1")
    assert len(cut) == 63
    assert cut.startswith("a" * (63 - len(tail) - 7) + "-")


def test_a_name_without_a_letter_that_s3_allows_is_ngp():
    assert locations.bucket_name("+++", "123456789012", "eu-central-1") == "ngp-tfstate-123456789012-eu-central-1"
    assert locations.bucket_name("+shop+", "123456789012", "eu-central-1").startswith("shop-tfstate-")
