import base64

import pytest

from policies.shell import FETCHED, UNKNOWN, Assignment, Code, Oddity, Program, Redirect, read

ENCODED = base64.b64encode(b"cp a b").decode()


def programs(script: str) -> list[tuple[str, ...]]:
    """Each program with its words, as one tuple."""
    return [(effect.name, *effect.args) for effect in read(script) if isinstance(effect, Program)]


def redirects(script: str) -> list[tuple[str, str]]:
    return [(effect.operator, effect.path) for effect in read(script) if isinstance(effect, Redirect)]


def directories(script: str) -> tuple[str, ...]:
    """Those in which `pwd` may be run."""
    (found,) = (effect for effect in read(script) if isinstance(effect, Program) and effect.name == "pwd")
    return found.place.directories


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("cp a b", ("cp", "a", "b")),
        ("/usr/bin/CP.exe a b", ("cp", "a", "b")),
        ("X='a b'; cp $X", ("cp", "a", "b")),
        ("cp \"$(printf '%s' a)\" ${Y:-b}", ("cp", "a", "b")),
        ("bash -c \"bash -c 'cp a b'\"", ("cp", "a", "b")),
        ("eval 'eval cp a b'", ("cp", "a", "b")),
        ("sudo env X=1 nice -n 5 cp a b", ("cp", "a", "b")),
        ("f() { cp $1 b; }; f a", ("cp", "a", "b")),
        ("bash <<E\ncp a b\nE", ("cp", "a", "b")),
        ("echo cp a b > x; sh x", ("cp", "a", "b")),
        ("cat <<E > x\ncp a b\nE\nsh x", ("cp", "a", "b")),
        ("python3 -c 'import os; os.system(\"cp a b\")'", ("cp", "a", "b")),
        ("cp a $X", ("cp", "a", UNKNOWN)),
        ("$X a b", (UNKNOWN, "a", "b")),
        ("cp a $(curl x)", ("cp", "a", FETCHED)),
        ("/bin/c? a b", ("c?", "a", "b")),
        ("source /dev/stdin <<< 'cp a b'", ("cp", "a", "b")),
        ("$(command -v cp) a b", ("cp", "a", "b")),
        ("$(echo -n cp) a b", ("cp", "a", "b")),
        ("A=(cp a); A+=(b); ${A[@]}", ("cp", "a", "b")),
        ("A=(cp); A[0]=mv; ${A[0]} a b", ("cp", "a", "b")),
        ("A=(cp); ${A[$X]} a b", (UNKNOWN, "a", "b")),
        ("${NONE[0]} a b", (UNKNOWN, "a", "b")),
        ("cp a ${X:+b}", ("cp", "a", "b")),
        ("cp a ${X##*/}", ("cp", "a", UNKNOWN)),
        ("cp a ${#A[@]}", ("cp", "a", UNKNOWN)),
        ("X=; cp a b$X", ("cp", "a", "b")),
        ("cat <<E\nE\ncp a b", ("cp", "a", "b")),
        ("cp $'\\cA' b", ("cp", "\x01", "b")),
        ("cp $(printf 'a%%%s' c) b", ("cp", "a%c", "b")),
        ("cp {1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}{1,2}", ("cp", UNKNOWN, UNKNOWN)),
    ],
)
def test_every_program_that_may_run_is_listed_with_its_words(script: str, found: tuple[str, ...]) -> None:
    assert found in programs(script)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("echo x > a", (">", "a")),
        ("echo x >> $X", (">>", UNKNOWN)),
        ("echo x &> a", ("&>", "a")),
        ("cat < a", ("<", "a")),
        ("exec 3<>/dev/tcp/h/1", ("<>", "/dev/tcp/h/1")),
        ("{ echo x; echo y; } > a", (">", "a")),
        ("cat <<E > a\nx\nE", (">", "a")),
        ("{ cat; } <<E >> a\nx\nE", (">>", "a")),
        ("while read x; do echo; done > a", (">", "a")),
        ("> a", (">", "a")),
    ],
)
def test_every_redirection_is_listed(script: str, found: tuple[str, str]) -> None:
    assert found in redirects(script)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("pwd", (".",)),
        ("cd a/b; cd ..; pwd", ("./a",)),
        ("cd /etc && pwd", ("/etc",)),
        ("cd; pwd", ("~",)),
        ("X=1 cd /etc; pwd", ("/etc",)),
        ("cd -P -- /etc; pwd", ("/etc",)),
        ("(cd /etc); pwd", (".",)),
        ("cd /etc | true; pwd", (".",)),
        ("f() { cd /etc; }; f; pwd", ("/etc",)),
        ("true && cd /etc; pwd", ("/etc", ".")),
        ("if x; then cd /etc; fi; pwd", ("/etc", ".")),
        ("pushd /etc; popd; pwd", ("/etc", ".")),
        ("cd /etc; cd -; pwd", ("/etc", ".")),
        ("builtin cd /etc; pwd", ("/etc",)),
        ("env -C /etc pwd", ("/etc",)),
        ("env --chdir=/etc pwd", ("/etc",)),
        ("cd /etc; cd $PWD/x; pwd", ("/etc/x",)),
    ],
)
def test_a_program_stands_where_the_script_went(script: str, found: tuple[str, ...]) -> None:
    assert directories(script) == found


