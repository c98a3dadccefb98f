"""What happened on a page with a widget, whatever browser shows it."""

from __future__ import annotations

ANSWERED_MS = 25_000
WIDGET = "document.querySelector('realtime-widget')"


class Watched:
    """A page with the probe in it.

    The driver of a browser brings what a person does and sees (``press``, ``write``,
    ``wait_for_answer``, ``wait_for_alert``), and ``evaluate`` and ``wait_until``, both
    for a JavaScript function of one argument.

    Args:
        wait_written: Waits until this process has written all rows of a session, by its
            id; none where the server is another process.
    """

    def __init__(self, wait_written=None):
        self._wait_written = wait_written
        self.allowed_violations = 0

    # --- what a person does, in every browser alike

    def start(self, *, state="listening"):
        """Press the button and wait until the session is ready."""
        self.press("Start conversation")
        self.wait_for_state(state)

    def stop(self):
        """Press the button again and wait for the end, in the database too."""
        self.press("End conversation")
        self.wait_received("session.stopped")
        started = self.received("session.started")
        if self._wait_written and started:
            self._wait_written(started[-1]["session_id"])

    # --- what happened

    def received(self, kind, **fields):
        """Return the server's messages of a kind with these fields, in order."""
        return _matching(self.probe("received"), kind, fields)

    def sent(self, kind, **fields):
        """Return the page's messages of a kind with these fields, in order."""
        return _matching(self.probe("sent"), kind, fields)

    def wait_received(self, kind, *, count=1, timeout_ms=ANSWERED_MS, **fields):
        """Wait for the server's messages and return the last of them."""
        self.wait_until(
            """([kind, fields, count]) => __probe.received.filter((message) =>
              message.type === kind &&
              Object.entries(fields).every(([name, value]) => message[name] === value)
            ).length >= count""",
            [kind, fields, count],
            timeout_ms=timeout_ms,
        )
        return self.received(kind, **fields)[count - 1]

    def wait_for_state(self, state, *, timeout_ms=ANSWERED_MS):
        """Wait until the element is in this state."""
        self.wait_until(
            f"(state) => {WIDGET}.getAttribute('state') === state",
            state,
            timeout_ms=timeout_ms,
        )

    def wait_for_audio_clock(self, seconds):
        """Wait until the page's audio has run this long."""
        self.wait_until("(seconds) => __probe.context.currentTime >= seconds", seconds)

    def probe(self, name):
        """Return one of the probe's lists."""
        return self.evaluate("(name) => __probe[name]", name)

    def heard(self, from_s=0.0, to_s=1e9):
        """Return what the page played between two times of its audio clock."""
        return self.evaluate(
            "([fromS, toS]) => __probe.heard(fromS, toS)", [from_s, to_s]
        )

    def stats(self):
        """Return the element's own counters."""
        return self.evaluate(f"() => {WIDGET}.getStats()")


def _matching(messages, kind, fields):
    return [
        message
        for message in messages
        if message["type"] == kind
        and all(message.get(name) == value for name, value in fields.items())
    ]
