"""Stop words: whether a value contains one of many words, in one pass (Aho and Corasick, 1975).

Rule packs bring lists of well over a thousand words. RE2 makes of them an automaton whose every state lists all words
that could begin anew, which is slower than this by far (docs/adr/0009); a loop over the words is slower still.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


class StopWords:
    """Words to look for, in any case. Immutable once made; making it takes time linear in the words."""

    __slots__ = ("_fail", "_final", "_next")

    def __init__(self, words: Iterable[str]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._final: list[bool] = [False]
        for word in words:
            self._add(word.lower())
        self._fail = [0] * len(self._next)
        self._link()

    def found_in(self, value: str) -> bool:
        """Whether some word occurs in `value`."""
        follow, fail, final = self._next, self._fail, self._final
        state = 0
        for char in value.lower():
            while (onward := follow[state].get(char)) is None and state:
                state = fail[state]
            state = onward or 0
            if final[state]:
                return True
        return False

    def _add(self, word: str) -> None:
        if not word:
            raise ValueError("a stop word must not be empty")
        state = 0
        for char in word:
            onward = self._next[state].get(char)
            if onward is None:
                onward = self._next[state][char] = len(self._next)
                self._next.append({})
                self._final.append(False)
            state = onward
        self._final[state] = True

    def _link(self) -> None:
        """For each state the longest other one that ends alike, breadth first."""
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for char, onward in self._next[state].items():
                waiting.append(onward)
                back = self._fail[state]
                while back and char not in self._next[back]:
                    back = self._fail[back]
                self._fail[onward] = self._next[back].get(char, 0)
                self._final[onward] = self._final[onward] or self._final[self._fail[onward]]
