import codecs

import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.recordings.transcript_files.limits import TranscriptLimits
from connectors.recordings.transcript_files.parse import parse
from connectors.recordings.transcript_files.subtitles import read_subtitles
from core.errors import BadInput

TEAMS = """WEBVTT

2f1c8b1e-6f3c-4a57-9d39-0a1b2c3d4e5f/18-0
0:0:5.320 --> 0:0:8.1
<v Ada Lovelace>Good morning,
everyone.</v>

2f1c8b1e-6f3c-4a57-9d39-0a1b2c3d4e5f/18-1
0:0:8.1 --> 0:0:11.0
<v Ada Lovelace>Shall we start?</v>

2f1c8b1e-6f3c-4a57-9d39-0a1b2c3d4e5f/19-0
1:0:11.5 --> 1:0:12.25
<v Grace Hopper>Yes &amp; no.</v>
"""
ZOOM = """WEBVTT

1
00:00:01.000 --> 00:00:03.000
Ada Lovelace: Good morning

2
00:00:03.500 --> 00:00:05.000
Grace Hopper: Note: the budget is done

3
00:00:05.500 --> 00:00:07.000
Ada Lovelace: Great.

4
00:00:09.500 --> 00:00:11.000
Grace Hopper: Bye.
"""
SRT = "1\n00:00:00,500 --> 00:00:07,000\nOne two\n\n2\n00:00:07,000 --> 00:00:11,890\n<i>three</i> four.\n"


def spoken(transcript):
    return [(one.start_s, one.end_s, one.speaker, one.text) for one in transcript.utterances]


def test_teams_times_voices_ids_and_lines():
    transcript = parse(TEAMS.encode(), "meeting.vtt")
    assert transcript.engine == "transcript file (Teams VTT)"
    assert spoken(transcript) == [
        (5.32, 11.0, "Ada Lovelace", "Good morning, everyone. Shall we start?"),
        (3611.5, 3612.25, "Grace Hopper", "Yes & no."),
    ]
    assert transcript.duration_s == 3612.25 and transcript.warnings == ()


def test_zoom_names_come_off_the_text():
    transcript = parse(ZOOM.encode(), "GMT_Recording.transcript.vtt")
    assert transcript.engine == "transcript file (Zoom VTT)"
    assert [(one.speaker, one.text) for one in transcript.utterances] == [
        ("Ada Lovelace", "Good morning"),
        ("Grace Hopper", "Note: the budget is done"),
        ("Ada Lovelace", "Great."),
        ("Grace Hopper", "Bye."),
    ]


def test_a_colon_alone_makes_no_speaker():
    text = SRT.replace("One two", "Remember: buy milk").replace("<i>three</i> four.", "and this: bread")
    assert {one.speaker for one in parse(text.encode()).utterances} == {None}


def test_a_short_zoom_file_has_names_too():
    text = "\n\n".join(ZOOM.split("\n\n")[:3])
    assert [one.speaker for one in parse(text.encode()).utterances] == ["Ada Lovelace", "Grace Hopper"]


def test_srt():
    transcript = parse(SRT.encode(), "a.srt")
    assert transcript.engine == "transcript file (SRT)"
    assert spoken(transcript) == [(0.5, 11.89, None, "One two three four.")]


def test_two_voices_in_one_cue_are_two_people():
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.loud Ada>Yes.</v> <v Bob>No.</v>\n"
    assert spoken(parse(text.encode())) == [(1, 2, "Ada", "Yes."), (1, 2, "Bob", "No.")]


def test_graph_metadata_content():
    text = (
        'WEBVTT\n\n00:00:16.246 --> 00:00:17.726\n{"startDateTime":"2023-01-01T00:00:16Z","speakerName":"Ada",'
        '"spokenText":"This is a test.","spokenLanguage":"en-us"}\n'
    )
    assert spoken(parse(text.encode())) == [(16.246, 17.726, "Ada", "This is a test.")]


def test_a_name_carries_over_within_a_sentence_only():
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>We want\n\n00:02.000 --> 00:03.000\nthe best talent.\n\n"
        "00:03.000 --> 00:04.000\nIs that so?\n"
    )
    assert spoken(parse(text.encode())) == [
        (1, 3, "Ada", "We want the best talent."),
        (3, 4, None, "Is that so?"),
    ]


def test_joining_stops_at_pauses_speakers_and_length():
    cues = [(0, 2, "Ada"), (3, 5, "Ada"), (9, 10, "Ada"), (10, 11, "Bob")]
    cues += [(20 + 4 * step, 24 + 4 * step, "Cy") for step in range(20)]
    blocks = (
        f"00:{a // 60:02d}:{a % 60:02d}.000 --> 00:{b // 60:02d}:{b % 60:02d}.000\n<v {w}>Said.</v>"
        for a, b, w in cues
    )
    found = parse(("WEBVTT\n\n" + "\n\n".join(f"{block}" for block in blocks)).encode()).utterances
    assert [(one.start_s, one.end_s, one.speaker) for one in found[:3]] == [
        (0, 5, "Ada"),
        (9, 10, "Ada"),
        (10, 11, "Bob"),
    ]
    assert all(one.end_s - one.start_s <= 30 for one in found)
    assert sum(one.text.count("Said.") for one in found) == len(cues)


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
    ],
)
def test_encodings_and_line_ends(encode):
    transcript = parse(encode(SRT.replace("One two", "Größe – “gut”")))
    assert transcript.utterances[0].text == "Größe – “gut” three four."


