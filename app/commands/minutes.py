"""`imp minutes`: drafts to review, and the pages they became."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.console import AsJson, Wait, show_one, show_rows

app = typer.Typer(help="Minutes: drafts to review, pages they became.", no_args_is_help=True)
MinutesId = Annotated[int, typer.Argument(help="Number of the minutes, as `imp minutes list` shows it.")]
As = Annotated[str | None, typer.Option("--as", help="E-mail of the reviewer.")]
COLUMNS = {
    "id": "ID", "recording": "RECORDING", "version": "VERSION", "state": "STATE", "lines": "LINES", "page_url": "PAGE",
}  # fmt: skip
HEADINGS = {
    "summary": "Summary", "decision": "Decisions", "action": "Action items", "question": "Open questions",
    "topic": "Topics",
}  # fmt: skip


class State(StrEnum):
    """As in the table's own constraint."""

    DRAFT = "draft"
    APPROVED = "approved"
    PUBLISHED = "published"
    DISCARDED = "discarded"
    SUPERSEDED = "superseded"


@app.command("list")
def list_minutes(
    state: Annotated[State | None, typer.Option(help="Only minutes in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    as_json: AsJson = False,
) -> None:
    """The newest minutes."""
    from sqlalchemy import select

    from app.session import open_session
    from core.tables.meetings import Minutes, Recording

    query = (
        select(Minutes, Recording.title)
        .join(Recording, Recording.id == Minutes.recording_id)
        .order_by(Minutes.id.desc())
        .limit(limit)
    )
    if state:
        query = query.where(Minutes.state == state)
    with open_session() as (_, session):
        rows = [
            {
                "id": row.id,
                "recording": title,
                "recording_id": row.recording_id,
                "version": row.version,
                "state": row.state,
                "lines": len(row.lines),
                "page_url": row.page_url,
            }
            for row, title in session.execute(query)
        ]
    show_rows(rows, COLUMNS, as_json=as_json, none="no minutes yet")


@app.command()
def show(minutes_id: MinutesId, as_json: AsJson = False) -> None:
    """One version, each line with its time in the recording; action items as they are ticked on the page."""
    from app.session import open_session
    from connectors.confluence.minutes_page import clock
    from core.errors import NotFound
    from core.tables.meetings import Minutes, Recording
    from workers import series
    from workers.minutes import draft_of
    from workers.minutes_pages import line_ids, states

    with open_session() as (context, session):
        row = session.get(Minutes, minutes_id)
        if row is None:
            raise NotFound(f"minutes {minutes_id} do not exist")
        recording = session.get_one(Recording, row.recording_id)
        title, url = recording.title, context.settings.public_url
        carried = series.carried(session, recording, url)
        earlier = series.earlier_decisions(session, recording, row, url)
        draft, facts = draft_of(row), _facts(row, title)
        ticked = states(session, row.recording_id)
        done = [ticked.get(own) for own in line_ids(row)]
        lines = [{**line, "is_done": is_done} for line, is_done in zip(row.lines, done, strict=True)]
    if as_json:
        ledger = {text: asdict(one) for text, one in earlier.items()}
        before = {"last_meeting": [asdict(one) for one in carried], "earlier_decisions": ledger}
        show_one({**facts, **before, "minutes": lines}, as_json=True)
        return
    show_one(facts, as_json=False)
    if carried:
        print("\nFrom the last meeting")
    for one in carried:
        print(
            f"  {one.state:>7}  {one.owner + ': ' if one.owner else ''}{one.text}{f' (due {one.due})' if one.due else ''}"
        )
    for section, heading in HEADINGS.items():
        found = draft.section(section)  # type: ignore[arg-type]
        if found:
            print(f"\n{heading}")
        for line in found:
            due = f" (due {line.due or line.due_text})" if line.due or line.due_text else ""
            flag = "  [please check]" if line.is_flagged else "  [edited]" if line.is_edited else ""
            at = f"{clock(line.evidence[0].start_s) if line.evidence else '–':>5}"
            is_done = done[draft.lines.index(line)]
            box = "" if is_done is None else "[x] " if is_done else "[ ] "
            print(f"  {at}  {box}{line.text}{due}{flag}")
            if section == "decision" and (before := earlier.get(line.text)):
                print(f"         {before.relation} an earlier decision: {before.text}")


@app.command()
def approve(minutes_id: MinutesId, reviewer: As = None, wait: Wait = False) -> None:
    """Accept a draft; it is published next."""
    _review("approve", minutes_id, reviewer, wait)


@app.command()
def discard(minutes_id: MinutesId, reviewer: As = None) -> None:
    """Reject a draft; nothing is published."""
    _review("discard", minutes_id, reviewer, False)


@app.command()
def publish(
    minutes_id: MinutesId,
    wait: Wait = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say where and what; write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish, or write the page again; what people changed on it stays."""
    if dry_run:
        _preview(minutes_id, as_json)
        return
    _review("publish_again", minutes_id, None, wait)


def _preview(minutes_id: int, as_json: bool) -> None:
    from dataclasses import asdict

    from app.session import open_context
    from connectors.confluence.storage_format.convert import to_markdown
    from workers.publish_minutes import preview

    found = preview(open_context(), minutes_id)
    if as_json:
        show_one(asdict(found), as_json=True)
        return
    facts = {name: value for name, value in asdict(found).items() if name != "storage"}
    show_one(
        {
            **facts,
            "does": "writes nothing new"
            if not found.is_change
            else "updates"
            if found.page_url
            else "creates",
        },
        as_json=False,
    )
    print(f"\n{to_markdown(found.storage).markdown}")


def _review(step: str, minutes_id: int, reviewer: str | None, wait: bool) -> None:
    from app.follow import follow
    from app.session import open_context
    from core.tables.meetings import Minutes
    from workers import minutes
    from workers.add_recording import newest_job
    from workers.people import person_by_email

    context = open_context()
    with context.factory.begin() as session:
        person_id = person_by_email(session, reviewer).id if reviewer else None
        if step == "publish_again":
            minutes.publish_again(session, minutes_id)
        else:
            getattr(minutes, step)(session, minutes_id, person_id=person_id)
        recording_id = session.get_one(Minutes, minutes_id).recording_id
    if step == "discard":
        print("discarded")
        return
    job_id = newest_job(context, "publish_minutes", recording_id)
    if not wait or job_id is None:
        print(f"queued as job {job_id}")
        return
    print(follow(context.factory, [job_id])[0].get("page_url", "published"))


def _facts(row: Any, title: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "recording": title,
        "version": row.version,
        "state": row.state,
        "engine": row.engine,
        "warnings": list(row.warnings),
        "page_url": row.page_url,
        "published_at": row.published_at,
    }
