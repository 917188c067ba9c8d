"""A line of the log says what happened and whom it is about, and repeats no value and no secret."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from tenant_pipeline.core.errors import InputError
from tenant_pipeline.telemetry.about import about
from tenant_pipeline.telemetry.logs import JsonLines, without_secrets


def line(name: str, message: str, *arguments: object, error: BaseException | None = None) -> dict[str, Any]:
    raised = None
    if error is not None:
        try:
            raise error
        except BaseException:
            raised = sys.exc_info()
    record = logging.LogRecord(name, logging.ERROR, "place.py", 7, message, arguments, raised)
    text = JsonLines("test").format(record)
    assert "\n" not in text
    said: dict[str, Any] = json.loads(text)
    return said


def test_a_line_says_what_the_work_is_about() -> None:
    with about({"tenant": "harbour", "source": "src-1"}), about({"stage": "screen", "run_id": ""}):
        said = line("tenant_pipeline.x", "it went %s", "well")
    assert said["message"] == "it went well"
    assert (said["tenant"], said["source"], said["stage"]) == ("harbour", "src-1", "screen")
    assert "run_id" not in said
    assert "tenant" not in line("tenant_pipeline.x", "afterwards")


def test_of_an_exception_the_type_and_the_place_are_kept_and_not_its_message() -> None:
    said = line("tenant_pipeline.x", "fault", error=ValueError("somchai.jaidee@example.com"))
    assert said["exception"]["type"] == "ValueError"
    assert said["exception"]["places"]
    assert "somchai" not in json.dumps(said)
    assert line("tenant_pipeline.x", "fault", error=InputError("it is wrong"))["exception"]["code"] == InputError.code


def test_what_anothers_code_says_is_withheld() -> None:
    said = line("pdfminer.psparser", "read %r", "somchai.jaidee@example.com")
    assert said["logger"] == "pdfminer.psparser"
    assert "somchai" not in json.dumps(said)


def test_of_a_line_of_a_run_the_text_without_the_error_is_kept() -> None:
    record = logging.LogRecord("dagster", logging.ERROR, "place.py", 7, "step failed: Key (081-234-5678)", (), None)
    record.dagster_meta = {"orig_message": "step failed", "run_id": "r-1", "step_key": "screen"}
    said = json.loads(JsonLines("test").format(record))
    assert (said["message"], said["run_id"], said["asset"]) == ("step failed", "r-1", "screen")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://owner:CANARY@db.example:5432/x",
        "Authorization: Bearer CANARYCANARY.x",
        "eyJCANARYxx.CANARY.CANARY",
        "password=CANARY host=db",
        '{"token": "CANARY"}',
        "api_key: CANARY",
    ],
)
def test_a_secret_is_taken_out_wherever_it_has_the_form_of_one(text: str) -> None:
    assert "CANARY" not in without_secrets(text)
