"""The server: alone in its process, or in a thread of the daemon."""

import socket
from threading import Thread

import uvicorn

from engine.app.project import Project
from engine.errors import WebError
from engine.settings.web import Web
from engine.web.application import application
from engine.web.drainer import Drainer


class Server:
    """Listens at `web.host` and `web.port` from its making; answers in `run`, or from `start` until `stop`.

    Raises WebError where nobody can listen there.
    """

    def __init__(self, project: Project) -> None:
        self._listening = _listen(project.settings.web)
        config = uvicorn.Config(
            application(project), log_config=None, access_log=False, server_header=False, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._drainer = Drainer(project)
        self._thread = Thread(target=self._run, name="web", daemon=True)

    @property
    def address(self) -> str:
        host, port = self._listening.getsockname()[:2]
        return f"http://{host}:{port}"

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        self._drainer.start()
        try:
            self._server.run(sockets=[self._listening])
        finally:
            self._drainer.stop()

    def start(self) -> None:
        """In a thread of its own; signals are somebody else's."""
        self._drainer.start()
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, and end."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._drainer.stop()
        self.close()

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listening])


def _listen(web: Web) -> socket.socket:
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        listening = socket.create_server((web.host, web.port), family=family)
    except OSError as error:
        msg = f"nobody can listen at {web.host}, port {web.port}: {error.strerror or error}"
        raise WebError(msg, hint="is a server running there already? see `web` in config.yaml") from error
    # else the end of each answer waits 40 ms for the other side: asyncio leaves sockets that it did not make
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