def test_a_directory_that_may_be_one_of_two_is_not_known_by_name() -> None:
    assert ("echo", UNKNOWN) in programs("true && cd /etc; echo $PWD")


def test_variables_that_are_set_are_listed() -> None:
    effects = read("X=1; export Y=2 Z; A=(b c) true; declare 'B=d'")
    found = [effect for effect in effects if isinstance(effect, Assignment)]
    assert found == [
        *(Assignment("X", ("1",)), Assignment("Y", ("2",)), Assignment("A", ("b", "c")), Assignment("B", ("d",))),
    ]


@pytest.mark.parametrize(
    ("script", "interpreter", "text"),
    [
        ("python3 -c 'x = 1'", "python3", "x = 1"),
        ("node -e x", "node", "x"),
        ("perl <<'E'\nx\nE", "perl", "x\n"),
        ("echo x | ruby -", "ruby", "x\n"),
        ("echo x > a.py; python a.py", "python", "x\n"),
    ],
)
def test_code_in_another_language_is_listed(script: str, interpreter: str, text: str) -> None:
    assert (interpreter, text) in [(code.interpreter, code.text) for code in read(script) if isinstance(code, Code)]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("if (", "unparsable"),
        ("bash -c 'if ('", "unparsable"),
        ("ls \ufdd0", "unparsable"),
        ("ls \ud800", "unparsable"),
        ("x" * 1_048_577, "unparsable"),
        ("$(" * 5000, "unparsable"),
        ("(" * 300 + "ls" + ")" * 300, "unparsable"),
        ("ls;" * 60_000, "unparsable"),
        ("echo " + "{a,b}" * 5000, "unparsable"),
        (f"echo {ENCODED} | base64 -d | sh", "fetched"),
        (":(){ :|:& };:", "multiplies"),
    ],
    ids=lambda value: value[:30].encode("unicode_escape").decode(),
)
def test_what_is_odd_about_a_script_is_said(script: str, kind: str) -> None:
    assert kind in [effect.kind for effect in read(script) if isinstance(effect, Oddity)]


@pytest.mark.parametrize(
    "script",
    [
        "a=xxxxxxxxxxxxxxxx" + "; a=$a$a" * 60 + "; echo $a",
        "echo xxxxxxxxxxxxxxxx" + " | cat /dev/stdin /dev/stdin" * 60,
        "a=" + "x" * 4000 + "; echo " + "$a" * 10_000,
        f"printf '{'x' * 30_000}%s' " + "a " * 10_000,
        "a=" + "x" * 60_000 + "; " + "f() { echo $a; }; " + "f; " * 1000,
    ],
    ids=lambda script: script[:20],
)
def test_text_that_swells_is_given_up(script: str) -> None:
    assert read(script)[-1] == Oddity("unparsable", "a shell")


def test_what_could_be_read_of_a_script_is_listed_all_the_same() -> None:
    assert ("cp", "a", "b") in programs("cp a b; if (")


def test_names_that_are_patterns_may_be_several_programs() -> None:
    assert Program("c?").named({"cp", "cc", "mv"}) == ["cc", "cp"]
    assert Program("cp").named({"cp", "mv"}) == ["cp"]
    assert Program("[").named({"["}) == ["["]
    assert Program(UNKNOWN).named({"cp"}) == [] and Program(UNKNOWN).unknown


def test_only_some_redirections_write() -> None:
    assert Redirect("<>", "a").writes and Redirect(">", "a").writes and not Redirect("<", "a").writes
