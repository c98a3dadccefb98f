"""Recorded sound: only of those who agreed, in time, for few ears, and deleted again."""

from __future__ import annotations

import io
import struct
import wave
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from realtime_widget.models import Conversation, Quota, QuotaCount, Recording
from realtime_widget.models.days import site_today
from realtime_widget.models.opinions import words_hash
from realtime_widget.models.recordings import recording_name, recording_storage
from realtime_widget.protocol.audio import PCM16, PCMA, PCMU
from realtime_widget.recorder import CallRecording, recordings_saved
from realtime_widget.recorder.stereo import HOLD_S, Begin, Cut, Sound, StereoFile
from realtime_widget.recorder.writer import current_writer
from tests.app.pages import WAIT_S, ask, socket_of
from tests.app.rows import make_widget, until

RATE = 24_000
WORDS = "We record your voice."


def frame(value, ms=40):
    """Return a frame in which every sample has this value."""
    return struct.pack("<h", value) * (RATE * ms // 1_000)


def whole(stereo):
    """Return the bytes of the file."""
    with stereo.finish() as file:
        return file.read()


def voices(content):
    """Return the two voices of a WAV file as tuples of samples."""
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, RATE)
        frames = sound.readframes(sound.getnframes())
    samples = struct.unpack(f"<{len(frames) // 2}h", frames)
    return samples[0::2], samples[1::2]


def at(samples, second):
    return samples[int(second * RATE)]


# --- the file -----------------------------------------------------------------


def test_both_voices_stand_at_their_time():
    stereo = StereoFile(PCM16)
    pieces = [Sound(100.04 + n * 0.04, "visitor", frame(5)) for n in range(25)]
    pieces += [Begin("a1"), *(Sound(102.0, "agent", frame(7)) for _ in range(25))]
    pieces += [Sound(104.04 + n * 0.04, "visitor", frame(9)) for n in range(10)]
    stereo.feed(pieces, 104.5)
    visitor, agent = voices(whole(stereo))
    assert [at(visitor, s) for s in (0.0, 0.9, 1.5, 4.1)] == [5, 5, 0, 9]
    # Sent all at once, played one frame behind the other.
    assert [at(agent, s) for s in (1.9, 2.01, 2.9, 3.1)] == [0, 7, 7, 0]
    assert len(visitor) == len(agent) == int(stereo.duration_s * RATE)


def test_what_was_thrown_away_is_not_in_it():
    stereo = StereoFile(PCM16)
    stereo.feed([Sound(10.04, "visitor", frame(5))], 10.1)
    stereo.feed([Begin("a1"), *(Sound(11.0, "agent", frame(7)) for _ in range(50))], 11)
    stereo.feed([Cut("a1", 500), Cut("unknown", 0)], 11.6)
    stereo.feed([Begin("a2"), Sound(13.0, "agent", frame(8))], 13.1)
    _, agent = voices(whole(stereo))
    assert [at(agent, s) for s in (1.2, 1.49, 1.51, 2.9, 3.02)] == [7, 7, 0, 0, 8]


def test_frames_that_come_unevenly_make_no_gaps():
    stereo = StereoFile(PCM16)
    late = [0.04, 0.2, 0.2, 0.2, 0.21, 0.24]
    stereo.feed([Sound(s, "visitor", frame(5)) for s in late], 1.0)
    visitor, _ = voices(whole(stereo))
    assert set(visitor) == {5}


def test_only_the_last_seconds_stay_in_memory():
    stereo = StereoFile(PCM16)
    for second in range(60):
        sounds = [Sound(second + n * 0.04, "visitor", frame(5)) for n in range(25)]
        stereo.feed(sounds, second + 1.0)
        held = sum(map(len, stereo._held.values()))
        assert held <= 2 * (HOLD_S + 2) * RATE * 2
    assert voices(whole(stereo))[0].count(5) == 60 * RATE


