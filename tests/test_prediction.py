"""`predict` of a saved model: its signature has the task's options; one input gets one answer, a list a list."""

import inspect
import json
from pathlib import Path

import pytest

from zoo import prediction
from zoo.errors import UserError
from zoo.task import installed

TASK = installed()["translate"]


def answer(config):
    yield from (json.dumps({"input": item, "beam": config.beam_size}) for item in config.inputs)


predict = prediction.function(TASK, answer)


def test_the_signature_has_every_option_with_type_and_default():
    parameters = inspect.signature(predict).parameters
    assert next(iter(parameters)) == "inputs"
    assert "json" not in parameters
    assert (parameters["num_return"].annotation, parameters["num_return"].default) == (int, 1)
    assert parameters["beam_size"].annotation == int | None
    assert all(name in predict.__doc__ for name in parameters)


def test_one_input_one_answer_a_list_a_list():
    assert predict("ab") == {"input": "ab", "beam": None}
    assert predict(["ab"], beam_size=3) == [{"input": "ab", "beam": 3}]
    assert predict(item for item in "ab") == [{"input": "a", "beam": None}, {"input": "b", "beam": None}]
    assert predict([]) == []
    assert predict(Path("a.png"))["input"] == "a.png"


@pytest.mark.parametrize("inputs", [3, None, b"ab", {"a": 1}, ["a", 3], [["a"]]])
def test_other_inputs_are_refused(inputs):
    with pytest.raises(UserError, match="translate takes a string, or a list of strings"):
        predict(inputs)


def test_an_unknown_option_is_told_with_the_nearest_and_the_list():
    with pytest.raises(UserError, match=r"'beam'; did you mean 'beam_size'\? Known: attention, .*replace_unk"):
        predict("a", beam=3)
    with pytest.raises(UserError, match=r"beam_size .* is a whole number from 1"):
        predict("a", beam_size=0)
