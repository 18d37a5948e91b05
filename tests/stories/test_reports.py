"""A marketer imports the funnel and what was spent, and asks where to mend and where to spend."""

from pathlib import Path

import pytest

from tests.stories.conftest import Aftersale

AT = "2026-03-10T09:00Z"
HEADS = {
    "funnel": "anonymous_id,what,stage,at,source,device\n",
    "orders": "order_id,email,anonymous_id,at,sku,amount,position,source\n",
    "consent": "anonymous_id,topic,granted,at\n",
    "spend": "day,source,campaign,ad,amount\n",
}


def files() -> dict[str, str]:
    """200 visitors come by `meta`, 200 by `search`; 100 and 20 order for 7 dollars."""
    rows: dict[str, list[str]] = {name: [] for name in HEADS}
    for source, day, orders in (("meta", "2025-11-03", 100), ("search", "2025-11-04", 20)):
        for n in range(200):
            who = f"{source}{n}"
            rows["funnel"].append(f"{who},visited,landing,{day}T10:00Z,{source},mobile\n")
            rows["consent"].append(f"{who},news,yes,{day}T10:01Z\n")
            rows["funnel"].append(f"{who},visited,sales-page,{day}T10:02Z,{source},mobile\n")
            rows["funnel"].append(f"{who},visited,order-form,{day}T10:03Z,{source},mobile\n")
            if n < orders:
                rows["orders"].append(
                    f"{who},{who}@example.com,{who},{day}T10:04Z,starter-guide,7,core,{source}\n"
                )
        rows["spend"].append(f"{day},{source},,,250\n")
    return {name: HEADS[name] + "".join(found) for name, found in rows.items()}


@pytest.fixture
def measured(aftersale: Aftersale, light_project: Path) -> Path:
    for name, text in files().items():
        Path(f"{name}.csv").write_text(text)
    assert aftersale("import", *(f"{name}.csv" for name in HEADS)).code == 0
    return light_project


def test_the_constraint_is_named_with_its_sum(aftersale: Aftersale, measured: Path) -> None:
    said = aftersale("report", "funnel", "--at", AT)
    assert said.code == 0
    assert "Funnel of 400 visitors" in said.out
    # 840 dollars of 400 visitors: 2.10 * (65 / 30 - 1) = 2.45, and 980 for all
    found = aftersale("report", "funnel", "--at", AT, "--json").json
    order = next(stage for stage in found["stages"] if stage["stage"] == "order")
    assert (order["rate"]["did"], order["rate"]["of"], order["target"]) == (120, 400, 0.65)
    assert found["constraint"] == {
        "stage": "order",
        "standing": "below",
        "target": 0.65,
        "target_from": "config.yaml",
        "gain_per_visitor": pytest.approx(210 * (65 / 30 - 1)),
        "gain": 98_000,
    }
    assert "The constraint: order. At 65.0%, its target, instead of 30.0%" in said.out


def test_its_own_best_source_is_the_measure_where_no_target_is_set(
    aftersale: Aftersale, measured: Path
) -> None:
    """2.10 * (50 / 30 - 1) = 1.40"""
    settings = Path("config.yaml").read_text()
    Path("config.yaml").write_text(settings.replace(", target: 65%", ""))
    said = aftersale("report", "funnel", "--by", "source", "--at", AT).out
    assert "The constraint: order. At 50.0%, what source meta has, instead of 30.0%" in said
    assert "1.40 USD more for each visitor, 560.00 USD for these 400" in " ".join(said.split())
    assert [line.split()[:2] for line in said.splitlines()[-2:]] == [["meta", "200"], ["search", "200"]]


def test_what_to_scale_and_what_to_stop(aftersale: Aftersale, measured: Path) -> None:
    found = aftersale("report", "sources", "--at", AT, "--json").json
    meta, search = sorted(found["sources"], key=lambda line: line["source"])
    # 700 for 250, and 140 for 250: at 7 dollars a customer there should have been 36 of them
    assert (meta["spend"], meta["front_net"], meta["verdict"]) == (25_000, 70_000, "scale")
    assert meta["front_roi"] == pytest.approx(1.8)
    assert (search["front_net"], search["verdict"]) == (14_000, "stop")
    assert (meta["breaks_even_on_day"], search["breaks_even_on_day"]) == (1, None)
    said = aftersale("report", "sources", "--at", AT).out
    assert "scale" in said
    assert "months old enough, of 5: 30 days: 3, 60 days: 2, 90 days: 1, 365 days: 0" in said


def test_an_erased_customer_is_counted_no_more(
    aftersale: Aftersale, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "a long text, the same for ever")
    assert aftersale("erase", "meta0@example.com", "--yes").code == 0
    assert aftersale("report", "funnel", "--at", AT, "--json").json["visitors"] == 399


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("funnel", "--by", "sorce"), "--by: there is no 'sorce'"),
        (("sources", "--by", "device"), "--by: there is no 'device'"),
        (("funnel", "--since", "yesterday"), "--since: 'yesterday' is not an instant"),
        (("funnel", "--since", "2026-02-01T00:00Z", "--until", "2026-01-01T00:00Z"), "--since is not before"),
        (("lttv",), "No such command"),
    ],
)
def test_what_cannot_be_asked(
    aftersale: Aftersale, measured: Path, words: tuple[str, ...], told: str
) -> None:
    said = aftersale("report", *words)
    assert (said.code, told in said.err) == (2, True)


def test_without_facts_it_says_so(aftersale: Aftersale, light_project: Path) -> None:
    assert aftersale("report", "funnel").code == 21  # there is no database yet
    Path("spend.csv").write_text(HEADS["spend"] + "2026-01-05,meta,,,10\n")
    aftersale("import", "spend.csv")
    told = aftersale("report", "funnel").out
    assert "none can be named: not enough visitors yet" in told
    assert "no visitor was first seen then: import visits" in told
    assert aftersale("report", "sources").code == 0
