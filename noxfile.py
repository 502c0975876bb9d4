"""What is run from a bare clone: `nox -s bench` (the default), `tests`, `check`, `lint`, ..."""

from pathlib import Path

import nox

nox.options.sessions = ["bench"]
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True


def _install(session: nox.Session, extra: str) -> None:
    """Modules are compiled when first imported: pip would take a minute for all of them."""
    session.env["PYTHONDONTWRITEBYTECODE"] = ""  # empty is off: else every process compiles them
    session.install("-q", "--no-compile", "-c", "constraints.txt", "-e", f".[{extra}]")


@nox.session
def bench(session: nox.Session) -> None:
    """The full grid; arguments after `--` go to `gaikan bench`."""
    _install(session, "bench,labels,runtimes,styles")
    session.run("gaikan", "bench", *session.posargs)


@nox.session
def perf(session: nox.Session) -> None:
    """The benchmark suites, each against its peer and compared with the last stored run."""
    _install(session, "test")
    stored = any(Path(".benchmarks").glob("*/*.json"))
    compare = ["--benchmark-compare"] if stored else []
    session.run("pytest", "bench", "--benchmark-autosave", *compare, *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """The test suite, a file a core; arguments after `--` go to pytest."""
    _install(session, "test")
    # Files in their own order: by their number of tests, those that take longest would come last.
    options = ["-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"]
    session.run("pytest", *options, *session.posargs)


@nox.session
def check(session: nox.Session) -> None:
    """The smoke grid against `results/baseline.json`; arguments after `--` go to `gaikan check`."""
    _install(session, "bench")
    session.run("python", "bench/smoke_parts.py", "results/smoke-parts")
    # Exit code 1: a training failed. The check says of which variant.
    session.run("gaikan", "bench", "bench/smoke.toml", "--replace", success_codes=[0, 1])
    # On another processor the networks are other ones, and 10 seeds leave intervals of a cnn that
    # reach beyond the margin with nothing changed: inconclusive is no reason to stop there. A drop
    # beyond noise fails, and so does a frozen network, which no processor moves.
    options = ["--baseline", "results/baseline.json", "--allow-inconclusive"]
    session.run("gaikan", "check", "results/smoke", *options, *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Broken inputs for every reader: as many a test as the argument after `--` says."""
    _install(session, "test")
    many = session.posargs or ["5000"]
    session.run("pytest", "-q", "-k", "fuzz", "tests", env={"GAIKAN_FUZZ": many[0]})


@nox.session
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of the pinned packages, from a service on the network."""
    session.install("-q", "-c", "constraints.txt", "pip-audit")
    session.run("pip-audit", "--no-deps", "--disable-pip", "-r", "constraints.txt")


@nox.session
def docs(session: nox.Session) -> None:
    """README.md, docs/ and the measurements as a site in `site/`; a warning is an error."""
    _install(session, "docs")
    session.run("mkdocs", "build", "--strict", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(name="docs-figures")
def docs_figures(session: nox.Session) -> None:
    """Every output and picture of README.md and docs/, made anew from one run."""
    _install(session, "bench,runtimes,styles")
    session.run("python", "bench/docs_figures.py")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, mypy and the import rules."""
    _install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
