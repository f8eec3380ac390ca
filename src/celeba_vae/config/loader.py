"""Kedro's configuration loader, which knows the credentials of remote addresses."""

from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader

from celeba_vae.config.addresses import protocol_of
from celeba_vae.errors import SettingError


class ConfigLoader(OmegaConfigLoader):
    """Gives catalog entries at ``s3://…`` the block ``s3`` of ``credentials.yml``, where it has one; ``gs`` likewise.

    An entry that names credentials itself keeps them. Without such a block the environment's count.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Give the configuration of a kind."""
        configuration = super().__getitem__(key)
        return self._with_credentials(configuration) if key == "catalog" else configuration

    def _with_credentials(self, catalog: dict[str, Any]) -> dict[str, Any]:
        try:
            known = super().__getitem__("credentials")
        except MissingConfigException:
            return catalog
        if wrong := [name for name, value in known.items() if not isinstance(value, dict)]:
            raise SettingError(
                f"credentials.yml: {', '.join(wrong)} must hold settings by their names, such as key: and secret:."
            )
        return {name: _with_credentials(entry, known) for name, entry in catalog.items()}


def _with_credentials(entry: Any, known: dict[str, Any]) -> Any:
    if not isinstance(entry, dict) or "credentials" in entry:
        return entry
    protocol = protocol_of(entry.get("filepath") or entry.get("path") or "")
    return {**entry, "credentials": protocol} if protocol in known else entry
