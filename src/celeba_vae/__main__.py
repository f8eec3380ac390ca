"""Entry point of the packaged project: ``python -m celeba_vae`` is ``kedro run``."""

import sys
from pathlib import Path

from kedro.framework.project import configure_project

from celeba_vae.cli import cli


def main() -> None:
    """Run the pipelines with the configuration of the folder that the command is called in."""
    configure_project(Path(__file__).parent.name)
    cli(["run", *sys.argv[1:]])


if __name__ == "__main__":
    main()
