"""Maps of a state to the next one: functions of Python's, and networks that run natively."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from . import _arrays, _native
from ._arrays import Floats

#: Numbers that one call of a function may return: 64 MB of them.
MOST = 1 << 23
#: States that torch differentiates at once at least, as copies where there are fewer, and most copies of one.
TOGETHER, MOST_COPIES = 256, 8


class Steps(Protocol):
    """What a search has to know of a map."""

    @property
    def size(self) -> int:
        """Numbers in a state."""
        ...

    @property
    def proves(self) -> bool:
        """Whether it bounds its rounding and curvature, so that proofs can be tried."""
        ...

    notes: list[str]

    def step(self, states: Floats) -> Floats:
        """``F(h, x*)`` at ``[k, state]``."""
        ...

    def jacobians(self, states: Floats) -> Floats:
        """``dF/dh`` at ``[k, state]``: ``[k, state, state]``."""
        ...


class Held(Protocol):
    """What holds its input and becomes a map: a network."""

    def map(self, static_input: Any = None) -> _native.Map: ...


class Native:
    """A cell with its input held, in Rust."""

    proves = True

    def __init__(self, network: Held, static_input: Floats) -> None:
        self._made_of = network, static_input
        self.map = network.map(static_input)
        self.size = self.map.size
        self.notes: list[str] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # What Rust holds follows from the weights.
        return Native, self._made_of

    def step(self, states: Floats) -> Floats:
        return _arrays.floats(self.map.step(states.tobytes()), *states.shape)

    def jacobians(self, states: Floats) -> Floats:
        return _arrays.floats(self.map.jacobians(states.tobytes()), len(states), self.size, self.size)


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _without(array: Any) -> Any:
    """A number that `numpy.asarray` takes: off the graph."""
    return array.detach() if hasattr(array, "detach") else array


class Function:
    """A batched function ``f(h)`` or ``f(h, x)`` of NumPy, torch or JAX, checked on some states.

    ``h`` is ``[k, state]``, ``x`` the held input, repeated ``[k, inputs]``; the answer ``[k, state]``. In torch it is
    asked in double precision, and in single precision where it takes no other. Jacobians come from ``jacobian``, from
    the framework's differentiation, or from central differences.
    """

    proves = False

    def __init__(
        self,
        f: Callable[..., Any],
        states: Floats,
        static_input: Floats | None = None,
        jacobian: Callable[..., Any] | None = None,
        torch: bool = False,
    ) -> None:
        if not callable(f):
            raise TypeError(f"f: {type(f).__name__} is no function; give one of states [k, state], or a network")
        self._f, self._x, self._given = f, static_input, jacobian
        self.size = states.shape[1]
        self.notes: list[str] = []
        self._torch: Any = None
        self._jax = False
        self._single = False
        self._differentiate = True
        first = states[: min(len(states), 8)]
        self._begin(first, torch or _of_torch(f))
        self._check(first)
        if jacobian is not None:
            self._check_jacobian(first[:2])

    def _begin(self, first: Floats, torch: bool) -> None:
        """Finds out what kind of arrays the function takes."""
        if not torch:
            try:
                answer = self._f(*self._arguments(first))
            except Exception as error:
                if "torch" not in sys.modules or not isinstance(error, (TypeError, AttributeError, RuntimeError)):
                    raise
                torch = True
            else:
                module = type(answer).__module__.split(".")[0]
                self._jax = module in ("jax", "jaxlib")
                self._single = (
                    np.dtype(str(answer.dtype).replace("torch.", "")) == np.float32
                    if hasattr(answer, "dtype")
                    else False
                )
                if _arrays.is_torch(answer):
                    torch = True
        if not torch:
            if self._jax and self._single:
                self.notes.append(
                    "JAX computes in single precision; jax.config.update('jax_enable_x64', True) gives digits for q below 1e-10"
                )
            return
        import torch as framework

        self._torch = framework
        if isinstance(self._f, framework.nn.Module):
            import copy

            # Double precision, and the caller's own module left as it is.
            self._f = copy.deepcopy(self._f).double()
        try:
            with framework.no_grad():
                self._f(*self._tensors(first))
        except RuntimeError as error:
            if "dtype" not in str(error) and "expected scalar type" not in str(error):
                raise
            self._single = True

    def _arguments(self, states: Floats) -> tuple[Floats, ...]:
        if self._x is None:
            return (states,)
        return states, np.ascontiguousarray(np.broadcast_to(self._x, (len(states), len(self._x))))

    def _tensors(self, states: Floats) -> tuple[Any, ...]:
        dtype = self._torch.float32 if self._single else self._torch.float64
        return tuple(self._torch.tensor(a, dtype=dtype) for a in self._arguments(states))

    @property
    def precision(self) -> float:
        """Distance from 1 to the next number that the function tells apart."""
        return float(np.finfo(np.float32 if self._single else np.float64).eps)

    def _ask(self, states: Floats) -> Floats:
        if self._torch is not None:
            with self._torch.no_grad():
                answer = self._f(*self._tensors(states))
        else:
            answer = self._f(*self._arguments(states))
        if isinstance(answer, tuple) and len(answer) == 2 and getattr(answer[0], "shape", 0) != states.shape:
            # An LSTM's cell: (h, c).
            answer = np.concatenate([np.asarray(_without(a)) for a in answer], axis=-1)
        found = _arrays.numbers(answer, "f")
        if found.shape != states.shape:
            raise ValueError(
                f"f: it returned shape {found.shape} for states of shape {states.shape}; "
                "return the next states, a row for each row"
            )
        return found

    def step(self, states: Floats) -> Floats:
        rows = max(1, MOST // self.size)
        if len(states) <= rows:
            return self._ask(states)
        return np.concatenate([self._ask(states[i : i + rows]) for i in range(0, len(states), rows)])

    def _check(self, first: Floats) -> None:
        """Whether it is a function of one state at a time, and of nothing else."""
        found = self._ask(first)
        if not np.isfinite(found).all():
            row, unit = (int(i) for i in np.argwhere(~np.isfinite(found))[0])
            raise ValueError(
                f"f: {found[row, unit]} for unit {unit} of initial state {row}; give states from which it stays finite"
            )
        size = np.abs(found).max() + 1.0
        near = 1e3 * self.precision * size
        if np.abs(self._ask(first) - found).max() > near:
            raise ValueError(
                "f: it answers the same states differently each time; a module in training mode with dropout needs "
                ".eval(), noise has to be taken out"
            )
        if len(first) > 1 and np.abs(self._ask(first[:1]) - found[:1]).max() > near:
            raise ValueError(
                "f: the next of a state changes with the other states of the batch; give a function of each row alone "
                "(a batch norm needs .eval())"
            )

    def _check_jacobian(self, first: Floats) -> None:
        found, truth = self.jacobians(first), self.differences(first)
        error = float(np.abs(found - truth).max() / max(np.abs(truth).max(), np.abs(found).max(), 1e-300))
        if not error < max(1e-4, 1e3 * self.precision ** (2 / 3)):
            k, i, j = (int(i) for i in np.unravel_index(np.argmax(np.abs(found - truth)), found.shape))
            raise ValueError(
                f"jacobian: entry [{i}, {j}] at initial state {k} is {found[k, i, j]:.6g}, differences of f say "
                f"{truth[k, i, j]:.6g}; entry [i, j] is dF_i/dh_j (leave it out to have it computed)"
            )

    def jacobians(self, states: Floats) -> Floats:
        if self._given is not None:
            arguments = self._tensors(states) if self._torch is not None else self._arguments(states)
            found = _arrays.numbers(self._given(*arguments), "jacobian")
            expected = (len(states), self.size, self.size)
            if found.shape != expected:
                raise ValueError(f"jacobian: it returned shape {found.shape}, expected {expected}")
            return found
        rows = max(1, MOST // self.size**2)
        if self._differentiate and (self._torch is not None or self._jax):
            of = self._by_torch if self._torch is not None else self._by_jax
            try:
                return np.concatenate([of(states[i : i + rows]) for i in range(0, len(states), rows)])
            except (RuntimeError, TypeError, NotImplementedError) as error:
                self._differentiate = False
                self.notes.append(
                    f"f cannot be differentiated ({_message(error).splitlines()[0]}): Jacobians are central differences"
                )
        return self.differences(states)

    def _by_torch(self, states: Floats) -> Floats:
        torch, (h, *rest) = self._torch, self._tensors(states)
        k, n = states.shape
        # States know nothing of each other: one row of every Jacobian at a time, and of few states several rows, from
        # copies of the states. Batched gradients (vmap) take twice as long on 1,000 states of 64 units.
        copies = max(1, min(TOGETHER // k, MOST_COPIES, n))
        with torch.enable_grad():
            h = h.repeat(copies, 1).requires_grad_(True)
            next_ = self._f(h, *(x.repeat(copies, 1) for x in rest))
            if isinstance(next_, tuple):
                next_ = torch.cat(next_, dim=-1)
            rows = torch.empty(n, k, n, dtype=torch.float64)
            for first in range(0, n, copies):
                count = min(copies, n - first)
                of = torch.zeros(copies, k, n, dtype=next_.dtype)
                of[range(count), :, range(first, first + count)] = 1.0
                found = torch.autograd.grad(next_, h, of.reshape(next_.shape), retain_graph=True)[0]
                rows[first : first + count] = found.reshape(copies, k, n)[:count]
        return np.ascontiguousarray(rows.permute(1, 0, 2).numpy())

    def _by_jax(self, states: Floats) -> Floats:
        import jax

        h, *rest = self._arguments(states)
        fixed = [jax.numpy.asarray(a[:1]) for a in rest]
        one = jax.jacrev(lambda row: self._f(row[None], *fixed)[0])
        return np.asarray(jax.vmap(one)(jax.numpy.asarray(h)), dtype=np.float64)

    def differences(self, states: Floats) -> Floats:
        """Central differences of fourth order, ``(8 (f₊ − f₋) − (f₊₊ − f₋₋))/12δ``.

        With ``δ = ε^(1/5)`` their error is about ``ε^(4/5)``: 3e-13 in double precision.
        """
        n = self.size
        scale = self.precision**0.2 * (1.0 + np.abs(states))  # [k, n]
        found = np.empty((len(states), n, n))
        rows = max(1, MOST // (4 * n * n))
        for begin in range(0, len(states), rows):
            h, d = states[begin : begin + rows], scale[begin : begin + rows]
            k = len(h)
            moved = np.repeat(h[None, :, None, :], 4, axis=0).repeat(n, axis=2)  # [4, k, j, n]
            unit = np.arange(n)
            for a, factor in enumerate((1.0, -1.0, 2.0, -2.0)):
                moved[a, :, unit, unit] += factor * d.T
            # What was really added, after rounding.
            width = moved[0, :, unit, unit] - h.T  # [j, k]
            f = self.step(np.ascontiguousarray(moved.reshape(-1, n))).reshape(4, k, n, n)
            slope = (8.0 * (f[0] - f[1]) - (f[2] - f[3])) / (12.0 * width.T[:, :, None])
            found[begin : begin + rows] = slope.transpose(0, 2, 1)
        return found


def _of_torch(f: Any) -> bool:
    """Whether a function belongs to a module of torch."""
    owner = getattr(f, "__self__", f)
    return any(t.__module__.split(".")[0] == "torch" for t in type(owner).__mro__)
