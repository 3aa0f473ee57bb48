"""The process that opens one untrusted file: limits itself, reads, prints one JSON object, ends.

Run by `extract` only. Imports each library only for the format that needs it, after the limits are set.
"""

import csv
import json
import resource
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

MAX_UNPACKED_BYTES = 300 * 1024**2
MAX_RATIO = 200
MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_PAGES = 3_000
MAX_PIXELS = 50_000_000
MAX_FRAMES = 10
OCR_SECONDS = 40
ZIPPED = ("docx", "pptx", "xlsx")
OLE_MAGIC = b"\xd0\xcf\x11\xe0"


class Unreadable(Exception):
    """Why, for people."""


def main(arguments: list[str]) -> int:
    kind, path, max_s, max_memory, max_chars = arguments
    _limit(int(max_s), int(max_memory))
    try:
        markdown, n_pages, warnings = _read(kind, Path(path), int(max_chars))
        answer: dict[str, Any] = {"markdown": markdown, "n_pages": n_pages, "warnings": warnings}
    except Unreadable as exc:
        answer = {"error": str(exc)}
    except (MemoryError, RecursionError):
        answer = {"error": "it needs more memory than a file may use"}
    except Exception as exc:  # the outer edge of this process: whatever a parser throws at a broken file
        answer = {"error": f"it is damaged or of another kind than its name says ({type(exc).__name__})"}
    sys.stdout.write(json.dumps(answer))
    return 0


