# SPDX-License-Identifier: MIT
"""The shadow's document: laws that hold for every document, beside a second, simpler model of the merge.

The model flattens a document to its leaves by path, which is no way to write the real thing, but leaves
little to get wrong.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.services.aws.shadow_document import (
    MAX_DEPTH,
    MAX_STATE_BYTES,
    Refused,
    Request,
    Shadow,
    deleted,
    delta_of,
    read_request,
    updated,
)

Path = tuple[str, ...]
KEYS = st.sampled_from(["a", "b", "c", "timestamp", "desired"])
ATOMS = st.one_of(st.booleans(), st.integers(-2, 2), st.sampled_from(["", "x"]), st.just(1.0))
LISTS = st.lists(st.one_of(ATOMS, st.dictionaries(KEYS, ATOMS, min_size=1, max_size=2)), max_size=3)
LEAVES = st.one_of(ATOMS, LISTS)
NULLS = st.one_of(LEAVES, st.none())


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    deeper = st.recursive(leaves, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
    return st.dictionaries(KEYS, deeper, max_size=4)


TREES, PATCHES = _trees(LEAVES), _trees(NULLS)


def _leaves(tree: dict[str, Any], above: Path = ()) -> dict[Path, Any]:
    """Every leaf by its path; an object without one has none."""
    found: dict[Path, Any] = {}
    for key, value in tree.items():
        found |= _leaves(value, (*above, key)) if isinstance(value, dict) else {(*above, key): value}
    return found


def _model(base: dict[Path, Any], patch: dict[str, Any], above: Path = ()) -> dict[Path, Any]:
    """``base`` after ``patch``: a leaf takes the place of all below it, an object that of a leaf."""
    for key, value in patch.items():
        path = (*above, key)
        if isinstance(value, dict):
            base = _model({p: v for p, v in base.items() if p != path}, value, path)
        else:
            base = {p: v for p, v in base.items() if p[: len(path)] != path}
            base |= {path: value} if value is not None else {}
    return base


def _shadow(desired: dict[str, Any], reported: dict[str, Any] | None = None, at: int = 1) -> Shadow:
    return updated(Shadow(), Request(state={"desired": desired, "reported": reported or {}}), at)


def _exact(leaves: dict[Path, Any]) -> dict[Path, str]:
    """Told apart as JSON does it: true is not 1."""
    return {path: json.dumps(value, sort_keys=True) for path, value in leaves.items()}


@given(TREES, PATCHES)
def test_a_merge_is_what_the_model_says(base: dict[str, Any], patch: dict[str, Any]) -> None:
    after = updated(_shadow(base), Request(state={"desired": patch}), 2)
    assert _exact(_leaves(after.state.get("desired", {}))) == _exact(_model(_leaves(base), patch))


@given(TREES, PATCHES)
def test_an_update_said_twice_changes_nothing_but_the_version(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    once = updated(_shadow(base), Request(state={"desired": patch}), 2)
    twice = updated(once, Request(state={"desired": patch}), 2)
    assert (twice.state, twice.metadata, twice.version) == (once.state, once.metadata, once.version + 1)


@given(TREES, PATCHES)
def test_a_document_has_no_null_no_empty_object_and_metadata_of_its_shape(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    after = updated(_shadow(base), Request(state={"desired": patch}), 2)
    _assert_shape(after.state, after.metadata)


def _assert_shape(value: Any, stamps: Any, *, top: bool = True) -> None:
    if isinstance(value, dict):
        assert value or top
        assert value.keys() == stamps.keys()
        for key, below in value.items():
            _assert_shape(below, stamps[key], top=False)
    elif isinstance(value, list):
        assert len(value) == len(stamps)
    else:
        assert value is not None
        assert stamps.keys() == {"timestamp"}


@given(TREES, TREES)
def test_leaves_have_the_time_of_the_update_that_set_them_last(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    after = updated(_shadow(base, at=1), Request(state={"desired": patch}), 2)
    for path, value in _leaves(after.state.get("desired", {})).items():
        stamps: Any = after.metadata["desired"]
        for key in path:
            stamps = stamps[key]
        said = set(re.findall(r'"timestamp": (\d)', json.dumps(stamps)))
        assert said == ({"2" if path in _leaves(patch) else "1"} if value != [] else set())


@given(TREES)
def test_what_is_reported_as_desired_leaves_no_difference(tree: dict[str, Any]) -> None:
    assert delta_of(_shadow(tree, tree)) == ({}, {})


@given(TREES, TREES)
def test_a_device_that_takes_the_delta_over_has_none_left(
    desired: dict[str, Any], reported: dict[str, Any]
) -> None:
    shadow = _shadow(desired, reported)
    values, _ = delta_of(shadow)
    followed = updated(shadow, Request(state={"reported": values}), 2)
    assert delta_of(followed) == ({}, {})


@given(TREES, TREES)
def test_a_delta_holds_only_what_is_desired_with_its_metadata(
    desired: dict[str, Any], reported: dict[str, Any]
) -> None:
    shadow = _shadow(desired, reported)
    values, stamps = delta_of(shadow)
    wanted, there = _exact(_leaves(desired)), _exact(_leaves(reported))
    assert _exact(_leaves(values)).items() <= wanted.items()
    assert {path for path in wanted if wanted[path] != there.get(path)} >= set(_leaves(values))
    assert {path for path in wanted if path not in there} <= set(_leaves(values))
    _assert_shape(values, stamps)


@given(st.lists(PATCHES, max_size=6))
def test_each_update_counts_one_and_a_deletion_none(patches: list[dict[str, Any]]) -> None:
    shadow = Shadow(exists=False)
    for number, patch in enumerate(patches, 1):
        shadow = updated(deleted(shadow, 1), Request(state={"reported": patch}), 2)
        assert shadow.version == number
    assert not deleted(shadow, 3).exists


@given(st.binary(max_size=60))
def test_any_bytes_are_a_request_or_refused_with_a_code(payload: bytes) -> None:
    for update in (True, False):
        code = 0
        try:
            read_request(payload, update=update)
        except Refused as refused:
            code = refused.code
        assert code in (0, 400, 415)


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (1, 1.0, False),
        (1, True, True),
        (0, False, True),
        ([1, 2], [1, 2], False),
        ([1, 2], [2, 1], True),
        ([1], [1, 1], True),
        ([{"a": 1}], [{"a": True}], True),
        ("1", 1, True),
        ({"a": 1}, 1, True),
        ("é", "e\u0301", True),
    ],
)
def test_what_counts_as_a_difference(one: Any, other: Any, differs: bool) -> None:
    assert bool(delta_of(_shadow({"x": one}, {"x": other}))[0]) is differs


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", 400, "Invalid JSON"),
        ("{", 400, "Invalid JSON"),
        ("[1]", 400, "Invalid JSON"),
        ('{"state":{"desired":{"a":NaN}}}', 400, "Invalid JSON"),
        ('{"state":{"desired":{"a":"\\ud800"}}}', 400, "Invalid JSON"),
        ("[" * 100_000, 400, "Invalid JSON"),
        ("{}", 400, "Missing required node: state"),
        ('{"state":1}', 400, "State node must be an object"),
        ('{"state":{"desired":[]}}', 400, "Desired node must be an object"),
        ('{"state":{"reported":"x"}}', 400, "Reported node must be an object"),
        ('{"state":{"delta":{}}}', 400, "State contains an invalid node"),
        ('{"state":{},"version":"1"}', 400, "Invalid version"),
        ('{"state":{},"version":-1}', 400, "Invalid version"),
        ('{"state":{},"version":true}', 400, "Invalid version"),
        ('{"state":{},"clientToken":1}', 400, "Invalid clientToken"),
        ('{"state":{},"clientToken":"%s"}' % ("t" * 65), 400, "Invalid clientToken"),
        ('{"state":{},"clientToken":"%s"}' % ("é" * 33), 400, "Invalid clientToken"),
        ('{"state":{"desired":{"a":[1,null]}}}', 400, "Array must not contain null"),
        ('{"state":{"desired":{"a":[{"b":[null]}]}}}', 400, "Array must not contain null"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(text: str, code: int, message: str) -> None:
    with pytest.raises(Refused) as refused:
        read_request(text.encode(), update=True)
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message)


def test_bounds_are_good_on_the_bound_and_bad_beyond() -> None:
    def nested(levels: int) -> bytes:
        return b'{"state":{"desired":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}}"

    read_request(nested(MAX_DEPTH), update=True)
    with pytest.raises(Refused, match="too many levels of nesting; maximum is 8"):
        read_request(nested(MAX_DEPTH + 1), update=True)
    for levels in (100, 500, 900, 5_000, 100_000):
        with pytest.raises(Refused) as refused:
            read_request(nested(levels), update=True)
        assert refused.value.code == 400


def test_number_without_end_is_no_json() -> None:
    with pytest.raises(Refused, match="Invalid JSON"):
        read_request(b'{"state":{"desired":{"a":1e999}}}', update=True)
    read_request(b'{"state":{},"clientToken":"%s"}' % (b"t" * 64), update=True)
    room = MAX_STATE_BYTES - len('{"desired":{"a":""}}')
    read_request(b'{"state":{"desired":{"a":"%s"}}}' % (b"x" * room), update=True)
    with pytest.raises(Refused, match="413"):
        read_request(b'{"state":{"desired":{"a":"%s"}}}' % (b"x" * (room + 1)), update=True)


def test_a_document_that_grows_too_large_piece_by_piece_is_refused() -> None:
    half = {"a": "x" * 5_000}
    shadow = updated(Shadow(), Request(state={"desired": half}), 1)
    with pytest.raises(Refused, match="413") as refused:
        updated(shadow, Request("token", state={"reported": half}), 2)
    assert refused.value.token == "token"


def test_a_refusal_carries_the_token_of_what_could_be_read() -> None:
    with pytest.raises(Refused) as refused:
        read_request(b'{"state":1,"clientToken":"t1"}', update=True)
    assert refused.value.token == "t1"


@pytest.mark.parametrize(("version", "good"), [(None, True), (3, True), (2, False), (4, False), (0, False)])
def test_only_the_version_that_is_there_may_be_named(version: int | None, good: bool) -> None:
    request = Request(version=version, state={"desired": {"a": 1}})
    if good:
        assert updated(Shadow(3), request, 1).version == 4
    else:
        with pytest.raises(Refused, match="409 Version conflict"):
            updated(Shadow(3), request, 1)


def test_a_section_of_null_is_removed() -> None:
    shadow = _shadow({"a": 1}, {"b": 2})
    assert updated(shadow, Request(state={"desired": None}), 2).state == {"reported": {"b": 2}}
