"""The demo: a sample company on stand-in Confluence and Slack, through the processes of production.

Sync a site, hear two meetings, publish their minutes, answer questions as people with different permissions.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import yaml

from app import up
from app.demo.questions import DemoQuestion, load_questions
from app.demo.stand_in_slack import StandInSlack
from app.follow import follow, settle
from app.home import Home, free_port
from app.readiness import wait_until_healthy
from app.sandbox_processes import (
    WEBHOOK_SECRET,
    company_folder,
    environment_for,
    sandbox_children,
)
from app.up import Stack
from core.settings import Settings
from workers import minutes, people, sources
from workers.add_recording import LocalRecording, add_local, newest_job
from workers.context import Context, make_context

Say = Callable[[str], None]
ANNOUNCE_CHANNEL = "C0GENERAL"
REVIEWER = "carla@larkmoor.example"
WEBHOOK_EVENTS = (
    "page_created", "page_updated", "page_trashed", "page_removed", "page_restored", "page_moved", "page_archived",
    "comment_created", "attachment_created", "content_permissions_updated", "space_permissions_updated",
)  # fmt: skip


class Demo:
    """One run; its folder starts empty each time, since the stand-ins do too."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._say = say
        self._settings = settings
        self._company = company_folder()
        self._web_port, self._confluence_port, self._slack_port = free_port(), free_port(), free_port()
        self.stack: Stack | None = None

    @property
    def confluence_url(self) -> str:
        return f"http://127.0.0.1:{self._confluence_port}"

    @property
    def slack_url(self) -> str:
        return f"http://127.0.0.1:{self._slack_port}"

    def start(self) -> Context:
        """Every process up and ready."""
        env = {
            name: value.strip("'")
            for name, value in environment_for(self._confluence_port, self._slack_port).items()
        }
        env["SLACK_ANNOUNCE_CHANNEL"] = ANNOUNCE_CHANNEL
        events_url = f"http://127.0.0.1:{self._web_port}/slack/events"
        children = sandbox_children(self._confluence_port, self._slack_port, events_url, self._company)
        started = time.monotonic()
        settings = self._settings.model_copy(update={"imp_port": self._web_port})
        _empty(settings.imp_home)

        def stand_ins(stack: Stack) -> None:
            for child in children:
                stack.supervisor.start(child)

        self.stack = up.start(settings, self._say, more_env=env, before=stand_ins)
        wait_until_healthy(self.stack)
        self._say(f"all processes are ready ({time.monotonic() - started:.0f} s)")
        return make_context(self.stack.settings)

    def sync(self, context: Context) -> int:
        """The whole site; returns the source's id."""
        self._say("\n— Syncing the Confluence of Larkmoor, a maker of cold-room sensors —")
        started = time.monotonic()
        with context.factory.begin() as session:
            source_id = sources.ensure_confluence_source(session, context.settings)
            assert source_id is not None
            job_id = sources.request_sync(session, source_id, mode="full")
        outcome = follow(context.factory, [job_id])[0]
        settle(context.factory, ("sync_page", "index_document"))
        counts = ", ".join(f"{name.removeprefix('n_')} {value}" for name, value in outcome.items() if value)
        self._say(f"{counts}; searchable after {time.monotonic() - started:.0f} s")
        self._register_webhooks(source_id)
        return source_id

    def hear_meetings(self, context: Context) -> None:
        """Both recordings in, transcripts and drafts out, reviewed and published."""
        self._say("\n— Hearing two meetings —")
        added = {}
        for script in sorted((self._company / "meetings").glob("*.yaml")):
            facts = yaml.safe_load(script.read_text())
            given = LocalRecording(
                script.parent / facts["audio"], facts["title"], None, tuple(facts["participants"])
            )
            added[facts["title"]] = add_local(context, given).recording_id
        for title, recording_id in added.items():
            for kind in ("transcribe_recording", "draft_minutes"):
                job_id = newest_job(context, kind, recording_id)
                assert job_id is not None
                outcome = follow(context.factory, [job_id])[0]
                if kind == "transcribe_recording":
                    self._say(f"{title}: {outcome['n_utterances']} utterances, heard by: {outcome['engine']}")
            self._publish(context, title, int(outcome["minutes_id"]), recording_id)
        settle(context.factory, ("index_document", "announce_minutes"))

    def ask(self, question: DemoQuestion) -> str | None:
        """Ask in the stand-in Slack and print what that person reads. Returns what is wrong with it, if anything."""
        seen = StandInSlack(self.slack_url).ask(question.user, question.channel, question.via, question.text)
        where = "in a direct message" if question.via == "dm" else f"in #{question.channel}"
        how = {"command": "/ask ", "mention": "@imp ", "dm": ""}[question.via]
        self._say(f"\n{question.name}, {where}: {how}{question.text}")
        for line in seen.text.splitlines()[1:] if seen.text.startswith("*") else seen.text.splitlines():
            self._say(f"    {line}")
        problem = question.problem(seen.text)
        verdict = (
            f"as it should be ({question.expect})" if problem is None else f"NOT as it should be: {problem}"
        )
        self._say(f"    → {seen.wait_s:.1f} s; {verdict}. {question.why}")
        return problem

    def ask_all(self) -> list[str]:
        """All questions; returns what was wrong."""
        self._say("\n— Asking in Slack, as people with different permissions —")
        found = [(question.text, self.ask(question)) for question in load_questions(self._company)]
        return [f"{text}: {problem}" for text, problem in found if problem]

    def edit_and_ask(self, context: Context) -> str | None:
        """A page is edited in Confluence; by webhook the answer follows within seconds."""
        self._say("\n— A page changes in Confluence; the answer follows by webhook —")
        emoji = "heliotrope"
        page = {
            "space": "HB",
            "title": "Colour of the visitor badges",
            "body": f"<p>From this week on, visitor badges in Rotterdam are {emoji} coloured.</p>",
        }
        started = time.monotonic()
        httpx.post(f"{self.confluence_url}/_sandbox/pages", json=page, timeout=30).raise_for_status()
        question = DemoQuestion(
            "U0GEORGE", "George Hill", "general", "command", "What colour are visitor badges in Rotterdam?",
            "answered", page["title"], (emoji,), "The page was written seconds ago.",
        )  # fmt: skip
        while time.monotonic() - started < 30:
            seen = StandInSlack(self.slack_url).ask(
                question.user, question.channel, question.via, question.text
            )
            if question.problem(seen.text) is None:
                self._say(f"answerable {time.monotonic() - started:.1f} s after the page was saved")
                return self.ask(question)
            time.sleep(0.5)
        return "a page created in Confluence was not answerable within 30 s"

    def show_addresses(self, context: Context) -> None:
        """Where to look now."""
        with context.factory.begin() as session:
            reviewer = people.person_by_email(session, REVIEWER)
            token = people.new_token(session, reviewer.id, label="demo")
        self._say("\n— Look for yourself —")
        self._say(f"Slack         {self.slack_url}/        type /ask … as anyone")
        self._say(f"Confluence    {self.confluence_url}/        the minutes are in the space MTG")
        self._say(
            f"Recordings    {context.settings.public_url}/login/{token}?next=/recordings/1   (signs in as Carla)"
        )
        self._say(f"API           {context.settings.public_url}/docs")
        self._say(f"Command line  IMP_HOME={context.settings.imp_home} imp sync status")

    def stop(self) -> None:
        if self.stack is not None:
            self.stack.stop()

    def _publish(self, context: Context, title: str, minutes_id: int, recording_id: int) -> None:
        with context.factory.begin() as session:
            reviewer = people.person_by_email(session, REVIEWER)
            minutes.approve(session, minutes_id, person_id=reviewer.id)
        job_id = newest_job(context, "publish_minutes", recording_id)
        assert job_id is not None
        page = follow(context.factory, [job_id])[0]
        self._say(f"{title}: minutes reviewed by {reviewer.name}, published at {page['page_url']}")

    def _register_webhooks(self, source_id: int) -> None:
        for event in WEBHOOK_EVENTS:
            hook = {
                "url": f"http://127.0.0.1:{self._web_port}/webhooks/confluence/{source_id}/{event}",
                "events": [event],
                "dialect": "datacenter",
                "auth": {"kind": "hmac", "secret": WEBHOOK_SECRET},
            }
            httpx.post(f"{self.confluence_url}/_sandbox/webhooks", json=hook, timeout=30).raise_for_status()


def _empty(home: Path) -> None:
    """Forget an earlier demo; refuses a folder that is in use."""
    holder = Home(home)
    holder.hold()
    holder.release()
    for child in home.iterdir():
        if child.name != "lock":
            shutil.rmtree(child) if child.is_dir() else child.unlink()
