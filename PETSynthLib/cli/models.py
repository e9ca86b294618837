"""``petsynth models``: which models there are, what they say of themselves, are they intact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ErrorCode, PETSynthError
from ..home import petsynth_home

app = typer.Typer(help="List, describe and verify models.", add_completion=False)

Name = Annotated[str, typer.Argument(metavar="NAME_OR_PATH", help="Name or folder of a model.")]


@app.command("list")
def list_models() -> None:
    """List the shipped models and those in PETSYNTH_HOME."""
    from ..generate import list_bundles, verify_bundle

    for folder in list_bundles():
        try:
            bundle = verify_bundle(folder)
        except PETSynthError as problem:
            print(f"{folder.name:16} DAMAGED  {problem.text}")
            continue
        print(f"{bundle.name:16} {bundle.version:8} {bundle.config['title']}")
        print(f"{'':16} trained on: {bundle.trained_on}; tracers: {', '.join(bundle.tracers)}")
    print(f"Own models are looked for in {petsynth_home() / 'bundles'}.")


@app.command("info")
def info(name: Name) -> None:
    """Print a model's facts and its model card."""
    from ..generate import find_bundle, verify_bundle

    bundle = verify_bundle(find_bundle(name))
    facts = {
        "name": bundle.name,
        "version": bundle.version,
        "title": bundle.config["title"],
        "method": bundle.method,
        "trained on": bundle.trained_on,
        "licence": bundle.config["licence"],
        "tracers": ", ".join(bundle.tracers),
        "uses beside T1": ", ".join(bundle.uses) or "nothing",
        "folder": bundle.folder,
        "sha256": bundle.sha256,
    }
    for key, value in facts.items():
        print(f"{key:15} {value}")
    print()
    print((bundle.folder / "README.md").read_text(encoding="utf-8").rstrip())


@app.command("verify")
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME_OR_PATH]...", help="Default: all.")
    ] = None,
) -> None:
    """Check every byte of the models against their checksums."""
    from ..generate import find_bundle, list_bundles, verify_bundle

    folders: list[Path] = [find_bundle(name) for name in names] if names else list_bundles()
    if not folders:
        raise PETSynthError(
            ErrorCode.BUNDLE_MISSING,
            "No model is installed.",
            "Install PETSynth again: the atlas model is part of it.",
        )
    first: PETSynthError | None = None
    for folder in folders:
        try:
            bundle = verify_bundle(folder)
            print(f"{bundle.name} {bundle.version}: intact, sha256 {bundle.sha256}")
        except PETSynthError as problem:
            print(f"{folder.name}: DAMAGED")
            first = first or problem
    if first is not None:
        raise first


@app.command("import")
def import_model(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="What kind of file it is.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The checkpoint.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="BUNDLE", help="Folder of the new model.")
    ],
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="A fact that the format asks for."),
    ] = None,
) -> None:
    """Make a model from a foreign checkpoint, which is read as numbers only."""
    from ..learn.imports import import_model as read

    facts: dict[str, str] = {}
    for text in options or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise PETSynthError(
                ErrorCode.BAD_REQUEST, f"{text!r} states no fact.", "Write --option NAME=VALUE."
            )
        facts[name] = value
    print(f"Model: {read(format_name, file, output, facts)}")
