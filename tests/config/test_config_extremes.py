"""Any value at any place of a configuration is a fault with a line, or a profile that the engine can be given."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import click
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.configs import saved

from gwtui import config
from gwtui.cli import bench, gateway, probe, replay, selftest, watch
from gwtui.cli.options import LONGEST_INTERVAL_S, SHORTEST_INTERVAL_S
from gwtui.codec.wire import decode_command, encode_command
from gwtui.config.file import UI, File
from gwtui.config.tomltext import value_text
from gwtui.model.commands import Start
from gwtui.model.profile import LONGEST_S, Endpoint, Profile
from gwtui.model.profile import SHORTEST_INTERVAL_S as SHORTEST_S
from gwtui.ui.field_values import FieldError, endpoint_fields, texts_of
from gwtui.ui.fields import FIELDS

GOOD = {"name": '"e"', "api": '"http"', "url": '"http://127.0.0.1"'}
ENDPOINT = "".join(("[[profiles.p.endpoints]]\n", *(f"{key} = {text}\n" for key, text in GOOD.items())))
DIGITS = "9" * 5000
VALUES = (
    *("nan", "inf", "-inf", "-0.0", "0", "-1", "1e-308", "1e308", "1e400", "0.049", "1_000", "true", "99", "600"),
    *(f"1{'0' * 30}", f"-1{'0' * 30}", f"1{'0' * 400}", DIGITS, f"0x{'f' * 4000}", str(1 << 63), str(1 << 64)),
    *("2026-01-01", "2026-01-01T00:00:00Z", "07:32:00", "''", '"\\u0000"', f"'{'x' * 100_000}'"),
    *("[]", "{}", "[inf]", "{ a = nan }", "[2026-01-01]", "[[1], { a = [] }]", f"{{ a = 1{'0' * 30} }}"),
    *(f"{'[' * 63}{']' * 63}", f"{'[' * 20_000}{']' * 20_000}", f"{'{a=' * 500}1{'}' * 500}"),
    *(f"{{ {'a.' * 20_000}a = 1 }}", f"{{ {'k' * 5000} = 1 }}"),
)


class Place(NamedTuple):
    """A field of the schema, and how a table that holds it is written."""

    header: str
    beside: tuple[str, ...]
    """What the table needs besides."""
    key: str


def structs_in(annotation: Any) -> Iterator[tuple[type[msgspec.Struct], bool]]:
    """The tables that a field may be, and whether they are items of an array."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation, False
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from structs_in(member)
    elif get_origin(annotation) is tuple:
        for struct, _ in structs_in(get_args(annotation)[0]):
            yield struct, True


def places_in(struct: type[msgspec.Struct], path: str, *, is_item: bool = False) -> Iterator[Place]:
    header = f"[[{path}]]" if is_item else f"[{path}]" if path else ""
    needed = GOOD if struct is Endpoint else {}
    for name, annotation in get_type_hints(struct).items():
        yield Place(header, tuple(f"{key} = {text}" for key, text in needed.items() if key != name), name)
        for inner, is_inner_item in structs_in(annotation):
            for place in places_in(inner, f"{path}.{name}" if path else name, is_item=is_inner_item):
                yield place._replace(header=ENDPOINT + place.header) if struct is Endpoint else place


PLACES = (*places_in(File, ""), *places_in(Profile, "profiles.p"))


def check_text(path: Path, text: str) -> bool:
    """Whether the configuration is good. Its profiles reach an engine as they are; its faults have a line and words."""
    faults = config.check(saved(path, text))
    for fault in faults:
        assert fault.line is not None, fault
        assert str(fault).isprintable()
        assert len(str(fault)) < 1000
    for profile in () if faults else config.load(path / "config.toml").profiles:
        start = Start(profile=profile)
        assert decode_command(encode_command(start).rstrip(b"\n")) == start
    return not faults


def test_the_places_are_all_there_are() -> None:
    assert {place.key for place in PLACES} >= {*Endpoint.__struct_fields__, *UI.__struct_fields__, "usd", "idle_s"}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.header.splitlines()[-1:]}{place.key}")
def test_a_field_takes_a_value_or_names_its_fault(place: Place, tmp_path: Path) -> None:
    for value in VALUES:
        check_text(tmp_path, "\n".join((place.header, *place.beside, f"{place.key} = {value}\n")))


