"""Which files text can be read from, told by their ending first and their media type second."""

from pathlib import PurePosixPath

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
    ".log": "text",
    ".md": "text",
    ".markdown": "text",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".tif": "image",
    ".tiff": "image",
    ".bmp": "image",
    ".gif": "image",
    ".webp": "image",
}
MEDIA_TYPES = {
    "text/csv": "csv",
    "text/plain": "text",
    "text/markdown": "text",
    "text/html": "html",
    "application/pdf": "pdf",
    "image/png": "image",
    "image/jpeg": "image",
    "image/tiff": "image",
    "image/bmp": "image",
    "image/gif": "image",
    "image/webp": "image",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


def text_format(file_name: str, media_type: str = "") -> str | None:
    """The reader to use, None when there is none for this kind of file."""
    ending = PurePosixPath(file_name.lower()).suffix
    return FORMATS.get(ending) or MEDIA_TYPES.get(media_type.split(";")[0].strip().lower())


def is_media(file_name: str, media_type: str) -> bool:
    """Sound or film: something to transcribe."""
    endings = (
        ".mp3",
        ".mp4",
        ".m4a",
        ".wav",
        ".ogg",
        ".webm",
        ".mov",
        ".mkv",
        ".flac",
        ".aac",
        ".avi",
        ".opus",
    )
    return media_type.startswith(("audio/", "video/")) or file_name.lower().endswith(endings)
