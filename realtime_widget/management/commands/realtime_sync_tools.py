"""``manage.py realtime_sync_tools``: a Tool row for every decorated function."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from realtime_widget.handlers import registered
from realtime_widget.models import Agent, FunctionHandler, Tool


class Command(BaseCommand):
    """Creates what is missing and changes nothing that an editor wrote."""

    help = (
        "Create a Tool row for every function marked with @function_handler that has none."
        " Descriptions and schemas stay empty, so that they follow the functions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "--agent",
            metavar="NAME",
            help="Also give the new tools to this agent.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Only say what would be done."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        have = set(Tool.objects.values_list("name", flat=True))
        named = set(FunctionHandler.objects.values_list("handler", flat=True))
        missing = sorted(set(registered) - have - named)
        if not options["dry_run"]:
            tools = Tool.objects.bulk_create(Tool(name=name) for name in missing)
            if options["agent"]:
                self._agent(options["agent"]).tools.add(*tools)
        for name in missing:
            self.stdout.write(f"{name}: {registered[name].path}")
        for name in sorted(have - set(registered)):
            self._say_when_lost(name)
        verb = "would be created" if options["dry_run"] else "created"
        self.stdout.write(self.style.SUCCESS(f"{len(missing)} tools {verb}."))

    def _agent(self, name: str) -> Agent:
        agent, _created = Agent.objects.get_or_create(name=name)
        return agent

    def _say_when_lost(self, name: str) -> None:
        tool = Tool.objects.prefetch_related("handlers").get(name=name)
        if tool.runs_on == Tool.RunsOn.SERVER and not tool.handlers.all():
            self.stderr.write(self.style.WARNING(f"{name}: this function is gone."))
