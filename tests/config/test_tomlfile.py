"""TOML text keeps what a person wrote: positions are right, edits touch one thing, files are replaced or untouched."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwtui.config.errors import ConfigError, KeyPath
from gwtui.config.tomledit import append, put, remove, same
from gwtui.config.tomlfile import Lines, parse, read, scan, write
from gwtui.config.tomltext import EditError, block_text

TRICKY = '''# a = 1, a comment
a = 1 # [not.a.header]
"q = ]" = "va#l"
b.c = { x = [1, 2], y = "=" }
m = """a
[not]
b\\""" = """""
l = \'\'\'
]\'\'\'\'
[x."y.z"] # hello
k = [
  "a", # ]
  'b]',
]
 [ t . u ]
 w=1
[[x.arr]]
n=1
[x.arr.sub]
s=1
[[x.arr]]
n=2
[[x.arr.deep]]
d=1
[[x.arr.deep]]
d=2'''

PLACES: list[tuple[KeyPath, int | None]] = [
    (("a",), 2),
    (("q = ]",), 3),
    (("b", "c"), 4),
    (("b", "c", "y"), 4),
    (("m",), 5),
    (("l",), 8),
    (("x",), 10),
    (("x", "y.z", "k"), 11),
    (("x", "y.z", "k", 1), 11),
    (("t", "u", "w"), 16),
    (("x", "arr", 0, "n"), 18),
    (("x", "arr", 0, "sub", "s"), 20),
    (("x", "arr", 1), 21),
    (("x", "arr", 1, "missing"), 21),
    (("x", "arr", 1, "deep", 1, "d"), 26),
    (("nowhere",), None),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_keys_are_found_on_their_lines(path: KeyPath, line: int | None, line_break: str) -> None:
    assert Lines(TRICKY.replace("\n", line_break)).of(path) == line


def leaves(value: Any, path: KeyPath = ()) -> dict[KeyPath, Any]:
    """Every value of a table that is no table."""
    if isinstance(value, dict):
        return {p: leaf for key, item in value.items() for p, leaf in leaves(item, (*path, key)).items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {p: leaf for at, item in enumerate(value) for p, leaf in leaves(item, (*path, at)).items()}
    return {path: value}


words = st.text(st.characters(codec="utf-8"), max_size=12)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | words
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(words, v, max_size=3), max_leaves=8)
tables = st.dictionaries(words, values, max_size=5)


@settings(max_examples=60, deadline=None)
@given(tables, tables)
def test_what_is_written_is_what_is_read(table: dict[str, Any], long: dict[str, Any]) -> None:
    text = block_text(("top", "a.b"), table | {"long" * 30: long | {"filler": "x" * 100}}, is_item=False)
    assert same(tomllib.loads(text)["top"]["a.b"], table | {"long" * 30: long | {"filler": "x" * 100}})


@settings(max_examples=60, deadline=None)
@given(tables)
def test_every_statement_is_where_the_scanner_says(table: dict[str, Any]) -> None:
    text = block_text(("top",), table, is_item=True) + "\n" + block_text(("top",), table, is_item=True)
    data = tomllib.loads(text)
    for statement in scan(text):
        if statement.value is not None:
            found: Any = data
            for part in statement.path:
                found = found[part]
            assert same(tomllib.loads(f"v = {text[statement.value : statement.end]}")["v"], found)
            assert text.count("\n", 0, statement.start) + 1 == statement.line


LETTER = """# On call? Read this first.
default = "p"   # chosen by Ada

[[p.e]]          # the first
name = "one"     # its name
  url = "u1"     # indented on purpose

  # Why: it is slow in the morning.
limits.low = 1
limits.high = 9
# count = 3

# The second one.
[[p.e]]
name = "two"
tags = ["x"] # inline

[p.e.headers]
A = "1"

# At the end: options.
[p.options]
deep = true
"""

EDITS: list[tuple[str, KeyPath, Any, str, str]] = [
    ("a changed value keeps its comment", ("p", "e", 0, "name"), "uno", '"one"     # its', '"uno"     # its'),
    ("an indented one its indent", ("p", "e", 0, "url"), "u", '  url = "u1"  ', '  url = "u"  '),
    ("a new key stands under the last one", ("p", "e", 0, "new"), 1, "high = 9\n", "high = 9\nnew = 1\n"),
    ("a dotted key joins its fellows", ("p", "e", 0, "limits", "mid"), 5, "high = 9\n", "high = 9\nlimits.mid = 5\n"),
    ("a key joins its table", ("p", "e", 1, "headers", "B"), "2", 'A = "1"\n', 'A = "1"\nB = "2"\n'),
    ("a value of another type", ("p", "e", 1, "tags"), "x", '["x"] #', '"x" #'),
    ("true is not 1", ("p", "options", "deep"), 1, "deep = true", "deep = 1"),
    ("a top-level key", ("other",), 1, "# chosen by Ada\n", "# chosen by Ada\nother = 1\n"),
    ("a small table in an item", ("p", "e", 1, "t"), {"a": 1}, "# inline\n", "# inline\nt = { a = 1 }\n"),
    ("a table elsewhere", ("p", "f"), {"a": 1}, "deep = true\n", "deep = true\n\n[p.f]\na = 1\n"),
    ("a table that is new", ("ui", "theme"), "x", "deep = true\n", 'deep = true\n\n[ui]\ntheme = "x"\n'),
]


@pytest.mark.parametrize(("path", "value", "old", "new"), [edit[1:] for edit in EDITS], ids=[edit[0] for edit in EDITS])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_an_edit_changes_its_own_place_and_no_other(
    path: KeyPath, value: Any, old: str, new: str, line_break: str
) -> None:
    assert LETTER.count(old) == 1
    expected = LETTER.replace(old, new).replace("\n", line_break)
    assert put(LETTER.replace("\n", line_break), path, value) == expected
    assert put(expected, path, value) == expected


REMOVALS: list[tuple[str, KeyPath, str]] = [
    ("a key with its line", ("p", "e", 0, "url"), '  url = "u1"     # indented on purpose\n'),
    ("a table of dotted keys", ("p", "e", 0, "limits"), "limits.low = 1\nlimits.high = 9\n"),
    ("a table with its header", ("p", "e", 1, "headers"), '[p.e.headers]\nA = "1"\n\n'),
    ("an item with all of it", ("p", "e", 1), LETTER[LETTER.index("[[p.e]]\n") : LETTER.index("# At the end")]),
    ("nothing", ("p", "e", 7), ""),
    ("nothing", ("nowhere", "at", "all"), ""),
]


@pytest.mark.parametrize(("path", "gone"), [case[1:] for case in REMOVALS], ids=[case[0] for case in REMOVALS])
def test_a_removal_takes_its_own_place_and_no_other(path: KeyPath, gone: str) -> None:
    assert remove(LETTER, path) == LETTER.replace(gone, "", 1)


def test_an_appended_item_stands_behind_its_fellows_and_not_between_a_comment_and_what_it_is_about() -> None:
    text = append(LETTER, ("p", "e"), {"name": "three"})
    assert text == LETTER.replace("# At the end", '[[p.e]]\nname = "three"\n\n# At the end')
    head = '[[e]]\nname = "one"\n# count = 3\n'
    assert append(f"{head}\n[z]\n", ("e",), {"n": 1}) == f"{head}\n[[e]]\nn = 1\n\n[z]\n"
    assert append("[[e]]\nn = 0\n# of z\n[z]", ("e",), {"n": 1}) == "[[e]]\nn = 0\n\n[[e]]\nn = 1\n\n# of z\n[z]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "[[a.b]]\nn = 1\n"),
        ("# only a comment", "# only a comment\n\n[[a.b]]\nn = 1\n"),
        ("x = 1\n[a]\nb = []", "x = 1\n[a]\n\n[[a.b]]\nn = 1\n"),
        ("a.x = 1\ny = 2\n[z]\n", "a.x = 1\ny = 2\n\n[[a.b]]\nn = 1\n\n[z]\n"),
        ("a = { x = 1 }", "a = { x = 1, b = [{ n = 1 }] }"),
        ("[a]\nb = [{ n = 0 }] # two", "[a]\nb = [{ n = 0 }, { n = 1 }] # two"),
    ],
)
def test_an_item_can_be_appended_wherever_toml_lets_it(text: str, expected: str) -> None:
    assert append(text, ("a", "b"), {"n": 1}) == expected


def test_long_values_are_laid_out_to_be_read() -> None:
    body = {"messages": [{"role": "user", "content": "x" * 60}, {"role": "user", "content": "y" * 60}]}
    text = append("", ("e",), {"name": "n", "prompt": 'two\nlines "quoted" \\ and """', "body": body})
    assert text.startswith('[[e]]\nname = "n"\nprompt = """\ntwo\nlines ')
    assert "\n\n[e.body]\nmessages = [\n  {" in text
    assert same(tomllib.loads(text)["e"][0]["body"], body)
    assert tomllib.loads(text)["e"][0]["prompt"] == 'two\nlines "quoted" \\ and """'


def test_comments_inside_a_value_are_never_lost() -> None:
    text = "e = [\n  { n = 1 }, # the first\n]\n"
    with pytest.raises(EditError, match="line 1 holds comments"):
        append(text, ("e",), {"n": 2})
    with pytest.raises(EditError, match="line 1 holds comments"):
        put(text, ("e", 0, "n"), 3)


def test_inside_inline_tables_keys_come_and_go() -> None:
    text = "ui = { theme = 'x', keys = {} } # all of it\n"
    assert remove(text, ("ui", "missing")) == text
    assert remove(text, ("ui", "keys")) == 'ui = { theme = "x" } # all of it\n'
    assert put(text, ("ui", "keys", "p"), "q") == 'ui = { theme = "x", keys = { p = "q" } } # all of it\n'


def test_an_item_does_not_become_something_else() -> None:
    with pytest.raises(EditError, match=r"e\[0\] is an item"):
        put("[[e]]\n", ("e", 0), 5)


@pytest.mark.parametrize("value", [None, {"a": [None]}, object()])
def test_what_toml_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(EditError, match="TOML has no"):
        put("", ("a",), value)


edited = st.sampled_from(sorted(leaves(tomllib.loads(LETTER)), key=str))


@settings(max_examples=60, deadline=None)
@given(edited, scalars | tables)
def test_any_edit_means_what_it_says_and_keeps_every_comment(path: KeyPath, value: Any) -> None:
    text = put(LETTER, path, value)
    wanted = tomllib.loads(LETTER)
    holder: Any = wanted
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    assert same(tomllib.loads(text), wanted)
    kept = set(re.findall(r"# .*", LETTER)) - set(re.findall(r"# .*", text))
    assert len(kept) <= (1 if isinstance(value, dict) else 0)


def test_reading_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    for data, line, says in [
        (b"a = 1\nb = \nc = 1\n", 2, "not valid TOML: "),
        (b"a = 1\na = 2\n", 2, "not valid TOML"),
        (b"a = [1,\n2", 2, "at the end of the file"),
        (b"a = " + b"[" * 5000, 1, "nested too deeply"),
        (b"a = " + b"9" * 5000, 1, "a number of more than"),
        (b"a = 1\nb = '\xff'\n", 2, "not UTF-8"),
        (b" " * 5_000_000, None, "larger than 4 MiB"),
    ]:
        path.write_bytes(data)
        with pytest.raises(ConfigError) as refused:
            parse(read(path), path)
        (fault,) = refused.value.faults
        assert (fault.file, fault.line) == (path, line)
        assert says in fault.message
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            read(missing)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert read(tmp_path / "c") == "a = 1\r\n"


@pytest.mark.skipif(os.name != "posix", reason="file modes and links")
def test_a_file_is_replaced_whole_with_its_mode_and_through_its_link(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "c.toml"
    write(path, "a = 1\r\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(path)
    write(link, "b = 2\r\n")
    assert link.is_symlink()
    assert path.read_bytes() == b"b = 2\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in path.parent.iterdir()] == ["c.toml"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.toml"
    write(path, "a = 1\n")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        write(path, "b = 2\n")
    assert path.read_text() == "a = 1\n"
    assert list(tmp_path.iterdir()) == [path]
