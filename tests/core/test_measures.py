import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubstudio.core.measures import ClassMeasures, Evaluation, confusion_matrix, wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (176, 186, 0.9039, 0.9705),  # 94.6 % of 186
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17, 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_agrees_with_published_values(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=6e-5)


def test_without_trials_anything_is_possible() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(pair: tuple[int, int]) -> None:
    low, high = wilson_interval(*pair)
    assert 0 <= low <= pair[0] / pair[1] + 1e-12
    assert pair[0] / pair[1] - 1e-12 <= high <= 1


def test_confusion_counts_pairs() -> None:
    assert confusion_matrix([0, 0, 1, 2], [0, 1, 1, 0], 3) == ((1, 1, 0), (0, 1, 0), (1, 0, 0))


def test_truth_and_answers_must_pair_up() -> None:
    with pytest.raises(ValueError, match="zip"):
        confusion_matrix([0], [], 1)


def test_an_evaluation_counts_what_is_right() -> None:
    evaluation = Evaluation(("a", "b"), ((3, 1), (2, 4)))
    assert (evaluation.photos, evaluation.correct, evaluation.accuracy) == (10, 7, 0.7)
    assert evaluation.interval == wilson_interval(7, 10)


def test_precision_recall_and_f1_of_every_class() -> None:
    measures = Evaluation(("a", "b"), ((3, 1), (2, 4))).per_class
    assert measures["a"] == ClassMeasures(precision=3 / 5, recall=3 / 4, f1=6 / 9, photos=4)
    assert measures["b"] == ClassMeasures(precision=4 / 5, recall=4 / 6, f1=8 / 11, photos=6)


def test_what_could_not_be_measured_is_none() -> None:
    measures = Evaluation(("a", "b", "c"), ((2, 0, 0), (0, 0, 0), (1, 0, 0))).per_class
    assert measures["b"] == ClassMeasures(precision=None, recall=None, f1=None, photos=0)
    assert measures["c"] == ClassMeasures(precision=None, recall=0.0, f1=0.0, photos=1)


def test_an_empty_evaluation_is_no_division_by_zero() -> None:
    assert Evaluation(("a",), ((0,),)).accuracy == 0.0
