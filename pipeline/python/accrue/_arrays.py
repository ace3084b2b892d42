"""Arrays as the native part takes them, and refusals of those it cannot take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def is_torch(value: Any) -> bool:
    """Whether a value is a tensor of torch, told without importing it."""
    return any(t.__module__.split(".")[0] == "torch" and t.__name__ == "Tensor" for t in type(value).__mro__)


def on_processor(value: Any, argument: str) -> None:
    """Refuses what lies on a GPU."""
    device = getattr(value, "device", None)
    if device is None or callable(device):
        return
    kind = getattr(device, "type", None) or getattr(device, "platform", None) or str(device)
    if kind != "cpu":
        remedy = f"{argument}.cpu()" if is_torch(value) or hasattr(value, "cpu") else f"numpy.asarray({argument})"
        raise ValueError(f"{argument}: a tensor on {device}; searches run on the processor: give {remedy}")


def numbers(value: Any, argument: str) -> Floats:
    """Any array of real numbers as float64, row by row."""
    on_processor(value, argument)
    if hasattr(value, "detach"):
        value = value.detach()
        if str(getattr(value, "dtype", "")) == "torch.bfloat16":
            value = value.float()
    try:
        found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{argument}: no array of numbers ({error})") from None
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{argument}: an array of real numbers is needed, this one holds {found.dtype}")
    return np.asarray(found, dtype=np.float64, order="C")


def finite(found: Floats, argument: str, remedy: str) -> None:
    """Refuses NaN and infinities, with their place."""
    if not np.isfinite(found).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(found))[0])
        raise ValueError(f"{argument}: {found[place]} at {list(place)} is not finite; {remedy}")


def states(value: Any, argument: str, size: int | None = None) -> Floats:
    """States ``[k, state]``: one, many, or ``[trials, steps, state]``; of an LSTM also ``(h, c)``."""
    if isinstance(value, tuple) and len(value) == 2 and all(hasattr(v, "shape") for v in value):
        parts = [numbers(v, argument) for v in value]
        if parts[0].shape != parts[1].shape:
            raise ValueError(f"{argument}: h has shape {parts[0].shape} and c {parts[1].shape}; both are [k, units]")
        found = np.concatenate(parts, axis=-1)
    else:
        found = numbers(value, argument)
    if found.ndim == 0 or found.ndim > 3:
        raise ValueError(f"{argument}: shape {found.shape}; give [k, state] or [trials, steps, state]")
    found = np.ascontiguousarray(found.reshape(-1, found.shape[-1]))
    if found.size == 0:
        raise ValueError(f"{argument}: shape {found.shape} holds no state; give one at least")
    if size is not None and found.shape[1] != size:
        hint = "; an LSTM's state is [h, c]: give (h, c)" if found.shape[1] * 2 == size else ""
        raise ValueError(f"{argument}: states of {found.shape[1]} numbers, the network has {size}{hint}")
    finite(found, argument, "give states that the network visited")
    return found


def vector(value: Any, argument: str, size: int | None = None) -> Floats:
    """One row of numbers."""
    found = numbers(value, argument).reshape(-1)
    if size is not None and len(found) != size:
        raise ValueError(f"{argument}: {len(found)} numbers, an input has {size}")
    finite(found, argument, "give finite numbers")
    return found


def floats(data: bytes, *shape: int) -> Floats:
    """What the native part returned."""
    found: Floats = np.frombuffer(data, dtype=np.float64).reshape(shape).copy()
    return found


def singles(data: bytes, *shape: int) -> NDArray[np.float32]:
    """The same in single precision."""
    found: NDArray[np.float32] = np.frombuffer(data, dtype=np.float32).reshape(shape).copy()
    return found


def complexes(data: bytes, *shape: int) -> NDArray[np.complex128]:
    """The same, complex."""
    found: NDArray[np.complex128] = np.frombuffer(data, dtype=np.complex128).reshape(shape).copy()
    return found