@pytest.mark.parametrize(
    ("audio", "tag", "silence"), [(PCMU, 7, 0xFF), (PCMA, 6, 0xD5)]
)
def test_g711_is_kept_as_it_is(audio, tag, silence):
    stereo = StereoFile(audio)
    stereo.feed(
        [Sound(0.02, "visitor", b"\1" * 160), Sound(0.04, "agent", b"\2" * 160)], 1
    )
    content = whole(stereo)
    assert struct.unpack_from("<HHI", content, 20) == (tag, 2, 8_000)
    data = content[44 + 2 :]
    assert struct.unpack_from("<I", content, 42)[0] == len(data)
    assert data[:4] == bytes([1, silence]) * 2
    assert data[-2:] == bytes([silence, 2])


def test_empty_recording_is_a_whole_file():
    content = whole(StereoFile(PCM16))
    with wave.open(io.BytesIO(content)) as sound:
        assert sound.getnframes() == 0


# --- a call -------------------------------------------------------------------


@pytest.fixture
def kept(settings, tmp_path):
    """Keep recordings in a folder of the test."""
    settings.STORAGES = {
        **settings.STORAGES,
        "voices": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    settings.REALTIME_WIDGET = {"RECORDING_STORAGE": "voices"}
    return tmp_path


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def talk(server, widget, **fields):
    """Talk to the widget by voice, and hear two seconds."""

    def change():
        for name, value in fields.items():
            setattr(widget, name, value)
        widget.save()

    await sync_to_async(change)()
    consent = words_hash(widget.consent_text) if widget.consent_text else ""
    answer = await ask(server, params={"consent": consent} if consent else None)
    token = answer.json()["token"]
    async with socket_of(server, "/realtime/ws/support/", token) as page:
        await page.start()
        for _ in range(25):
            await page.socket.send(frame(1_000))
        await page.send("message", text="flood 2")
        await page.expect("audio.end")
        await page.send("session.stop")
        await page.ended()


@pytest.mark.django_db(transaction=True)
async def test_sound_is_kept_where_the_widget_and_the_visitor_want_it(
    server, widget, kept, no_sessions_left
):
    await talk(server, widget, record_audio=True, consent_text=WORDS)
    row = await until(lambda: Recording.objects.select_related("conversation").first())
    (file,) = files(kept)
    assert file.suffix == ".wav"
    assert str(row.conversation.pk) not in file.name
    visitor, agent = voices(file.read_bytes())
    assert visitor.count(1_000) == RATE
    assert len(agent) >= 1.5 * RATE
    assert row.duration_s == pytest.approx(len(agent) / RATE)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "fields",
    [
        {"record_audio": False, "consent_text": WORDS},
        {"record_audio": True, "consent_text": ""},
    ],
)
async def test_no_sound_is_kept_otherwise(
    server, widget, kept, no_sessions_left, fields
):
    await talk(server, widget, **fields)
    ended = Conversation.objects.filter(status="ended")
    assert await until(lambda: ended.exists())
    assert files(kept) == []
    assert not await Recording.objects.aexists()


@pytest.mark.django_db(transaction=True)
async def test_agreement_to_other_words_is_none(server, widget, kept, no_sessions_left):
    widget.consent_text, widget.record_audio = "Other words.", True
    await widget.asave()
    granted = await ask(server, params={"consent": words_hash("Other words.")})
    widget.consent_text = WORDS
    await widget.asave()
    token = granted.json()["token"]
    async with socket_of(server, "/realtime/ws/support/", token) as page:
        await page.start()
        await page.socket.send(frame(1_000))
        await page.send("session.stop")
        await page.ended()
    ended = Conversation.objects.filter(status="ended")
    assert await until(lambda: ended.exists())
    assert files(kept) == []


def test_widget_records_nobody_it_does_not_ask(db):
    widget = make_widget()
    widget.record_audio = True
    with pytest.raises(ValidationError) as refusal:
        widget.full_clean()
    assert "record_audio" in refusal.value.message_dict


