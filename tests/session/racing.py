"""A talk over two slow wires, with a server that acts by itself and may be lost.

Nothing here is simultaneous: events of both directions wait until the plan lets them
arrive, so each race of the protocol is an order of steps. What the visitor is owed is
kept beside it, and compared when everybody has fallen silent.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter, deque
from itertools import count

from hypothesis import strategies as st

from realtime_widget.session.config import (
    AgentSpec,
    GuardrailSpec,
    Limits,
    TurnDetection,
)
from realtime_widget.session.effects import (
    CancelTool,
    CheckText,
    Prepare,
    Redial,
    SendPage,
    SendUpstream,
    StartTool,
    Stop,
)
from realtime_widget.session.tool_values import Outcome
from realtime_widget.session.turns import REQUEST_S
from tests.fakes.remote import MS, Remote
from tests.fakes.schema import check
from tests.session.driving import Talk, tool

RECONNECT_S = 3.0
STEP_S = 0.1
CREATE = "response.create"

parts = st.sampled_from([300, 2000, "look", "ask", "drop"])
scripts = st.lists(
    st.tuples(
        st.lists(parts, max_size=3), st.sampled_from(["completed"] * 4 + ["failed"])
    ),
    max_size=8,
)
some = st.integers(1, 8)
which = st.integers(0, 3)
actions = st.one_of(
    st.tuples(st.just("server_takes"), some),
    st.tuples(st.just("server_takes"), st.just(50)),
    st.tuples(st.just("page_gets"), some),
    st.tuples(st.just("page_gets"), st.just(50)),
    st.tuples(st.just("server_speaks"), some),
    st.tuples(st.just("server_speaks"), some),
    st.tuples(st.just("all_flows"), some),
    st.tuples(st.just("all_flows"), some),
    st.tuples(st.just("visitor_speaks"), st.just(0)),
    st.tuples(st.just("visitor_speaks"), st.just(0)),
    st.tuples(st.just("server_answers"), st.just(0)),
    st.tuples(st.just("server_writes_down"), st.just(0)),
    st.tuples(st.just("server_prompts"), st.just(0)),
    st.tuples(st.just("visitor_types"), st.booleans()),
    st.tuples(st.just("visitor_types"), st.just(True)),
    st.tuples(st.just("visitor_interrupts"), st.booleans()),
    st.tuples(st.just("page_replies"), st.just(0)),
    st.tuples(st.just("tool_ends"), which),
    st.tuples(st.just("visitor_allows"), st.booleans()),
    st.tuples(st.just("guardrail_trips"), which),
    st.tuples(st.just("is_lost"), st.integers(0, 9)),
    st.tuples(st.just("is_dialled"), st.just(0)),
    st.tuples(st.just("is_prepared"), st.booleans()),
    st.tuples(st.just("expires"), st.just(0)),
    st.tuples(st.just("waits"), st.sampled_from([0.1, 0.2, 0.5, 1.0, 4.0, 31.0])),
)
plans = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["interrupts", "lets_finish", "key"]),
        "names_events": st.booleans(),
        "reports": st.booleans(),
        "guarded": st.booleans(),
        "rotates": st.booleans(),
        "gone": st.sampled_from([False] * 9 + [True]),
        "scripts": scripts,
        "actions": st.lists(actions, min_size=25, max_size=80),
    }
)


class Page:
    """What the visitor hears, to the millisecond.

    Attributes:
        played: Item -> ms that were heard of it.
        waiting: What is not heard yet: item and ms.
    """

    def __init__(self):
        self.played = {}
        self.waiting = deque()
        self._item = ""

    def take(self, piece):
        if isinstance(piece, dict):
            self._item = piece["item_id"]
            self.played.setdefault(self._item, 0.0)
        else:
            self.waiting.append([self._item, len(piece) / MS])

    def listen(self, seconds):
        left_ms = seconds * 1000
        while self.waiting and left_ms > 1e-9:
            item_id, ms = self.waiting[0]
            heard_ms = min(ms, left_ms)
            self.played[item_id] += heard_ms
            left_ms -= heard_ms
            self.waiting[0][1] -= heard_ms
            if self.waiting[0][1] <= 1e-9:
                self.waiting.popleft()

    @property
    def playing(self):
        return self.waiting[0][0] if self.waiting else ""


class Race(Talk):
    """One talk of a plan.

    Attributes:
        owed: What the visitor is to be answered.
        wrong: What must never happen, and did.
    """

    def __init__(self, plan):
        self.plan = plan
        self.scripts = deque((tuple(parts), ends) for parts, ends in plan["scripts"])
        self.page_now = Page()
        self.remote = None
        self.dialling = self.spare = self.preparing = False
        self.up = deque()
        self.running, self.asking, self.checks = [], [], []
        self.owed, self.said, self.written = {}, [], set()
        self.batches = {}
        self.lines, self.asked_page = {}, {}
        self.received, self.expected = Counter(), {}
        self.failures = self.forgotten_commits = 0
        self.asked_again = False
        self.ends = None
        self.wrong = []
        self._typed, self._dialled = count(1), count(1)
        self._reported_s = 0.0
        self._asked_s = self._came_s = 1e9
        kind = "none" if plan["mode"] == "key" else "server_vad"
        guardrails = (GuardrailSpec("manners", ("input", "output")),)
        super().__init__(
            started=False,
            agent=AgentSpec(
                "Ann",
                "Be kind.",
                tools=(
                    tool("look", timeout_s=20.0),
                    tool("ask", needs_approval=True, timeout_s=20.0),
                    tool("drop", cancel_on_barge_in=True, timeout_s=20.0),
                ),
                guardrails=guardrails if plan["guarded"] else (),
            ),
            turn_detection=TurnDetection(
                kind, interrupt_response=plan["mode"] != "lets_finish"
            ),
            guardrail_debounce_chars=5,
            limits=Limits(
                idle_s=1e6,
                max_session_s=1e6,
                stalled_browser_s=1e6,
                tool_calls_per_minute=1000,
                reconnect_s=RECONNECT_S,
                rotate_s=2.0 if plan["rotates"] else 0.0,
            ),
        )
        self._connect()
        self.page_gets(1)
        self.server_takes(1)
        self.page_gets(1)
        self.visitor_types(False)
        self.all_flows(1)

    # --- the bridge

    def take(self, effects):
        stop = None
        for effect in effects:
            if isinstance(effect, Stop):
                stop = stop or effect
            elif isinstance(effect, SendUpstream):
                check("client", effect.event)
                self._sent(effect.event)
            elif isinstance(effect, SendPage):
                self._shown(effect.message)
            elif isinstance(effect, StartTool):
                self.running.append(effect.call_id)
            elif isinstance(effect, CancelTool):
                self.running = [c for c in self.running if c != effect.call_id]
            elif isinstance(effect, CheckText):
                self.checks.append(effect.check)
            elif isinstance(effect, Prepare):
                self.preparing = True
            elif isinstance(effect, Redial):
                self._leave()
        if stop is not None and self.ends is None:
            self.end(stop.reason, stop.error_code)

    def end(self, reason, code):
        self.ends = (reason, code)
        self.take(self.core.stop(reason, code, self.now))

    @property
    def stops(self):
        return self.ends

    def _leave(self):
        self.remote, self.dialling = None, True
        self.forgotten_commits = 0
        self.up.clear()

    def _connect(self):
        self.dialling = False
        self.remote = Remote(
            next(self._dialled),
            self.scripts,
            names_events=self.plan["names_events"],
            interrupts=self.plan["mode"] == "interrupts",
        )

    def _sent(self, event):
        """Look at what is sent to the server."""
        kind = event["type"]
        if kind == "conversation.item.truncate":
            item_id, ms = event["item_id"], event["audio_end_ms"]
            if not 0 < ms <= self.received[item_id]:
                self.wrong.append(f"truncated at {ms} of {self.received[item_id]} ms")
            if item_id not in self.page_now.played:
                self.wrong.append("truncated what nobody heard")
            if item_id in self.expected and ms != self.expected[item_id]:
                self.wrong.append(f"truncated at {ms}, not {self.expected[item_id]} ms")
        elif kind == CREATE and "response" not in event:
            remote = self.remote
            still = remote is not None and not (self.up or remote.says or remote.raced)
            if still and not (self.owed or self.asked_again):
                self.wrong.append("the model is asked for nothing")
            self.asked_again = False
        if kind == CREATE:
            self._asked_s = self.now
        self.up.append(event)

    def _shown(self, message):
        """Look at what the page is told."""
        kind = message["type"]
        if kind == "transcript":
            self._line(message)
        elif kind == "error":
            if message["code"] == "response_failed" and self.failures:
                self.failures -= 1
            elif message["code"] == "response_failed" and self._nothing_comes:
                self.owed.clear()
            elif not (message["code"] == "turn_too_short" or message["fatal"]):
                self.wrong.append(f"the page is shown {message['code']}")
        elif kind == "audio.interrupted":
            self.asked_page = {"item_id": message["item_id"], "at_s": self.now}
            self.silenced = self.page_now.playing or message["item_id"]
            self.page_now.waiting.clear()
        elif kind == "tool.approval_required":
            self.asking.append(message["call_id"])
        elif kind == "tool.finished":
            self._answered(message["call_id"])

    def _line(self, message):
        item_id, before = message["item_id"], message["previous_item_id"]
        text, final = self.lines.get(item_id, ("", False))
        if before is not None and before not in self.lines:
            self.wrong.append(f"{item_id} stands behind what the page does not know")
        if final and not (message["final"] and text.startswith(message["text"])):
            self.wrong.append(f"{item_id} changed after its end")
        if final and text == message["text"]:
            self.wrong.append(f"{item_id} ended twice")
        text = message["text"] if "text" in message else text + message["delta"]
        self.lines[item_id] = (text, message["final"])

    def _answered(self, call_id):
        for batch in self.batches.values():
            if call_id in batch["open"]:
                batch["open"].discard(call_id)
                batch["answered"].append(call_id)
                break
        else:
            self.wrong.append(f"{call_id} was answered, and not open")
        self._settle_batches()

    def _settle_batches(self):
        for response_id, batch in list(self.batches.items()):
            if batch["done"] and not batch["open"]:
                del self.batches[response_id]
                for call_id in batch["answered"]:
                    self.owed[f"answer to {call_id}"] = True

    # --- the plan

    def play_plan(self):
        for name, argument in self.plan["actions"]:
            if self.ends is not None:
                return
            getattr(self, name)(argument)

    def server_takes(self, number):
        while number and self.up and self.remote is not None:
            number -= 1
            event, unwritten = self.up.popleft(), len(self.remote.unwritten)
            self.remote.take(event)
            if event["type"] != "input_audio_buffer.commit":
                continue
            if self.forgotten_commits:
                self.forgotten_commits -= 1
            elif len(self.remote.unwritten) > unwritten:
                self._speech_is_owed()

    def page_gets(self, number):
        while number and self.remote is not None and self.remote.says:
            number -= 1
            self._deliver(self.remote.says.popleft())

    def all_flows(self, number):
        """Let everything arrive at once, and be heard for a while."""
        self.server_takes(1000)
        self.server_speaks(number)
        self.page_gets(1000)
        self.waits(number * STEP_S)

    def _deliver(self, event):
        self._came_s = self.now
        if isinstance(event, tuple):
            item_id, response_id, audio = event
            self.received[item_id] += len(audio) // MS
            self.take(self.core.audio(item_id, response_id, audio, self.now))
            return
        check("server", event)
        kind, remote = event["type"], self.remote
        if kind == "response.output_item.done":
            item = event["item"]
            batch = self.batches.setdefault(
                event["response_id"], {"open": set(), "answered": [], "done": False}
            )
            batch["open"].add(item["call_id"])
            self.said.append(item["call_id"])
        elif kind == "conversation.item.input_audio_transcription.completed":
            self.written.add(event["transcript"])
            self.said.append(event["transcript"])
        elif kind == "response.done":
            response_id = event["response"]["id"]
            self.failures += event["response"]["status"] == "failed"
            for key in remote.responses[response_id].covers:
                self.owed.pop(key, None)
            if response_id in self.batches:
                self.batches[response_id]["done"] = True
            self._settle_batches()
        self.raw(event)

    def server_speaks(self, number):
        while number and self.remote is not None and self.remote.active is not None:
            number -= 1
            self.remote.go_on()

    def server_answers(self, _argument):
        if self.remote is not None and self.remote.own:
            self.remote.answer()

    def server_writes_down(self, _argument):
        if self.remote is not None and self.remote.unwritten:
            self.remote.write_down()

    def server_prompts(self, _argument):
        remote = self.remote
        if self.plan["mode"] == "key" or remote is None or not remote.configured:
            return
        if not (remote.speaking or remote.own or remote.active):
            remote.prompt()

    def visitor_speaks(self, _argument):
        """Begin to speak, or stop."""
        if self.plan["mode"] == "key":
            self._use_key()
        elif self.remote is not None and self.remote.configured:
            if not self.remote.speaking:
                self.remote.hear()
            else:
                self.remote.hear_end()
                self._speech_is_owed()

    def _use_key(self):
        if not self.core.started:
            return
        if self.core.talk_key.held:
            self.page("turn.commit")
            return
        self._interrupting("turn.start")
        if self.core.listens == "held":
            audio = bytes(200 * MS)
            self.core.talk_key.heard(len(audio))
            self.up.append(
                {
                    "type": "input_audio_buffer.append",
                    "audio": b64encode(audio).decode(),
                }
            )

    def _speech_is_owed(self):
        self.owed[self.remote.unwritten[-1][1]] = True

    def visitor_types(self, respond):
        text = f"typed {next(self._typed)}"
        if respond:
            self.owed[text] = True
        self.said.append(text)
        self.page("message", text=text, respond=respond)

    def visitor_interrupts(self, names_item):
        if self.core.started:
            self._interrupting("interrupt", names_item=names_item)

    def _interrupting(self, kind, *, names_item=True):
        """Fall silent at once, and say what was heard."""
        item_id = self.page_now.playing
        played_ms = self.page_now.played.get(item_id, 0.0)
        self.page_now.waiting.clear()
        self.owed.clear()
        self.asked_again = False
        commits = [e for e in self.up if e["type"] == "input_audio_buffer.commit"]
        self.forgotten_commits = len(commits)
        if item_id:
            self.expected = {item_id: int(played_ms + 1e-6)}
        told = {"item_id": item_id} if names_item and item_id else {}
        self.page(kind, played_ms=played_ms + 1e-6, **told)
        self.expected, self.asked_page = {}, {}

    def page_replies(self, _argument):
        """Say what was heard before the page was silenced."""
        asked, self.asked_page = self.asked_page, {}
        if not asked:
            return
        played_ms = self.page_now.played.get(self.silenced, 0.0) + 1e-6
        if self.now < asked["at_s"] + 0.25:
            self.expected = {self.silenced: int(played_ms)}
        self.page("playback", item_id=self.silenced, played_ms=played_ms, done=True)
        self.expected = {}

    def tool_ends(self, number):
        if self.running:
            call_id = self.running.pop(number % len(self.running))
            status = ("completed", "failed", "cancelled", "completed")[number]
            self.finish_tool(call_id, Outcome(status, "done"))

    def visitor_allows(self, approve):
        if self.asking:
            call_id = self.asking.pop(0)
            self.page("tool.approval", call_id=call_id, approve=approve)

    def guardrail_trips(self, number):
        if self.checks:
            checked = self.checks.pop(number % len(self.checks))
            self.take(self.core.guardrail_tripped(checked, "manners", self.now))

    def is_lost(self, number):
        """Lose the connection; seldom one that is not even made."""
        if self.remote is None or (self.core.renewal.under_way and number):
            return
        self._forget_unheard()
        effects = self.core.lost(self.now)
        self._leave()
        if effects is None:
            self.end("upstream", "upstream_lost")
        else:
            self._take_loss(effects)

    def _forget_unheard(self):
        """Be owed no answer to speech that nobody knows the words of any more."""
        self.asked_again = self.core.turns.thinking
        for key in list(self.owed):
            unknown = key.startswith("speech") and key not in self.written
            if unknown or (key.startswith("speech") and not self.asked_again):
                del self.owed[key]

    def _take_loss(self, effects):
        failed = any(
            isinstance(effect, SendPage) and effect.message["type"] == "error"
            for effect in effects
        )
        if failed:
            self.failures += 1
            self.owed.clear()
        for batch in self.batches.values():
            batch["done"] = True
        self.take(effects)
        self._settle_batches()

    def is_dialled(self, _argument):
        if self.dialling:
            self._connect()

    def is_prepared(self, succeeded):
        if self.preparing:
            self.preparing = False
            self.take(self.core.prepared(self.now, succeeded=succeeded))

    def expires(self, _argument):
        """Have the server say that this session has lived long enough."""
        if self.remote is None or not self.remote.configured:
            return
        self.remote.refuse("session_expired")
        while self.remote.says:
            event = self.remote.says.popleft()
            if isinstance(event, dict) and "session_expired" in str(event):
                break
            self._deliver(event)
        self._forget_unheard()
        self._take_loss(self.core.upstream_event(event, self.now))

    def is_refused(self, code):
        """Have the server end the session for good."""
        self.remote.refuse(code)
        self.page_gets(10_000)

    def waits(self, seconds):
        until = self.now + seconds
        while self.now < until - 1e-6 and self.ends is None:
            if self.remote is not None and self.now >= self._asked_s + REQUEST_S - 0.2:
                self.remote.raced = True  # a request was given up, and may be taken yet
            if self.core.renewal.under_way and not self.plan["gone"]:
                self._serve_again()
            self.after(STEP_S)
            self.page_now.listen(STEP_S)
            for piece in self.play():
                self.page_now.take(piece)
            self._report()

    def _serve_again(self):
        """Let the new server answer in time."""
        self.is_dialled(0)
        for _ in range(2):
            self.page_gets(1)
            self.server_takes(1)

    @property
    def _nothing_comes(self):
        return self.now >= min(self._came_s, self._asked_s) + REQUEST_S - 0.2

    def _report(self):
        item_id = self.page_now.playing
        if self.plan["reports"] and item_id and self.now > self._reported_s + 0.24:
            self._reported_s = self.now
            played_ms = self.page_now.played[item_id]
            self.page("playback", item_id=item_id, played_ms=played_ms, done=False)

    # --- the end

    def fall_silent(self):
        """Let everything arrive and end, until nobody has anything to say."""
        for _ in range(200):
            if self.ends is not None:
                return
            self.is_dialled(0)
            self.is_prepared(False)
            self.server_takes(1000)
            self.page_gets(1000)
            if self.remote is not None and self.remote.speaking:
                self.visitor_speaks(0)
            if self.core.talk_key.held:
                self._use_key()
            self.server_answers(0)
            self.server_writes_down(0)
            self.server_speaks(1000)
            self.visitor_allows(True)
            self.tool_ends(0)
            busy = self.up or self.running or self.asking or self.core.turns.thinking
            remote = self.remote
            if not (busy or remote.says or remote.unwritten or remote.active):
                return
            self.waits(0.5)
        self.wrong.append("it never ends")
