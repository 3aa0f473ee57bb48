"""Drafts for reviewers in Slack: what their modals show, and what they change. Implements `review_forms.Reviews`."""

from slack_sdk import WebClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors.slack import directory
from connectors.slack.review_forms import Filled, Reviewer, ReviewForm, Speaker, Wish
from core import jobs
from core.errors import Conflict, Denied, NotFound
from core.tables.meetings import Minutes, Recording, Segment
from core.tables.people import Account, Person
from workers import slack_people
from workers.ask_review import review_draft
from workers.context import Context
from workers.edit_minutes import SECTIONS, assign_owners, edit_sections, editable
from workers.may_review import may_edit
from workers.minutes import draft_of
from workers.name_speakers import name_speakers
from workers.recordings import UNKNOWN_SPEAKER
from workers.slack_workspaces import account_id, client_of

NOT_YOURS = "only who gave this recording, or somebody who may open it, can change its minutes"


class SlackReviews:
    """Each call looks at the person's rights anew: between a modal's opening and its sending they may change."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def form(self, minutes_id: int, wish: Wish, by: Reviewer) -> ReviewForm:
        person_id = slack_people.person_of(self._context, client_of(self._context, by.team), by.user)
        with self._context.factory() as session:
            row, recording = _open_to(session, minutes_id, person_id)
            draft = review_draft(self._context, recording, row)
            speakers = _speakers(session, recording.id, draft.url) if wish == "speakers" else ()
            owners = self._owners(session, row, by) if wish == "assign" else {}
        if wish == "speakers" and not speakers:
            raise Conflict("this recording has no transcript yet, so nobody speaks in it")
        if wish == "assign" and not any(line.section == "action" for line in draft.lines):
            raise Conflict("there is no action to assign; Edit adds one")
        return ReviewForm(row.id, draft.title, f"{draft.url}#minutes", draft.lines, speakers, owners)

    def submit(self, filled: Filled, by: Reviewer) -> None:
        client = client_of(self._context, by.team)
        person_id = slack_people.person_of(self._context, client, by.user)
        names = self._names(client, filled, by) if filled.wish == "assign" else {}
        with self._context.factory.begin() as session:
            row, recording = _open_to(session, filled.minutes_id, person_id)
            new_id = row.id
            if filled.wish == "edit":
                texts = {name: text for name, text in filled.values.items() if name in SECTIONS}
                new_id = edit_sections(session, row.id, texts, person_id=person_id)
            elif filled.wish == "assign":
                chosen = {int(number): names.get(user) for number, user in filled.values.items()}
                before = self._owners(session, row, by)
                changed = {
                    number: owner
                    for number, owner in chosen.items()
                    if filled.values[str(number)] != before.get(number, "")
                }
                new_id = assign_owners(session, row.id, changed, person_id=person_id)
            else:
                name_speakers(session, self._context.settings, recording.id, dict(filled.values))
            self._draw_again(session, new_id, filled, by)

    def _draw_again(self, session: Session, minutes_id: int, filled: Filled, by: Reviewer) -> None:
        if not filled.shown.ts:
            jobs.enqueue(
                session,
                "show_home",
                f"{by.team}:{by.user}" if by.team else by.user,
                user=by.user,
                team=by.team,
            )
            return
        jobs.enqueue(
            session, "redraw_review", f"{filled.shown.channel}:{filled.shown.ts}", minutes_id=minutes_id,
            channel=filled.shown.channel, ts=filled.shown.ts, team=by.team, user=by.user,
        )  # fmt: skip

    def _owners(self, session: Session, row: Minutes, by: Reviewer) -> dict[int, str]:
        """Slack users of the actions' owners, by number of line; only where one user alone has that name."""
        prefix = account_id(self._context.settings, by.team, "")
        statement = (
            select(Account.external_id, Account.name, Person.name)
            .outerjoin(Person, Person.id == Account.person_id)
            .where(Account.provider == "slack", Account.is_bot.is_(False))
            .where(Account.external_id.startswith(prefix, autoescape=True))
        )
        users: dict[str, set[str]] = {}
        for external_id, *called in session.execute(statement):
            for name in filter(None, called):
                users.setdefault(name.casefold(), set()).add(external_id.removeprefix(prefix))
        found = {}
        for number, line in enumerate(draft_of(row).lines):
            who = users.get((line.owner or "").casefold(), set())
            if line.section == "action" and len(who) == 1:
                found[number] = next(iter(who))
        return found

    def _names(self, client: WebClient, filled: Filled, by: Reviewer) -> dict[str, str]:
        """How each chosen Slack user is called here: as our person, else as in Slack."""
        names = {}
        for user in sorted(set(filter(None, filled.values.values()))):
            person_id = slack_people.person_of(self._context, client, user)
            with self._context.factory() as session:
                person = session.get(Person, person_id) if person_id is not None else None
                own = account_id(self._context.settings, by.team, user)
                known = session.execute(
                    select(Account.name).where(Account.provider == "slack", Account.external_id == own)
                ).scalar_one_or_none()
            names[user] = person.name if person else known or directory.user(client, user).name
        return names


def _open_to(session: Session, minutes_id: int, person_id: int | None) -> tuple[Minutes, Recording]:
    """The draft and its recording, for who may change it; the same words whether it is closed or not there."""
    row = session.get(Minutes, minutes_id)
    if row is None:
        raise NotFound("these minutes are not kept any more")
    recording = session.get_one(Recording, row.recording_id)
    if not may_edit(session, recording, person_id):
        raise Denied(NOT_YOURS)
    return editable(session, minutes_id), recording


def _speakers(session: Session, recording_id: int, url: str) -> tuple[Speaker, ...]:
    """In the order they are heard."""
    first = func.min(Segment.start_s)
    statement = (
        select(Segment.speaker, func.count(), first)
        .where(Segment.recording_id == recording_id)
        .group_by(Segment.speaker)
        .order_by(first)
    )
    return tuple(
        Speaker(name or UNKNOWN_SPEAKER, n_utterances, f"{url}?t={int(start_s)}")
        for name, n_utterances, start_s in session.execute(statement)
        if name is None or len(name) <= 200  # a block's id holds no longer one
    )
