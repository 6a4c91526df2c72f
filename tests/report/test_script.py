"""The logic of the page's scripts, function by function, in an empty page."""

import pytest
from conftest import ROOT

FILES = ("data", "state", "plots", "table", "pdb", "map", "detail", "scatter", "run")


@pytest.fixture(scope="module")
def value_of(browser):
    """Evaluates an expression that sees all functions of the scripts."""
    browser.driver.get("about:blank")

    def evaluate(expression):
        done = browser.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    for name in FILES:
        evaluate((ROOT / f"src/report/web/{name}.js").read_text())
    return evaluate


@pytest.mark.parametrize("text, length, residues", [
    ("1-3, 5", 9, [0, 1, 2, 4]),
    ("3,1,3", 9, [0, 2]),
    ("8-20", 9, [7, 8]),
    ("0-2", 9, [0, 1]),
    ("5-3", 9, []),
    ("20", 9, []),
    ("1-99999999999", 3, [0, 1, 2]),
    ("x, -4, 1.5, 2", 9, [1]),
    ("", 9, []),
])
def test_residues_in(value_of, text, length, residues):
    assert value_of(f"residuesIn({text!r}, {length})") == residues


@pytest.mark.parametrize("residues, text", [([], ""), ([0], "1"), ([0, 1, 2, 4, 8, 9], "1-3,5,9-10")])
def test_residue_text(value_of, residues, text):
    assert value_of(f"residueText({residues})") == text
    assert value_of(f"residuesIn({text!r}, 100)") == residues


@pytest.mark.parametrize("low, high, count, ticks", [
    (0, 100, 5, [0, 20, 40, 60, 80, 100]),
    (0.13, 0.31, 5, [0.15, 0.2, 0.25, 0.3]),
    (-3, 4, 6, [-2, 0, 2, 4]),
    (7, 7, 5, [7]),
])
def test_ticks(value_of, low, high, count, ticks):
    assert value_of(f"ticksOf({low}, {high}, {count})") == ticks


@pytest.mark.parametrize("x, y, inside", [(1, 1, True), (3, 1, False), (2.5, 3.5, False), (0.5, 3.5, True), (-1, 1, False)])
def test_within_a_polygon_that_is_not_convex(value_of, x, y, inside):
    letter = [[0, 0], [2, 0], [2, 2], [1, 2], [1, 4], [0, 4]]  # an L upside down
    assert value_of(f"isWithin([{x}, {y}], {letter})") == inside


@pytest.mark.parametrize("descending, order", [(False, [3, 0, 4, 1, 2]), (True, [1, 0, 4, 3, 2])])
def test_sorted_rows(value_of, descending, order):
    """What has no value comes last in both directions, and equal rows keep their order."""
    values = "[2, 3, NaN, 1, 2]"
    assert value_of(f"sortedRows([0, 1, 2, 3, 4], {{value: (i) => {values}[i]}}, {str(descending).lower()})") == order


@pytest.mark.parametrize("state, rows", [
    ("", [0, 1, 2]),
    ("find=human ins", [0]),
    ("find=HUMAN", [0, 1]),
    ("status=failed", [2]),
    ("from=20&to=60", [0, 1]),
    ("plddt=50", [1]),
    ("viewable=1", [1]),
    ("chosen=2,0", [0, 2]),
    ("status=nonsense", [0, 1, 2]),
])
def test_filter(value_of, state, rows):
    data = "{meta: {status: ['ok', 'failed']}, status: [0, 0, 1], length: [20, 60, 61], plddt: [49, 51, NaN], detail: [-1, 0, -1]}"
    words = "['ins human', 'ubc human', 'cas9']"
    assert value_of(f"[0, 1, 2].filter(filterOf({data}, new URLSearchParams('{state}'), (i) => {words}[i]))") == rows


@pytest.mark.parametrize("value, text", [(0, "   0.000"), (-1, "  -0.001"), (12345, "  12.345"), (-999999, "-999.999")])
def test_coordinates_of_a_pdb_file(value_of, value, text):
    assert value_of(f"fixed({value}, 3, 8)") == text


def test_differences_with_signs_and_wraps(value_of):
    values = [5, -7, 2**31 - 1, -(2**31), 0]
    folded, before = [], 0
    for number in values:
        step = (number - before + 2**31) % 2**32 - 2**31
        folded.append(((step << 1) ^ (step >> 31)) & 0xFFFFFFFF)
        before = number
    planes = [value >> 8 * byte & 0xFF for byte in range(4) for value in folded]
    assert value_of(f"[...sumOfDifferences(new Uint8Array({planes}), {len(values)})]") == values


@pytest.mark.parametrize("text, shown", [
    ("plain é 蛋白", "plain é 蛋白"),
    ("a\u202eb\u0007\u200b", "a⟨U+202E⟩b⟨U+0007⟩⟨U+200B⟩"),
])
def test_visible(value_of, text, shown):
    assert value_of(f"visible({text!r})") == shown


def test_pace_by_length(value_of):
    """Equal sequences count once, and what took no time not at all."""
    data = "{length: [10, 12, 12, 40, 50], first: [1, 1, 0, 1, 1], seconds: [1, 1, 9, 0, NaN]}"
    assert value_of(f"paceByLength({data})") == [{"label": "8", "value": 11}]


def test_state_of_an_address(value_of):
    assert value_of("[...stateIn('#record=3&select=1-4')]") == [["record", "3"], ["select", "1-4"]]
    assert value_of("[...stateIn('#records-heading')]") == []
