"""Writes spoken sentences as readable lines without adding a fact; falls back to quoting the speaker."""

import re

from rag.minutes.cues import ActionCues

MAX_WORDS = 45
_SECOND_PERSON = re.compile(r"\b(?:you|your|yours|you're|you'll|yourself)\b", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I'll|I've|I'd|me|my|mine|myself)\b")
_TAG = re.compile(
    r",? (?:right|okay|ok|alright|please|yeah|isn't it|if that's (?:okay|ok|fine)|and so on|and stuff(?: like that)?)(?=[?.!]*$)",
    re.IGNORECASE,
)
_DANGLING = re.compile(
    r"\b(?:a|an|the|and|or|but|then|of|I|my|your|our|their|because|if|than|we|they|to a|which|who|und|der|die|et|le|la|y|el)\W*$"
)
_LEADING = re.compile(
    r"^(?:(?:so|and|but|well|okay|ok|then|right|yes|yeah|yep|sure|now|oh|alright|actually|anyway|good|great|because|or)\b[,.]? )+(?=\S)",
    re.IGNORECASE,
)


def as_line(sentence: str) -> str:
    """A sentence as a line: no leading "so, okay", a capital first, a full stop last, not endless."""
    return finished(_LEADING.sub("", sentence) if sentence.count(" ") > 3 else sentence)


def finished(text: str) -> str:
    """`text` capitalised, shortened at a clause border beyond 45 words, closed by a stop."""
    text = _shortened(text.strip(" ,;:-"))
    if not text:
        return text
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".?!…" else text + "."


def quoted(speaker: str | None, sentence: str) -> str:
    """`Bob: sentence`, or the sentence alone when nobody knows who spoke."""
    line = as_line(sentence)
    return f"{_shown(speaker)}: {line}" if speaker and not line.startswith(_shown(speaker)) else line


def promise(owner: str | None, do: str, sentence: str, cues: ActionCues) -> str:
    """ "I will send it" by Bob → "Bob will send it"; quoted where "you" would change its meaning."""
    do = without_tag(do)
    if owner is None or cues.will is None or _SECOND_PERSON.search(do):
        return quoted(owner, sentence)
    return finished(f"{_shown(owner)} {cues.will} {_in_third_person(do, cues)}")


def request(owner: str | None, asker: str | None, do: str, sentence: str, cues: ActionCues) -> str:
    """ "Can you send me the deck?" to Bob by Ann → "Bob will send Ann the deck"; quoted where unsafe."""
    do = (
        re.sub(rf",? {re.escape(owner.split()[0])}\b,?(?=[?.!]|$)", "", do, flags=re.IGNORECASE)
        if owner
        else do
    )
    do = without_tag(do.rstrip("?.! ")).rstrip("?.! ")
    if asker:
        do = re.sub(r"\bme\b", asker, re.sub(r"\bmy\b", f"{asker}'s", do))
    if owner is None:
        return finished(do) if not _FIRST_PERSON.search(do) else as_line(sentence)
    if cues.will is None or _SECOND_PERSON.search(do) or _FIRST_PERSON.search(do):
        return quoted(owner, sentence)
    return finished(f"{_shown(owner)} {cues.will} {do}")


def dangles(sentence: str) -> bool:
    """Whether a sentence breaks off ("we could use the.")."""
    return bool(_DANGLING.search(sentence))


def _shown(name: str) -> str:
    """A name without its bracketed office ("Mary Ng (Minister of …)")."""
    return name.split(" (")[0] or name


def without_tag(text: str) -> str:
    return _TAG.sub("", text.strip())


def _in_third_person(do: str, cues: ActionCues) -> str:
    def swap(match: re.Match[str]) -> str:
        return cues.third_person.get(match.group(), match.group())

    return re.sub(r"\b(?:I(?:'(?:m|ve|ll|d))?|me|my|mine|myself|am)\b", swap, do)


def _shortened(text: str) -> str:
    spoken = text.split()
    if len(spoken) <= MAX_WORDS:
        return text
    kept = " ".join(spoken[:MAX_WORDS])
    cut = max(kept.rfind(mark) for mark in (", ", "; ", " and ", " but ", " because "))
    return (kept[:cut] if cut > len(kept) // 3 else kept).rstrip(" ,;") + "…"
