from __future__ import annotations

import pickle
from copy import deepcopy

import pytest

from realtime_widget.engine.ports import Heard


@pytest.mark.parametrize(
    "copied",
    [deepcopy, lambda heard: pickle.loads(pickle.dumps(heard))],
)
def test_words_keep_their_probability_in_copies(copied):
    heard = copied(Heard("Good morning.", -0.25))

    assert (heard, heard.logprob) == ("Good morning.", -0.25)
