"""A growing list of whole numbers in as few bytes as they need: what keeps a day of results small."""

from __future__ import annotations

from array import array

_WIDER = {"B": "H", "H": "I", "I": "Q"}
_LARGEST = (1 << 64) - 1


class Numbers:
    """Numbers from 0 to 2**64 - 1, one byte each until one of them needs more; what lies outside is taken as the
    nearest of these."""

    __slots__ = ("_values",)

    def __init__(self, zeros: int = 0) -> None:
        self._values = array("B", bytes(zeros))

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, at: int) -> int:
        return self._values[at]

    @property
    def values(self) -> array[int]:
        """To be read, sliced and searched at once; not to be changed or kept."""
        return self._values

    def append(self, value: int) -> None:
        try:
            self._values.append(value)
        except OverflowError:
            value = min(max(value, 0), _LARGEST)
            self._widen(value)
            self._values.append(value)

    def extend(self, values: list[int]) -> None:
        """Append all of them."""
        try:
            self._values.extend(array(self._values.typecode, values))
        except OverflowError:
            values = [min(max(value, 0), _LARGEST) for value in values]
            self._widen(max(values))
            self._values.extend(array(self._values.typecode, values))

    def forget(self, count: int) -> None:
        """Let go of the oldest."""
        del self._values[:count]

    def _widen(self, value: int) -> None:
        while value >> 8 * self._values.itemsize:
            self._values = array(_WIDER[self._values.typecode], self._values)