def _limit(max_s: int, max_memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (max_s, max_s))
    resource.setrlimit(resource.RLIMIT_AS, (max_memory, max_memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(kind: str, path: Path, max_chars: int) -> tuple[str, int | None, list[str]]:
    if kind in ZIPPED:
        _check_zip(path)
    blocks, n_pages = READERS[kind](path)
    warnings: list[str] = []
    parts, size = [], 0
    for block in blocks:
        block = block.replace("\x00", "").strip()
        if not block:
            continue
        if size + len(block) > max_chars:
            warnings.append(f"only the first {max_chars} characters were read")
            parts.append(block[: max_chars - size])
            break
        parts.append(block)
        size += len(block) + 2
    markdown = "\n\n".join(parts)
    if not markdown:
        told = "no text was recognized in it" if kind == "image" else "it holds no text (a scan needs OCR)"
        raise Unreadable(told)
    return markdown.encode("utf-8", "replace").decode(), n_pages, warnings


def _check_zip(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(4) == OLE_MAGIC:
            raise Unreadable(
                "it is protected by a password, or of an old Office format; save it without and as new"
            )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as exc:
        raise Unreadable("it is cut off or damaged (no Office file could be opened in it)") from exc
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries) or 1
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > 20 * 1024**2 and unpacked / packed > MAX_RATIO):
        raise Unreadable(f"it unpacks to {unpacked / 1024**2:.0f} MiB, more than a document may")


def _text(path: Path) -> tuple[Iterable[str], int | None]:
    return [_decoded(path)], None


def _decoded(path: Path) -> str:
    """UTF-8 or UTF-16 by its mark, else what the bytes look like; binary data is refused."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if data.count(b"\x00") > len(data) // 100 + 1:
        raise Unreadable("it is no text")
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:200_000]).best()
    if guess is None:
        raise Unreadable("its character encoding cannot be told; save it as UTF-8")
    return data.decode(guess.encoding, "replace")


def _csv(path: Path) -> tuple[Iterable[str], int | None]:
    text = _decoded(path)
    csv.field_size_limit(1_000_000)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:20_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = list(islice(csv.reader(text.splitlines(), dialect), MAX_ROWS))
    return [_table(rows)], None


def _html(path: Path) -> tuple[Iterable[str], int | None]:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(path.read_bytes(), "lxml")
    for unseen in soup(["script", "style", "noscript", "template", "nav", "iframe", "svg"]):
        unseen.decompose()
    return list(_html_blocks(soup.body or soup)), None


def _html_blocks(root: Any) -> Iterator[str]:
    for element in root.find_all(
        ["h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "pre", "table", "blockquote"]
    ):
        if element.find_parent(["table", "pre", "li", "blockquote"]) is not None:
            continue
        if element.name == "table":
            rows = [
                [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
                for row in element("tr")
            ]
            yield _table(rows[:MAX_ROWS])
            continue
        words = element.get_text() if element.name == "pre" else " ".join(element.get_text(" ").split())
        if not words.strip():
            continue
        level = int(element.name[1]) if element.name[0] == "h" and element.name[1:].isdigit() else 0
        yield f"{'#' * level} {words}" if level else f"- {words}" if element.name == "li" else words
    if root.find(["p", "li", "h1", "h2", "h3", "pre", "table"]) is None:
        yield root.get_text("\n", strip=True)


def _pdf(path: Path) -> tuple[Iterable[str], int | None]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as exc:
        if "password" in str(exc).lower():
            raise Unreadable("it is protected by a password; attach it without") from exc
        raise Unreadable("it is no PDF, or a broken one") from exc
    n_pages = len(document)
    if n_pages > MAX_PAGES:
        raise Unreadable(f"it has {n_pages} pages, more than {MAX_PAGES}")
    return (_pdf_page(document, at) for at in range(n_pages)), n_pages


def _pdf_page(document: Any, at: int) -> str:
    """The page's lines in reading order."""
    lines = document[at].get_textpage().get_text_range().splitlines()
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


def _docx(path: Path) -> tuple[Iterable[str], int | None]:
    import docx
    from docx.table import Table

    document = docx.Document(str(path))

    def blocks() -> Iterator[str]:
        for part in document.iter_inner_content():
            if isinstance(part, Table):
                yield _table([[cell.text for cell in row.cells] for row in islice(part.rows, MAX_ROWS)])
                continue
            style = (part.style.name if part.style is not None else "") or ""
            level = int(style[8:]) if style.startswith("Heading ") and style[8:].isdigit() else 0
            mark = "#" * min(level, 6) + " " if level else "- " if style.startswith("List") else ""
            if part.text.strip():
                yield mark + part.text
        for section in document.sections:
            for edge in (section.header, section.footer):
                if not edge.is_linked_to_previous:
                    yield "\n".join(paragraph.text for paragraph in edge.paragraphs)

    return blocks(), None


def _pptx(path: Path) -> tuple[Iterable[str], int | None]:
    import pptx

    slides = list(pptx.Presentation(str(path)).slides)

    def blocks() -> Iterator[str]:
        for number, slide in enumerate(slides, 1):
            title = slide.shapes.title
            yield f"## {title.text_frame.text.strip() if title is not None else f'Slide {number}'}"
            for shape in slide.shapes:
                if shape == title:
                    continue
                if getattr(shape, "has_table", False):
                    yield _table([[cell.text for cell in row.cells] for row in shape.table.rows])
                elif shape.has_text_frame:
                    yield shape.text_frame.text
            if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
                yield f"Notes: {slide.notes_slide.notes_text_frame.text}"

    return blocks(), len(slides)


def _xlsx(path: Path) -> tuple[Iterable[str], int | None]:
    import openpyxl

    book = openpyxl.load_workbook(str(path), read_only=True, data_only=True)

    def blocks() -> Iterator[str]:
        for sheet in book.worksheets:
            rows = (["" if value is None else str(value) for value in row] for row in sheet.values)
            yield f"## {sheet.title}"
            yield _table([row for row in islice(rows, MAX_ROWS) if any(row)])

    return blocks(), len(book.worksheets)


def _table(rows: list[list[str]]) -> str:
    """A Markdown table; rows are filled up to the widest, cells kept on one line."""
    width = min(max((len(row) for row in rows), default=0), MAX_COLUMNS)
    lines = [
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in padded[:width]) + " |"
        for padded in ([*row, *[""] * (width - len(row))] for row in rows)
    ]
    if not lines or not width:
        return ""
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _image(path: Path) -> tuple[Iterable[str], int | None]:
    """What tesseract reads in a picture, or in the first pages of one that has several."""
    import subprocess

    from PIL import Image, ImageOps, ImageSequence

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    blocks = []
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Unreadable(f"it has more than {MAX_PIXELS // 10**6} million pixels")
            for frame in islice(ImageSequence.Iterator(opened), MAX_FRAMES):
                data = BytesIO()
                ImageOps.exif_transpose(frame).convert("L").save(data, "PNG")
                ended = subprocess.run(
                    ["tesseract", "stdin", "stdout"],
                    input=data.getvalue(),
                    capture_output=True,
                    timeout=OCR_SECONDS,
                )
                if ended.returncode:
                    raise Unreadable("its text could not be recognized (tesseract failed)")
                blocks += ended.stdout.decode("utf-8", "replace").replace("\f", "").split("\n\n")
    except Image.DecompressionBombError as exc:
        raise Unreadable(f"it has more than {MAX_PIXELS // 10**6} million pixels") from exc
    except subprocess.TimeoutExpired as exc:
        raise Unreadable(f"recognizing its text took longer than {OCR_SECONDS} s") from exc
    return [" ".join(block.split()) for block in blocks], None


READERS: dict[str, Callable[[Path], tuple[Iterable[str], int | None]]] = {
    "text": _text,
    "csv": _csv,
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
    "image": _image,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
