"""A widget whose server says what the test tells it to, so that every state holds still."""

from __future__ import annotations

import json

QUESTION = "Do you have lights for a children's bike?"
ANSWER = (
    "Yes, three kinds, from 14 to 32 euros. All of them charge by USB. Here they are:"
    " https://shop.example/lights"
)
SOCKET = "ws://scripted.invalid/"
SESSION = {"token": "abc", "url": SOCKET}
WAIT_MS = 15_000
STEP_MS = 10
STARTED = {
    "session_id": "6c1f7f2e-51c5-4f0e-9e0c-2f8f8f0d7a10",
    "resume": "",
    "resumed": False,
    "agent": "Ada",
    "audio": {"format": "pcm16", "rate_hz": 24_000},
    "turn_detection": "server_vad",
    "max_session_s": 600,
}


class Stage:
    """A page whose widget is led from state to state.

    Args:
        visit: Of a page with a widget that nobody has touched.
    """

    def __init__(self, visit):
        self.visit = visit
        self.page = visit.page
        self._sockets = []
        self._started = 0
        self._answers = True
        self.page.route("**/session", self._session)
        self.page.route_web_socket(SOCKET, self._connected)
        # Sockets are taken over from the next page on.
        self.page.reload()

    def _connected(self, socket):
        self._sockets.append(socket)
        socket.on_message(self._heard)

    def _heard(self, message):
        if isinstance(message, str) and json.loads(message)["type"] == "session.start":
            self._started += 1

    def _session(self, route):
        if self._answers:
            route.fulfill(json=SESSION)
        else:
            route.abort()

    def say(self, kind, **fields):
        """Let the server send a message."""
        self._sockets[-1].send(json.dumps({"type": kind, **fields}))

    def start(self, *, turn_detection="server_vad"):
        """Press the button and let the conversation begin."""
        self.press()
        self.say_started(turn_detection=turn_detection)

    def say_started(self, *, turn_detection="server_vad"):
        """Let the conversation begin."""
        self.say("session.started", **{**STARTED, "turn_detection": turn_detection})

    def press(self):
        """Press the button; the server does not say anything yet."""
        before = self._started
        self.visit.button("Start conversation").click()
        self.wait_for_wish(before + 1)

    def wait_for_wish(self, count=1):
        """Wait until the page has asked for so many conversations."""
        for _ in range(WAIT_MS // STEP_MS):
            if self._started >= count:
                return
            # What the page sends is taken while this thread is with the browser.
            self.page.wait_for_timeout(STEP_MS)
        raise AssertionError("the page did not ask for a conversation")

    def said(self, role, text, *, item, after=None, final=True):
        """Let the server write down words."""
        words = {"text": text} if final else {"delta": text}
        self.say(
            "transcript",
            item_id=item,
            role=role,
            previous_item_id=after,
            final=final,
            **words,
        )

    def state(self, state):
        """Let the server say how far it is."""
        self.say("state", state=state)
        self.visit.wait_for_state(state)

    def fail(self, code):
        """End the conversation without words, by one of the protocol's close codes."""
        self._sockets[-1].close(code=code)
        self.visit.wait_for_state("error")

    def lose(self):
        """Break the connection and let nobody be reached any more."""
        self._answers = False
        self._sockets[-1].close(code=1012)
        self.visit.wait_for_state("reconnecting")
