"""Drift is told by the paths of fields, completely, and without a value."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenant_pipeline.provisioning.kubernetes.client.differences import differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "a.b/c", "-"]), inner, max_size=3)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(["spec", "data", "rules"]), JSON)


def test_fields_are_named_by_key_by_name_and_by_position() -> None:
    live = {
        "metadata": {"annotations": {"tenant-runtime/owner": "a"}},
        "spec": {"containers": [{"name": "nerve", "image": "a"}], "args": ["a", "b"], "replicas": 1},
    }
    wanted = {
        "metadata": {"annotations": {"tenant-runtime/owner": "b"}},
        "spec": {"containers": [{"name": "nerve", "image": "b"}, {"name": "more"}], "args": ["a", "c"]},
    }
    assert differences(live, wanted) == (
        "metadata.annotations[tenant-runtime/owner]",
        "spec.args[1]",
        "spec.containers[more]",
        "spec.containers[nerve].image",
        "spec.replicas",
    )


def test_another_order_of_named_elements_is_a_difference() -> None:
    one, other = {"name": "A", "value": "1"}, {"name": "B", "value": "2"}
    assert differences({"env": [one, other]}, {"env": [other, one]}) == ("env",)


def test_what_the_server_keeps_for_itself_is_no_difference() -> None:
    live = {"metadata": {"name": "a", "uid": "1", "resourceVersion": "1", "generation": 1}, "status": {"replicas": 1}}
    wanted = {"metadata": {"name": "a", "managedFields": [], "creationTimestamp": "x"}, "status": {"replicas": 2}}
    assert differences(live, wanted) == ()


@settings(max_examples=300)
@given(live=OBJECTS, wanted=OBJECTS)
def test_there_is_a_difference_exactly_if_something_differs(live: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert (differences(live, wanted) == ()) == (_told(live) == _told(wanted))


@given(body=OBJECTS)
def test_nothing_differs_from_itself(body: dict[str, Any]) -> None:
    assert differences(body, json.loads(json.dumps(body))) == ()


def _told(value: Any) -> Any:
    """Without the keys that have no value: to Kubernetes, null and absent are the same."""
    if isinstance(value, dict):
        return {key: told for key, one in value.items() if (told := _told(one)) is not None}
    if isinstance(value, list):
        return [_told(one) for one in value]
    return value
