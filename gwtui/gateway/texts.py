"""What the embedded gateway's models say: short texts that are pleasant to read as they stream by."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import chain, cycle, islice

_PIECE = re.compile(r" ?\w{1,7}|[ \t]*\n\s*| ?[^\w\s]|\s")
"""About what a tokeniser makes of text: words with the space before them, long ones in parts, signs alone."""

_COUNTING = re.compile(rb"\bcount from 1 to (\d{1,4})\b", re.IGNORECASE)
_REPEATING = re.compile(rb'\bwrite the word \\*"([\w-]{1,40})\\*" ten times\b', re.IGNORECASE)
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

ARGUMENTS = '{"query": "what the answer needs"}'
"""What models call tools with."""
_TEXTS: dict[str, tuple[str, ...]] = {
    "anthropic::*": (
        "The function `bubble_sort` walks the list again and again. Whenever two neighbours stand in the wrong order "
        "it swaps them. After each pass the largest value that is left has reached its place.",
        "Two loops do the work: the outer one counts the passes, the inner one compares neighbours. If a pass ends "
        "without a swap, the list is sorted and the function may stop early.",
        "It is stable, needs no extra memory and is easy to explain. It is also slow: twice the items take four times "
        "as long.",
    ),
    "claude*": (
        "Here is a bubble sort:\n\n    for end in range(len(arr) - 1, 0, -1):\n        for i in range(end):\n"
        "            if arr[i] > arr[i + 1]:\n                arr[i], arr[i + 1] = arr[i + 1], arr[i]\n    return arr",
        "Picture bubbles in a glass of water. The big ones rise first, pushing past their smaller neighbours, until "
        "every bubble rests below one that is larger. That is the whole idea of this sort.",
        "A small improvement: remember whether the last pass swapped anything. When it did not, every pair is already "
        "in order, and the remaining passes can be left out.",
    ),
    "gpt*": (
        "A gateway stands between your program and the models. It checks the key, picks a provider, counts the tokens "
        "and passes every event on as soon as it arrives.",
        "Three numbers tell you how a stream feels: the time to the first token, the gap between tokens, and the time "
        "to the last. People notice the first one most.",
        "A median hides the bad moments. Look at the 95th percentile too: one answer in twenty is slower than that, "
        "and someone is waiting for it.",
    ),
    "starcoder*": (
        "{\n  const name = process.env.USER ?? 'world';\n  console.log(`Hello, ${name}!`);\n};",
        "{\n  const hour = new Date().getHours();\n  return hour < 12 ? 'Good morning' : 'Good evening';\n};",
        "(name: string): string => {\n  return `Hello, ${name.trim()}!`;\n};",
    ),
    "*llama*": (
        "Once there was a lighthouse that counted ships. Every night it swept its beam across the water and wrote down "
        "what it saw: a ferry, two trawlers, a freighter from the north. One night the fog came, and the beam showed "
        "nothing but grey. The keeper did not guess. She wrote down the time, the word fog, and that the lamp was "
        "lit. In the morning the harbour master read the page and knew two things: that nobody had seen a ship, and "
        "that somebody had been looking. From then on every ship that passed greeted the light, and it answered with "
        "one short flash: I see you, I am here.",
    ),
    "*": (
        "The stream is open, the tokens arrive one by one, and the last of them is just as punctual as the first.",
        "Nothing unusual to report: the question was short, the answer is shorter, and both arrived in one piece.",
    ),
}
"""By the model's name, as a glob; the first that fits speaks."""


def pieces(text: str) -> list[str]:
    """The text in token-like pieces. Together they are the text again."""
    return _PIECE.findall(text)


def obeyed(body: bytes) -> str | None:
    """What a request asks for that any model can do: numbers in words, one a line, or a word ten times; else None."""
    if (counting := _COUNTING.search(body)) is not None:
        return "\n".join(_in_words(number) for number in range(1, int(counting[1]) + 1))
    repeating = _REPEATING.search(body)
    return None if repeating is None else " ".join([repeating[1].decode()] * 10)


def _in_words(number: int) -> str:
    if number < len(_ONES):
        return _ONES[number]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = f" {_in_words(number % size)}" if number % size else ""
            return f"{_in_words(number // size)} {name}{rest}"
    return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def tokens_of(model: str, nth: int, count: int | None = None) -> list[str]:
    """What the model says to its `nth` question: one whole text, or `count` tokens of one after another."""
    texts = next(texts for pattern, texts in _TEXTS.items() if fnmatchcase(model, pattern))
    start = nth % len(texts)
    if count is None:
        return pieces(texts[start])
    turn = cycle((*texts[start:], *texts[:start]))
    return list(islice(chain.from_iterable(pieces(text + "\n\n") for text in turn), count))
