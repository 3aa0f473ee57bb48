"""Text into Markdown that shows exactly that text, and Markdown back into text; knows no Confluence."""

import re

BREAK = "\x01"
"""A line break inside a line that is still being put together; the parser lets no control character through."""

_SPECIAL = re.compile(
    r"[\\`*\[\]|~]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore between letters is no emphasis: snake_case stays as it is
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w{1,32};)"
)
_LINE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+](?=\s|$)|>|=(?==*\s*$)|-(?=[-\s]*$|:)|:(?=-))")
_NUMBER_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_SPACES = re.compile(r"\s+")
_BACKTICKS = re.compile(r"`+")
_URL_UNSAFE = re.compile(r"""[\s<>()|\\`"\[\]*]""")
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
SCHEMES = frozenset({"http", "https", "mailto", "ftp", "ftps", "tel", "sip", "file", "slack", "msteams"})


def escape(text: str) -> str:
    """Escape what would be read as Markdown inside a line. White space is left to the caller."""
    return _SPECIAL.sub(lambda match: "\\" + match.group(), text)


def guard_line_start(line: str) -> str:
    """Escape what would make a heading, list, quote, rule or table delimiter at the start of a line."""
    line = _NUMBER_START.sub(r"\1\\\2", line)
    return _LINE_START.sub(r"\\\1", line)


def one_line(raw: str) -> str:
    """White space and breaks collapsed into single spaces, none at the ends."""
    return _SPACES.sub(" ", raw.replace(BREAK, " ")).strip()


def paragraph(raw: str) -> str:
    """Put-together inline Markdown as a paragraph: white space collapsed, breaks kept as hard breaks."""
    lines = (_SPACES.sub(" ", line).strip() for line in raw.split(BREAK))
    return "  \n".join(guard_line_start(line) for line in lines if line)


def code_span(text: str) -> str:
    """Inline code of one line; the fence is longer than any run of backticks inside."""
    text = _SPACES.sub(" ", text.replace(BREAK, " "))
    if not text.strip():
        return text
    fence = _fence_for(text, 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def code_block(text: str, language: str = "") -> str:
    """Fenced code, verbatim but for line ends."""
    fence = _fence_for(text, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def _fence_for(text: str, shortest: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(shortest, longest + 1)


def safe_url(url: str) -> str | None:
    """A URL that cannot leave its parentheses; None for an empty one or a scheme that runs code."""
    url = url.strip()
    scheme = _SCHEME.match(url)
    if not url or (scheme is not None and scheme[1].lower() not in SCHEMES):
        return None
    return _URL_UNSAFE.sub(_percent, url)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "replace"))


_FENCED = re.compile(r"^([ >]*)(`{3,})[^\n`]*\n(.*?)^[ >]*\2[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_IMAGE_OR_LINK = re.compile(
    r"!?(?<!\\)\[((?:[^\[\]\\\n]|\\.){0,2000}+)\]\([^()\s]{0,4000}+(?: \"[^\"\n]{0,500}+\")?\)"
)
_ANCHOR = re.compile(r'<a id="[^"<>]*"></a>|</?su[bp]>')
_PREFIX = re.compile(
    r"^[ \t]*(?:>[ \t]?)*[ \t]*(?:#{1,6}[ \t]+|[-+][ \t]+(?:\[[ x]\][ \t]+)?|\d{1,9}[.)][ \t]+)?",
    re.MULTILINE,
)
_RULE = re.compile(r"^(?:---+|\|(?: --- \|)+)[ \t]*$\n?", re.MULTILINE)
_UNESCAPED_PIPE = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"(?<!\\)(?:\*{1,3}|~~|`+)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def plain_text(markdown: str) -> str:
    """The text a reader sees, for excerpts and previews of Markdown that this package wrote."""
    text = _FENCED.sub(lambda match: match[3], markdown)
    text = _RULE.sub("", text).replace("<br>", "\n")
    text = _IMAGE_OR_LINK.sub(r"\1", _IMAGE_OR_LINK.sub(r"\1", _ANCHOR.sub("", text)))
    text = _UNESCAPED_PIPE.sub(" ", _PREFIX.sub("", text))
    text = _ESCAPED.sub(r"\1", _MARKS.sub("", text))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