@pytest.mark.django_db(transaction=True)
async def test_storage_that_fails_costs_the_recording_and_not_the_call(
    settings, caplog
):
    settings.REALTIME_WIDGET = {"RECORDING_STORAGE": "not there"}
    conversation = await Conversation.objects.acreate(widget_slug="support")
    recording = CallRecording(conversation, PCM16, current_writer())
    recording.heard(frame(5))
    recording.end()
    await recordings_saved(WAIT_S)
    assert recording.failed
    assert "InvalidStorageError" in caplog.text
    assert not await Recording.objects.aexists()


# --- afterwards ---------------------------------------------------------------


@pytest.fixture
def stored(kept, db):
    """Return a function that makes a conversation with a recording, so old."""

    def make(days=0, **fields):
        then = timezone.now() - timedelta(days=days)
        row = Conversation.objects.create(
            widget_slug="support", status="ended", ended_at=then, **fields
        )
        name = recording_storage().save(
            recording_name(), ContentFile(b"RIFF of a test")
        )
        Recording.objects.create(conversation=row, created_at=then, file_name=name)
        return row

    return make


@pytest.mark.parametrize(
    ("codenames", "status"),
    [
        (["view_conversation"], 403),
        (["listen_recording"], 403),
        (["view_conversation", "listen_recording"], 200),
    ],
)
def test_only_those_who_may_listen(client, stored, codenames, status):
    row = stored()
    staff = User.objects.create_user("staff", password="x", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(staff)
    address = reverse("admin:realtime_widget_conversation_sound", args=[row.pk])
    answer = client.get(address)
    assert answer.status_code == status
    if status == 200:
        assert b"".join(answer.streaming_content) == b"RIFF of a test"
        assert answer["Content-Type"] == "audio/wav"
    page = reverse("admin:realtime_widget_conversation_change", args=[row.pk])
    shown = client.get(page)
    if "view_conversation" in codenames:
        assert (address in shown.content.decode()) == (status == 200)


def test_nobody_else_is_let_in(client, stored):
    row = stored()
    address = reverse("admin:realtime_widget_conversation_sound", args=[row.pk])
    assert client.get(address).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_file_goes_with_its_conversation(stored, kept, admin_client):
    row = stored()
    assert len(files(kept)) == 1
    delete = reverse("admin:realtime_widget_conversation_delete", args=[row.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 302
    assert files(kept) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("options", "conversations", "recordings"),
    [
        ({}, 3, 3),
        ({"days": 30}, 2, 2),
        ({"recording_days": 5}, 3, 1),
        ({"days": 30, "recording_days": 5}, 2, 1),
        ({"days": 30, "dry_run": True}, 3, 3),
    ],
)
def test_old_records_are_purged_with_their_files(
    stored, kept, options, conversations, recordings
):
    for days in (0, 10, 40):
        stored(days)
    Conversation.objects.create(
        widget_slug="open", started_at=timezone.now() - timedelta(days=400)
    )
    out = io.StringIO()
    call_command("realtime_purge", stdout=out, **options)
    assert Conversation.objects.filter(status="ended").count() == conversations
    assert Recording.objects.count() == len(files(kept)) == recordings
    # One that goes on is never taken.
    assert Conversation.objects.filter(widget_slug="open").exists()


@pytest.mark.django_db(transaction=True)
def test_counts_of_periods_long_over_go_too(kept):
    quota = Quota.objects.create(name="q", scope="site", unit="sessions", limit=1)
    today = site_today()
    for days in (0, 40, 100):
        start = today - timedelta(days=days)
        QuotaCount.objects.create(quota=quota, subject="1", period_start=start)
    call_command("realtime_purge", stdout=io.StringIO())
    assert QuotaCount.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_retention_is_a_setting_and_one_user_can_be_forgotten(stored, kept, settings):
    ann = User.objects.create(username="ann")
    stored(user=ann)
    stored(40)
    settings.REALTIME_WIDGET = {**settings.REALTIME_WIDGET, "RETENTION_DAYS": 30}
    call_command("realtime_purge", user="ann", stdout=io.StringIO())
    assert Conversation.objects.count() == len(files(kept)) == 1
    call_command("realtime_purge", stdout=io.StringIO())
    assert Conversation.objects.count() == len(files(kept)) == 0
