"""Finds the transcript that lies beside a recording, by name only; opens nothing."""

import re
from collections.abc import Iterable
from pathlib import Path

# Best first: what carries names and times most reliably. A JSON is only taken when its name says transcript.
ENDINGS = (
    ".transcript.vtt",
    ".vtt",
    ".transcript.srt",
    ".srt",
    ".trs",
    ".transcript.json",
    ".sbv",
    ".words.xml",
    ".transcript.docx",
    ".transcript.txt",
    ".cc.vtt",
)
# "meeting.en.vtt", "meeting.en-US.srt"
LANGUAGE_ENDING = re.compile(r"^\.[a-z]{2,3}(?:-[a-z]{2,4})?\.(?:vtt|srt)$")
# Zoom writes GMT20240115-100512_Recording_1920x1080.mp4, …_Recording_gallery_1280x720.mp4, …_Recording.m4a and one
# …_Recording.transcript.vtt for all of them.
ZOOM = re.compile(r"^(gmt\d{8}-\d{6}_recording)(?:_[a-z_]+)?(?:_\d+x\d+)?$")
# Teams saves "Weekly sync-20240115_100512-Meeting Recording.mp4" with "… Transcript.vtt" or "….vtt".
TEAMS = re.compile(r"^(.*)-meeting recording$")


# By itself a file counts as a transcript when nothing else ends like it, or when its name says so.
SURE_ENDINGS = (".vtt", ".srt", ".trs", ".sbv")
SAID_ENDINGS = (".txt", ".docx", ".json")


def is_transcript_name(name: str) -> bool:
    """Whether a file that lies alone is a transcript, by its name: `sync.vtt`, `Sync - Transcript.docx`."""
    lower = name.lower()
    if lower.startswith((".", "~")):
        return False
    return lower.endswith(SURE_ENDINGS) or (lower.endswith(SAID_ENDINGS) and "transcript" in lower)


def find_beside(media_path: Path) -> Path | None:
    """The transcript in the same folder that belongs to this recording, None when there is none."""
    try:
        siblings = {path.name: path for path in media_path.parent.iterdir() if path.is_file()}
    except OSError:
        return None
    found = choose_beside(media_path.name, siblings)
    return siblings[found] if found is not None else None


def choose_beside(media_name: str, sibling_names: Iterable[str]) -> str | None:
    """The best fitting name among `sibling_names`: an exact stem before a tool's own naming; case is ignored."""
    by_lower = {name.lower(): name for name in sorted(sibling_names, reverse=True) if name != media_name}
    for stem in meeting_stems(media_name):
        for ending in ENDINGS:
            if stem + ending in by_lower:
                return by_lower[stem + ending]
        in_language = sorted(
            name
            for name in by_lower
            if name.startswith(stem) and LANGUAGE_ENDING.match(name.removeprefix(stem))
        )
        if in_language:
            return by_lower[in_language[0]]
    return None


def meeting_stems(media_name: str) -> list[str]:
    """Lower-case stems a transcript of this recording may have, the closest first."""
    name = media_name.lower()
    stem = name.rpartition(".")[0] or name
    stems = [stem]
    if zoom := ZOOM.match(stem):
        stems.append(zoom[1])
    if teams := TEAMS.match(stem):
        stems += [f"{teams[1]}-meeting transcript", f"{teams[1]}-transcript", teams[1]]
    return [*dict.fromkeys(stems), name]