ODD_KEYS = ("a." * 20_000 + "a", ".".join(["'a'"] * 20_000), " . ".join("a" * 20_000), "k" * 5000, "é" * 9, "0" * 2000)


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: key[:6])
@pytest.mark.parametrize("form", ["{} = 1\n", "[{}]\n", "[[{}]]\n", "[profiles.p]\n{} = 1\n", "[ui.keys]\n{} = 1\n"])
def test_an_odd_key_is_a_fault_with_a_line(key: str, form: str, tmp_path: Path) -> None:
    text = form.format(f"'{key}'" if key.startswith("é") else key)
    assert not check_text(tmp_path, text)


def test_limits_are_named_with_their_lines(tmp_path: Path) -> None:
    for text, says in (
        (f"\na = {DIGITS}", ":2: a number of more than 1,000 characters"),
        (f"\na = {'[' * 65}{']' * 65}", ":2: nested too deeply: more than 64 levels"),
        (f"\n{'a.' * 65}a = 1", ":2: nested too deeply: more than 64 levels"),
    ):
        (fault,) = config.check(saved(tmp_path, text))
        assert str(fault).endswith(says)


def test_long_arrays_and_many_floats_are_no_nesting(tmp_path: Path) -> None:
    for array in (f"[{'1,' * 3000}]", f"[{'1.5, ' * 3000}]", f"[{'[1.5],' * 3000}]"):
        assert check_text(tmp_path, f"{ENDPOINT}body = {{ a = {array} }}\n")


values = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.times() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from([each.name for each in msgspec.structs.fields(Endpoint)]), values, max_size=4))
def test_any_values_together_are_faults_or_a_profile(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, Any]
) -> None:
    pairs = {**GOOD, **{name: value_text(value) for name, value in given.items()}}
    text = "[[profiles.p.endpoints]]\n" + "".join(f"{key} = {value}\n" for key, value in pairs.items())
    tomllib.loads(text)
    check_text(tmp_path_factory.getbasetemp(), text)


# What is typed into the form and on the command line


TYPED = (
    "nan",
    "inf",
    "1e400",
    "1e-308",
    "-1",
    DIGITS,
    "1" + "0" * 400,
    "²",
    "0x10",
    "2026-01-01",
    "true",
    "[" * 100_000,
)


@pytest.mark.parametrize("field", [field.name for field in FIELDS])
def test_the_form_takes_a_text_or_names_its_fault(field: str) -> None:
    profile, messages = Profile(), []
    for api in ("http", "openai-chat"):
        base = Endpoint(name="e", api=api, url="http://127.0.0.1")
        for typed in (*TYPED, '{"a": 1e400}', f'{{"a": {"[" * 900}{"]" * 900}}}', f'{{"a": 1{"0" * 30}}}'):
            try:
                endpoint = config.endpoint_from(
                    endpoint_fields({**texts_of(base, profile), field: typed}, base, profile)
                )
            except (FieldError, config.ConfigError) as refused:
                messages.append(str(refused))
            except KeyError:
                assert field == "api", "the form offers those that there are"
            else:
                start = Start(profile=Profile(endpoints=(endpoint,)))
                assert decode_command(encode_command(start).rstrip(b"\n")) == start
    assert all(0 < len(each) < 1000 for each in messages)


OPTIONS: tuple[tuple[click.Command, str, str], ...] = (
    (watch.command, "--for", "stop_after_s"),
    (watch.command, "--interval", "interval_s"),
    (replay.command, "--speed", "speed"),
    (gateway.command, "--port", "port"),
    (bench.command, "--requests", "requests"),
    (bench.command, "--rate", "rate"),
    (bench.command, "--concurrency", "concurrency"),
    (bench.command, "--warmup", "warmup"),
    (bench.command, "--for", "for_s"),
    (bench.command, "--max-tokens", "max_tokens"),
    (selftest.command, "--seconds", "seconds"),
    (probe.command, "--max-tokens", "max_tokens"),
)


@pytest.mark.parametrize(("command", "option", "name"), OPTIONS, ids=lambda each: getattr(each, "name", each))
def test_an_option_takes_a_number_or_refuses_it(command: click.Command, option: str, name: str) -> None:
    for number in (*TYPED, "99999999999d", "--5", "∞"):
        with suppress(click.BadParameter):
            assert 0 <= command.make_context("c", [f"{option}={number}"]).params[name] < 1e12


def test_a_command_lines_interval_has_the_limits_of_a_profile(tmp_path: Path) -> None:
    assert (SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S) == (SHORTEST_S, LONGEST_S)
    for interval, is_good in ((SHORTEST_S, True), (0.049, False), (LONGEST_S, True), (LONGEST_S + 1, False)):
        assert check_text(tmp_path, f"[profiles.p]\ninterval_s = {interval}\n") is is_good
        with nullcontext() if is_good else pytest.raises(click.BadParameter):
            watch.command.make_context("watch", ["--interval", f"{interval}"])
