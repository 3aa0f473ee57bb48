"""Reads cues from annotation XML: Transcriber `.trs`, and NXT words of the AMI and ICSI corpora.

External DTDs are never fetched, and documents that define entities are refused unread.
"""

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from connectors.recordings.transcript_files.cues import Cue
from core.errors import BadInput
from core.transcript import Word

# A pause this long ends an utterance of NXT words, which carry no other boundary.
WORD_GAP_S = 0.75
# "ES2002a.A.words.xml": meeting, then the channel letter that stands for the speaker.
NXT_SPEAKER = re.compile(r"\.([A-Z])\.words?(?:\.|$)", re.IGNORECASE)


def read_annotations(text: str, *, name: str) -> tuple[list[Cue], str]:
    """Cues and the dialect, `Transcriber` or `NXT words`.

    Raises:
        BadInput: not well-formed, or neither of the two.
    """
    root = _parse(text, name)
    if _local(root) == "Trans":
        return list(_trs_cues(root)), "Transcriber"
    words = list(_nxt_words(root))
    if words:
        return list(_word_runs(words, _nxt_speaker(root, name))), "NXT words"
    raise BadInput(f"{name}: XML, but neither a Transcriber file nor NXT words")


def _parse(text: str, name: str) -> ElementTree.Element:
    if "<!ENTITY" in text:
        raise BadInput(f"{name}: XML that defines entities is not read")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as exc:
        raise BadInput(f"{name}: the XML is broken: {exc}") from exc


def _trs_cues(root: ElementTree.Element) -> Iterator[Cue]:
    """One cue a Sync. Turns may name several speakers; `<Who nb="2"/>` says which of them goes on."""
    names = {one.get("id", ""): one.get("name", "").strip() for one in root.iter("Speaker")}
    for turn in root.iter("Turn"):
        speakers = [names.get(key) or key for key in turn.get("speaker", "").split()]
        until_s = _time(turn.get("endTime"))
        cues: list[Cue] = []
        next_s: float | None = None
        for start_s, speaker, text in reversed(list(_turn_pieces(turn, speakers))):
            if next_s is not None and next_s > start_s:
                until_s = next_s
            next_s = start_s
            said = " ".join(text.split())
            if said:
                cues.append(Cue(start_s, max(start_s, until_s or start_s), said, speaker))
        yield from reversed(cues)


def _turn_pieces(turn: ElementTree.Element, speakers: list[str]) -> Iterator[tuple[float, str | None, str]]:
    """(start, speaker, text) pieces of a turn; noises and comments are left out, the text after them is kept."""
    start_s = _time(turn.get("startTime")) or 0.0
    speaker = speakers[0] if len(speakers) == 1 else None
    text = turn.text or ""
    for child in turn:
        tag = _local(child)
        if tag in ("Sync", "Who"):
            yield start_s, speaker, text
            text = ""
        if tag == "Sync":
            moment_s = _time(child.get("time"))
            start_s = start_s if moment_s is None else moment_s
        elif tag == "Who":
            speaker = _numbered(speakers, child.get("nb"))
        text += " " + (child.tail or "")
    yield start_s, speaker, text


def _numbered(speakers: list[str], number: str | None) -> str | None:
    place = int(number) - 1 if number and number.isascii() and number.isdigit() and len(number) < 4 else -1
    return speakers[place] if 0 <= place < len(speakers) else None


def _nxt_words(root: ElementTree.Element) -> Iterator[tuple[Word, bool]]:
    """Each spoken word with whether it is punctuation; vocal sounds and gaps are other elements."""
    for element in root.iter():
        start_s, end_s = _time(element.get("starttime")), _time(element.get("endtime"))
        text = (element.text or "").strip()
        if _local(element) == "w" and start_s is not None and end_s is not None and text:
            yield Word(start_s, max(start_s, end_s), text), element.get("punc") == "true"


def _word_runs(words: list[tuple[Word, bool]], speaker: str | None) -> Iterator[Cue]:
    run: list[tuple[Word, bool]] = []
    for word, is_punctuation in words:
        if run and not is_punctuation and word.start_s - run[-1][0].end_s > WORD_GAP_S:
            yield _cue(run, speaker)
            run = []
        run.append((word, is_punctuation))
    if run:
        yield _cue(run, speaker)


def _cue(run: list[tuple[Word, bool]], speaker: str | None) -> Cue:
    text = "".join(word.text if is_punctuation else " " + word.text for word, is_punctuation in run).strip()
    spoken = tuple(word for word, is_punctuation in run if not is_punctuation)
    return Cue(run[0][0].start_s, run[-1][0].end_s, text, speaker, spoken)


def _nxt_speaker(root: ElementTree.Element, name: str) -> str | None:
    """The channel letter, from the file name or the root's `nite:id`; a role, not a name, and shown as such."""
    ids = [value for key, value in root.attrib.items() if key.rpartition("}")[2] == "id"]
    for candidate in [name, *ids]:
        match = NXT_SPEAKER.search(candidate)
        if match:
            return f"Speaker {match[1].upper()}"
    return None


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _time(value: str | None) -> float | None:
    try:
        moment_s = float(value or "")
    except ValueError:
        return None
    return moment_s if math.isfinite(moment_s) and moment_s >= 0 else None
