"""Load the contracts, and refuse what is broken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tenant_pipeline.contracts.against_code import check_against_code
from tenant_pipeline.contracts.contracts import Contracts
from tenant_pipeline.contracts.references import check_references, check_signers
from tenant_pipeline.core.errors import ContractError

CONTRACTS = (
    "enterprise_intake",
    "multi_source_intake",
    "source_mapping_engine",
    "tenant_scope",
    "approval_matrix",
    "publish_workflow",
    "hybrid_intake_workspace",
    "living_city",
)
SUPPORTED_VERSION = (1, 0)
"""The newest major and minor version of a contract that this code understands."""
LANGUAGES = ("th", "en", "zh")


def load_contracts(directory: Path | None = None) -> Contracts:
    """The contracts of the package, or of `directory` (the schemas are always the package's).

    Raises ContractError naming the file, the place in it (a JSON pointer) and the remedy.
    """
    packaged = _packaged()
    if directory is None:
        return packaged
    if not directory.is_dir():
        raise ContractError(
            "There is no such folder of contracts",
            where=str(directory),
            remedy=f"Put all of {', '.join(f'{name}.json' for name in CONTRACTS)} there, or leave the setting out.",
        )
    return _checked_together(Contracts(_read(directory)), packaged)


@cache
def _packaged() -> Contracts:
    contracts = Contracts(_read(files("tenant_pipeline.contracts")))
    return _checked_together(contracts, contracts)


def _read(directory: Traversable) -> Mapping[str, Mapping[str, Any]]:
    return {name: _checked(directory, name) for name in CONTRACTS}


def _checked_together(contracts: Contracts, packaged: Contracts) -> Contracts:
    check_against_code(contracts.documents, packaged.documents)
    check_references(contracts)
    check_signers(contracts)
    return contracts


def _checked(directory: Traversable, name: str) -> Mapping[str, Any]:
    file = f"{name}.json"
    try:
        document = json.loads(directory.joinpath(file).read_text(encoding="utf-8"), object_pairs_hook=_once_each)
    except _TwiceError as error:
        raise ContractError(
            f"The contract has the field {error} twice", where=file, remedy="Leave the one that holds."
        ) from None
    except FileNotFoundError:
        raise ContractError(
            "The contract is missing",
            where=str(directory.joinpath(file)),
            remedy="Put it there: all eight stand together, those of the release where none has changed.",
        ) from None
    except OSError as error:
        raise ContractError(
            f"The contract cannot be read ({type(error).__name__})",
            where=str(directory.joinpath(file)),
            remedy="Let the account that the runtime runs as read it.",
        ) from None
    except ValueError as error:
        place = f"{file} line {error.lineno}" if isinstance(error, json.JSONDecodeError) else file
        raise ContractError("The contract is not JSON", where=place, remedy="Restore it from the release.") from None
    _check_version(document, file)
    schema_file = files("tenant_pipeline.contracts").joinpath("schemas", f"{name}.schema.json")
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    for problem in Draft202012Validator(schema).iter_errors(document):
        raise ContractError(
            f"The contract breaks its schema: {problem.message[:200]}",
            where=f"{file}#/{'/'.join(str(part) for part in problem.absolute_path)}",
            remedy="Mend the contract, or restore it from the release.",
        )
    _check_labels(document, file)
    checked: Mapping[str, Any] = document
    return checked


class _TwiceError(Exception):
    """A field stands twice in one object of JSON: which of the two was meant, nobody can tell."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return fields


def _check_version(document: Any, file: str) -> None:
    version = document.get("schema_version", "") if isinstance(document, dict) else ""
    parts = str(version).split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise ContractError("The contract has no semantic version", where=f"{file}#/schema_version")
    if (int(parts[0]), int(parts[1])) > SUPPORTED_VERSION:
        raise ContractError(
            f"The contract is of version {version}, newer than this code understands",
            where=f"{file}#/schema_version",
            remedy=f"Install a newer release, or use a contract of version {'.'.join(map(str, SUPPORTED_VERSION))}.",
        )


def _check_labels(value: Any, file: str, pointer: str = "") -> None:
    """Every label in Thai, English and Chinese, wherever it stands."""
    for key, child in _children(value):
        place = f"{pointer}/{key}"
        if key == "label" and any(not str(child.get(language, "")).strip() for language in LANGUAGES):
            raise ContractError(
                "A label is missing in one of its three languages",
                where=f"{file}#{place}",
                remedy="Give it in th, en and zh.",
            )
        _check_labels(child, file, place)


def _children(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
