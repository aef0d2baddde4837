from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core.natural_order import natural_key


def test_numbers_count_as_numbers() -> None:
    names = ["photo 10.jpg", "photo 9.jpg", "photo 09.jpg", "Photo 1.jpg"]
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_case_does_not_matter_first() -> None:
    assert sorted(["b", "A", "a", "B"], key=natural_key) == ["A", "a", "B", "b"]


def test_digits_of_other_scripts_are_no_stumbling_block() -> None:
    assert sorted(["x²", "x٣", "x1"], key=natural_key)[0] == "x1"


@given(st.lists(st.text(max_size=12)))
def test_any_names_have_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
