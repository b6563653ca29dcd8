"""What the equality suite levels is what an account makes up, and no more."""

from tests.comparing import level


def test_checksum_as_an_id_is_levelled_whatever_its_length():
    assert level({"id": "9713340", "json": "{}"}, random=True) == level({"id": "3412345678", "json": "{}"}, random=True)


def test_number_that_is_no_id_is_compared():
    assert level({"port": "8080"}, random=True) == {"port": "8080"}
    assert level({"id": "9713340"}, random=False) == {"id": "9713340"}


def test_word_of_twenty_letters_is_no_id():
    assert level({"kind": "internationalization"}, random=True) == {"kind": "internationalization"}
    assert level({"kind": "x7h2nq0v5k3m9p1z8d4t"}, random=True) == {"kind": "ID"}
