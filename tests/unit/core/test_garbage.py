"""The garbage collector rests while code is loaded, and passes over what was loaded."""

from __future__ import annotations

import gc

import pytest

from tenant_pipeline.core.garbage import loading_code


def test_the_collector_rests_while_code_is_loaded_and_passes_over_it_afterwards() -> None:
    with loading_code():
        assert not gc.isenabled()
        loaded = ["a module"]
    assert gc.isenabled()
    assert not any(each is loaded for each in gc.get_objects())


def test_it_works_again_though_code_cannot_be_loaded() -> None:
    with pytest.raises(ImportError), loading_code():
        raise ImportError
    assert gc.isenabled()


def test_it_goes_on_resting_where_it_rested_before() -> None:
    gc.disable()
    try:
        with loading_code(), loading_code():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
