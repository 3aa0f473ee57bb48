import pytest

from connectors.recordings.transcript_files.beside import choose_beside, find_beside


@pytest.mark.parametrize(
    ("media", "siblings", "expected"),
    [
        ("meeting.mp4", ["meeting.vtt", "meeting.srt", "other.vtt"], "meeting.vtt"),
        ("meeting.mp4", ["meeting.vtt", "meeting.transcript.vtt"], "meeting.transcript.vtt"),
        ("Meeting.MP4", ["meeting.SRT"], "meeting.SRT"),
        ("meeting.wav", ["meeting.trs", "meeting.en.vtt"], "meeting.trs"),
        ("meeting.wav", ["meeting.en-US.vtt", "meeting.de.vtt"], "meeting.de.vtt"),
        ("meeting.mp4", ["meeting.mp4.vtt"], "meeting.mp4.vtt"),
        ("meeting.mp4", ["meeting2.vtt", "meeting.json", "meeting.txt", "meeting.mp4"], None),
        (
            "GMT20240115-100512_Recording_1920x1080.mp4",
            ["GMT20240115-100512_Recording.transcript.vtt", "GMT20240115-100512_Recording.cc.vtt"],
            "GMT20240115-100512_Recording.transcript.vtt",
        ),
        (
            "GMT20240115-100512_Recording_gallery_1280x720.mp4",
            ["GMT20240115-100512_Recording.transcript.vtt"],
            "GMT20240115-100512_Recording.transcript.vtt",
        ),
        (
            "GMT20240115-100512_Recording.m4a",
            ["GMT20240115-100512_Recording.transcript.vtt"],
            "GMT20240115-100512_Recording.transcript.vtt",
        ),
        ("GMT20240115-100512_Recording_1920x1080.mp4", ["GMT20240116-100512_Recording.transcript.vtt"], None),
        (
            "Sync-20240115_100512-Meeting Recording.mp4",
            ["Sync-20240115_100512-Meeting Transcript.vtt"],
            "Sync-20240115_100512-Meeting Transcript.vtt",
        ),
    ],
)
def test_chooses_by_name(media, siblings, expected):
    assert choose_beside(media, siblings) == expected


def test_finds_in_the_folder(tmp_path):
    media = tmp_path / "a.mp4"
    (tmp_path / "a.vtt").mkdir()
    (tmp_path / "a.srt").touch()
    assert find_beside(media) == tmp_path / "a.srt"
    assert find_beside(tmp_path / "none" / "a.mp4") is None
