"""What lifts a candidate, one thing at a time, with the rest equal."""

import numpy as np

from rag.ranker import load_ranker
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
    assert column("coverage", *found) == [0.5, round(1 / 6, 3), 0.5]
    assert column("near_coverage", *found) == [round(whole, 3), round(whole, 3), 0.5]
    assert column("document_coverage", *found) == [round(whole, 3)] * 3
    assert column("near_lexical", *found) == [0.5, 0.5, 0.0]


def test_words_that_stand_together_as_in_the_question() -> None:
    together = candidate("Ann: the heated coils", heat=1.0, coil=1.0)
    apart = candidate("Ann: coils, and much later some heat", document_id=2, heat=1.0, coil=1.0)
    assert column("pairs", together, apart)[0] > column("pairs", together, apart)[1] == 0.0


def test_a_document_counts_by_its_best_passages() -> None:
    found = [
        candidate("Ann: x", 1, heat=2.0, cosine=0.5),
        candidate("Ann: y", 7, cosine=0.5),
        candidate("Ann: z", 1, document_id=2, cosine=0.5),
    ]
    best = column("document_best", *found)
    assert best[0] == best[1] == 1.0 > best[2] > 0.0
    assert column("document_top_3", *found)[2] < best[2]
    assert column("document_share", *found) == [0.667, 0.667, 0.333]


def test_the_tuned_cosine_stands_in_only_where_it_is_given() -> None:
    plain = candidate("Ann: x", cosine=0.4)
    tuned = Candidate(2, 0, "Ann: y", ("Ann",), {}, 0.4, tuned=0.8)
    assert column("cosine", plain, tuned) == [1.0, 1.0]
    assert column("tuned", plain, tuned) == [0.5, 1.0]


def test_the_shipped_ranker_reads_these_features_and_prefers_the_better_passage() -> None:
    assert load_ranker().features == FEATURES
    right = candidate(
        "Bob: the heating coils broke, so we order new heating coils", heat=5.0, coil=4.0, cosine=0.7
    )
    wrong = candidate("Ann: something else altogether", document_id=2, cosine=0.2)
    better, worse = scores(ASKED, [right, wrong])
    assert better > worse


def test_nothing_to_go_by_is_no_error() -> None:
    assert scores(ASKED, []).shape == (0,)
    blank = Candidate(1, 0, "", (), {}, None)
    one, other = scores(Asked("?", (), {}), [blank, blank])
    assert one == other and np.isfinite(one)
