"""The table of commands and their arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

from sqlalchemy_dynamics.cli import commands
from sqlalchemy_dynamics.cli.output import FORMATS, TEXT_FORMATS
from sqlalchemy_dynamics.cli.usage import Parser

__all__ = ["parse"]


def parse(argv: Sequence[str]) -> Callable[[], int]:
    """Return the command that the arguments ask for, ready to run. Exits with 2 on wrong usage."""
    if argv[:1] == ["sandbox"]:
        return partial(commands.sandbox, argv[1:])
    arguments = _parser().parse_args(argv)
    return partial(arguments.run, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="dynamics", description="SQL over Microsoft Dynamics 365 / Dataverse.")
    parser.add_argument(
        "--version", action="version", version=f"dynamics {import_module('sqlalchemy_dynamics').__version__}"
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    _query(subparsers.add_parser("query", help="run a statement and print its rows"))
    _explain(subparsers.add_parser("explain", help="print the Web API requests a statement would make"))
    _tables(subparsers.add_parser("tables", help="list the tables"))
    _describe(subparsers.add_parser("describe", help="list the columns of a table"))
    _login(subparsers.add_parser("login", help="sign in, and keep the tokens in the settings file"))
    _logout(subparsers.add_parser("logout", help="forget an organisation's tokens"))
    _settings(subparsers.add_parser("settings", help="look at the settings file, copy it, change its key"))
    _doctor(subparsers.add_parser("doctor", help="check a real organisation, reading only"))
    subparsers.add_parser("sandbox", help="serve a local organisation with demo data", add_help=False)
    return parser


def _query(parser: argparse.ArgumentParser) -> None:
    _common(parser, FORMATS)
    parser.add_argument("--explain", action="store_true", help="print the requests instead of making them")
    parser.add_argument("--requests", action="store_true", help="print the Web API requests made after the rows")
    _secrets(parser)
    parser.add_argument("sql", metavar="SQL", help="the statement; - reads it from standard input")
    parser.set_defaults(run=commands.query)


def _explain(parser: argparse.ArgumentParser) -> None:
    _common(parser, TEXT_FORMATS)
    parser.add_argument("sql", metavar="SQL", help="the statement; - reads it from standard input")
    parser.set_defaults(run=commands.explain)


def _tables(parser: argparse.ArgumentParser) -> None:
    _common(parser, TEXT_FORMATS)
    parser.add_argument("pattern", metavar="PATTERN", nargs="?", default="*", help="names to list, such as 'account*'")
    parser.set_defaults(run=commands.tables)


def _describe(parser: argparse.ArgumentParser) -> None:
    _common(parser, TEXT_FORMATS)
    parser.add_argument("table", metavar="TABLE", help="logical name of the table")
    parser.set_defaults(run=commands.describe)


def _login(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-browser", action="store_true", help="print the address and wait, open nothing")
    _organization(parser)
    parser.set_defaults(run=_late("signing", "login"))


def _logout(parser: argparse.ArgumentParser) -> None:
    _organization(parser)
    parser.set_defaults(run=_late("signing", "logout"))


def _settings(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="list the sign-ins in the settings file")
    _written(show, TEXT_FORMATS)
    _secrets(show)
    show.set_defaults(run=_late("signing", "show"))
    export = actions.add_parser("export", help="copy the settings file; a passphrase opens the copy elsewhere")
    export.add_argument("target", metavar="TARGET", help="the new file")
    export.set_defaults(run=_late("signing", "export"))
    rotate = actions.add_parser("rotate-key", help="seal the settings file with a new key")
    rotate.add_argument("--new-passphrase", action="store_true", help="ask for a passphrase that opens it from now on")
    rotate.set_defaults(run=_late("signing", "rotate"))
    for each in (show, export, rotate):
        each.add_argument("--location", metavar="FILE", help="the settings file (default: OAuthSettingsLocation)")
        _organization(each)


def _doctor(parser: argparse.ArgumentParser) -> None:
    _written(parser, TEXT_FORMATS)
    _organization(parser)
    parser.set_defaults(run=_late("doctor", "examine"))


def _late(module: str, command: str) -> Callable[[argparse.Namespace], int]:
    """A command whose module is loaded when it runs: most commands need no sign-in machinery."""
    return lambda arguments: int(getattr(import_module(f"sqlalchemy_dynamics.cli.{module}"), command)(arguments))


def _organization(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "url", metavar="URL", nargs="?", help="dynamics://… or https://contoso.crm.dynamics.com (default: DYNAMICS_URL)"
    )


def _secrets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--show-secrets", action="store_true", help="print tokens instead of ***")


def _common(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    parser.add_argument(
        "--url", help="dynamics://… or https://contoso.crm.dynamics.com (default: DYNAMICS_URL, else the sandbox)"
    )
    _written(parser, formats)


def _written(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    parser.add_argument("--format", choices=formats, default="table", help="default: table")
    parser.add_argument("--output", metavar="FILE", help="write there instead of to standard output")
