"""Reads campaigns and templates anew when their files change, and takes them where they check clean."""

from engine.app.files import looked_at
from engine.app.project import Project
from engine.app.vanished import vanished_campaigns, vanished_problems
from engine.campaigns.folder import PRODUCTS
from engine.daemon.logs import tell, warn
from engine.daemon.post import Post
from engine.errors import AftersaleError, Problem, StoreError
from engine.rules.words import times
from engine.settings.load import CONFIG_FILE

CATALOGUE = f"campaigns/{PRODUCTS}"


class Reader:
    """The job `reload`. A broken file never replaces a good one, and is told once."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._taken = self._before = looked_at(post.project.folder)

    def reload(self) -> None:
        """Take what has changed, once two looks found it the same: an editor may still be writing."""
        now = looked_at(self._post.project.folder)
        settled, self._before = now == self._before, now
        if settled and now != self._taken:
            changed = sorted(name for name in {*now, *self._taken} if now.get(name) != self._taken.get(name))
            self._judge(changed, products_gone=CATALOGUE in {*self._taken} - {*now})
            self._taken = now

    def _judge(self, changed: list[str], *, products_gone: bool) -> None:
        if CONFIG_FILE in changed:
            warn("settings changed", hint="they are read at the start: restart to use them")
        if changed == [CONFIG_FILE]:
            return
        old, new = self._post.project, self._post.project.read_anew()
        if wrong := problems(old, new):
            for problem in [_products_gone(len(wrong))] if products_gone else wrong:
                warn("file not taken", at=problem.place, what=problem.message, hint=problem.hint)
            warn("files kept as they were", changed=" ".join(changed))
            return
        self._post.project = new
        tell("files taken", changed=" ".join(changed), campaigns=len(new.book.campaigns))
        self._post.wake("plan")


def problems(old: Project, new: Project) -> list[Problem]:
    """What stands against planning with the new files instead of the old ones.

    What was wrong at the start may stay so, wherever in its file it stands by now, while no campaign that
    runs is lost by it. Any other mistake stands against it; so does a campaign that has sent and vanished.
    """
    try:
        _ = new.book
        gone = vanished_problems(vanished_campaigns(new))
    except StoreError:  # says nothing of the files: they are looked at again
        raise
    except AftersaleError as error:
        return new.problems or [Problem("campaigns", 0, 0, error.message, error.hint)]
    known = {(problem.file, problem.message) for problem in old.problems}
    mistakes = [problem for problem in new.problems if (problem.file, problem.message) not in known]
    known_before = vanished_problems(vanished_campaigns(old))
    gone = [problem for problem in gone if problem not in known_before]
    return [*(mistakes or (new.problems if _lost(old, new) else [])), *gone]


def _lost(old: Project, new: Project) -> set[str]:
    """The campaigns that run, and would not though their files are there."""
    running = {campaign.id for campaign in old.book.campaigns}
    sound = {campaign.id for campaign in new.book.campaigns}
    removed = set() if new.campaign_ids is None else running - new.campaign_ids
    return running - sound - removed


def _products_gone(mistakes: int) -> Problem:
    """Told in place of all that follows from it."""
    message = f"it is gone, which makes {times(mistakes, 'mistake')}"
    return Problem(CATALOGUE, 0, 0, message, "put it back; aftersale check tells what needs it")
