"""How much of a transcript file is read, and how its bytes become text; knows no dialect."""

import codecs
import re
from dataclasses import dataclass

from core.errors import BadInput

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Only these: Python knows further names that are no character sets, or slow ones.
DECLARED_ENCODING = re.compile(
    rb"""<\?xml[^>]{0,80}encoding=["'](iso-8859-(?:[1-9]|1[03-6])|windows-125\d|koi8-[ru]|shift_jis|euc-(?:jp|kr)|gbk|big5)["']""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TranscriptLimits:
    """A six hour meeting's word-level file stays below 20 MB and 50,000 cues."""

    max_bytes: int = 50_000_000
    max_cues: int = 200_000
    max_cue_chars: int = 20_000
    max_speaker_chars: int = 120
    max_duration_s: float = 24 * 3600.0


def decode_text(raw: bytes, *, name: str, limits: TranscriptLimits) -> str:
    """Bytes to text with `\\n` line ends: a byte order mark decides, then bare UTF-16, UTF-8, what XML declares,
    Windows-1252.

    Raises:
        BadInput: empty, too large, or binary.
    """
    if len(raw) > limits.max_bytes:
        raise BadInput(
            f"{name}: {len(raw) / 1e6:.0f} MB is over the limit of {limits.max_bytes / 1e6:.0f} MB"
        )
    text = _decode(raw).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise BadInput(f"{name}: the transcript is empty")
    if text.count("\0") > len(text) // 1000:
        raise BadInput(f"{name}: it is a binary file, not a transcript")
    return text.replace("\0", "")


def _decode(raw: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace")
    try:
        return raw.decode(_guess_wide(raw) or "utf-8")
    except UnicodeDecodeError:
        return raw.decode(_declared(raw) or "cp1252", "replace")


def _declared(raw: bytes) -> str | None:
    """The 8-bit or East Asian encoding that an XML document names at its start."""
    match = DECLARED_ENCODING.match(raw)
    return match[1].decode("ascii") if match else None


def _guess_wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte of western text is zero."""
    head = raw[:2000]
    pairs = max(1, len(head) // 2)
    if head[1::2].count(0) > 0.4 * pairs:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * pairs:
        return "utf-16-be"
    return None
