"""A server that listens everywhere is reached by this machine at its own address."""

from __future__ import annotations

import pytest

from tenant_pipeline.api.served_address import address_of


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("city.example", "http://city.example:8000"),
    ],
)
def test_the_address_under_which_this_machine_reaches_it(host: str, address: str) -> None:
    assert address_of(host, 8000) == address
