"""`python -m tests.fake_sendgrid --records FILE [--port N] [--largest BYTES]`; says its URL once it listens."""

import argparse
import sys
from pathlib import Path

from tests.fake_sendgrid.server import LARGEST, FakeSendGrid


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=Path, required=True)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--largest", type=int, default=LARGEST)
    chosen = options.parse_args()
    with FakeSendGrid(chosen.records, chosen.port, chosen.largest) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
