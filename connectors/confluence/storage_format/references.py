"""Links, mentions and images: what a page points at, noted and written readably even when nobody resolves it."""

import re
from dataclasses import replace

from connectors.confluence.storage_format.context import Context
from connectors.confluence.storage_format.escape import escape, one_line, plain_text, safe_url
from connectors.confluence.storage_format.tree import Element, Node, find, text_of
from connectors.confluence.storage_format.values import Link, LinkKind

_JIRA_URL = re.compile(r"/browse/([A-Z][A-Z0-9_]{1,30}-[0-9]{1,9})(?:[?#/]|$)")
_BODIES = ("ac:link-body", "ac:plain-text-link-body")
SELF_TITLES = frozenset({"", "@self", "@parent", "@home"})


def write_link(ctx: Context, link: Link, label: str) -> str:
    """Note a link and write `label` (inline Markdown; the link's text when empty) as a link where it leads somewhere."""
    ctx.findings.links.setdefault(link)
    label = one_line(label) or escape(link.text or link.target)
    url = safe_url(link.url) if link.url else None
    return label if ctx.in_link or url is None else f"[{label}]({url})"


def anchor_tag(ctx: Context, element: Element) -> str:
    """`<a href>`: an external address, an issue or a place on the page."""
    href, label = element.get("href").strip(), ctx.link().inline(element.children)
    anchor_id = element.get("id") or element.get("name")
    if not href or ctx.in_link or safe_url(href) is None:
        return (write_anchor(anchor_id) if anchor_id and not href else "") + label
    before, after = label[: len(label) - len(label.lstrip())], label[len(label.rstrip()) :]
    shown = find(element, "img", "ac:image")
    if not label.strip() and shown is None:
        label = escape(href)
    return f"{before}{write_link(ctx, _external(href, plain_text(label)), label)}{after}"


def _external(href: str, label: str) -> Link:
    if href.startswith("#"):
        return Link("anchor", href[1:], label, url=href)
    issue = _JIRA_URL.search(href)
    return Link("jira", issue[1], label, url=href) if issue else Link("external", href, label, url=href)


def write_anchor(name: str) -> str:
    """A place that links of the page lead to."""
    name = re.sub(r"[\s\"<>&|\\`]+", "-", name).strip("-")
    return f'<a id="{name}"></a>' if name else ""


def link(ctx: Context, element: Element) -> str:
    """`ac:link`: a page, post, attachment, person, space, shortcut or anchor, by what it refers to."""
    label = "".join(_label(ctx, body) for body in element.elements(*_BODIES))
    stray = ctx.inline([c for c in element.children if not (isinstance(c, Element) and c.name in _BODIES)])
    user = element.first("ri:user")
    written = mention(ctx, user, label) if user is not None else _written(ctx, element, label)
    return written + stray if stray.strip() else written


def _label(ctx: Context, body: Element) -> str:
    return ctx.link().inline(body.children)


def _written(ctx: Context, element: Element, label: str) -> str:
    anchor = element.get("ac:anchor") or None
    target = next((e for e in element.elements() if e.name.startswith("ri:")), None)
    if target is None or (target.name == "ri:page" and target.get("ri:content-title") in SELF_TITLES):
        if anchor is None:
            return label
        url = f"#{anchor}" if target is None or target.get("ri:content-title") in ("", "@self") else None
        return write_link(ctx, Link("anchor", anchor, plain_text(label) or anchor, url=url), label)
    found = refer(ctx, target)
    if found is None:
        return label
    return write_link(
        ctx,
        replace(found, text=plain_text(label) or found.text, anchor=anchor, url=_at(found, anchor)),
        label,
    )


def _at(found: Link, anchor: str | None) -> str | None:
    return f"{found.url}#{anchor}" if found.url and anchor and "#" not in found.url else found.url


def refer(ctx: Context, target: Element) -> Link | None:
    """The link that an `ri:` reference stands for; None when it refers to nothing."""
    space = target.get("ri:space-key") or None
    title = target.get("ri:content-title")
    if target.name == "ri:page" and title:
        return _page(ctx, "page", title, space)
    if target.name == "ri:blog-post" and title:
        return _page(ctx, "blog", title, space)
    if target.name == "ri:attachment" and target.get("ri:filename"):
        return _attachment(ctx, target)
    if target.name == "ri:space" and space:
        return Link("space", space, space, space_key=space)
    if target.name == "ri:content-entity" and target.get("ri:content-id"):
        return Link("page", target.get("ri:content-id"), f"page {target.get('ri:content-id')}")
    if target.name == "ri:url" and target.get("ri:value"):
        return _external(target.get("ri:value"), target.get("ri:value"))
    if target.name == "ri:shortcut" and target.get("ri:parameter"):
        return Link(
            "external", f"{target.get('ri:key')}:{target.get('ri:parameter')}", target.get("ri:parameter")
        )
    return None


