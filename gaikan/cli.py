"""The command line. Nothing heavy is imported before a command needs it."""

import io
import sys
from typing import Annotated

import typer

from gaikan import __version__
from gaikan.commands.bench import bench
from gaikan.commands.check import check
from gaikan.commands.data import data
from gaikan.commands.enrol import enrol
from gaikan.commands.export import export
from gaikan.commands.import_weights import import_
from gaikan.commands.labels import labels
from gaikan.commands.new import new
from gaikan.commands.pick import pick
from gaikan.commands.predict import predict
from gaikan.commands.report import report
from gaikan.commands.time import time_
from gaikan.data.names import check_text
from gaikan.errors import GaikanError
from gaikan.system import machine

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Compare small vision models for industrial inspection: which one at which stage.",
)
for _command in (
    new,
    bench,
    time_,
    report,
    labels,
    data,
    import_,
    export,
    predict,
    enrol,
    pick,
    check,
):
    app.command(_command.__name__.removesuffix("_"))(_command)

_state = {"debug": False, "resumes": False}
_INTERRUPTED = 130  # what a shell gives for SIGINT; Typer ends with it on Ctrl-C


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"gaikan {__version__}")
        raise typer.Exit()


@app.callback()
def _common(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    _state.update(debug=debug, resumes=context.invoked_subcommand == "bench")


def main() -> None:
    """Runs the command line. An error that the user can mend is one line on stderr, exit code 2.

    So is an error of the operating system: a disk may be full anywhere.
    """
    machine.heed_quota()
    _escape_what_cannot_be_shown()
    try:
        for argument in sys.argv[1:]:
            check_text(argument, "command line")
        _run()
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            hint = "; the same command goes on where it stopped" if _state["resumes"] else ""
            _say(f"interrupted{hint}")
        raise
    except GaikanError as error:
        if _state["debug"]:
            raise
        _say(str(error))
        sys.exit(2)
    except OSError as error:
        if _state["debug"] or error.strerror is None:
            raise
        _say(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
        sys.exit(2)


def _run() -> None:
    """The command; an error that Ctrl-C has led to, as inside of torch's exporter, is that."""
    try:
        app()
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, KeyboardInterrupt):
                raise SystemExit(_INTERRUPTED) from None
            cause = cause.__cause__ or cause.__context__
        raise


def _escape_what_cannot_be_shown() -> None:
    """A name may have letters that the terminal's encoding lacks: they are shown by their codes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(line: str) -> None:
    print(f"gaikan: {line}", file=sys.stderr)  # noqa: T201