def test_lines_that_cannot_be_placed_are_told():
    far = SRT + "\n3\n99:00:00,000 --> 99:00:01,000\nToo far.\n"
    transcript = parse(far.encode(), "a.srt")
    assert "Too far" not in str(transcript.utterances)
    assert transcript.warnings == ("1 lines of a.srt have no usable time or text and are left out.",)


TRS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE Trans SYSTEM "trans-14.dtd">
<Trans><Speakers><Speaker id="s1" name="Ada"/><Speaker id="s2" name="Bob"/></Speakers><Episode><Section>
<Turn speaker="s1" startTime="0" endTime="4"><Sync time="1.5"/>Caf\xe9 <Event desc="b"/>first
<Sync time="3"/></Turn><Turn speaker="s1 s2" startTime="4" endTime="9">
<Sync time="4"/><Who nb="1"/>yes <Who nb="2"/>no<Sync time="8"/>late</Turn></Section></Episode></Trans>"""


def test_transcriber_turns_noises_and_overlaps():
    transcript = parse(TRS.encode("latin-1"), "a.trs")
    assert transcript.engine == "transcript file (Transcriber)"
    assert spoken(transcript) == [
        (1.5, 8.0, "Ada", "Café first yes"),
        (4.0, 9.0, "Bob", "no late"),
    ]


@pytest.mark.parametrize("encoding", ["windows-1251", "KOI8-R", "utf-8", "iso-8859-5"])
def test_xml_says_its_encoding(encoding):
    text = TRS.replace("ISO-8859-1", encoding).replace("Caf\xe9", "\u041f\u0440\u0438\u0432\u0435\u0442")
    assert (
        parse(text.encode(encoding), "a.trs")
        .utterances[0]
        .text.startswith("\u041f\u0440\u0438\u0432\u0435\u0442")
    )


def test_entity_bombs_and_broken_xml_are_refused():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Trans>&b;</Trans>'
    for text in (bomb, "<Trans><Turn></Trans>", "<html><body>hi</body></html>"):
        with pytest.raises(BadInput):
            parse(text.encode(), "a.trs")


def test_whisper_and_fireflies_json():
    whisper = '{"text": "x", "segments": [{"start": 0.5, "end": 2, "text": " Hello."}, {"start": "bad", "text": "y"}]}'
    assert spoken(parse(whisper.encode())) == [(0.5, 2.0, None, "Hello.")]
    api = '{"data":{"transcript":{"sentences":[{"index":0,"speaker_name":"Ada","text":"Hi.","start_time":1,"end_time":2}]}}}'
    assert spoken(parse(api.encode())) == [(1, 2, "Ada", "Hi.")]
    download = '[{"sentence":"Hi.","startTime":"00:12","endTime":"01:05:02.5","speaker_name":"Ada"}]'
    transcript = parse(download.encode())
    assert spoken(transcript) == [(12, 3902.5, "Ada", "Hi.")]
    assert transcript.engine == "transcript file (Fireflies JSON)"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   \n",
        b"\0\1\2" * 999,
        b"WEBVTT\n",
        b"1\n",
        b"some text",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b"{" + b"1" * 9,
        b"\xff\xfe",
        b"<",
        b"[1,2]",
    ],
)
def test_garbage_is_bad_input(raw):
    with pytest.raises(BadInput):
        parse(raw, "x.vtt")


def test_limits_and_missing_files(tmp_path):
    with pytest.raises(BadInput, match="limit"):
        parse(SRT.encode(), limits=TranscriptLimits(max_bytes=10))
    with pytest.raises(BadInput, match="limit"):
        parse(SRT.encode(), limits=TranscriptLimits(max_cues=1))
    with pytest.raises(BadInput, match="cannot be opened"):
        parse(tmp_path / "none.vtt")
    (tmp_path / "big.srt").write_bytes(b"x" * 100)
    with pytest.raises(BadInput, match="limit"):
        parse(tmp_path / "big.srt", limits=TranscriptLimits(max_bytes=99))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("WEBVTT\n\n00:01.000 --> 00:02.000\n<v" + " " * 1_000_000 + "x", id="a voice of spaces"),
        pytest.param("WEBVTT\n\n" + "00:01.000 --> 00:01.000\n<v Ada>so\n\n" * 100_000, id="one moment"),
        pytest.param("WEBVTT\n\n00:01.000 --> 00:02.000\n" + "<" * 1_000_000, id="open brackets"),
        pytest.param("1:" * 1_000_000 + "\n00:01.000 --> 00:02.000\n" + "a: " * 100_000, id="colons"),
        pytest.param(
            "<Trans><Turn startTime='0' endTime='9'>" + "<Sync time='1'/>x" * 100_000 + "</Turn></Trans>",
            id="syncs",
        ),
        pytest.param("<a>" * 200_000 + "</a>" * 200_000, id="deep XML"),
        pytest.param(
            '{"segments": [' + '{"start": 1, "end": 1, "text": "x"},' * 100_000 + "{}]}", id="many segments"
        ),
    ],
)
def test_hostile_files_cost_seconds_at_most(text):
    try:
        transcript = parse(text.encode(), "x")
    except BadInput:
        return
    assert all(len(one.text) <= 20_000 for one in transcript.utterances)


fragments = st.sampled_from(
    [
        "WEBVTT",
        "\n",
        "\n\n",
        "00:00:01.000 --> 00:00:02.000",
        "0:0:1.5-->9:9:9",
        "-->",
        "<v Ada>",
        "</v>",
        "Ada: hi",
        "1",
        "NOTE",
    ]
    + [
        "<Trans>",
        "</Trans>",
        "<Turn startTime='1' endTime='nan'>",
        "</Turn>",
        "<Sync time='2'/>",
        "&#0;",
        "&lt;",
        "<!DOCTYPE",
    ]
    + [
        "<w starttime='1' endtime='inf'>x</w>",
        "{",
        "}",
        "[",
        "]",
        '"segments":',
        '"start":1e999,',
        '"text":"a"',
        ",",
        "9" * 30,
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(fragments | st.text(max_size=8), max_size=25).map(
            lambda p: "".join(p).encode("utf-8", "replace")
        ),
    )
)
def test_nothing_but_bad_input_is_ever_raised(raw):
    try:
        transcript = parse(raw, "fuzz")
    except BadInput:
        return
    starts = [one.start_s for one in transcript.utterances]
    assert starts == sorted(starts) and transcript.utterances
    assert all(0 <= one.start_s <= one.end_s and one.text for one in transcript.utterances)


def _webvtt_seconds(time):
    whole = time.hours * 3600 + time.minutes * 60 + time.seconds
    return pytest.approx(whole + time.milliseconds / 1000)


times = st.lists(st.integers(0, 10_000_000), min_size=2, max_size=20, unique=True).map(sorted)
said = st.text("abc äß.,!?é", min_size=1, max_size=40).map(str.strip).filter(bool)


@settings(max_examples=100, deadline=None)
@given(times, said)
def test_agrees_with_webvtt_py_on_what_both_read(moments, text):
    def clock(ms):
        return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"

    pairs = list(zip(moments[::2], moments[1::2], strict=False))
    document = "WEBVTT\n\n" + "\n\n".join(f"{clock(a)} --> {clock(b)}\n{text}" for a, b in pairs) + "\n"
    ours, _ = read_subtitles(document)
    theirs = list(webvtt.WebVTT.from_string(document))
    assert [(one.start_s, one.end_s) for one in ours] == [
        (_webvtt_seconds(cue.start_time), _webvtt_seconds(cue.end_time)) for cue in theirs
    ]
    assert [one.text for one in ours] == [" ".join(cue.text.split()) for cue in theirs]


@pytest.mark.parametrize(
    "name", ["sample.vtt", "comments.vtt", "metadata_headers.vtt", "styles.vtt", "one_caption.vtt"]
)
def test_agrees_with_webvtt_py_on_its_own_samples(shared_data, name):
    path = shared_data(f"nxt/subtitles/webvtt-py/{name}")
    ours, _ = read_subtitles(path.read_text())
    theirs = list(webvtt.read(path))
    assert [one.text for one in ours] == [" ".join(cue.text.split()) for cue in theirs]


def test_real_files(shared_data):
    teams = parse(shared_data("nxt/teams/graph-callTranscript-content.vtt"))
    assert spoken(teams) == [(0.0, 5.32, "User Name", "This is a transcript test.")]
    trs, vtt = (parse(shared_data(f"nxt/transcriber/example.{ending}")) for ending in ("trs", "expected.vtt"))
    assert [(one.start_s, one.end_s, one.speaker) for one in trs.utterances] == [
        (one.start_s, one.end_s, one.speaker) for one in vtt.utterances
    ]
    words = parse(shared_data("nxt/ami-nxt/ES2002a.A.words.excerpt.xml"))
    assert spoken(words) == [(77.44, 78.85, "Speaker A", "Hi, I'm David and")]
    assert len(words.utterances[0].words) == 4
    captions = parse(shared_data("nxt/subtitles/ableplayer/itaccess_captions_en.vtt"))
    assert {"Michael Young", "Tracy Mitrano", "Pablo Molina"} <= {one.speaker for one in captions.utterances}
    fireflies = parse(shared_data("nxt/fireflies/transcripts.json"))
    assert fireflies.utterances[0].start_s == 153.1 and fireflies.utterances[0].speaker == "test_user_1 1"


def test_every_real_file_reads_or_says_why(shared_data):
    folder = shared_data("nxt")
    for path in sorted(folder.rglob("*.*")):
        try:
            reason = parse(path).engine
        except BadInput as exc:
            reason = str(exc)
        assert reason.startswith(("transcript file (", path.name))
