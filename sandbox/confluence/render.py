"""Storage format to HTML, for a person's browser and for `body.view`; knows links and names, no layout."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote

from sandbox.confluence.storage import attribute, child, descendant, parameters, parse, tag, text
from sandbox.confluence.store import Content, Store

DROPPED = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "ac:parameter",
    "ac:placeholder",
    "ac:adf-attribute",
}
VOID = {"br", "hr", "img", "col", "wbr"}
BOXES = {
    "info": "info",
    "note": "note",
    "warning": "warning",
    "tip": "tip",
    "success": "tip",
    "error": "warning",
}
ALLOWED_ATTRIBUTES = {
    "href",
    "colspan",
    "rowspan",
    "style",
    "class",
    "title",
    "alt",
    "datetime",
    "start",
    "id",
}
MAX_DEPTH = 150
EMOTICONS = {"tick": "✅", "cross": "❌", "warning": "⚠️", "information": "ℹ️", "smile": "🙂", "sad": "🙁",
             "thumbs-up": "👍", "thumbs-down": "👎", "blue-star": "⭐", "yellow-star": "⭐", "heart": "❤️",
             "light-on": "💡", "question": "❓", "plus": "➕", "minus": "➖", "laugh": "😄", "wink": "😉"}  # fmt: skip


@dataclass
class Rendering:
    """One body on its way to HTML. `base` is the context path (`/wiki` or empty)."""

    store: Store
    page: Content
    base: str = "/wiki"
    may_tick: bool = False
    may_view: Callable[[Content], bool] = lambda _: True
    anchors: dict[str, int] = field(default_factory=dict)
    depth: int = 0

    def html(self, body: str) -> str:
        return self.inside(parse(body))

    def inside(self, element: Any) -> str:
        """The HTML of everything within an element."""
        if self.depth > MAX_DEPTH:
            return escape(text(element))
        self.depth += 1
        parts = [escape(element.text or "")]
        for below in element:
            parts.append(self.one(below))
            parts.append(escape(below.tail or ""))
        self.depth -= 1
        return "".join(parts)

    def one(self, element: Any) -> str:
        name = tag(element)
        if not name or name in DROPPED:
            return ""
        if re.fullmatch(r"h[1-6]", name):
            return self.heading(element, name)
        draw = ELEMENTS.get(name)
        if draw:
            return draw(self, element)
        if ":" in name:
            return self.inside(element)
        return self.plain_html(element, name)

    def plain_html(self, element: Any, name: str) -> str:
        attributes = "".join(
            f' {key}="{escape(value)}"'
            for key, value in element.attrib.items()
            if key in ALLOWED_ATTRIBUTES and not value.strip().lower().startswith(("javascript:", "data:"))
        )
        if name in VOID:
            return f"<{name}{attributes}/>"
        inner = self.inside(element)
        if name == "table":
            return f'<div class="table-wrap"><table{attributes}>{inner}</table></div>'
        return f"<{name}{attributes}>{inner}</{name}>"

    def heading(self, element: Any, name: str) -> str:
        words = text(element)
        anchor = numbered(slug(words), self.anchors)
        return f'<{name} id="{escape(anchor)}">{self.inside(element)}</{name}>'

    def page_href(self, title: str, space_key: str = "") -> tuple[str, Content | None]:
        """Where a link to a page by title leads, and the page, if there is one."""
        space_id = self.page.space_id
        if space_key:
            row = self.store.row("SELECT id FROM spaces WHERE key = ?", space_key)
            space_id = row["id"] if row else -1
        found = self.store.contents(
            "title = ? AND space_id = ? AND type IN ('page', 'blogpost') AND status <> 'trashed'",
            title,
            space_id,
        )
        if not found:
            return "#", None
        return self.href(found[0]), found[0]

    def href(self, content: Content) -> str:
        key = self.store.space(content.space_id).key
        return f"{self.base}/spaces/{quote(key)}/pages/{content.id}/{quote(content.title.replace(' ', '+'), '+')}"

    def file_href(self, filename: str) -> str:
        return f"{self.base}/download/attachments/{self.page.container_id or self.page.id}/{quote(filename)}"


def slug(words: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w.-]+", "-", words.strip()).strip("-") or "section"


def numbered(anchor: str, seen: dict[str, int]) -> str:
    """The second heading of a name gets `.1`, the third `.2`, as in Confluence."""
    seen[anchor] = seen.get(anchor, 0) + 1
    return anchor if seen[anchor] == 1 else f"{anchor}.{seen[anchor] - 1}"


def _link(r: Rendering, element: Any) -> str:
    words = child(element, "ac:link-body")
    if words is None:
        words = child(element, "ac:plain-text-link-body")
    label = r.inside(words) if words is not None else ""
    anchor = attribute(element, "ac:anchor")
    user = child(element, "ri:user")
    if user is not None:
        return _mention(r, user)
    target = child(element, "ri:page")
    if target is None:
        target = child(element, "ri:blog-post")
    if target is not None:
        title = attribute(target, "ri:content-title")
        href, page = r.page_href(title, attribute(target, "ri:space-key"))
        missing = ' class="missing"' if page is None else ""
        hash_part = f"#{escape(anchor)}" if anchor else ""
        return f'<a href="{escape(href)}{hash_part}"{missing}>{label or escape(title)}</a>'
    file = child(element, "ri:attachment")
    if file is not None:
        name = attribute(file, "ri:filename")
        return f'<a class="file" href="{escape(r.file_href(name))}">{label or escape(name)}</a>'
    space = child(element, "ri:space")
    if space is not None:
        key = attribute(space, "ri:space-key")
        return f'<a href="{r.base}/spaces/{escape(key)}">{label or escape(key)}</a>'
    entity = child(element, "ri:content-entity")
    if entity is not None:
        found = r.store.find(attribute(entity, "ri:content-id"))
        if found:
            return f'<a href="{escape(r.href(found))}">{label or escape(found.title)}</a>'
    return f'<a href="#{escape(anchor)}">{label or escape(anchor)}</a>' if anchor else label


def _mention(r: Rendering, user: Any) -> str:
    keys = ("ri:account-id", "ri:userkey", "ri:username")
    who = next((attribute(user, key) for key in keys if attribute(user, key)), "")
    person = r.store.person(who) if who else None
    name = person.name if person else (who or "unknown")
    identity = f' data-account-id="{escape(person.account_id)}"' if person else ""
    return f'<a class="mention user-mention"{identity}>@{escape(name)}</a>'


def _image(r: Rendering, element: Any) -> str:
    file, url = child(element, "ri:attachment"), child(element, "ri:url")
    alt = attribute(element, "ac:alt") or attribute(element, "ac:title")
    width = attribute(element, "ac:width")
    source = r.file_href(attribute(file, "ri:filename")) if file is not None else ""
    if url is not None:
        source = attribute(url, "ri:value")
    if not source or source.lower().startswith(("javascript:", "data:")):
        return ""
    caption = child(element, "ac:caption")
    below = f"<figcaption>{r.inside(caption)}</figcaption>" if caption is not None else ""
    size = f' width="{escape(width)}"' if width.isdigit() else ""
    return f'<figure><img src="{escape(source)}" alt="{escape(alt)}"{size} loading="lazy"/>{below}</figure>'


def _task_list(r: Rendering, element: Any) -> str:
    items = []
    for task in [below for below in element if tag(below) in ("ac:task", "ac:task-list")]:
        if tag(task) == "ac:task-list":
            items.append(f"<li>{_task_list(r, task)}</li>")
            continue
        number, status, body = (child(task, f"ac:task-{part}") for part in ("id", "status", "body"))
        done = status is not None and text(status).strip() == "complete"
        task_id = escape(text(number).strip()) if number is not None else ""
        state = " checked" if done else ""
        lock = "" if r.may_tick else " disabled"
        words = r.inside(body) if body is not None else ""
        items.append(
            f'<li class="{"checked" if done else ""}" data-inline-task-id="{task_id}">'
            f'<input type="checkbox" data-task="{task_id}" aria-label="Task"{state}{lock}/><div>{words}</div></li>'
        )
    return f'<ul class="inline-task-list">{"".join(items)}</ul>'


def _emoticon(r: Rendering, element: Any) -> str:
    fallback = attribute(element, "ac:emoji-fallback")
    fallback = "" if fallback.startswith((":", "\\")) else fallback
    code = attribute(element, "ac:emoji-id")
    if not fallback and re.fullmatch(r"[0-9a-fA-F]{4,5}(-[0-9a-fA-F]{4,5})*", code):
        fallback = "".join(chr(int(part, 16)) for part in code.split("-"))
    return (
        f'<span class="emoji">{escape(fallback or EMOTICONS.get(attribute(element, "ac:name"), "▫️"))}</span>'
    )


def _time(r: Rendering, element: Any) -> str:
    day = element.get("datetime", "") or text(element)
    return f'<time datetime="{escape(day)}">{escape(day)}</time>'


def _layout_section(r: Rendering, element: Any) -> str:
    kind = re.sub(r"[^a-z_-]", "", attribute(element, "ac:type", "single"))
    return f'<div class="layout {kind}">{r.inside(element)}</div>'


def _adf(r: Rendering, element: Any) -> str:
    node, fallback = child(element, "ac:adf-node"), child(element, "ac:adf-fallback")
    if node is not None and attribute_of(node, "type") == "decision-list":
        return _decisions(r, node)
    if node is not None and attribute_of(node, "type") == "panel":
        kinds = {adf_attribute(node, "panel-type")} & set(BOXES)
        content = child(node, "ac:adf-content")
        return _box(
            BOXES[kinds.pop()] if kinds else "note", "", r.inside(content) if content is not None else ""
        )
    return r.inside(fallback if fallback is not None else element)


def attribute_of(node: Any, name: str) -> str:
    return str(node.get(name, "")) or attribute(node, f"ac:{name}")


def adf_attribute(node: Any, key: str) -> str:
    found = [
        below for below in node if tag(below) == "ac:adf-attribute" and attribute_of(below, "key") == key
    ]
    return text(found[0]).strip() if found else ""


def _decisions(r: Rendering, node: Any) -> str:
    items = []
    for item in [below for below in node if attribute_of(below, "type") == "decision-item"]:
        content = child(item, "ac:adf-content")
        state = "decided" if adf_attribute(item, "state").upper() != "UNDECIDED" else "undecided"
        items.append(f'<li class="{state}">{r.inside(content if content is not None else item)}</li>')
    return f'<ul class="decision-list">{"".join(items)}</ul>'


def _box(kind: str, title: str, inner: str, style: str = "") -> str:
    head = f'<div class="box-title">{escape(title)}</div>' if title else ""
    return f'<div class="box {kind}"{style}><div class="box-body">{head}{inner}</div></div>'


def _macro(r: Rendering, element: Any) -> str:
    name, given = attribute(element, "ac:name"), parameters(element)
    rich, raw = child(element, "ac:rich-text-body"), child(element, "ac:plain-text-body")
    inner = r.inside(rich) if rich is not None else ""
    if name in BOXES:
        return _box(BOXES[name], given.get("title", ""), inner)
    if name == "panel":
        colour = given.get("bgColor", "")
        style = f' style="background:{colour}"' if re.fullmatch(r"#[0-9a-fA-F]{3,8}|[a-z]+", colour) else ""
        return _box("panel", given.get("title", ""), inner, style)
    if name in ("code", "noformat"):
        title = given.get("title") or given.get("language", "")
        head = f'<div class="code-title">{escape(title)}</div>' if title else ""
        return f'<div class="code">{head}<pre><code>{escape(text(raw) if raw is not None else "")}</code></pre></div>'
    if name == "expand":
        return f"<details><summary>{escape(given.get('title') or 'Expand')}</summary><div>{inner}</div></details>"
    if name == "status":
        colour = re.sub(r"[^a-z]", "", given.get("colour", given.get("color", "grey")).lower()) or "grey"
        return f'<span class="status {colour}">{escape(given.get("title") or colour.upper())}</span>'
    draw = MACROS.get(name)
    if draw:
        return draw(r, element, given)
    if rich is not None:
        return inner
    if raw is not None:
        return f"<pre>{escape(text(raw))}</pre>"
    shown = " ".join(
        filter(None, [given.get(key, "") for key in ("", "title", "key", "name", "url", "jqlQuery")])
    )
    return f'<span class="macro">{escape(name)}{": " + escape(shown) if shown else ""}</span>'


def _toc(r: Rendering, element: Any, given: dict[str, str]) -> str:
    """Links to the headings, indented below the highest one there is; `maxLevel` ends it."""
    root = element.getroottree().getroot()
    seen: dict[str, int] = {}
    items = []
    headings = [found for found in root.iter() if re.fullmatch(r"h[1-6]", tag(found))]
    top = min((int(tag(heading)[1]) for heading in headings), default=1)
    deepest = int(given["maxLevel"]) if given.get("maxLevel", "").isdigit() else 6
    for heading in headings:
        words, level = text(heading).strip(), int(tag(heading)[1])
        anchor = numbered(slug(words), seen)
        if level <= deepest and words:
            link = f'<a href="#{escape(anchor)}">{escape(words)}</a>'
            items.append(f'<li class="l{level - top + 1}">{link}</li>')
    return f'<nav class="toc"><ul>{"".join(items)}</ul></nav>'


def _children(r: Rendering, element: Any, given: dict[str, str]) -> str:
    below = r.store.contents("parent_id = ? AND status = 'current' AND type = 'page'", r.page.id)
    links = [f'<li><a href="{escape(r.href(p))}">{escape(p.title)}</a></li>' for p in below if r.may_view(p)]
    return f'<ul class="children">{"".join(links)}</ul>'


def _file(r: Rendering, element: Any, given: dict[str, str]) -> str:
    named = descendant(element, "ri:attachment")
    name = attribute(named, "ri:filename") if named is not None else given.get("name", "")
    return f'<a class="file" href="{escape(r.file_href(name))}">{escape(name)}</a>'


def _files(r: Rendering, element: Any, given: dict[str, str]) -> str:
    rows = r.store.contents("container_id = ? AND type = 'attachment' AND status = 'current'", r.page.id)
    links = [
        f'<li><a class="file" href="{escape(r.file_href(a.title))}">{escape(a.title)}</a></li>' for a in rows
    ]
    return f'<ul class="children">{"".join(links)}</ul>'


def _include(r: Rendering, element: Any, given: dict[str, str]) -> str:
    named = descendant(element, "ri:page")
    if named is None or r.depth > 20:
        return ""
    _, page = r.page_href(attribute(named, "ri:content-title"), attribute(named, "ri:space-key"))
    if page is None or page.id == r.page.id or not r.may_view(page):
        return '<span class="macro">the included page cannot be shown</span>'
    within = Rendering(r.store, page, base=r.base, may_view=r.may_view, depth=r.depth + 5)
    if attribute(element, "ac:name") == "excerpt-include":
        found = [e for e in parse(page.body).iter() if attribute_name(e) == "excerpt"]
        rich = child(found[0], "ac:rich-text-body") if found else None
        return within.inside(rich) if rich is not None else ""
    return within.html(page.body)


def attribute_name(element: Any) -> str:
    return attribute(element, "ac:name") if tag(element) == "ac:structured-macro" else ""


MACROS: dict[str, Callable[[Rendering, Any, dict[str, str]], str]] = {
    "toc": _toc, "children": _children, "pagetree": _children, "view-file": _file, "viewpdf": _file,
    "attachments": _files, "include": _include, "excerpt-include": _include,
    "anchor": lambda r, e, given: f'<a id="{escape(given.get("", ""))}"></a>',
}  # fmt: skip
ELEMENTS: dict[str, Callable[[Rendering, Any], str]] = {
    "ac:link": _link, "ri:user": _mention, "ac:image": _image, "ac:task-list": _task_list,
    "ac:structured-macro": _macro, "ac:macro": _macro, "ac:emoticon": _emoticon, "time": _time,
    "ac:layout-section": _layout_section, "ac:adf-extension": _adf,
    "ac:layout-cell": lambda r, e: f'<div class="cell">{r.inside(e)}</div>',
    "ac:inline-comment-marker": lambda r, e: (
        f'<span class="inline-comment-marker" data-ref="{escape(attribute(e, "ac:ref"))}">{r.inside(e)}</span>'
    ),
}  # fmt: skip
