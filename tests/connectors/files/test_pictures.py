"""Text in pictures: recognized where tesseract is, refused in clear words where it is not, bounded either way."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from connectors.files.extract import check_readable, extract
from core.errors import BadInput

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract", path=os.defpath) is None, reason="tesseract is not installed"
)


def picture(path: Path, words: str = "", size: tuple[int, int] = (900, 160)) -> Path:
    drawn = Image.new("RGB", size, "white")
    if words:
        ImageDraw.Draw(drawn).text((30, 40), words, fill="black", font=ImageFont.load_default(60))
    drawn.save(path)
    return path


@needs_tesseract
@pytest.mark.parametrize("ending", ["png", "jpg", "tiff", "webp"])
def test_text_in_a_picture_is_read(tmp_path: Path, ending: str) -> None:
    path = picture(tmp_path / f"plan.{ending}", "Kettles boil at noon")
    assert "Kettles boil at noon" in extract(path, file_name=path.name).markdown


@needs_tesseract
def test_a_picture_without_words_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"blank\.png: no text was recognized"):
        extract(picture(tmp_path / "blank.png"), file_name="blank.png")


@needs_tesseract
def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (9000, 9000)).save(path)
    with pytest.raises(BadInput, match="more than 50 million pixels"):
        extract(path, file_name="huge.png")


@needs_tesseract
def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fake.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100)
    with pytest.raises(BadInput, match="damaged"):
        extract(path, file_name="fake.png")


def test_pictures_are_not_read_where_that_is_off() -> None:
    with pytest.raises(BadInput, match="IMP_OCR is off"):
        check_readable("plan.png", has_ocr=False)
    check_readable("plan.pdf", has_ocr=False)


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_more: None)
    with pytest.raises(BadInput, match="tesseract is not installed"):
        check_readable("plan", "image/png")
