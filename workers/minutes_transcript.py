"""The transcript as a page of its own under the minutes: one per recording, merged with what people wrote on it.

Knows nothing of how minutes are drafted. What people put away stays away: the minutes then lead to the recording.
"""

from dataclasses import dataclass, replace

from connectors.confluence import publishing
from connectors.confluence.client import ConfluenceClient
from connectors.confluence.merge import merge
from connectors.confluence.minutes_page import MinutesPage, render_transcript
from connectors.confluence.publishing import Place, PublishedPage
from core.errors import Conflict
from core.settings import Settings
from core.tables.meetings import Minutes, Recording

N_SAVE_TRIES = 3


@dataclass(frozen=True, slots=True)
class Spoken:
    """Where the transcript is to stand. `title` is that of its own page, "" for a section of the minutes.

    `is_away`: people put that page into the trash or the archive.
    """

    title: str = ""
    is_away: bool = False

    def shown_on(self, page: MinutesPage) -> MinutesPage:
        """The minutes with their transcript, or with the way to it."""
        if self.is_away or (self.title and not page.transcript.utterances):
            return replace(page, transcript_at="nowhere")
        return replace(page, transcript_at="page", transcript_title=self.title) if self.title else page


@dataclass(frozen=True, slots=True)
class Written:
    """The transcript's own page; `storage` is what was rendered, the base of the next merge."""

    page_id: str
    storage: str


def look(
    client: ConfluenceClient, settings: Settings, recording: Recording, row: Minutes, place: Place, title: str
) -> Spoken:
    """Where the transcript of minutes called `title` stands, or will; writes nothing."""
    if settings.confluence_minutes_transcript == "section":
        return Spoken()
    wanted = _title(title)
    try:
        there = _find(client, recording, row, place, wanted)
    except Conflict:
        return Spoken(wanted, is_away=True)
    return Spoken(there.title if there else publishing.free_title(client, place.space_key, wanted))


def write(
    client: ConfluenceClient,
    settings: Settings,
    recording: Recording,
    row: Minutes,
    place: Place,
    minutes: PublishedPage,
    spoken: Spoken,
    page: MinutesPage,
) -> tuple[MinutesPage, Written | None]:
    """Make or renew the transcript's page under the published `minutes`.

    Returns the minutes as they shall be (the title may have been taken meanwhile), and the page where there is one.

    Raises:
        Conflict: it was changed each time it was about to be saved.
    """
    if page.transcript_at != "page":
        return page, None
    ours, key = render_transcript(page, minutes.title), publishing.transcript_key(recording.sha256)
    under = Place(place.space_key, minutes.id)
    labels = (publishing.TRANSCRIPT_LABEL, *settings.confluence_minutes_labels)
    for attempt in range(1, N_SAVE_TRIES + 1):
        there = _find(client, recording, row, place, _title(minutes.title), spoken.title)
        try:
            if there is None:
                there = publishing.create(client, key, under, spoken.title, ours, labels)
            else:
                base = row.transcript_storage or (there.storage if there.version == 1 else ours)
                merged = merge(base, there.storage, ours)
                if merged.changed:
                    there = publishing.update(client, there, merged.storage)
        except Conflict:
            if attempt == N_SAVE_TRIES:
                raise
            continue
        return Spoken(there.title).shown_on(page), Written(there.id, ours)
    raise AssertionError("N_SAVE_TRIES is at least 1")


def _find(
    client: ConfluenceClient, recording: Recording, row: Minutes, place: Place, *titles: str
) -> PublishedPage | None:
    key = publishing.transcript_key(recording.sha256)
    for title in dict.fromkeys(titles):
        found = publishing.find_page(client, key, place, title, known_id=row.transcript_page_id)
        if found is not None:
            return found
    return None


def _title(minutes_title: str) -> str:
    return f"Transcript of {minutes_title}"
