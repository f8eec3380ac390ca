"""What all parameter blocks share: how values are read, and components by name."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _none_from_text(value: Any) -> Any:
    """Let ``--params x=none`` mean what ``x: null`` means in a file."""
    return None if isinstance(value, str) and value.lower() in {"none", "null"} else value


def _tuple_from_text(value: Any) -> Any:
    """Let ``--params x=vae`` mean what ``x: [vae]`` means in a file: Kedro splits ``--params`` at every comma."""
    return (value,) if isinstance(value, str) else value


NoneFromText = BeforeValidator(_none_from_text)
TupleFromText = BeforeValidator(_tuple_from_text)


class Options(BaseModel):
    """Base of components and parameter blocks: unknown names are errors, values can't be changed after validation."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameters(Options):
    """Base of all parameter blocks: what values mean and may be, and where the block stands in the files.

    The values are in conf/base alone: a field has no default here, and one that no file has is an error.
    """

    block: ClassVar[str]

    def __init_subclass__(cls, *, block: str, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.block = block


class ComponentConfig(BaseModel):
    """A component by name, with the component's own options beside it: ``{name: conv, filters: [32, 64]}``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="A built-in's or plugin's name, or package.module:object")

    @property
    def options(self) -> dict[str, Any]:
        """The component's own options, all that stands beside ``name``."""
        return dict(self.model_extra or {})


def _chain_from_one(value: Any) -> Any:
    """Let a name stand for a component without options, and one component for a chain of one."""
    chain = value if isinstance(value, list | tuple) else [value]
    return [{"name": each} if isinstance(each, str) else each for each in chain]


ComponentChain = Annotated[tuple[ComponentConfig, ...], BeforeValidator(_chain_from_one)]
