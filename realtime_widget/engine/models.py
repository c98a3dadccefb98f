"""The engine's models by name.

==============  ====================================================================
``local``       Hears and speaks, with what is installed and the settings ask for.
``local-text``  The same dialogue without a voice.
``echo``        Gives back what was said: audio as audio, text as text.
``scripted``    Answers by a few fixed rules, hums, and needs nothing installed.
==============  ====================================================================
"""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from realtime_widget.engine.conversation.core import SessionOptions
from realtime_widget.engine.conversation.session_defaults import DEFAULT_MODEL
from realtime_widget.engine.driver import EngineSession
from realtime_widget.engine.loading import Loading, Told
from realtime_widget.engine.options import EngineOptions
from realtime_widget.engine.parts import load_parts, load_text_parts
from realtime_widget.engine.ports import Parts
from realtime_widget.engine.rest.messages import RestAnswer
from realtime_widget.engine.scripted.dialogue import ScriptedDialogue
from realtime_widget.engine.scripted.echo import ROOM_NOISE, EchoDialogue
from realtime_widget.engine.scripted.loudness import LengthStt, LoudnessVad
from realtime_widget.engine.scripted.tones import ToneTts

LOCAL: Final = "local"
LOCAL_TEXT: Final = "local-text"


def scripted_parts(_options: EngineOptions, _told: Told) -> Parts:
    """Return the parts of the model ``scripted``."""
    return Parts(
        dialogue=ScriptedDialogue(), vad=LoudnessVad, stt=LengthStt(), tts=ToneTts()
    )


def echo_parts(_options: EngineOptions, _told: Told) -> Parts:
    """Return the parts of the model ``echo``."""
    return Parts(
        dialogue=EchoDialogue(),
        vad=partial(LoudnessVad, ROOM_NOISE),
        stt=LengthStt(ROOM_NOISE),
        tts=ToneTts(),
    )


# Name -> what makes its parts, which may block for a second or two.
MODELS: Final[Mapping[str, Callable[[EngineOptions, Told], Parts]]] = {
    LOCAL: load_parts,
    LOCAL_TEXT: load_text_parts,
    "echo": echo_parts,
    "scripted": scripted_parts,
}


class Model:
    """One model: a composition of parts that all its sessions share.

    Args:
        name: Its name, which a session that names no model shows.
        make_parts: Makes the parts and tells how far it is; called once, when they
            are first needed.
        may_speak: Whether it has a voice when all of its parts are there.

    Attributes:
        loading: How far its parts are loaded.
    """

    def __init__(
        self, name: str, make_parts: Callable[[Told], Parts], *, may_speak: bool = True
    ) -> None:
        self.name = name
        self.loading = Loading()
        self._may_speak = may_speak
        self._make_parts = make_parts
        self._parts: Parts | None = None
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        """Whether ``parts`` returns at once."""
        return self._parts is not None

    @property
    def parts(self) -> Parts:
        """Its parts; the first use blocks until they are loaded."""
        return self.load()

    @property
    def speaks(self) -> bool:
        """Whether it speaks; what is not loaded yet is believed to, if it may."""
        return self._parts.speaks if self._parts is not None else self._may_speak

    def load(self) -> Parts:
        """Load its parts, once, and return them. Safe in any thread."""
        with self._lock:
            if self._parts is None:
                self._parts = self._make_parts(self.loading.tell)
            return self._parts

    async def meet(self) -> RestAnswer | None:
        """Meet a client that knocks: return what it is refused with, None to let it in."""
        return None

    def open(self, options: SessionOptions) -> EngineSession:
        """Begin a session, on a running event loop.

        Raises:
            EventRefused: If a field of the preset is wrong.
        """
        return EngineSession(self.parts, options)


class Models:
    """The models of a server or a process.

    Args:
        default: The one that unknown names and no name get.
        others: The others, which clients may ask for.
    """

    def __init__(self, default: Model, *others: Model) -> None:
        self.default = default
        self._by_name = {model.name: model for model in (default, *others)}

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, the default first."""
        return tuple(self._by_name)

    def resolve(self, name: str) -> Model:
        """Return the model of a name, the default for one that is unknown."""
        return self._by_name.get(name, self.default)

    def speaks(self, name: str) -> bool:
        """Return whether the model of a name speaks."""
        return self.resolve(name).speaks


def all_models(options: EngineOptions, default: str = LOCAL) -> Models:
    """Return every model the engine has; none is loaded yet.

    Args:
        options: The operator's choices of parts.
        default: Name of the model for clients that name none of these.

    Raises:
        ValueError: If there is no model of that name; it says which there are.
    """
    if default not in MODELS:
        near = difflib.get_close_matches(default, MODELS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"There is no model {default!r}.{hint} Known: {', '.join(MODELS)}."
        )
    models = {
        name: Model(name, partial(make_parts, options), may_speak=name != LOCAL_TEXT)
        for name, make_parts in MODELS.items()
    }
    chosen = models.pop(default)
    return Models(chosen, *models.values())


def only(parts: Parts) -> Models:
    """Return the models of a server that has one composition whatever is asked for."""
    return Models(Model(DEFAULT_MODEL, lambda _told: parts))
