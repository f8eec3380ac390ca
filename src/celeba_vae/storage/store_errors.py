"""What a store's errors mean for who runs a pipeline: one message that names the address and says what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from celeba_vae.errors import CelebaVaeError, DataError, chain_of

# of this machine's disk, not the store's
_OF_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# the package that each kind of address needs, and the extra that brings it
_EXTRAS = {"s3fs": "s3", "gcsfs": "gs"}
# whose exceptions mean that a store can't be reached or refuses
_CLIENTS = ("botocore.", "aiobotocore.", "aiohttp.", "gcsfs.", "google.auth.", "google.api_core.", "requests.")


@contextmanager
def store_errors(place: object) -> Iterator[None]:
    """Raise what goes wrong with a place in a store as DataError; a missing file or a full disk here stays itself."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) in _OF_THIS_DISK:
            raise
        raise failure(place, error) from error


def missing_package(error: BaseException) -> str | None:
    """Say what to install where an address needs a package that is not there; None for any other error."""
    for link in chain_of(error):
        if isinstance(link, ImportError) and (extra := _EXTRAS.get(link.name or "")):
            return f"{extra}:// addresses need the package {link.name}: pip install -c constraints.txt -e '.[{extra}]'"
    return None


def is_failure(error: BaseException) -> bool:
    """Say whether an error comes from a store's client: it could not be reached, or it refused."""
    return type(error).__module__.startswith(_CLIENTS)


def failure(place: object, error: Exception) -> CelebaVaeError:
    """Say that a store could not be used, why, and what to do."""
    if isinstance(error, CelebaVaeError):
        return error
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(
        f"{str(place).rstrip('/')} can't be used: {reason[:300]}\n"
        "Check the bucket's name, the credentials (conf/local/credentials.yml, with --env NAME that of conf/NAME, or"
        " the shell's such as AWS_ACCESS_KEY_ID) and what they allow, the endpoint if it is not the provider's own, and"
        " the network. Then run again: what is finished is not made again."
    )
