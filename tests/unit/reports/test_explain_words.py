"""What `ngp explain` says about a command line without an address."""

import pytest

TODO = "write UNIT:ADDRESS, as `ngp plan` shows it, or a unit"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ((), "name an address"),
        (("dev",), "`ngp explain dev` needs an address"),
        (("change.bundle",), "`ngp explain change.bundle` needs an address"),
    ],
)
def test_an_environment_or_a_bundle_alone_is_not_taken_for_an_address(ngp, tmp_path, argv, told):
    (tmp_path / "ngp.yaml").write_text("name: shop\n")
    (tmp_path / "environments" / "dev").mkdir(parents=True)
    (tmp_path / "environments" / "dev" / "environment.yaml").write_text("units: {}\n")
    (tmp_path / "change.bundle").write_bytes(b"")
    outcome = ngp.call("explain", *argv)
    assert outcome.exit_code == 64
    assert outcome.stderr.splitlines()[0] == f"error: {told}"
    assert TODO in outcome.stderr
