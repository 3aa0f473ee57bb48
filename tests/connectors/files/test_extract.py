"""Text out of files: what is in good ones, and a clear refusal for each bad one within its limits."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.files.extract import extract
from core.errors import BadInput

GOOD = {
    "autogen.docx": "AutoGen",
    "headings.docx": "# First paragraph",
    "footnotes-table.docx": "|",
    "invoice-multipage.pdf": "Certified Collision Repair",
    "report-autogen.pdf": "AutoGen",
    "sheet.xlsx": "|",
    "slides.pptx": "AutoGen",
    "table-slide.pptx": "|",
    "wikipedia.html": "Microsoft",
    "cp932.csv": "佐藤",
}
BAD = {
    "empty.pdf": "no text",
    "fuzz-bad-directory.pptx": "damaged",
    "not-a-zip.xlsx": "damaged",
    "password-pass.docx": "password",
    "password-pass123.pdf": "password",
    "password-tika.xlsx": "password",
    "truncated.docx": "damaged",
    "random.bin": "kind of file",
    "xmlbomb.xlsx": "",
}


@pytest.mark.parametrize(("name", "words"), GOOD.items())
def test_good_files_give_their_text(shared_data: Callable[[str], Path], name: str, words: str) -> None:
    found = extract(shared_data(f"files/good/{name}"), file_name=name)
    assert words in found.markdown


@pytest.mark.parametrize(("name", "why"), BAD.items())
def test_bad_files_are_refused_by_name(shared_data: Callable[[str], Path], name: str, why: str) -> None:
    with pytest.raises(BadInput, match=f"^{name}: ") as caught:
        extract(shared_data(f"files/bad/{name}"), file_name=name, max_s=20)
    assert why in str(caught.value)


def test_a_bomb_ends_at_its_limits(shared_data: Callable[[str], Path]) -> None:
    started = time.monotonic()
    with contextlib.suppress(BadInput):
        extract(shared_data("files/bad/shared-strings-bomb.xlsx"), file_name="bomb.xlsx", max_s=10)
    assert time.monotonic() - started < 15


def test_outside_entities_are_never_fetched(shared_data: Callable[[str], Path]) -> None:
    found = extract(shared_data("files/bad/corrupted.xlsx"), file_name="corrupted.xlsx")
    assert "root:" not in found.markdown


def test_a_file_without_owner_password_is_read(shared_data: Callable[[str], Path]) -> None:
    name = "owner-password.pdf"
    assert extract(shared_data(f"files/bad/{name}"), file_name=name).markdown


def test_long_text_is_cut_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("word " * 10_000)
    found = extract(path, file_name="long.txt", max_chars=1_000)
    assert len(found.markdown) == 1_000
    assert found.warnings == ("only the first 1000 characters were read",)


def test_rows_of_a_table_keep_their_cells(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("part;price\nseal|ring;2,50\n")
    assert (
        extract(path, file_name="prices.csv").markdown
        == "| part | price |\n| --- | --- |\n| seal\\|ring | 2,50 |"
    )


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    path.write_bytes(b"x" * 300 * 1024**2)
    with pytest.raises(BadInput, match="memory"):
        extract(path, file_name="big.txt", max_memory_bytes=256 * 1024**2)
