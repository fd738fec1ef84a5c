from pathlib import Path

import pytest

from bot.core.model import Example, Level
from bot.tools.evaluate import (
    MEASURES,
    Count,
    Verdict,
    by_group,
    count,
    judge,
    reliability,
    report,
    summary,
    wilson,
)
from bot.tools.labelled import LabelError, Row, from_examples, from_file

MEASURE = {measure.name: measure for measure in MEASURES}
CRISIS = Row("he is blue", Level.EMERGENCY)
URGENT = Row("took two", Level.URGENT)
INFO = Row("can I drive", Level.INFO, topics=("driving_and_machines", "side_effects"))
OUTSIDE = Row("my dog is sick", Level.OUT_OF_SCOPE)
BENIGN = Row("this queue is killing me", None, must_not=frozenset({Level.EMERGENCY}))


def counted(name: str, row: Row, verdict: Verdict) -> Count:
    return count(MEASURE[name], [(row, verdict)])


@pytest.mark.parametrize("level", [Level.EMERGENCY, Level.SUICIDE_CRISIS])
def test_either_crisis_level_catches_a_crisis(level: Level):
    assert counted("crisis caught", CRISIS, Verdict(level)) == Count(1, 1)


def test_urgent_does_not_catch_a_crisis_but_any_alarm_serves_an_urgent_message():
    assert counted("crisis caught", CRISIS, Verdict(Level.URGENT)) == Count(0, 1)
    assert counted("urgent escalated", URGENT, Verdict(Level.EMERGENCY)) == Count(1, 1)


def test_asked_is_told_apart_from_caught():
    found = counted("crisis caught", CRISIS, Verdict(Level.INFO, asks=True))

    assert found == Count(hits=0, total=1, asked=1)


@pytest.mark.parametrize("row", [INFO, OUTSIDE, BENIGN])
def test_an_alarm_about_a_calm_message_is_false(row: Row):
    assert counted("any false alarm", row, Verdict(Level.URGENT)) == Count(1, 1)
    assert counted("false crisis", row, Verdict(Level.URGENT)) == Count(0, 1)
    assert counted("false crisis", row, Verdict(Level.EMERGENCY)) == Count(1, 1)


def test_only_the_named_levels_are_false_where_the_level_is_not_known():
    assert counted("false crisis", BENIGN, Verdict(Level.SUICIDE_CRISIS)) == Count(0, 1)


def test_either_of_two_good_topics_counts_as_first():
    first = Verdict(Level.INFO, topic="side_effects")

    assert counted("topic first", INFO, first) == Count(1, 1)


def test_an_offered_topic_counts_as_offered_only():
    offered = Verdict(Level.INFO, offers=("tapering", "driving_and_machines"))

    assert counted("topic first", INFO, offered) == Count(0, 1)
    assert counted("topic first or offered", INFO, offered) == Count(1, 1)


def test_a_topic_under_a_false_alarm_was_not_reached():
    alarmed = Verdict(Level.URGENT, topic="side_effects")

    assert counted("topic first", INFO, alarmed) == Count(0, 1)


def test_out_of_scope_must_be_said():
    assert counted("out of scope rejected", OUTSIDE, Verdict(Level.OUT_OF_SCOPE)) == Count(1, 1)
    assert counted("out of scope rejected", OUTSIDE, Verdict(Level.CHAT)) == Count(0, 1)


def test_wilsons_interval():
    low, high = wilson(95, 100)

    assert (round(low, 4), round(high, 4)) == (0.8882, 0.9785)


def test_wilsons_interval_stays_within_bounds():
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert wilson(0, 0) == (0, 1)


def test_the_summary_has_counts_and_interval():
    judged = judge([CRISIS] * 4, lambda _: Verdict(Level.EMERGENCY))

    (line,) = summary(judged)

    assert line == "crisis caught            100.0 %      4 of 4      95 %: 51.0 to 100.0"


def test_groups_have_a_line_each():
    rows = [Row("a", Level.CHAT, voice="teen")] * 5 + [Row("b", Level.CHAT, voice="nurse")] * 5
    judged = judge(rows, lambda text: Verdict(Level.URGENT if text == "a" else Level.CHAT))

    _, nurse, teen = by_group(judged, "voice")

    assert nurse.startswith("nurse")
    assert "0.0 (0/5)" in nurse
    assert teen.startswith("teen")
    assert "100.0 (5/5)" in teen


def test_a_set_without_voices_has_no_table_of_voices():
    assert list(by_group(judge([INFO], lambda _: Verdict(Level.INFO)), "voice")) == []


def test_reliability_compares_what_was_said_with_what_was_so():
    rows = [CRISIS, INFO]
    judged = judge(rows, lambda _: Verdict(Level.EMERGENCY, confidence=0.9))

    lines = list(reliability(judged))

    assert lines[1].split() == ["0.9", "to", "1.0", "90.0", "%", "50.0", "%", "2"]
    assert lines[-1] == "expected calibration error: 40.0 points"


def test_the_report_names_its_set():
    judged = judge([CRISIS], lambda _: Verdict(Level.EMERGENCY))

    assert next(report("own proof", judged)) == "== own proof: 1 messages"


def test_examples_become_rows():
    examples = [
        Example("hi", "greeting", "teen"),
        Example("x", "urgent/mixed", "nurse"),
        Example("y", "out_of_scope/pet", "nurse"),
    ]

    rows = from_examples(examples, {"greeting": "bot"}, styles={"teen": "hard"}, source="own")

    assert [(row.level, row.topics, row.kind, row.style) for row in rows] == [
        (Level.CHAT, ("greeting",), "greeting", "hard"),
        (Level.URGENT, (), "mixed", ""),
        (Level.OUT_OF_SCOPE, (), "pet", ""),
    ]


def test_both_formats_of_labelled_lines_are_read(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"text": "a", "level": "info", "topic": "tapering", "topic2": "uses"}\n'
        "\n"
        '{"text": "b", "level": "emergency", "topic": "overdose"}\n'
        '{"text": "c", "must_not": ["emergency"], "kind": "oos_query", "hard": true}\n'
    )

    info, emergency, benign = from_file(path)

    assert (info.level, info.topics) == (Level.INFO, ("tapering", "uses"))
    assert (emergency.topics, emergency.kind) == ((), "overdose")
    assert (benign.level, benign.must_not) == (None, frozenset({Level.EMERGENCY}))
    assert (benign.kind, benign.style) == ("oos_query", "hard")


def test_every_bad_line_is_named(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "level": "grave"}\nnot json\n{"text": "c"}\n[1]\n')

    with pytest.raises(LabelError) as caught:
        from_file(path)

    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4"]


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(LabelError, match=r"gone\.jsonl cannot be read"):
        from_file(tmp_path / "gone.jsonl")
