"""Meetings become passages with speakers, seconds and utterance positions."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from core.transcript import Utterance
from rag.chunking_speech import chunk_speech
from rag.sentences import words


def count_words(text: str) -> int:
    return len(text.split())


def talk(*lines: tuple[str | None, str]) -> list[Utterance]:
    return [
        Utterance(start_s=10.0 * n, end_s=10.0 * n + 8, text=text, speaker=who)
        for n, (who, text) in enumerate(lines)
    ]


def test_lines_name_speakers_and_context_names_the_meeting() -> None:
    utterances = talk(("Ann", "We ship on Friday."), ("Ann", "Not before."), ("Bob", "Agreed then."))
    (passage,) = chunk_speech(
        "Weekly", utterances, count_tokens=count_words, held_on=date(2024, 5, 1), space="ENG"
    )
    assert passage.text == "Ann: We ship on Friday. Not before.\nBob: Agreed then."
    assert passage.context == "Weekly, 2024-05-01 (ENG): Ann, Bob"
    assert passage.speakers == ("Ann", "Bob")
    assert (passage.start_s, passage.end_s) == (0.0, 28.0)
    assert (passage.first_position, passage.last_position) == (0, 2)


def test_unknown_speaker_is_never_guessed() -> None:
    (passage,) = chunk_speech("Call", talk((None, "Who said this?")), count_tokens=count_words)
    assert passage.text == "Speaker ?: Who said this?"
    assert passage.speakers == ()


def test_backchannels_leave_the_text_but_not_the_span() -> None:
    utterances = talk(
        ("Ann", "We need one more test."), ("Bob", "Yeah, mm-hmm."), ("Ann", "Before the release.")
    )
    (passage,) = chunk_speech("Call", utterances, count_tokens=count_words)
    assert "Yeah" not in passage.text
    assert (passage.first_position, passage.last_position) == (0, 2)
    (only,) = chunk_speech("Call", talk(("Bob", "Yeah.")), count_tokens=count_words)
    assert only.text == "Bob: Yeah."


def test_long_utterance_shares_out_its_time() -> None:
    utterance = Utterance(
        start_s=100.0, end_s=200.0, text=" ".join(f"Word{n} here." for n in range(50)), speaker="Ann"
    )
    passages = chunk_speech("Talk", [utterance], count_tokens=count_words, max_tokens=21, overlap=0)
    assert len(passages) == 5
    starts = [passage.start_s or 0.0 for passage in passages]
    assert starts == sorted(starts)
    assert abs(starts[2] - 140.0) < 5
    assert passages[-1].end_s == 200.0


_utterances = st.lists(
    st.builds(
        lambda text, who, length: (who, text, length),
        st.text(max_size=200),
        st.sampled_from([None, "Ann", "Bob van der Berg"]),
        st.floats(0, 60),
    ),
    max_size=15,
)


@settings(deadline=None)
@given(_utterances, st.integers(10, 40), st.integers(0, 9))
def test_no_turn_is_lost_and_times_never_run_back(
    lines: list[tuple[str | None, str, float]], max_tokens: int, overlap: int
) -> None:
    clock, utterances = 0.0, []
    for who, text, length in lines:
        utterances.append(Utterance(clock, clock + length, text, who))
        clock += length
    passages = chunk_speech("T", utterances, count_tokens=count_words, max_tokens=max_tokens, overlap=overlap)
    found = " ".join(passage.text for passage in passages)
    for utterance in utterances:
        if all(word in {"yeah", "yep", "no", "okay", "uh", "um"} for word in words(utterance.text)):
            continue
        assert all(word in found for word in utterance.text.split())
    assert all(passage.n_tokens <= max_tokens for passage in passages)
    assert all((p.start_s or 0) <= (p.end_s or 0) + 1e-6 for p in passages)
    spans = {n for p in passages for n in range(p.first_position or 0, (p.last_position or 0) + 1)}
    assert not passages or spans == set(range(len(utterances)))
