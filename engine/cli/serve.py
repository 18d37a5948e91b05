"""aftersale serve"""

from engine.cli import show
from engine.cli.options import HERE, ProjectFolder, opened


def command(project: ProjectFolder = HERE) -> None:
    """Answer requests at `web.host` and `web.port` until told to stop; so does `run`, given a `web.url`."""
    from engine.daemon.logs import set_up  # noqa: PLC0415 - no other command speaks by a log
    from engine.web.server import Server  # noqa: PLC0415 - a web server, which no other command needs

    with opened(project) as shop:
        server = Server(shop)
        show.talk().print(f"listening at {server.address}")
        set_up(shop.settings.run.log)
        server.run()
