"""Tells from a file's own bytes whether it ends too early, where ffprobe cannot; reads its two ends only."""

from pathlib import Path

HEAD_BYTES = 16_384
# An Ogg page is at most 65,307 bytes.
TAIL_BYTES = 2 * 65_307
PAGE_HEADER_BYTES = 27
# Tags that LAME and others write into the first frame: how many frames follow.
LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")


def says_its_length(path: Path) -> bool:
    """Whether an MP3 states how long it is; of others ffprobe only estimates it from their size."""
    with path.open("rb") as file:
        start = file.read(10)
        if start[:3] == b"ID3" and len(start) == 10:
            # Seven bits a byte (ID3v2, section 3.1).
            size = sum(
                (byte & 0x7F) << shift for byte, shift in zip(start[6:10], (21, 14, 7, 0), strict=True)
            )
            file.seek(10 + size)
        else:
            file.seek(0)
        head = file.read(HEAD_BYTES)
    return any(tag in head for tag in LENGTH_TAGS)


def is_ogg_cut_off(path: Path) -> bool:
    """Whether the last page of an Ogg file is not all there (RFC 3533, section 6)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read(TAIL_BYTES)
    at = tail.rfind(b"OggS")
    if at < 0:
        return True
    header = tail[at : at + PAGE_HEADER_BYTES]
    if len(header) < PAGE_HEADER_BYTES:
        return True
    lengths = tail[at + PAGE_HEADER_BYTES : at + PAGE_HEADER_BYTES + header[26]]
    is_whole = len(lengths) == header[26]
    return not is_whole or at + PAGE_HEADER_BYTES + len(lengths) + sum(lengths) > len(tail)
