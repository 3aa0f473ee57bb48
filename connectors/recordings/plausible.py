"""Tells speech from what an engine makes of music and hum: how many words there are for the time they took.

Knows texts and times only.
"""

import re
from collections.abc import Sequence

from core.transcript import Utterance

# People speak two to four words a second, slow ones with pauses inside an utterance still well over one. What
# PocketSphinx hears in the music of a film or in a 100 Hz hum came out at 0.2 to 0.9 on our clips, speech at 2.8 to 3.9.
LEAST_WORDS_PER_S = 1.0
# Chinese and Japanese put no spaces between words; a character counts as one.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


def sounds_like_speech(spoken: Sequence[Utterance]) -> bool:
    """False when there are too few words for the time they are said to have taken, over all utterances."""
    n_words = sum(len(WORD.findall(one.text)) for one in spoken)
    spoken_s = sum(max(0.0, one.end_s - one.start_s) for one in spoken)
    return n_words > 0 and n_words >= LEAST_WORDS_PER_S * spoken_s
