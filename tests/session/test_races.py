"""Whatever overtakes whatever, and whichever server is lost: everybody is answered."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from realtime_widget.protocol.upstream_errors import FATAL
from tests.session.racing import Race, plans

ENDS = {("upstream", "upstream_lost"), ("time_limit", "")}


def plan_of(*actions, scripts=(), **fields):
    """Return a plan by what differs from the plainest one."""
    return {
        "mode": "interrupts",
        "names_events": True,
        "reports": True,
        "guarded": False,
        "rotates": False,
        "gone": False,
        "scripts": [(list(parts), "completed") for parts in scripts],
        "actions": [(name, argument) for name, argument in actions],
        **fields,
    }


# Each is a race that somebody lost once.
SPEECH_BEHIND_A_REQUEST = plan_of(
    ("visitor_speaks", 0), ("visitor_types", True), names_events=False
)
TYPED_BEHIND_AN_ANSWER = plan_of(
    ("visitor_speaks", 0),
    ("page_gets", 50),
    ("visitor_types", True),
    ("visitor_speaks", 0),
    ("server_answers", 0),
)
TYPED_WHILE_SERVERS_CHANGE = plan_of(
    ("server_prompts", 0),
    ("server_writes_down", 0),
    ("expires", 0),
    ("visitor_types", True),
)
ANSWERED_WHILE_SERVERS_CHANGE = plan_of(
    ("server_prompts", 0), ("server_speaks", 2), ("expires", 0), scripts=[["look"]]
)
LOST_BEFORE_ALL_IS_TOLD = plan_of(
    ("visitor_types", True),
    ("expires", 0),
    ("is_dialled", 0),
    ("page_gets", 1),
    ("server_takes", 50),
    ("page_gets", 50),
    ("is_lost", 1),
)
CUT_OFF_BEHIND_A_LOSS = plan_of(
    ("server_prompts", 0),
    ("all_flows", 2),
    ("expires", 0),
    ("visitor_interrupts", False),
    scripts=[[300]],
)
TYPED_AND_ANSWERED_WHILE_SERVERS_CHANGE = plan_of(
    ("server_prompts", 0),
    ("server_speaks", 3),
    ("all_flows", 3),
    ("is_lost", 1),
    ("visitor_types", True),
    mode="lets_finish",
    scripts=[["ask"]],
)


@given(plan=plans)
@example(plan=SPEECH_BEHIND_A_REQUEST)
@example(plan=TYPED_BEHIND_AN_ANSWER)
@example(plan=TYPED_WHILE_SERVERS_CHANGE)
@example(plan=ANSWERED_WHILE_SERVERS_CHANGE)
@example(plan=LOST_BEFORE_ALL_IS_TOLD)
@example(plan=CUT_OFF_BEHIND_A_LOSS)
@example(plan=TYPED_AND_ANSWERED_WHILE_SERVERS_CHANGE)
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    # A plan is hardly made clearer by shrinking, which takes minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_everybody_is_answered_in_the_end(plan):
    race = Race(plan)
    race.play_plan()
    race.fall_silent()
    if race.ends is None:
        assert not race.remote.faults
        assert not race.owed
        assert not race.core.turns.thinking
        assert not race.core.tools.open_calls()
        race.waits(5)  # what is heard is heard to its end
        race.fall_silent()
    assert not race.wrong
    if race.ends is not None:
        assert race.ends in ENDS
        return
    assert race.core.listens == ("no" if plan["mode"] == "key" else "always")
    assert all(final for _text, final in race.lines.values())
    told = Counter(item.key for item in race.remote.items.values() if item.key)
    assert set(told.values()) <= {1}
    assert told.keys() >= set(race.said)


@pytest.mark.parametrize("code", sorted(FATAL.keys() - {"session_expired"}))
@pytest.mark.parametrize(
    "plan",
    [
        plan_of(),
        SPEECH_BEHIND_A_REQUEST,
        plan_of(("visitor_types", True), ("all_flows", 3), scripts=[[2000, "look"]]),
    ],
)
def test_a_server_that_refuses_for_good_ends_the_talk_with_its_reason(plan, code):
    race = Race(plan)
    race.play_plan()
    race.is_refused(code)
    assert race.ends == ("upstream", FATAL[code])
    assert not race.wrong
