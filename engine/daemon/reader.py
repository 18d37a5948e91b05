"""Reads campaigns and templates anew when their files change, and takes them where they check clean."""

from engine.app.files import looked_at
from engine.app.project import Project
from engine.app.vanished import vanished_campaigns, vanished_problems
from engine.daemon.logs import tell, warn
from engine.daemon.post import Post
from engine.errors import AftersaleError, Problem, StoreError
from engine.settings import CONFIG_FILE


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
            self._judge(
                sorted(name for name in {*now, *self._taken} if now.get(name) != self._taken.get(name))
            )
            self._taken = now

    def _judge(self, changed: list[str]) -> None:
        if CONFIG_FILE in changed:
            warn("settings changed", hint="they are read at the start: restart to use them")
        if changed == [CONFIG_FILE]:
            return
        old, new = self._post.project, self._post.project.read_anew()
        if wrong := problems(old, new):
            for problem in wrong:
                warn("file not taken", at=problem.place, what=problem.message, hint=problem.hint)
            warn("files kept as they were", changed=" ".join(changed))
            return
        self._post.project = new
        tell("files taken", changed=" ".join(changed), campaigns=len(new.book.campaigns))
        self._post.wake("plan")


def problems(old: Project, new: Project) -> list[Problem]:
    """What stands against planning with the new files instead of the old ones.

    A campaign that was wrong at the start may stay so, but none that runs may be lost to a mistake;
    nor may one vanish that has sent.
    """
    try:
        _ = new.book
        gone = vanished_problems(vanished_campaigns(new))
    except StoreError:  # says nothing of the files: they are looked at again
        raise
    except AftersaleError as error:
        return new.problems or [Problem("campaigns", 0, 0, error.message, error.hint)]
    running = {campaign.id for campaign in old.book.campaigns}
    sound = {campaign.id for campaign in new.book.campaigns}
    removed = set() if new.campaign_ids is None else running - new.campaign_ids
    fewer = running - sound - removed
    known_before = vanished_problems(vanished_campaigns(old))
    gone = [problem for problem in gone if problem not in known_before]
    return [*(new.problems if fewer else []), *gone]
