"""A few rounds of what scripts/torture does for long."""

from pathlib import Path

from tests.adversity.torture import torture


async def test_kill_9_under_load_breaks_no_promise(tmp_path: Path) -> None:
    result = await torture(tmp_path, 3, seed=1)
    assert result.wrong == []
    assert result.rounds == 3
    # Whatever was looked at was there.
    assert 0 < result.acknowledged <= result.coins
    assert 0 < result.finished < result.frontier
