"""Word error rate, for tests."""

import re


def word_error_rate(reference: str, heard: str) -> float:
    """Levenshtein distance in words over the number of reference words; case and punctuation do not count."""
    wanted, found = _words(reference), _words(heard)
    row = list(range(len(found) + 1))
    for place, word in enumerate(wanted, start=1):
        before, row[0] = row[0], place
        for column, other in enumerate(found, start=1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (word != other)),
            )
    return row[-1] / len(wanted)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())