def _page(ctx: Context, kind: LinkKind, title: str, space: str | None) -> Link:
    page = ctx.resolver.page(title, space)
    return Link(kind, title, page.title if page else title, url=page.url if page else None, space_key=space)


def _attachment(ctx: Context, target: Element) -> Link:
    """A file of this page; one that another page holds is linked by name only, its address is not known here."""
    name = target.get("ri:filename")
    holder = target.first("ri:page", "ri:blog-post", "ri:content-entity", "ri:space")
    if holder is not None and holder.get("ri:content-title") != "@self":
        return Link("attachment", name, name, space_key=holder.get("ri:space-key") or None)
    ctx.findings.attachments.setdefault(name)
    return Link("attachment", name, name, url=ctx.resolver.attachment_url(name))


def mention(ctx: Context, user: Element, label: str = "") -> str:
    """`@Name` of a person; without a resolver the label on the page, else the account id."""
    account = user.get("ri:account-id") or user.get("ri:userkey") or user.get("ri:username")
    if not account:
        return label or "@unknown"
    ctx.findings.mentions.setdefault(account)
    name = ctx.resolver.user_name(account)
    label = one_line(label)
    if name and label and escape(name) not in label:
        return f"@{escape(name)} ({label})"
    return f"@{escape(one_line(name)) if name else label.removeprefix('@') or escape(account)}"


def image(ctx: Context, element: Element) -> str:
    """`ac:image`: its alternative text, file name and caption, and whatever broken markup left inside it."""
    target = element.first("ri:attachment", "ri:url")
    captions = element.elements("ac:caption")
    rest = [c for c in element.children if c is not target and not any(c is caption for caption in captions)]
    stray = ctx.inline(rest) + (ctx.inline(target.children) if target is not None else "")
    caption = one_line(" ".join(ctx.inline(c.children) for c in captions))
    alt = element.get("ac:alt") or element.get("ac:title")
    written = escape(alt) if "emoticon" in element.get("ac:class") else write_image(ctx, target, alt)
    shown = f" {caption} " if caption and caption != escape(alt) else ""
    return written + shown + (stray if stray.strip() else "")


def write_image(ctx: Context, target: Element | None, alt: str) -> str:
    """An image by its reference; only its words inside a link or when it has no usable address."""
    if target is None:
        return escape(alt)
    found = _attachment(ctx, target) if target.name == "ri:attachment" else None
    name = found.target if found else ""
    if found is not None:
        ctx.findings.attachments.setdefault(name)
    url = safe_url((found.url or name) if found else target.get("ri:value"))
    words = escape(one_line(alt)) or escape(name or target.get("ri:value").rsplit("/", 1)[-1][:200])
    if url is None:
        return words
    title = f' "{_title(name)}"' if name and name != alt and found is not None and found.url else ""
    return f"![{words}]({url}{title})"


def _title(name: str) -> str:
    return escape(re.sub(r'[\s"]+', " ", name))


def image_tag(ctx: Context, element: Element) -> str:
    """`<img>` of pasted HTML."""
    alt, url = element.get("alt") or element.get("title"), safe_url(element.get("src"))
    if "emoticon" in element.get("class") or url is None:
        return escape(alt)
    return f"![{escape(one_line(alt))}]({url})"


def adf_telling(ctx: Context, extension: Element) -> Context:
    """An ADF extension is told twice, as a node and as its fallback: the context that writes only one of them."""
    return replace(ctx, skips_fallback=has_adf_content(extension))


def has_adf_content(extension: Element) -> bool:
    """Whether the node of an ADF extension says something itself, so that its fallback would repeat it."""
    pending: list[Node] = list(extension.children)
    while pending:
        node = pending.pop()
        if not isinstance(node, Element):
            if node.value.strip():
                return True
        elif node.name == "ac:adf-content":
            if text_of(node).strip() or node.elements():
                return True
        elif node.name not in ("ac:adf-attribute", "ac:adf-fallback"):
            pending.extend(node.children)
    return False
