"""What follows `exec:` is a program and its arguments, and never anything that a shell would make of it."""

from __future__ import annotations

import pytest

from agent.model.references import command, shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/usr/bin/op read op://team/openai", ("/usr/bin/op", "read", "op://team/openai")),
        ("'/opt/my tools/key' a \"b c\"", ("/opt/my tools/key", "a", "b c")),
        (r"C:\tools\key.exe --name x", (r"C:\tools\key.exe", "--name", "x")),
        ("/bin/key $HOME | cat #1", ("/bin/key", "$HOME", "|", "cat", "#1")),
    ],
)
def test_words_are_split_at_spaces_and_kept_together_by_quotes(text: str, words: tuple[str, ...]) -> None:
    assert command(text) == words


@pytest.mark.parametrize("text", ["", "op read", "./op", "/bin/op 'open", "/bin/op a\x00b"])
def test_anything_else_is_no_command(text: str) -> None:
    with pytest.raises(ValueError, match=r"exec:|quotation"):
        command(text)


def test_arguments_are_not_shown() -> None:
    assert shown("exec:/usr/bin/op read secret") == "exec:/usr/bin/op"
    assert shown("exec:nonsense") == "exec:…"
    assert shown("env:NAME") == "env:NAME"
