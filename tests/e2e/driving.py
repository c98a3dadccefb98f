"""One visitor's page, driven and watched the way a person would."""

from __future__ import annotations

import re

ANSWERED_MS = 25_000


class Visit:
    """A browser context with one page of the test site.

    Args:
        context: Playwright's browser context, with the probe installed.
        url: Of the page.
        wait_written: Waits until this process has written all rows of a session, by its
            id; none where the server is another process.
    """

    def __init__(self, context, url, wait_written=None):
        self.context = context
        self.url = url
        self._wait_written = wait_written
        self.allowed_violations = 0
        self.faults = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.goto(url)

    # --- what a person does

    @property
    def widget(self):
        """The element."""
        return self.page.locator("realtime-widget")

    def button(self, name):
        """Return the button of this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def start(self, *, state="listening"):
        """Press the button and wait until the session is ready."""
        self.button("Start conversation").click()
        self.wait_for_state(state)

    def stop(self):
        """Press the button again and wait for the end, in the database too."""
        self.button("End conversation").click()
        self.wait_received("session.stopped")
        started = self.received("session.started")
        if self._wait_written and started:
            self._wait_written(started[-1]["session_id"])

    def write(self, text):
        """Type a message and send it."""
        self.page.get_by_role("textbox").fill(text)
        self.button("Send").click()

    @property
    def log(self):
        """Where both sides' words are written."""
        return self.page.get_by_role("log")

    @property
    def alert(self):
        """Where the widget says what went wrong."""
        return self.page.get_by_role("alert")

    # --- what happened

    def received(self, kind, **fields):
        """Return the server's messages of a kind with these fields, in order."""
        return _matching(self.probe("received"), kind, fields)

    def sent(self, kind, **fields):
        """Return the page's messages of a kind with these fields, in order."""
        return _matching(self.probe("sent"), kind, fields)

    def wait_received(self, kind, *, count=1, timeout_ms=ANSWERED_MS, **fields):
        """Wait for the server's messages and return the last of them."""
        self.page.wait_for_function(
            """([kind, fields, count]) => __probe.received.filter((message) =>
              message.type === kind &&
              Object.entries(fields).every(([name, value]) => message[name] === value)
            ).length >= count""",
            arg=[kind, fields, count],
            timeout=timeout_ms,
        )
        return self.received(kind, **fields)[count - 1]

    def wait_for_state(self, state, *, timeout_ms=ANSWERED_MS):
        """Wait until the element is in this state."""
        self.page.wait_for_function(
            "(state) => document.querySelector('realtime-widget')"
            ".getAttribute('state') === state",
            arg=state,
            timeout=timeout_ms,
        )

    def wait_for_answer(self, pattern, *, timeout_ms=ANSWERED_MS):
        """Wait until the agent's words in the page match, and return them."""
        words = self.log.get_by_text(re.compile(pattern, re.IGNORECASE)).last
        words.wait_for(timeout=timeout_ms)
        return words.inner_text()

    def wait_for_audio_clock(self, seconds):
        """Wait until the page's audio has run this long."""
        self.page.wait_for_function(
            "(seconds) => __probe.context.currentTime >= seconds", arg=seconds
        )

    def probe(self, name):
        """Return one of the probe's lists."""
        return self.page.evaluate("(name) => __probe[name]", name)

    def heard(self, from_s=0.0, to_s=1e9):
        """Return what the page played between two times of its audio clock."""
        return self.page.evaluate(
            "([fromS, toS]) => __probe.heard(fromS, toS)", [from_s, to_s]
        )

    def stats(self):
        """Return the element's own counters."""
        return self.page.evaluate(
            "() => document.querySelector('realtime-widget').getStats()"
        )

    # --- the end

    def finish(self):
        """Close it; no script may have failed, no policy may have been broken."""
        violations = [] if self.page.is_closed() else self.probe("violations")
        self.context.close()
        assert not self.faults
        assert len(violations) <= self.allowed_violations, violations


def _matching(messages, kind, fields):
    return [
        message
        for message in messages
        if message["type"] == kind
        and all(message.get(name) == value for name, value in fields.items())
    ]
