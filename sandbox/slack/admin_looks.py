"""`/_sandbox/*` doors for looking: state, wait, one person's view, the change stream. They change nothing."""

import dataclasses
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from sandbox.slack import people
from sandbox.slack.errors import SlackError
from sandbox.slack.looks import look, shown_message, visible
from sandbox.slack.shapes import view_json
from sandbox.slack.workspace import Sandbox

MAX_WAIT_S = 120.0


async def state(request: Request) -> Response:
    """Everything: messages with ephemerals, views, modals, deliveries, request log."""
    sandbox: Sandbox = request.app.state.sandbox
    store = sandbox.store
    url = sandbox.config.public_url
    return JSONResponse(
        {
            "ok": True,
            "seq": store.seq,
            "team": dataclasses.asdict(store.team),
            "bot": dataclasses.asdict(store.bot),
            "users": {u.id: dataclasses.asdict(u) for u in store.users.values()},
            "channels": {c.id: dataclasses.asdict(c) for c in store.channels.values()},
            "messages": [shown_message(store, m, url) for m in store.all_messages()],
            "views": {v.id: {**view_json(store, v), "user": v.user} for v in store.views.values()},
            "open_modals": store.open_modals,
            "homes": store.homes,
            "threads": [dataclasses.asdict(t) for t in store.threads.values()],
            "files": {
                f.id: {k: v for k, v in vars(f).items() if k not in ("content", "upload_key")}
                for f in store.files.values()
            },
            "requests": list(sandbox.requests),
            "deliveries": sandbox.deliveries.log_json(),
            "sockets": sandbox.sockets.n_open,
            "faults": [dataclasses.asdict(f) for f in sandbox.faults],
        }
    )


async def wait(request: Request) -> Response:
    """`GET /_sandbox/wait`: the next message a person can see.

    `after` is a message ts (later messages only) or a `seq` number (later changes too, such as edits); without it,
    from now on. `from=bot` keeps only the bot's. Answers `{ok, message}` or, after `timeout_s`, `message: null`.
    """
    sandbox: Sandbox = request.app.state.sandbox
    query = request.query_params
    try:
        user = people.person(sandbox.store, query.get("user", ""))
        channel = query.get("channel")
        wanted = people.place(sandbox.store, user, channel).id if channel else None
        timeout_s = min(float(query.get("timeout_s") or 25), MAX_WAIT_S)
        after = query.get("after") or str(sandbox.store.seq)
        float(after)
    except SlackError as exc:
        return JSONResponse(exc.reply(), 400)
    except ValueError:
        return JSONResponse({"ok": False, "error": "bad_field", "field": "after or timeout_s"}, 400)
    deadline = time.monotonic() + timeout_s
    while True:
        store = sandbox.store
        fresh = [
            m
            for m in store.all_messages()
            if (float(m.ts) > float(after) if "." in after else m.seq > int(after))
            and (wanted is None or m.channel == wanted)
            and (query.get("from") != "bot" or m.by_bot)
            and visible(store, user, m)
        ]
        if fresh:
            first = min(fresh, key=lambda m: float(m.ts) if "." in after else m.seq)
            shown = shown_message(store, first, sandbox.config.public_url)
            return JSONResponse({"ok": True, "message": shown, "seq": store.seq})
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not await store.wait_change(left_s):
            return JSONResponse({"ok": True, "message": None, "seq": store.seq})


async def page_state(request: Request) -> Response:
    """`GET /_sandbox/look?user=`: what that person sees."""
    sandbox: Sandbox = request.app.state.sandbox
    try:
        user = people.person(sandbox.store, request.query_params.get("user", ""))
    except SlackError as exc:
        return JSONResponse(exc.reply(), 400)
    return JSONResponse({"ok": True, **look(sandbox.store, user, str(request.base_url).rstrip("/"))})


async def who(request: Request) -> Response:
    store = request.app.state.sandbox.store
    humans = [u for u in store.users.values() if not u.is_bot and u.id != "USLACKBOT"]
    people_json = [
        {
            "id": u.id,
            "name": u.name,
            "real_name": u.real_name,
            "is_guest": u.is_guest,
            "is_external": u.is_external,
        }
        for u in humans
    ]
    return JSONResponse({"ok": True, "team": store.team.name, "bot": store.bot.name, "people": people_json})


async def page_file(request: Request) -> Response:
    """`GET /_sandbox/file/{id}`: the bytes of a shared file for the page, which has no bot token."""
    sandbox: Sandbox = request.app.state.sandbox
    file = sandbox.store.files.get(request.path_params["file"])
    if file is None or not file.ready:
        return JSONResponse({"ok": False, "error": "file_not_found"}, 404)
    return Response(file.content, media_type=file.mimetype, headers={"X-Content-Type-Options": "nosniff"})


async def stream(request: Request) -> Response:
    """Server-sent events: one `data: <seq>` whenever something changed."""
    sandbox: Sandbox = request.app.state.sandbox

    async def changes() -> AsyncIterator[str]:
        yield f"data: {sandbox.store.seq}\n\n"
        while not await request.is_disconnected():
            changed = await sandbox.store.wait_change(10.0)
            yield f"data: {sandbox.store.seq}\n\n" if changed else ": still here\n\n"

    return StreamingResponse(changes(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
