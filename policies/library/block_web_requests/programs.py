"""The addresses that programs reach by their arguments. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from policies.shell import UNKNOWN, Program
from policies.shell.options import operands, subcommand, values

Reached = Callable[[list[str]], Iterator[str]]

_ADDRESS = re.compile(r"(?:--?[\w-]+=|\w+=|git\+)?((?:[a-z][a-z0-9+.-]*:[/\\]{2}|https?:|//)\S+)", re.IGNORECASE)
_REMOTE = re.compile(r"(?:[^/@\s]+@)?([^/:@\s]{2,}):(?!\\)")
_PORT = re.compile(r"\d{1,5}(?:-\d{1,5})?\Z")
_SILENT = ("--help", "--version", "-V")
_PRINTING = frozenset(
    {"echo", "printf", "grep", "egrep", "fgrep", "rg", "ag", "ack", "sed", "test", "[", "[[", "jq", "yq", "cat", "tee"}
    | {"basename", "dirname", "wc", "head", "tail", "sort", "uniq", "tr", "cut", "xargs", "true", ":", "diff", "ls"}
)


def reached(program: Program) -> Iterator[str]:
    """Addresses and hosts, as they are written; UNKNOWN where the program reaches some that it does not name."""
    args = list(program.args)
    if any(option in args for option in _SILENT) and len(args) == 1:
        return
    names = program.named(_PROGRAMS)
    for name in names:
        yield from _PROGRAMS[name](args)
    if not names and not program.named(_PRINTING):
        yield from _named(args)


def _named(args: list[str]) -> Iterator[str]:
    """Whatever looks like an address."""
    for arg in args:
        match = _ADDRESS.match(arg)
        if match and not match[1].lower().startswith("file:"):
            yield match[1]


def _without(args: list[str], letters: str, names: str) -> list[str]:
    """The operands, but for the values of these options."""
    rest: list[str] = []
    skip = False
    for at, arg in enumerate(args):
        if skip:
            skip = False
        elif arg == "--":
            return rest + args[at + 1 :]
        elif arg.startswith("--"):
            skip = "=" not in arg and arg[2:] in names.split()
        elif arg.startswith("-") and arg != "-":
            place = next((place for place, letter in enumerate(arg) if place and letter in letters), 0)
            skip = place == len(arg) - 1 > 0
        else:
            rest.append(arg)
    return rest


_CURL_VALUES = (
    "abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout "
    "connect-to continue-at cookie cookie-jar create-file-mode crlfile data data-ascii data-binary data-raw "
    "data-urlencode dns-servers doh-url dump-header expand-url form form-string header json key key-type "
    "limit-rate mail-from mail-rcpt max-filesize max-redirs max-time noproxy oauth2-bearer output output-dir pass "
    "preproxy proxy proxy-header proxy-user range rate referer request resolve retry retry-delay retry-max-time "
    "socks4 socks4a socks5 socks5-hostname speed-limit speed-time stderr tls-max trace trace-ascii unix-socket "
    "upload-file url url-query user user-agent variable write-out"
)
_CURL_REACHES = ("--url", "--proxy", "--preproxy", "--socks4", "--socks4a", "--socks5", "--socks5-hostname")


def _curl(args: list[str]) -> Iterator[str]:
    yield from _without(args, "AbcCdDeEFHKmoPQrtTuUwxXyYz", _CURL_VALUES)
    yield from values(args, "x", *_CURL_REACHES, "--doh-url", "--dns-servers", "--expand-url")
    for redirected in values(args, "", "--connect-to", "--resolve"):
        # host:port:host:port, and host:port:address
        yield from filter(None, redirected.lstrip("+").split(":", 2)[2:])
    if values(args, "K", "--config"):
        yield UNKNOWN
    if values(args, "", "--unix-socket", "--abstract-unix-socket"):
        yield "localhost"


_WGET_VALUES = (
    "append-output base body-data body-file ca-certificate ca-directory certificate connect-timeout config cut-dirs "
    "default-page directory-prefix dns-timeout domains execute exclude-directories header http-password http-user "
    "include-directories input-file level limit-rate load-cookies method output-document output-file password "
    "post-data post-file private-key quota read-timeout referer save-cookies secure-protocol timeout tries user "
    "user-agent wait"
)


def _wget(args: list[str]) -> Iterator[str]:
    yield from _without(args, "aABDeGiIloOPQRtTUwX", _WGET_VALUES)
    if values(args, "ie", "--input-file", "--execute", "--config"):
        yield UNKNOWN


def _httpie(args: list[str]) -> Iterator[str]:
    given = [arg for arg in operands(args) if not re.fullmatch("[A-Z]+", arg)]
    yield from (f"localhost{arg}" if arg.startswith(":") else arg for arg in given[:1])
    yield from values(args, "", "--proxy")


def _peers(args: list[str]) -> Iterator[str]:
    """`nc host port`, `dig @server name`: all that is no port."""
    for arg in operands(args):
        if not _PORT.match(arg):
            yield arg.lstrip("@")


def _listeners_or_peers(args: list[str]) -> Iterator[str]:
    letters = "".join(arg[1:] for arg in args if re.match(r"-[a-zA-Z]", arg))
    if "l" in letters or "--listen" in args:
        yield "localhost"
    yield from _peers(args)


def _socat(args: list[str]) -> Iterator[str]:
    for arg in operands(args):
        kind, _, rest = arg.partition(":")
        if re.match(r"(?:tcp|udp|openssl|ssl|sctp|dccp|socks|proxy|ip|quic)", kind, re.IGNORECASE):
            yield "localhost" if "listen" in kind.lower() or "-l" in kind.lower() else rest.partition(",")[0]


def _openssl(args: list[str]) -> Iterator[str]:
    if args[:1] in (["s_client"], ["s_time"], ["ocsp"]):
        options = ("-connect", "-host", "-proxy", "-url")
        found = [value for option, value in pairwise(args) if option in options]
        yield from found or [arg for arg in args[1:] if not arg.startswith("-")]


def _ssh(args: list[str]) -> Iterator[str]:
    yield from _without(args, "BbcDEeFIiJLlmOopQRSWw", "")[:1]
    yield from (jump for value in values(args, "J") for jump in value.split(","))
    for option in values(args, "o"):
        name, _, value = option.replace(" ", "=", 1).partition("=")
        if name.lower() in ("hostname", "proxyjump"):
            yield value
        elif name.lower() == "proxycommand":
            yield UNKNOWN
    yield from values(args, "W")


def _copies(args: list[str]) -> Iterator[str]:
    """`scp`, `rsync`: what stands before a colon."""
    for arg in [*operands(args), *values(args, "J")]:
        if "://" in arg:
            yield arg
        elif arg.startswith(UNKNOWN):
            yield UNKNOWN
        else:
            remote = _REMOTE.match(arg)
            if remote:
                yield remote[1]


_GIT_REACHES = frozenset(
    {"clone", "fetch", "pull", "push", "ls-remote", "remote", "submodule", "archive", "send-email"}
)


def _git(args: list[str]) -> Iterator[str]:
    command, rest, before = subcommand(args, with_value=("-C", "-c", "--git-dir", "--work-tree", "--namespace"))
    if any(re.search(r"proxy|insteadof|sshcommand", value, re.IGNORECASE) for value in values(before, "c")):
        yield UNKNOWN
    if command == "config" and any(re.search(r"\.url\Z|insteadof|proxy", arg, re.IGNORECASE) for arg in rest):
        yield from _named(rest)
    if command not in _GIT_REACHES:
        return
    given = operands(rest)
    remotes = [_REMOTE.match(arg) for arg in given if "://" not in arg]
    found = [*_named(rest), *(remote[1] for remote in remotes if remote)]
    yield from found
    local = any(arg.startswith((".", "/", "~")) for arg in given)
    asks = {"remote": given[:1] in (["update"], ["show"], ["prune"]), "submodule": given[:1] == ["update"]}
    if not found and not local and asks.get(command, command != "archive"):
        yield UNKNOWN


_INSTALLS = frozenset(
    {"install", "add", "i", "ci", "download", "update", "upgrade", "get", "pull", "push", "publish", "sync", "exec"}
    | {"dlx", "search", "login", "lock", "create", "run", "build", "fetch", "mod", "require", "tap"}
)


def _packages(args: list[str]) -> Iterator[str]:
    """Package managers: the addresses that they are given, and the registry that they are set up for."""
    found = [*_named(args), *values(args, "", "--index-url", "--extra-index-url", "--registry", "--proxy", "--index")]
    yield from found
    if not found and subcommand(args)[0] in _INSTALLS - {"run", "build", "exec", "create"}:
        yield UNKNOWN


def _runs_packages(args: list[str]) -> Iterator[str]:
    yield from list(_named(args)) or [UNKNOWN]


def _images(args: list[str]) -> Iterator[str]:
    yield from _named(args)
    if {"pull", "push", "login", "run", "build", "buildx", "compose", "search"} & set(args):
        yield UNKNOWN


def _python(args: list[str]) -> Iterator[str]:
    if "-m" in args[:-1]:
        at = args.index("-m") + 1
        if args[at] in ("pip", "pipx", "uv", "twine"):
            yield from _packages(args[at + 1 :])
        else:
            yield from _named(args)


def _env(args: list[str]) -> Iterator[str]:
    yield from (arg.partition("=")[2] for arg in args if re.match(r"(?i)(?:https?|all|ftp)_proxy=.", arg))


def _awk(args: list[str]) -> Iterator[str]:
    for arg in args:
        yield from re.findall(r"/inet[46]?/(?:tcp|udp)/[^/]*/([^/\"]+)", arg)


def _somewhere(args: list[str]) -> Iterator[str]:
    yield UNKNOWN


_PROGRAMS: dict[str, Reached] = {
    "curl": _curl,
    **dict.fromkeys(("wget", "wget2"), _wget),
    **dict.fromkeys(("http", "https", "httpie", "xh", "xhs"), _httpie),
    **dict.fromkeys(("aria2c", "axel", "lynx", "w3m", "links", "elinks", "websocat", "fetch", "lftp"), _peers),
    **dict.fromkeys(
        ("telnet", "ftp", "tftp", "mosh", "ping", "ping6", "traceroute", "tracepath", "mtr", "whois"), _peers
    ),
    **dict.fromkeys(("nmap", "dig", "nslookup", "host", "drill", "hping3", "nping", "rlogin", "rsh"), _peers),
    **dict.fromkeys(("nc", "ncat", "netcat"), _listeners_or_peers),
    "socat": _socat,
    "openssl": _openssl,
    **dict.fromkeys(("ssh", "autossh", "slogin"), _ssh),
    **dict.fromkeys(("scp", "sftp", "rsync"), _copies),
    "git": _git,
    **dict.fromkeys(("pip", "pip3", "pipx", "uv", "poetry", "pdm", "conda", "mamba", "npm", "yarn", "pnpm"), _packages),
    **dict.fromkeys(("bun", "cargo", "go", "gem", "bundle", "apt", "apt-get", "dnf", "yum", "apk", "brew"), _packages),
    **dict.fromkeys(("composer", "dotnet", "nuget", "helm", "flatpak", "snap"), _packages),
    **dict.fromkeys(("npx", "uvx", "pnpx", "bunx"), _runs_packages),
    **dict.fromkeys(("docker", "podman", "nerdctl"), _images),
    **dict.fromkeys(("python", "python3", "py"), _python),
    "env": _env,
    **dict.fromkeys(("awk", "gawk", "mawk"), _awk),
    **dict.fromkeys(
        ("aws", "gcloud", "gsutil", "az", "gh", "rclone", "s3cmd", "twine", "ngrok", "cloudflared"), _somewhere
    ),
    **dict.fromkeys(("mail", "mailx", "sendmail", "mutt", "msmtp", "swaks"), _somewhere),
}
