"""The n-gram model: probabilities add up, equal those counted by hand, and more context helps."""

import math

import pytest
from zoo.tasks.charlm.ngrams import NGramModel

TEXT = [1, *[4, 5, 6, 4, 5, 7] * 30]


def test_probabilities_add_up_to_one():
    model = NGramModel(4, 9)
    model.learn(TEXT)
    for context in ((), (4,), (4, 5), (8, 8, 8), (6, 4, 5)):
        assert sum(model.probability(context, token) for token in range(9)) == pytest.approx(1)


def test_witten_bell_by_hand():
    model = NGramModel(2, 4)
    model.learn([1, 2, 3, 2, 2])
    single = (3 + 2 / 4) / (4 + 2)  # 2 occurs three times among four predicted tokens of two kinds
    assert model.probability((), 2) == pytest.approx(single)
    assert model.probability((3,), 2) == pytest.approx((1 + 1 * single) / (1 + 1))
    assert model.probability((0,), 2) == pytest.approx(single), "an unknown context says nothing"


def test_nats_are_those_of_the_probabilities_and_context_helps():
    losses = []
    for order in (1, 2, 3):
        model = NGramModel(order, 9)
        model.learn(TEXT)
        ids, nats = [1, 4, 5, 6], 0.0
        for place in (1, 2, 3):
            nats -= math.log(model.probability(tuple(ids[max(0, place - order + 1) : place]), ids[place]))
        assert model.nats(ids) == (pytest.approx(nats), 3)
        losses.append(model.nats(TEXT)[0])
    assert losses[0] > losses[1] > losses[2]
    uniform = NGramModel(3, 9)
    assert uniform.nats([1, 2, 3])[0] == pytest.approx(2 * math.log(9)), "nothing learned: every token is as likely"
