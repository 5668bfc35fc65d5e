"""Patron's command line: `manage.py help` shows our commands first, each with what it does; one starts at once."""

from collections.abc import Sequence

from django.core.management import ManagementUtility, get_commands, load_command_class

OURS = ("auth_providers", "customers", "tenants")
# It starts the processes that need the apps, and needs none itself; the app that it is of.
WITHOUT_APPS = {"serve": "auth_providers"}


class Utility(ManagementUtility):
    """Django's command line, with another list of commands."""

    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only:
            return super().main_help_text(commands_only=True)
        commands = get_commands()
        ours = sorted(name for name, app in commands.items() if app in OURS)
        width = max(map(len, ours), default=0)
        lines = [f"  {name.ljust(width)}  {help_of(str(commands[name]), name)}".rstrip() for name in ours]
        others = sorted(set(commands) - set(ours))
        return "\n".join(
            [
                "",
                f"Type '{self.prog_name} help <command>' for one of these commands.",
                "",
                "Patron's commands:",
                *lines,
                "",
                "Django's and those of libraries:",
                *(f"  {name}" for name in others),
            ]
        )


def help_of(app: str, name: str) -> str:
    """What the command does, in its own words: the first sentence."""
    return str(load_command_class(app, name).help).partition(". ")[0].rstrip(".")


def execute(argv: Sequence[str]) -> None:
    """Run a command from the terminal."""
    name = argv[1] if len(argv) > 1 else ""
    if name in WITHOUT_APPS and not any(word.startswith(("--settings", "--pythonpath")) for word in argv):
        load_command_class(WITHOUT_APPS[name], name).run_from_argv([*argv])
    else:
        Utility([*argv]).execute()
