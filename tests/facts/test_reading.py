"""Files as rows: what can be read is read, what cannot costs nobody else."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ImportFailed
from engine.facts.reading import MOST_BYTES, WHITESPACE, Form, records
from engine.facts.sources.opening import open_source
from engine.facts.sources.scratch import Scratch

OURS = Form()


def read(tmp_path: Path, content: bytes, form: Form = OURS) -> list[tuple[int, list[str], str]]:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with path.open("rb") as file:
        found = list(records(file, form))
    for line, offset, length in [record.place for record in found][:20]:
        assert content[:offset].count(b"\n") == line - 1
        assert length > 0
    return [(record.place[0], record.fields, record.defect) for record in found]


def good(rows: list[tuple[int, list[str], str]]) -> list[list[str]]:
    return [fields for _, fields, defect in rows if not defect]


def bad(rows: list[tuple[int, list[str], str]]) -> dict[int, str]:
    return {line: defect for line, _, defect in rows if defect}


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name",
    [
        "comma_in_quotes",
        "empty",
        "empty_crlf",
        "escaped_quotes",
        "json",
        "newlines",
        "newlines_crlf",
        "quotes_and_newlines",
        "simple",
        "simple_crlf",
        "utf8",
    ],
)
def test_csv_spectrum(real_data, name):
    folder = real_data / "strings" / "csv_spectrum"
    with (folder / "csvs" / f"{name}.csv").open("rb") as file:
        header, *rows = [record.fields for record in records(file, Form())]
    expected = json.loads((folder / "json" / f"{name}.json").read_text())
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert found == expected


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        (b"a,b\r\n1,2", [["a", "b"], ["1", "2"]]),
        (
            b"\xef\xbb\xbfa,b\n\xef\xbb\xbf1,2\n",
            [["a", "b"], ["\ufeff1", "2"]],
        ),  # a mark is one at the start only
        (b"a,b\n\n\n1,2\n\n", [["a", "b"], ["1", "2"]]),
        (b'a\n"x ""y"" z"\n"1\n2"\n', [["a"], ['x "y" z'], ["1\n2"]]),
    ],
)
def test_rows_that_are_well(tmp_path, content, rows):
    assert good(read(tmp_path, content)) == rows
    assert bad(read(tmp_path, content)) == {}


@pytest.mark.parametrize(
    ("content", "rows", "line", "reason"),
    [
        (b'1,a\n2,"b\n3,c\n4,"d"\n5,e\n', ["1a", "3c", "4d", "5e"], 2, "a quote is opened"),
        (b'1,a\n2,"b\n3,c\n', ["1a", "3c"], 2, "a quote is opened"),
        (b'1,a\n2,"b"c\n3,d\n', ["1a", "3d"], 2, "a quote is opened"),
        (b'1,a\n"\n2,b\n3,c\n', ["1a", "2b", "3c"], 2, "a quote is opened"),
        (b'1,"two\nlines"\n2,"b\n3,c\n', ["1two\nlines", "3c"], 3, "a quote is opened"),
        (b"1,a\n2,\0b\n3,c\n", ["1a", "3c"], 2, "holds a NUL byte"),
        (b"1,a\n2,\xff\n3,c\n", ["1a", "3c"], 2, "is not text in utf-8"),
        (b'1,a\n2,"b\n\xff"\n3,c\n', ["1a", "3c"], 2, "is not text in utf-8"),
        (b"1,a\n2,b\rc\n3,c\n", ["1a", "3c"], 2, "carriage return"),
        (b"1,a\n2," + b"b" * 140_000 + b"\n3,c\n", ["1a", "3c"], 2, "131,072"),
        (b"1,a\n2," + b"b" * (2 * MOST_BYTES) + b"\n3,c\n", ["1a", "3c"], 2, "longer than 1,000,000 bytes"),
        (b"1,a\n2," + b"b" * (2 * MOST_BYTES), ["1a"], 2, "longer than 1,000,000 bytes"),
        (b'1,a\n2,"' + b"b,b\n" * 40_000 + b"3,c\n", ["1a"] + ["bb"] * 39_999 + ["3c"], 2, "131,072"),
    ],
    ids=range(13),
)
def test_a_bad_row_costs_no_other(tmp_path, content, rows, line, reason):
    found = read(tmp_path, content)
    assert ["".join(fields) for fields in good(found)] == rows
    assert list(bad(found)) == [line]
    assert reason in bad(found)[line]


def test_two_bad_rows_after_each_other(tmp_path):
    found = read(tmp_path, b'a,b\n1,"\n2,"x\n3,c\n')
    assert good(found) == [["a", "b"], ["3", "c"]]
    assert list(bad(found)) == [2, 3]


def test_a_row_without_end_is_given_up_after_a_million_bytes(tmp_path):
    fields = b",".join([b'"' + (b"x" * 200 + b"\n") * 200 + b'"'] * 30)
    found = read(tmp_path, b"1,a\n" + fields + b"\n2,b\n")
    assert good(found)[0] == ["1", "a"]
    assert good(found)[-1] == ["2", "b"]
    assert "longer than" in bad(found)[2]


def test_rows_between_white_space(tmp_path):
    found = read(tmp_path, b" 0001 19970101   2  29.33\r\n\n\t2 x\ty\n", Form(delimiter=WHITESPACE))
    assert good(found) == [["0001", "19970101", "2", "29.33"], ["2", "x", "y"]]


def test_other_encodings_and_delimiters(tmp_path):
    form = Form("cp1252", ";")
    assert good(read(tmp_path, "1;Zoë €\n".encode("cp1252"), form)) == [["1", "Zoë €"]]


ROWS = st.lists(
    st.lists(
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5), min_size=2, max_size=3
    ),
    max_size=6,
)


@given(ROWS)
def test_whatever_is_written_as_csv_is_read_again(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
            [["\ufeff", *row] for row in rows]
        )
    content = path.read_bytes()
    assert good(read(path.parent, b"first\n" + content))[1:] == [["\ufeff", *row] for row in rows]


LINES = st.lists(
    st.sampled_from(
        [
            b"1,a\n",
            b'"q""r",s\n',
            b'"open\n',
            b'shut"\n',
            b'"b"c\n',
            b"\n",
            b"\0,b\n",
            b"\xff\n",
            b"d\re\n",
            b"end",
        ]
    ),
    max_size=8,
)


@given(LINES)
def test_how_many_lines_are_looked_at_together_means_nothing(lines):
    content = b"".join(lines)
    found = []
    for block in (1, 7, 65_536):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("engine.facts.reading._BLOCK", block)
            found.append(list(records(io.BytesIO(content), OURS)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04....", "Excel workbook"),
        (b"SQLite format 3\0", "SQLite database"),
        (b"\x1f\x8b\x08", "cannot be unpacked"),
        (b"PAR1....", "cannot be read as Parquet"),
        (b" [{}]", "JSON array"),
        (b"%PDF-1.7", "PDF"),
        ("email\n".encode("utf-16"), "UTF-16"),
        (bytes(range(256)) * 20, "not a file of text"),
    ],
)
def test_what_is_no_text_is_told_as_what_it_is(tmp_path, content, reason):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(ImportFailed, match=reason):
        open_source(path, Scratch())


def test_what_is_no_file(tmp_path):
    with pytest.raises(ImportFailed, match="there is no file"):
        open_source(tmp_path / "none.csv", Scratch())
    with pytest.raises(ImportFailed, match="is not a file"):
        open_source(tmp_path, Scratch())


def test_one_stray_byte_makes_no_binary(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"email\nann@example.com\n\0bob@example.com\n")
    open_source(path, Scratch())
