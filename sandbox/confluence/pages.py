"""What a person sees in a browser: spaces, the page tree, pages, a small editor, and whose eyes to use."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sandbox.confluence import content as contents
from sandbox.confluence import cql, storage
from sandbox.confluence.access import (
    ANONYMOUS,
    editable,
    may_edit,
    may_view,
    may_view_space,
    viewable,
    visible,
)
from sandbox.confluence.calls import ThisCall
from sandbox.confluence.problems import Refused, bad_request
from sandbox.confluence.render import Rendering
from sandbox.confluence.store import Content, Person, Space, Store, moment

router = APIRouter(include_in_schema=False)
HERE = Path(__file__).parent
COOKIE = "view_as"
VISITOR = "anonymous"
STATIC = {"style.css": "text/css", "page.js": "text/javascript"}
templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
COLOURS = ("#3659c9", "#0e7c66", "#a8471f", "#7a3fb0", "#b03060", "#2f7da8", "#6b7a12", "#8a5a00")


class Viewer:
    """Who looks: the account chosen in "view as", or the first admin; and what that account may see."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.store: Store = request.app.state.store
        self.base = str(request.app.state.context)
        wanted = request.cookies.get(COOKIE, "")
        people = self.store.people()
        first = next((one for one in people if one.is_admin), people[0] if people else ANONYMOUS)
        self.person: Person = (
            ANONYMOUS if wanted == VISITOR else (self.store.person(wanted) if wanted else None) or first
        )

    def spaces(self) -> list[Space]:
        return [space for space in self.store.spaces() if may_view_space(self.store, self.person, space)]

    def tree(self, space: Space) -> list[dict[str, Any]]:
        """The pages of a space below each other, only those this person may open."""
        rows = self.store.contents(
            "space_id = ? AND type IN ('page', 'folder', 'whiteboard', 'database') AND status = 'current'",
            space.id,
        )
        rows = sorted(visible(self.store, self.person, rows), key=lambda one: one.position)
        shown = {one.id for one in rows}

        def below(parent: str | None) -> list[dict[str, Any]]:
            mine = [one for one in rows if (one.parent_id if one.parent_id in shown else None) == parent]
            return [{"page": one, "children": below(one.id), "locked": self.locked(one)} for one in mine]

        return below(None)

    def locked(self, c: Content) -> bool:
        return bool(self.store.restrictions(c.id, "read"))

    def href(self, c: Content) -> str:
        return Rendering(self.store, c, base=self.base).href(c)

    def name(self, account_id: str) -> str:
        person = self.store.person(account_id) if account_id else None
        return person.name if person else "Anonymous"

    def principal(self, text: str) -> str:
        kind, _, who = text.partition(":")
        return self.name(who) if kind == "user" else who or "Anyone"

    def draw(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        text = templates.get_template(template).render(
            viewer=self, person=self.person, people=self.store.people(), base=self.base, colour=colour,
            initials=initials, day=day, path=self.request.url.path, **values,
        )  # fmt: skip
        answer = HTMLResponse(text, status_code=status)
        answer.set_cookie(COOKIE, self.person.account_id or VISITOR, samesite="lax")
        answer.headers["Content-Security-Policy"] = (
            "default-src 'self'; img-src * data:; style-src 'self' 'unsafe-inline'"
        )
        return answer

    def closed_door(self, exc: Refused) -> HTMLResponse:
        """One page for missing and for forbidden content: it does not tell which."""
        return self.draw("missing.html", status=exc.status, message=exc.message, space=None, tree=[])


Looking = Annotated[Viewer, Depends(Viewer)]


def colour(text: str) -> str:
    return COLOURS[sum(at * byte for at, byte in enumerate(text.encode(), 1)) % len(COLOURS)]


def initials(name: str) -> str:
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"


def day(text: str) -> str:
    when = moment(text)
    return f"{when.day} {when:%b %Y}"


@router.get("/")
@router.get("/wiki")
@router.get("/wiki/")
def home(look: Looking) -> Response:
    cards = []
    for space in look.spaces():
        pages = visible(
            look.store,
            look.person,
            look.store.contents("space_id = ? AND type = 'page' AND status = 'current'", space.id),
        )
        recent = sorted(pages, key=lambda c: c.updated, reverse=True)[:4]
        rows = look.store.rows(
            "SELECT DISTINCT principal FROM space_permissions WHERE space_id = ?", space.id
        )
        doors = [
            "Everyone" if row["principal"] == "anonymous" else look.principal(row["principal"])
            for row in rows
        ]
        cards.append({"space": space, "n_pages": len(pages), "recent": recent, "doors": doors})
    return look.draw("home.html", cards=cards, space=None, tree=[])


@router.get("/search")
@router.get("/wiki/search")
def search(look: Looking, q: str = "") -> Response:
    hits: list[dict[str, Any]] = []
    if q.strip():
        quoted = q.replace("\\", " ").replace('"', " ").strip()
        found = (
            cql.search(look.store, look.person, f'type in (page, blogpost) and text ~ "{quoted}"')
            if quoted
            else []
        )
        hits = [{"page": c, "excerpt": storage.plain(c.body)[:220], "space": look.store.space(c.space_id)}
                for c in visible(look.store, look.person, found)[:50]]  # fmt: skip
    return look.draw("search.html", q=q, hits=hits, space=None, tree=[])


@router.get("/spaces/{key}")
@router.get("/wiki/spaces/{key}")
@router.get("/spaces/{key}/overview")
@router.get("/wiki/spaces/{key}/overview")
@router.get("/display/{key}")
def show_space(look: Looking, key: str) -> Response:
    try:
        space = look.store.space(key)
        if not may_view_space(look.store, look.person, space):
            raise Refused(404, f"No space with key : {key}")
        home_page = look.store.find(space.homepage_id or "")
        if home_page and may_view(look.store, look.person, home_page):
            return show(look, home_page)
    except Refused as exc:
        return look.closed_door(exc)
    return look.draw("space.html", space=space, tree=look.tree(space))


@router.get("/spaces/{key}/pages/{content_id}")
@router.get("/spaces/{key}/pages/{content_id}/{title:path}")
@router.get("/wiki/spaces/{key}/pages/{content_id}")
@router.get("/wiki/spaces/{key}/pages/{content_id}/{title:path}")
@router.get("/spaces/{key}/blog/{year}/{month}/{day}/{content_id}/{title:path}")
@router.get("/wiki/spaces/{key}/blog/{year}/{month}/{day}/{content_id}/{title:path}")
@router.get("/x/{content_id}")
@router.get("/wiki/x/{content_id}")
def show_page(look: Looking, content_id: str) -> Response:
    try:
        return show(look, viewable(look.store, look.person, content_id))
    except Refused as exc:
        return look.closed_door(exc)


@router.get("/pages/viewpage.action")
@router.get("/wiki/pages/viewpage.action")
def show_page_by_query(look: Looking, pageId: str = "") -> Response:  # noqa: N803 - Confluence's own name
    return show_page(look, pageId)


@router.get("/display/{key}/{title:path}")
def show_page_by_title(look: Looking, key: str, title: str) -> Response:
    try:
        space = look.store.space(key)
        found = look.store.contents(
            "space_id = ? AND title = ? AND status = 'current'", space.id, title.replace("+", " ")
        )
        return show_page(look, found[0].id if found else "0")
    except Refused as exc:
        return look.closed_door(exc)


def show(look: Viewer, c: Content) -> Response:
    """One page with everything around it."""
    if c.type in ("comment", "attachment") and c.container_id:
        c = look.store.content(c.container_id)
    store, person = look.store, look.person
    writes = may_edit(store, person, c) and c.status == "current"
    drawn = Rendering(
        store, c, base=look.base, may_tick=writes, may_view=lambda p: may_view(store, person, p)
    )
    space = store.space(c.space_id)
    comments = store.contents("container_id = ? AND type = 'comment' AND status = 'current'", c.id)
    doors = [door for door in [*store.ancestors(c), c] if look.locked(door)]
    return look.draw(
        "page.html", page=c, space=space, tree=look.tree(space), body=Markup(drawn.html(c.body)),
        crumbs=[one for one in store.ancestors(c) if one.id != space.homepage_id], may_edit=writes, labels=[row["name"] for row in store.labels(c.id)],
        files=store.contents("container_id = ? AND type = 'attachment' AND status = 'current'", c.id),
        comments=[{"comment": one, "body": Markup(drawn.html(one.body))} for one in comments],
        doors=[{"page": door, "who": [look.principal(one) for one in store.restrictions(door.id, "read")]} for door in doors],
    )  # fmt: skip


@router.get("/edit/{content_id}")
def edit_form(look: Looking, content_id: str) -> Response:
    try:
        c = editable(look.store, look.person, content_id)
    except Refused as exc:
        return look.closed_door(exc)
    return _editor(look, c, c.title, c.body, "")


@router.post("/edit/{content_id}")
async def save(look: Looking, request: Request, content_id: str) -> Response:
    form = await request.form()
    title, body = str(form.get("title") or ""), str(form.get("body") or "").replace("\r\n", "\n")
    try:
        c = editable(look.store, look.person, content_id)
        if not storage.is_well_formed(body):
            raise bad_request("This is not well-formed storage format: some element is not closed.")
        version = str(form.get("version") or "")
        number = int(version) + 1 if version.isdigit() else None
        c = contents.update(look.store, look.person, c, version=number, title=title, body=body)
    except Refused as exc:
        found = look.store.find(content_id)
        if found is None or not may_view(look.store, look.person, found):
            return look.closed_door(exc)
        return _editor(look, found, title, body, exc.message, exc.status)
    return RedirectResponse(look.href(c), status_code=303)


def _editor(look: Viewer, c: Content, title: str, body: str, problem: str, status: int = 200) -> Response:
    space = look.store.space(c.space_id)
    return look.draw(
        "edit.html",
        status=status,
        page=c,
        space=space,
        tree=look.tree(space),
        title=title,
        body=body,
        problem=problem,
    )


@router.post("/tick/{content_id}/{task_id}")
def tick(look: Looking, content_id: str, task_id: str, done: bool) -> dict[str, Any]:
    """Tick one task of a page: a new version, as in the real one."""
    c = editable(look.store, look.person, content_id)
    body = storage.tick(c.body, task_id, done)
    if body == c.body:
        return {"version": c.version}
    new = contents.update(look.store, look.person, c, version=None, body=body, message="", minor=True)
    return {"version": new.version}


@router.post("/view-as")
async def view_as(request: Request) -> Response:
    form = await request.form()
    back = str(form.get("back") or "/")
    answer = RedirectResponse(
        back if back.startswith("/") and not back.startswith("//") else "/", status_code=303
    )
    answer.set_cookie(COOKIE, str(form.get("account_id") or VISITOR), samesite="lax")
    return answer


@router.post("/pages/movepage.action")
def move_page(call: ThisCall) -> dict[str, Any]:
    """Data Center's own way to move a page; the REST API had none for long."""
    if call.query.get("pageId") is None:
        raise bad_request("pageId is required")
    page = editable(call.store, call.person, call.query["pageId"])
    if call.query.get("position") == "topLevel":
        moved = contents.move_to_space_root(
            call.store, call.person, page, call.store.space(call.query.get("spaceKey", ""))
        )
        return {"page": {"id": moved.id}}
    target = call.query.get("targetId")
    if not target:
        space = call.store.space(call.query.get("spaceKey", ""))
        named = call.store.contents("space_id = ? AND title = ?", space.id, call.query.get("targetTitle", ""))
        target = named[0].id if named else "0"
    position = call.query.get("position", "append")
    moved = contents.move(call.store, call.person, page, position, viewable(call.store, call.person, target))
    return {"page": {"id": moved.id}}


@router.get("/aa-avatar/{who}")
@router.get("/wiki/aa-avatar/{who}")
def avatar(look: Looking, who: str) -> Response:
    name = look.name(who)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><circle cx="24" cy="24" r="24" '
        f'fill="{colour(who)}"/><text x="24" y="30" fill="#fff" font-family="sans-serif" font-size="18" '
        f'text-anchor="middle">{quote(initials(name))}</text></svg>'
    )
    return Response(svg, media_type="image/svg+xml")


@router.get("/_static/{name}")
def static(name: str) -> Response:
    if name not in STATIC:
        raise Refused(404, "no such file")
    return Response((HERE / "static" / name).read_bytes(), media_type=STATIC[name])
