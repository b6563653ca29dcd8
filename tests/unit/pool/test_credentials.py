"""Other credentials are another digest, whether they stand in the environment or in a file."""

from ngp.pool import credentials


def test_variables_and_both_shared_files_count(tmp_path):
    home = tmp_path / ".aws"
    home.mkdir()
    environ = {"HOME": str(tmp_path)}
    seen = {credentials.digest(environ), credentials.digest(environ | {"AWS_SESSION_TOKEN": "t"})}
    for name in ("credentials", "config"):
        for text in ("old", "new"):
            (home / name).write_text(text)
            seen.add(credentials.digest(environ))
    assert len(seen) == 6


def test_a_file_that_a_variable_names_counts_instead(tmp_path):
    named = tmp_path / "named"
    environ = {"HOME": str(tmp_path), "AWS_SHARED_CREDENTIALS_FILE": str(named)}
    before = credentials.digest(environ)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("not looked at")
    assert credentials.digest(environ) == before
    named.write_text("looked at")
    assert credentials.digest(environ) != before
