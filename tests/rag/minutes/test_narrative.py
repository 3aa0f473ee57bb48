"""A told summary: indirect speech that keeps its meaning, names that stand in the evidence, and nothing invented."""

import pytest

from core.transcript import Transcript, Utterance
from rag.minutes.cues import cues_for
from rag.minutes.draft import draft
from rag.minutes.phrases import phrases
from rag.minutes.reporting import reported
from rag.minutes.support import support_of
from rag.minutes.utterances import Sentence, sentences
from rag.minutes.word_classes import noun_phrases
from rag.sentences import words


def _sentence(text: str, speaker: str | None = "Ann") -> Sentence:
    return sentences([Utterance(0.0, 5.0, text, speaker)], cues_for("en"))[0]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("So I think we should use rubber for the case.", "suggested that they should use rubber for the case"),
        ("The battery is too expensive for our budget.", "said that the battery was too expensive for their budget"),
        ("We can't sell the remote in every country.", "said that they could not sell the remote in every country"),
        ("We need to have a second look at the price.", "said that they needed to have a second look at the price"),
        ("The LCD screen will cost us eleven euros.", "said that the LCD screen would cost them eleven euros"),
    ],
)  # fmt: skip
def test_indirect_speech(said: str, told: str) -> None:
    clause = reported(_sentence(said))
    assert clause is not None and clause.text == told


@pytest.mark.parametrize(
    "said",
    [
        "Could we use rubber for the whole case?",
        "You should send me the figures before we meet.",
        "I think the the we could use maybe the.",
        "Something that looks doesn't look like remote control.",
        "Rubber and titanium and a little bit of everything else.",
    ],
)
def test_what_is_not_plain_is_not_turned(said: str) -> None:
    assert reported(_sentence(said)) is None


def test_noun_phrases_and_their_ends() -> None:
    found = [
        (" ".join(one.words), one.before)
        for one in noun_phrases("We want a cheap L_C_D_ screen and the battery.")
    ]
    assert ("cheap LCD screen", "a") in found and ("LCD screen", "") in found and ("battery", "the") in found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Ann said that the battery was cheap.", 1.0),
        ("Ann said that the battery was not cheap.", 0.5),
        ("Ann said that the battery was cheap in 2031.", 0.5),
    ],
)
def test_support_falls_with_a_negation_or_number_nobody_said(line: str, expected: float) -> None:
    support = support_of(line, [_sentence("The battery is cheap.")])
    assert support == 1.0 if expected == 1.0 else support <= expected


TALK = (
    ("Ann", "I think we should use a rubber case for the remote control."),
    ("Bob", "The rubber case is too expensive for our production budget."),
    ("Ann", "The production budget will not grow before the summer."),
    ("Cid", "The speech recognition chip costs four euros in every remote control."),
    ("Bob", "Speech recognition is what the younger users asked for in the market survey."),
    ("Ann", "The market survey was done with a hundred users of the remote control."),
)


def _meeting(n_rounds: int) -> Transcript:
    said = [pair for _ in range(n_rounds) for pair in TALK]
    return Transcript(
        tuple(Utterance(5.0 * i, 5.0 * i + 4, text, speaker) for i, (speaker, text) in enumerate(said)),
        engine="written by hand", language="en",
    )  # fmt: skip


def test_summary_tells_the_meeting_with_evidence_for_each_name() -> None:
    transcript = _meeting(12)
    told = draft(transcript, started_at=None, participants=()).section("summary")
    assert told[0].text.startswith("The meeting was about ")
    assert any(" that " in line.text for line in told)
    known = {phrase.form for phrase in phrases(sentences(transcript.utterances, cues_for("en")))}
    assert "production budget" in known and "remote control" in known
    for line in told:
        evidence = [transcript.utterances[i] for one in line.evidence for i in range(one.first, one.last + 1)]
        heard = {word for u in evidence for word in words(f"{u.speaker} {u.text}")}
        named = [word for form in known if form in line.text for word in words(form)]
        assert set(named) <= heard and line.support >= 0.95, line.text


def test_a_short_talk_and_another_language_are_not_told() -> None:
    assert not any("meeting was about" in line.text for line in draft(_meeting(1), started_at=None).lines)
    german = Transcript(_meeting(12).utterances, engine="written by hand", language="de")
    assert not any("meeting was about" in line.text for line in draft(german, started_at=None).lines)
