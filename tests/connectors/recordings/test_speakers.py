"""Each word gets the speaker of its moment; nobody near, nobody named."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.speakers import Turn, turns_of, with_speakers
from core.transcript import Utterance, Word


def _said(*words: tuple[float, float, str], speaker: str | None = None) -> Utterance:
    timed = tuple(Word(start, end, text, 0.5) for start, end, text in words)
    return Utterance(
        timed[0].start_s, timed[-1].end_s, " ".join(one.text for one in timed), speaker, 0.5, timed
    )


def test_an_utterance_is_cut_where_the_speaker_changes() -> None:
    said = _said((0, 1, "Shall"), (1, 2, "we?"), (2.1, 3, "Yes,"), (3, 4, "please."))
    told = with_speakers([said], [Turn(0, 2, "Ada"), Turn(2.05, 4, "Ben")])
    assert [(one.speaker, one.text, one.start_s, one.end_s) for one in told] == [
        ("Ada", "Shall we?", 0, 2), ("Ben", "Yes, please.", 2.1, 4),
    ]  # fmt: skip


def test_overlap_goes_to_who_covers_more_and_stays_with_who_spoke() -> None:
    said = _said((0, 1, "a"), (1, 2, "b"), (2, 3, "c"))
    told = with_speakers([said], [Turn(0, 3, "Ada"), Turn(1, 2, "Ben")])
    assert [(one.speaker, one.text) for one in told] == [("Ada", "a b c")]


def test_far_from_every_turn_nobody_is_named() -> None:
    said = _said((10, 11, "hm"))
    assert with_speakers([said], [Turn(0, 2, "Ada")])[0].speaker is None
    assert with_speakers([said], [])[0].speaker is None
    assert with_speakers([_said((2.3, 2.6, "yes"))], [Turn(0, 2, "Ada")])[0].speaker == "Ada"


def test_a_channel_of_ones_own_stays_and_words_may_be_missing() -> None:
    own = _said((0, 1, "a"), speaker="Channel 1")
    plain = Utterance(0, 4, "no words timed")
    turns = [Turn(0, 1, "Ada"), Turn(1, 4, "Ben")]
    assert [one.speaker for one in with_speakers([own, plain], turns)] == ["Channel 1", "Ben"]


def test_a_language_without_spaces_is_joined_without() -> None:
    words = tuple(Word(place, place + 1.0, text) for place, text in enumerate("你好吗好"))
    said = Utterance(0, 4, "你好吗好", words=words)
    told = with_speakers([said], [Turn(0, 3, "A"), Turn(3, 4, "B")])
    assert [one.text for one in told] == ["你好吗", "好"]


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0, 9), st.sampled_from("AB")), max_size=8),
    st.lists(st.floats(0, 60), min_size=1, max_size=20),
)
def test_no_word_is_lost(turns: list[tuple[float, float, str]], starts: list[float]) -> None:
    words = [(start, start + 0.5, f"w{place}") for place, start in enumerate(sorted(starts))]
    told = with_speakers([_said(*words)], [Turn(start, start + length, who) for start, length, who in turns])
    assert [word.text for one in told for word in one.words] == [text for *_, text in words]
    assert {one.speaker for one in told} <= {"A", "B", None}
    assert turns_of(told) == tuple(sorted(turns_of(told)))
