"""What lifts a candidate, one thing at a time, with the rest equal."""

import numpy as np

from rag.rerank import FEATURES, Asked, Candidate, features, named_speakers, scores

ASKED = Asked(
    "What did Bob say about heating coils?",
    (("bob", ("bob",)), ("heating", ("heat",)), ("coils", ("coil",))),
    {"bob": 2.0, "heat": 3.0, "coil": 1.0},
)


def candidate(
    text: str, position: int = 0, document_id: int = 1, cosine: float = 0.5, **parts: float
) -> Candidate:
    speakers = tuple(dict.fromkeys(line.split(":")[0] for line in text.splitlines()))
    return Candidate(document_id, position, text, speakers, parts, cosine)


def column(name: str, *candidates: Candidate) -> list[float]:
    return [round(value, 3) for value in features(ASKED, candidates)[:, FEATURES.index(name)]]


def test_the_named_speaker_counts_by_the_share_he_says_and_his_name_for_nothing_else() -> None:
    bob = candidate("Bob: abcdef", bob=9.0, heat=1.0)
    ann = candidate("Ann: abcdef", document_id=2, bob=9.0, heat=1.0)
    both = candidate("Ann: abcde\nBob: abcdef", document_id=3)
    assert named_speakers(ASKED.text, [bob, ann]) == {"bob"}
    assert column("spoken", bob, ann, both) == [1.0, 0.0, 0.707]
    assert column("lexical", bob, ann) == [1.0, 1.0]
    assert column("coverage", bob, ann) == [0.75, 0.75]


def test_a_neighbour_completes_what_a_passage_leaves_out() -> None:
    found = [
        candidate("Ann: x", 4, heat=1.0),
        candidate("Ann: y", 5, coil=1.0),
        candidate("Ann: z", 9, heat=1.0),
    ]
    whole = 4 / 6
    assert column("coverage", *found) == [round(whole, 3), round(whole, 3), 0.5]
    assert column("near_lexical", *found) == [0.5, 0.5, 0.0]


def test_words_that_stand_together_as_in_the_question() -> None:
    together = candidate("Ann: the heated coils", heat=1.0, coil=1.0)
    apart = candidate("Ann: coils, and much later some heat", document_id=2, heat=1.0, coil=1.0)
    assert column("pairs", together, apart)[0] > column("pairs", together, apart)[1] == 0.0


def test_nothing_to_go_by_is_no_error() -> None:
    assert scores(ASKED, []).shape == (0,)
    blank = Candidate(1, 0, "", (), {}, None)
    assert np.array_equal(scores(Asked("?", (), {}), [blank, blank]), np.zeros(2))
