"""Entry point of the packaged project: ``python -m celeba_vae`` is ``kedro run``."""

import os
import sys
from pathlib import Path

from kedro.framework.project import configure_project

from celeba_vae.cli import cli


def main() -> None:
    """Run the pipelines with the configuration and the data of the folder that the command is called in."""
    # no .telemetry file comes with a wheel
    os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "true")
    configure_project(Path(__file__).parent.name)
    cli(["run", *sys.argv[1:]])


if __name__ == "__main__":
    main()
