"""A recording shared in a channel is offered minutes, and taken in on its giver's click."""

import io
import time
import wave

from tests.journeys.slack.house import House
from tests.journeys.slack.seen import bot_messages, wait_for
from tests.sandbox.slack_driving import ADA, BEN, CHI, PROJECT, SlackSandbox, until


def sound(frequency: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes((n * frequency) % 256 for n in range(64_000)))
    return out.getvalue()


def upload(slack: SlackSandbox, user: str, name: str, content: bytes) -> str:
    reply = slack.http.post(
        f"{slack.url}/_sandbox/upload",
        data={"user": user, "channel": PROJECT},
        files={"file": (name, content)},
    ).json()
    assert reply["ok"], reply
    return str(reply["file_id"])


def test_a_recording_is_offered_and_taken_on_the_givers_click(house: House, slack: SlackSandbox) -> None:
    upload(slack, BEN, "weekly <!here>.wav", sound(3))
    offer = wait_for(slack, PROJECT, "draft its minutes?")
    assert offer["visible_to"] == BEN
    slack.act("click", user=BEN, ts=offer["ts"], action_id="minutes_from_file")
    wait_for(slack, PROJECT, "On it")
    row = house.rows(
        "SELECT file_name, submitted_by, origin FROM recordings WHERE origin->>'door' = 'slack'"
    )[0]
    assert row.file_name == "weekly <!here>.wav"
    assert row.submitted_by == house.rows("SELECT id FROM people WHERE email = 'ben@example.com'")[0][0]
    assert house.rows("SELECT 1 FROM jobs WHERE kind = 'transcribe_recording'")
    slack.act("click", user=BEN, ts=offer["ts"], action_id="minutes_from_file")
    wait_for(slack, PROJECT, "already")


def test_what_is_no_recording_is_refused_with_the_reason(house: House, slack: SlackSandbox) -> None:
    upload(slack, ADA, "broken.wav", b"RIFF this is no sound")
    offer = wait_for(slack, PROJECT, "draft its minutes?")
    slack.act("click", user=ADA, ts=offer["ts"], action_id="minutes_from_file")
    wait_for(slack, PROJECT, "could not take")


def test_other_files_and_unknown_people_are_left_alone(house: House, slack: SlackSandbox) -> None:
    upload(slack, BEN, "notes.txt", b"hello")
    upload(slack, CHI, "talk.wav", sound(5))
    until(
        lambda: house.rows(
            "SELECT count(*) FROM jobs WHERE kind = 'take_slack_file' AND outcome->>'became' = 'ignored'"
        )[0][0] >= 2,
        "the files were not looked at",
    )  # fmt: skip
    time.sleep(0.5)
    assert not bot_messages(slack, PROJECT)
