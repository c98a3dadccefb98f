"""Fields that name a function of the site: suggested, and refused when there is none."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from realtime_widget.admin.provider_form import SuggestingInput

# Below this, a name is not like another.
LIKENESS = 0.5


def no_such_function(name: str, known: Mapping[str, Any]) -> ValidationError:
    """Return the error for a name that nothing is registered under."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=LIKENESS)
    if near:
        return ValidationError(
            _("There is no function “%(name)s”. Did you mean “%(near)s”?"),
            code="unknown_function",
            params={"name": name, "near": near[0]},
        )
    return ValidationError(
        _("There is no function “%(name)s”. There are: %(names)s."),
        code="unknown_function",
        params={"name": name, "names": ", ".join(sorted(known)) or "—"},
    )


class NamesFunctions(forms.ModelForm):
    """A form some of whose fields name functions.

    Attributes:
        functions: Field -> what is registered.
    """

    functions: ClassVar[Mapping[str, Mapping[str, Callable[..., Any] | Any]]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, known in self.functions.items():
            if field in self.fields:
                self.fields[field].widget = SuggestingInput(sorted(known))

    def clean(self) -> dict[str, Any]:
        """Refuse the names of functions that do not exist."""
        data: dict[str, Any] = super().clean() or {}
        for field, known in self.functions.items():
            name = data.get(field)
            if name and name not in known:
                self.add_error(field, no_such_function(name, known))
        return data
