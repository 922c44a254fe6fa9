"""Rules of gitleaks' configuration files, loaded as they are: `.gitleaks.toml`, its extensions, its allowlists.

Owns what gitleaks means by a rule, and what of that holds for prompts and streams. What cannot hold (paths, commits,
rules that must stand together, keywords far away) is left out and told by a `Note`; nothing is left out in silence.
An in-text `gitleaks:allow` is never honoured: whoever writes the text must not switch the check off.
Semantics: https://github.com/gitleaks/gitleaks, `config/config.go` and `detect/detect.go` of version 8.30.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.errors import PolicyError
from agent.guardrails.allowlist import Allowlist, Target
from agent.guardrails.foreign_patterns import adapted, names_keyword
from agent.guardrails.gitleaks_file import ForeignAllowlist, ForeignPack, ForeignRule, read_pack
from agent.guardrails.notes import EVERY_RULE, LoadedPack, Note
from agent.guardrails.pack import prefixed, tried
from agent.guardrails.rule import FIRST_GROUP, KEYWORD_REACH, Rule
from agent.model.findings import Family

MAX_EXTENSIONS = 2
"""How many files deep `[extend]` goes, as in gitleaks."""


def extended_path(text: str, *, name: str) -> str:
    """The file that a configuration extends, as it spells it, or an empty string. Raises PolicyError."""
    return read_pack(text, name=name).extends


def load_gitleaks(
    text: str,
    family: Family,
    *,
    name: str,
    prefix: str = "",
    extensions: Iterable[tuple[str, str]] = (),
) -> LoadedPack:
    """The rules of a gitleaks configuration. `name` is its file, for messages; `prefix` stands before every rule's id.

    `extensions` are name and text of the files it extends, the nearest first. `type` is a rule's id with `_` for `-`.
    Generic rules stand last: of equal findings the vendor's rule wins, as in gitleaks.
    Raises PolicyError, naming file and rule, where the file is malformed or a pattern cannot work.
    """
    loading = _Loading(name)
    pack = loading.merged(read_pack(text, name=name), name, list(extensions))
    loading.note_strangers(pack)
    rules = [
        rule for foreign in pack.rules.values() if (rule := loading.rule(foreign, pack, family)) is not None
    ]
    tried(rules, name=name)
    if loading.widened:
        loading.note(
            EVERY_RULE,
            "regex",
            f"the usual tail of {loading.widened} patterns also ends at , . : ) ] }} > & | \\ # ?",
        )
    rules.sort(key=lambda rule: rule.type.startswith("generic"))
    return LoadedPack(rules=prefixed(rules, prefix), notes=tuple(loading.notes))


class _Loading:
    """One run over a configuration, with the notes it leads to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[Note] = []
        self.widened = 0

    def note(self, rule: str, key: str, text: str, *, pack: str = "") -> None:
        """Tell a deviation."""
        self.notes.append(Note(pack=pack or self.name, rule=rule, key=key, text=text))

    def merged(
        self, pack: ForeignPack, name: str, extensions: list[tuple[str, str]], depth: int = 0
    ) -> ForeignPack:
        """`pack`, which `name` holds, upon what it extends: a rule of the same id amends the one below."""
        for rule, key, text in pack.remarks:
            self.note(rule, key, text, pack=name)
        if pack.use_default:
            self.note(
                EVERY_RULE,
                "extend.useDefault",
                "our own bundled rules stand in for gitleaks' default ones, which are not loaded"
                + ("; disabledRules has no say over them" if pack.disabled else ""),
                pack=name,
            )
        if not pack.extends:
            return pack
        if depth == MAX_EXTENSIONS:
            text = f"more than {MAX_EXTENSIONS} files deep, and ignored as in gitleaks"
            self.note(EVERY_RULE, "extend.path", text, pack=name)
            return pack
        if not extensions:
            raise PolicyError(f"{name}: the file that it extends, {pack.extends}, was not given")
        (below, text), *rest = extensions
        base = self.merged(read_pack(text, name=below), below, rest, depth + 1)
        for rule in pack.disabled:
            if rule not in base.rules:
                self.note(rule, "extend.disabledRules", f"there is no such rule in {below}", pack=name)
        return pack.amending(base)

    def note_strangers(self, pack: ForeignPack) -> None:
        """Tell of global allowlists that are meant for rules that there are not."""
        for allowlist in pack.for_some:
            for rule in allowlist.targets:
                if rule not in pack.rules:
                    self.note(
                        rule, "allowlist targetRules", "there is no such rule: the exception never applies"
                    )

    def rule(self, foreign: ForeignRule, pack: ForeignPack, family: Family) -> Rule | None:
        """The rule as this engine runs it, or None where it cannot find anything in a prompt."""
        if not self._applies(foreign, pack):
            return None
        # a rule that takes any value for a secret would take more code for one
        pattern = adapted(foreign.regex, widen=not foreign.id.startswith("generic"))
        self.widened += pattern.widened
        keywords = self._keywords(foreign, pattern.pattern)
        rule = Rule(
            id=foreign.id,
            family=family,
            type=foreign.id.replace("-", "_"),
            pattern=pattern.pattern,
            keywords=keywords,
            group=foreign.group or FIRST_GROUP,
            entropy=foreign.entropy,
            lead=pattern.lead,
        )
        allowlists = [*foreign.allowlists, *pack.targeted(foreign.id)]
        return self._with(rule, [*self._kept(foreign.id, allowlists), *self._kept("", pack.allowlists)])

    def _applies(self, foreign: ForeignRule, pack: ForeignPack) -> bool:
        if foreign.path:
            self.note(
                foreign.id, "path", "it looks only at files of that name, and a prompt has none: not loaded"
            )
        elif foreign.skip:
            self.note(foreign.id, "skipReport", "it reports nothing itself: not loaded")
        elif not foreign.regex and pack.use_default:
            self.note(
                foreign.id, "regex", "it amends a default rule of gitleaks, which is not loaded: no effect"
            )
        elif not foreign.regex:
            raise PolicyError(f"{self.name}: rule {foreign.id}: a regex or a path is needed")
        else:
            if foreign.required:
                self.note(
                    foreign.id,
                    "required",
                    "other rules need not match nearby: it finds more than in gitleaks",
                )
            return True
        return False

    def _keywords(self, foreign: ForeignRule, pattern: str) -> tuple[str, ...]:
        words = tuple(dict.fromkeys(word.lower() for word in foreign.keywords))
        if not all(word.isascii() for word in words):
            self.note(
                foreign.id, "keywords", "they are not all ASCII, and none is asked for: it may find more"
            )
            return ()
        if words and not names_keyword(pattern, words):
            self.note(
                foreign.id,
                "keywords",
                f"one must stand in the match or at most {KEYWORD_REACH} bytes before it, not anywhere in the text",
            )
        return words

    def _with(self, rule: Rule, allowlists: list[Allowlist]) -> Rule:
        """`rule` with its exceptions: those on the value alone in the form that is cheapest."""
        plain = [each for each in allowlists if each.target is Target.SECRET and not each.every]
        return replace(
            rule,
            allow=tuple(dict.fromkeys(pattern for each in plain for pattern in each.patterns)),
            stopwords=tuple(dict.fromkeys(word for each in plain for word in each.stopwords)),
            allowlists=tuple(each for each in allowlists if each not in plain),
        )

    def _kept(self, rule: str, allowlists: Iterable[ForeignAllowlist]) -> Iterator[Allowlist]:
        """What of these allowlists can apply to a prompt; `rule` is empty for global ones, which are told once."""
        for each in allowlists:
            files = [key for key, given in (("paths", each.paths), ("commits", each.commits)) if given]
            for key in files:
                self._note_once(
                    rule or EVERY_RULE,
                    f"allowlist {key}",
                    "the exception asks for them as well, which a prompt never has: it never applies"
                    if each.every
                    else "a prompt has none: these exceptions never apply",
                )
            if (files and each.every) or not (each.regexes or each.stopwords):
                continue
            if each.target is Target.LINE:
                self._note_once(
                    rule or EVERY_RULE,
                    "allowlist regexTarget",
                    "of the line only the part before and inside the match is seen",
                )
            yield Allowlist(
                patterns=each.regexes, stopwords=each.stopwords, target=each.target, every=each.every
            )

    def _note_once(self, rule: str, key: str, text: str) -> None:
        note = Note(pack=self.name, rule=rule, key=key, text=text)
        if note not in self.notes:
            self.notes.append(note)
