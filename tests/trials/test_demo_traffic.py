"""The demonstration's traffic: its funnel has a constraint, and its sources are worth unlike amounts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.app import measuring
from engine.app.importing import import_into
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.reports.sources import Verdict
from engine.store.ids import IdFactory
from engine.trials.demo_shop import FILES, TRAFFIC, write_demo_shop
from engine.trials.starter import copy_starter

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("demo")
    copy_starter(folder, now=NOW)
    write_demo_shop(folder / "data", seed=20_260_301, now=NOW, traffic=True)
    project = Project(folder, VirtualClock(NOW))
    files = [folder / "data" / name for name in ("orders.csv", *TRAFFIC)]
    summaries = import_into(project, files, now=NOW, ids=IdFactory(VirtualClock(NOW), seed=1))
    assert [(each.kind, each.rejected, each.notes) for each in summaries] == [
        ("orders", 0, ()),
        ("funnel", 0, ()),
        ("spend", 0, ()),
    ]
    return project


def test_the_order_form_is_the_constraint(project: Project) -> None:
    report = measuring.funnel(project, None, None, NOW)
    assert report.constraint.judged is not None
    assert report.constraint.judged.stage.name == "order"
    assert report.constraint.total
    assert report.machines > 10
    assert [stage.visitors for stage in report.stages[:5]] == sorted(
        (stage.visitors for stage in report.stages[:5]), reverse=True
    )


def test_one_source_to_scale_and_one_to_stop(project: Project) -> None:
    found = measuring.sources(project, None, None, NOW)
    verdicts = {line.traffic.names[0]: line.verdict for line in found.lines if line.spend}
    assert (verdicts["google"], verdicts["instagram"]) == (Verdict.SCALE, Verdict.STOP)
    assert verdicts["facebook"] == Verdict.HOLD


def test_the_other_files_are_the_same_without_it(tmp_path: Path) -> None:
    for traffic in (True, False):
        write_demo_shop(tmp_path / str(traffic), seed=7, customers=60, now=NOW, traffic=traffic)
    assert not (tmp_path / "False" / "funnel.csv").exists()
    for name in FILES:
        assert (tmp_path / "True" / name).read_bytes() == (tmp_path / "False" / name).read_bytes()


def test_the_same_seed_writes_the_same_bytes_and_nothing_is_later_than_now(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        write_demo_shop(folder, seed=7, customers=200, now=NOW, traffic=True)
    for name in TRAFFIC:
        texts = [(folder / name).read_text(encoding="utf-8") for folder in folders]
        assert texts[0] == texts[1]
    rows = (folders[0] / "funnel.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert max(row.split(",")[4] for row in rows) <= f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
    days = (folders[0] / "spend.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert f"{NOW - timedelta(days=200):%Y-%m-%d}" < days[0][:10] <= days[-1][:10] <= f"{NOW:%Y-%m-%d}"
