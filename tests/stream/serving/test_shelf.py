"""Which version is in service: by label, newest or pinned; a refused one changes nothing; all is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
import pytest

from stream.errors import ModelMissing
from stream.serving.network import Listing
from stream.serving.refusals import NotReady, UnknownModel
from stream.serving.shelf import Following, Shelf
from tests.stream.serving.fakes import Shelved, shelf_over, two_models

FAULT = "mean/3/weights.npz: sha256 differs"


@asynccontextmanager
async def serving(library: Shelved, following: Following | None = None) -> AsyncIterator[Shelf]:
    """A shelf that has seen the registry once."""
    shelf = shelf_over(library, following)
    await shelf.refresh()
    yield shelf
    await shelf.close()


def relabel(library: Shelved, versions: str, **labels: str) -> None:
    """Change what the registry has of ``mean``."""
    library.listings["mean"] = Listing(versions.split(), labels)


async def meant(shelf: Shelf, label: str | None = None) -> str:
    """The version that answers."""
    return (await shelf.find("mean", None, label)).network.version


async def test_what_has_a_label_is_loaded_at_the_start_and_nothing_else() -> None:
    library = two_models()
    async with serving(library) as shelf:
        assert sorted(library.loads) == [("mean", "2"), ("mean", "3"), ("sums", "1")]
        assert (await meant(shelf), await meant(shelf, "canary")) == ("2", "3")
        assert shelf.ready


async def test_a_version_that_is_named_is_loaded_then_and_only_once() -> None:
    library = two_models()
    async with serving(library) as shelf:
        found = await asyncio.gather(*(shelf.find("mean", "1") for _ in range(5)))
        assert {batcher.network.version for batcher in found} == {"1"}
        assert library.loads.count(("mean", "1")) == 1


async def test_only_so_many_named_versions_are_kept_and_the_least_wanted_goes() -> None:
    library = two_models()
    relabel(library, "1 2 3 4 5", stable="5")
    async with serving(library, Following(named=2)) as shelf:
        for version in ("1", "2", "1", "3"):
            await shelf.find("mean", version)
        assert [state.version for state in shelf.states("mean") if state.loaded] == ["1", "3", "5"]


async def test_labels_that_move_are_followed_without_a_restart() -> None:
    library = two_models()
    async with serving(library) as shelf:
        relabel(library, "1 2 3", stable="3")
        await shelf.refresh()
        assert await meant(shelf) == "3"
        assert shelf.labels("mean") == {"stable": "3"}
        assert [state.loaded for state in shelf.states("mean")] == [False, False, True]


async def test_a_request_in_the_queue_of_the_old_version_is_answered_by_it() -> None:
    library = two_models()
    async with serving(library) as shelf:
        old = await shelf.find("mean")
        deadline = asyncio.get_running_loop().time() + 5
        asked = asyncio.create_task(old.submit({"x": np.ones((1, 3), np.float32)}, deadline))
        await asyncio.sleep(0)
        relabel(library, "1 2 3", stable="3")
        await shelf.refresh()
        assert (await asked).outputs["m"].tolist() == [[1, 2]]


@pytest.mark.parametrize("policy", ["label", "latest"])
async def test_a_refused_version_leaves_the_old_one_in_service(policy: str) -> None:
    library = two_models()
    relabel(library, "1 2", stable="2")
    async with serving(library, Following("latest" if policy == "latest" else "label")) as shelf:
        relabel(library, "1 2 3", stable="3")
        library.faults["mean", "3"] = FAULT
        await shelf.refresh()
        assert await meant(shelf) == "2"
        assert shelf.faults() == {("mean", "3"): FAULT}
        with pytest.raises(NotReady, match=FAULT):
            await shelf.find("mean", "3")


async def test_a_refused_version_is_tried_again_only_once_its_files_change() -> None:
    library = two_models()
    library.faults["mean", "3"] = FAULT
    async with serving(library) as shelf:
        await shelf.refresh()
        assert library.loads.count(("mean", "3")) == 1
        del library.faults["mean", "3"]
        library.changes["mean", "3"] = 1
        await shelf.refresh()
        assert await meant(shelf, "canary") == "3"
        assert shelf.faults() == {}


async def test_a_model_whose_only_version_is_refused_does_not_stop_the_others() -> None:
    library = two_models()
    library.faults["sums", "1"] = "sums/1/manifest.sig is missing"
    async with serving(library) as shelf:
        assert await meant(shelf) == "2"
        with pytest.raises(NotReady, match=r"1: sums/1/manifest.sig is missing"):
            await shelf.find("sums")


async def test_the_newest_is_served_where_that_is_the_policy() -> None:
    library = two_models()
    async with serving(library, Following("latest")) as shelf:
        assert await meant(shelf) == "3"
        relabel(library, "1 2 3 4", stable="2")
        await shelf.refresh()
        assert (await meant(shelf), await meant(shelf, "stable")) == ("4", "2")


@pytest.mark.parametrize(("pins", "version"), [({}, "2"), ({"mean": "1"}, "1")])
async def test_a_pinned_version_stays_whatever_the_registry_says(pins: dict[str, str], version: str) -> None:
    library = two_models()
    async with serving(library, Following("pinned", pins=pins)) as shelf:
        relabel(library, "1 2 3 4", stable="4")
        await shelf.refresh()
        assert await meant(shelf) == version


async def test_what_is_not_there_is_said_with_what_is() -> None:
    async with serving(two_models()) as shelf:
        for ask, said in _unknown(shelf):
            with pytest.raises(UnknownModel, match=said):
                await asyncio.to_thread(ask)


def _unknown(shelf: Shelf) -> list[tuple[Callable[[], object], str]]:
    return [
        (lambda: shelf.resolve("nobody"), "there is mean, sums"),
        (lambda: shelf.resolve("mean", "9"), "there is 1, 2, 3"),
        (lambda: shelf.resolve("mean", None, "shadow"), "there is canary, stable"),
        (lambda: shelf.states("nobody"), "no model 'nobody'"),
    ]


async def test_before_anything_is_loaded_nothing_is_unknown() -> None:
    shelf = shelf_over(two_models())
    with pytest.raises(NotReady, match="not warm yet"):
        shelf.resolve("mean")


async def test_a_registry_that_goes_away_changes_nothing_and_is_followed_once_it_is_back() -> None:
    library = two_models()
    kept = dict(library.listings)
    async with serving(library, Following(poll_s=0.005)) as shelf:
        running = asyncio.create_task(shelf.run())
        library.listings = {}
        with pytest.raises(ModelMissing):
            await shelf.refresh()
        await asyncio.sleep(0.03)
        assert await meant(shelf) == "2"
        library.listings = kept | {"mean": replace(kept["mean"], labels={"stable": "1"})}
        for _ in range(1_000):
            if await meant(shelf) == "1":
                break
            await asyncio.sleep(0.005)
        assert await meant(shelf) == "1"
        running.cancel()
