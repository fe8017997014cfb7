import pytest

from policies.shell import START, UNKNOWN
from policies.shell.places import MAX_DIRECTORIES, MAX_LINKS, Place


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("a", "./a"),
        ("./a/../b/", "./b"),
        (".", "."),
        ("", "."),
        (".env", "./.env"),
        ("/etc/../etc//passwd", "/etc/passwd"),
        ("//etc/passwd", "/etc/passwd"),
        ("~", "~"),
        ("~/", "~"),
        ("~/x", "~/x"),
        ("~root/x", "~/x"),
        ("/home/me/x", "~/x"),
        ("/Users/me/x", "~/x"),
        ("/root/x", "~/x"),
        ("/home/me/../you/x", "~/x"),
        ("/home/../etc/x", "/etc/x"),
        ("~/../you/x", "/home/you/x"),
        ("~/../etc/x", "/etc/x"),
        ("~/../../etc/x", "/etc/x"),
        ("../../../etc/x", "/etc/x"),
        ("../../.ssh/x", "~/.ssh/x"),
        ("../a", "./../a"),
        ("..", "~"),
        ("/proc/self/root/etc/x", "/etc/x"),
        ("/proc/1/task/1/root/etc/x", "/etc/x"),
        ("/proc/self/root", "/"),
        ("/proc/self/cwd/.git/x", "./.git/x"),
        ("/private/etc/x", "/etc/x"),
        ("\u200b~\u2060/.s\u200dsh/x", "~/.ssh/x"),
        ("\uff0eenv", "./.env"),
        (UNKNOWN + "/x", "~/x"),
        (UNKNOWN + "/x", "/x"),
        (UNKNOWN + "x", "./x"),
    ],
)
def test_a_path_means_these_files(path: str, meant: str) -> None:
    assert meant in START.resolve(path)


@pytest.mark.parametrize(("path", "only"), [("a", "./a"), ("/tmp/a", "/tmp/a"), ("~/a", "~/a"), ("/", "/")])
def test_an_ordinary_path_means_one_file(path: str, only: str) -> None:
    assert START.resolve(path) == (only,)


def test_a_link_means_also_what_it_points_to() -> None:
    place = START.linked("x", "/etc").linked("d/y", "../x").linked("loop", "loop/loop")
    assert "/etc/passwd" in place.resolve("x/passwd")
    assert "/etc/passwd" in place.resolve("./d/y/passwd")
    assert "./loop/a" in place.resolve("loop/a")
    assert place.resolve("xx") == ("./xx",)


def test_a_path_that_no_system_opens_leads_nowhere() -> None:
    assert START.resolve("./" * 2100 + "a") == (UNKNOWN,)


def test_more_links_and_directories_than_anybody_makes_are_not_known() -> None:
    place = START
    for number in range(2 * MAX_LINKS):
        place = place.linked("x", f"x/{number}").moved(f"/d{number}", certainly=False)
    assert UNKNOWN in place.directories and len(place.directories) == MAX_DIRECTORIES
    assert len(place.links) == MAX_LINKS
    assert UNKNOWN in Place(links=tuple(("./x", f"./x/{number}") for number in range(99))).resolve("x")
