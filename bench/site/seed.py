"""Make the database and its one widget: ``python -m bench.site.seed MODEL_PORT``."""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    """Migrate and create the rows."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.site.settings")
    django.setup()
    from django.contrib.sites.models import Site
    from django.core.management import call_command

    from realtime_widget.models import Agent, Provider, Widget

    call_command("migrate", verbosity=0)
    Site.objects.update_or_create(id=1, defaults={"domain": "127.0.0.1"})
    provider = Provider.objects.create(
        name="scripted",
        kind="compatible",
        base_url=f"ws://127.0.0.1:{sys.argv[1]}/v1",
        model="scripted",
    )
    agent = Agent.objects.create(name="Bench", instructions="Answer.")
    widget = Widget.objects.create(
        slug="bench", title="Bench", agent=agent, provider=provider
    )
    widget.sites.add(1)


if __name__ == "__main__":
    main()
