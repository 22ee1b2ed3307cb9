"""`regista review` over a real store."""

import asyncio

from tests.surfaces.cli.conftest import Demo
from tests.surfaces.console.made import trace

from regista.app.review_files import queues
from regista.app.reviews.desk import Desk
from regista.store import traces
from regista.store.review import Place


def judge(demo: Demo) -> None:
    """Two people judge four answers."""
    (demo.folder / ".regista").mkdir()
    store = demo.store()
    with store.transaction() as transaction:
        traces.write(transaction, [trace(n, application="demo", question=f"Is there a {n}?") for n in range(1, 5)])
    desk = Desk(store, demo.folder, Place("demo", "answers"), queues(demo.folder)["answers"])

    async def all_of_it() -> None:
        for by in ("ann", "ben"):
            for grade in ("1", "3", "4", "5"):
                asked = await desk.next(by)
                assert asked is not None
                desk.vote(asked.id, by, grade)

    asyncio.run(all_of_it())
    store.close()


def test_without_a_store_the_default_queue_is_listed(demo: Demo) -> None:
    assert [(one["name"], one["items"]) for one in demo.json("review")] == [("answers", 0)]
    assert "answers" in demo.regista("review") and not (demo.folder / ".regista").exists()


def test_a_queue_says_what_is_left_and_how_far_people_agree(demo: Demo) -> None:
    judge(demo)
    (listed,) = demo.json("review")
    assert (listed["items"], listed["open"], listed["votes"], listed["annotators"]) == (4, 0, 8, 2)
    assert listed["health"]["agreement"]["n"] == 4
    out = demo.regista("review", "status", "answers")
    assert "ann 4, ben 4" in out and "alpha, ordinal" in out and "of which 0 need votes" in out
    assert demo.json("review", "status", "answers") == listed


def test_an_unknown_queue_is_told_with_those_there_are(demo: Demo) -> None:
    demo.regista("review", "status", "answer", status=1)
